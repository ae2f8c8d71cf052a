import gc

import numpy as np
import pytest
from spacy.strings import get_string_id
from spacy.vectors import Vectors

from spacy_elmo_ner.vectors import shared
from spacy_elmo_ner.vectors.shared import shared_from_bytes, shared_table, table_width
from spacy_elmo_ner.vectors.table import TABLE_FILE

from .conftest import WORDS


@pytest.fixture
def folder(tmp_path, table):
    (tmp_path / TABLE_FILE).write_bytes(table.to_bytes())
    return str(tmp_path)


def test_all_who_name_a_table_share_it(folder):
    one = shared_table(folder)
    assert shared_table(folder) is one
    assert shared_from_bytes(one.to_bytes()) is shared_from_bytes(one.to_bytes()[:])


def test_a_table_that_was_written_anew_is_read_anew(tmp_path, folder, table):
    import os

    one = shared_table(folder)
    (tmp_path / TABLE_FILE).write_bytes(table.to_bytes())
    os.utime(tmp_path / TABLE_FILE, ns=(1, 1))
    assert shared_table(folder) is not one


def test_a_table_nobody_uses_is_given_back(folder):
    shared_table(folder)
    gc.collect()
    assert not [key for key in shared._shared if folder in key]


def test_the_width_is_known_without_reading(folder, spacy_folder):
    assert table_width(folder) == table_width(str(spacy_folder)) == 4
    assert table_width("glove-en") == 50
    assert table_width("no such folder") is None


def test_a_folder_in_the_users_home_is_found(monkeypatch, tmp_path, folder):
    monkeypatch.setenv("HOME", str(tmp_path.parent))
    assert table_width(f"~/{tmp_path.name}") == 4
    assert shared_table(f"~/{tmp_path.name}") is shared_table(folder)


def test_damaged_vectors_of_spacys_have_no_width(spacy_folder):
    (spacy_folder / "vectors").write_bytes(b"not an array")
    with pytest.raises(ValueError, match="EL050"):
        table_width(str(spacy_folder))


def test_a_file_of_other_tensors_has_no_width(tmp_path):
    (tmp_path / TABLE_FILE).write_bytes(b"\x08" + bytes(7) + b"not json")
    with pytest.raises(ValueError, match="EL050"):
        table_width(str(tmp_path))


def test_vectors_that_spacy_saved_are_read(spacy_folder, vectors):
    for name in (spacy_folder, spacy_folder.parent):
        table = shared_table(str(name))
        words = np.array([[get_string_id(w)] for w in [*WORDS, "sat", "dog"]], dtype="u8")
        expected = [*vectors, vectors[WORDS.index("cat")], np.zeros(4)]
        np.testing.assert_array_equal(table.look_up(words), expected)


def test_a_name_that_nothing_has_says_which_there_are():
    with pytest.raises(ValueError, match=r"EL051.*no-such-table.*glove-en"):
        shared_table("no-such-table")


def test_floret_vectors_are_sent_to_the_vocab(tmp_path):
    Vectors(data=np.zeros((8, 4), "f"), mode="floret", minn=1, maxn=2).to_disk(tmp_path)
    with pytest.raises(ValueError, match=r"EL052.*floret.*name = null"):
        shared_table(str(tmp_path))


@pytest.mark.parametrize(
    "data, problem", [(np.zeros((0, 0), "f"), "0 words"), (np.full((1, 2), np.nan), "not finite")]
)
def test_spacy_vectors_without_values_are_refused(tmp_path, data, problem):
    Vectors(data=data, keys=[7][: len(data)]).to_disk(tmp_path)
    with pytest.raises(ValueError, match=f"EL050.*{problem}"):
        shared_table(str(tmp_path))


def test_a_damaged_folder_of_spacys_is_refused(spacy_folder):
    (spacy_folder / "key2row").write_bytes(b"\xc1")
    with pytest.raises(ValueError, match="EL050"):
        shared_table(str(spacy_folder))
