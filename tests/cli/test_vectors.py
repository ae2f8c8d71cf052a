"""``elmo vectors``: from spaCy's vectors and from the wheel of GloVe to a small table."""

import hashlib
import io
import sys
import zipfile

import numpy as np
import pytest
import spacy
from spacy.strings import get_string_id
from spacy.tokens import Doc
from spacy.vectors import Vectors
from typer.testing import CliRunner

from spacy_elmo_ner.cli.app import elmo_cli
from spacy_elmo_ner.layers.word_vectors import build_word_vectors_v1
from spacy_elmo_ner.vectors import glove
from spacy_elmo_ner.vectors.shared import packaged_sha256, shared_table
from spacy_elmo_ner.vectors.table import TABLE_FILE

WORDS = ["the", "case", "cat", "Paris", "rare"]


def run(*arguments: object):
    return CliRunner().invoke(elmo_cli, ["vectors", *map(str, arguments)])


@pytest.fixture
def vectors() -> np.ndarray:
    return np.random.default_rng(0).normal(size=(len(WORDS), 6)).astype("f")


@pytest.fixture
def spacy_folder(tmp_path, vectors):
    keys = [get_string_id(word) for word in WORDS]
    Vectors(data=vectors, keys=keys).to_disk(tmp_path / "spacy")
    return tmp_path / "spacy"


def test_spacy_vectors_become_a_small_table_that_the_layer_reads(tmp_path, spacy_folder, vectors):
    result = run(spacy_folder, tmp_path / "own", "--words", 4)
    assert result.exit_code == 0, result.output
    data = (tmp_path / "own" / TABLE_FILE).read_bytes()
    assert hashlib.sha256(data).hexdigest() in result.output.replace("\n", "")
    doc = Doc(spacy.blank("en").vocab, words=["The", "case", "Paris", "rare"])
    (found,) = build_word_vectors_v1(str(tmp_path / "own")).predict([doc])
    expected = [vectors[0], vectors[1], vectors[3], np.zeros(6)]
    np.testing.assert_allclose(found, expected, atol=1e-6)


def test_an_output_that_holds_a_table_is_left_alone(tmp_path, spacy_folder):
    (tmp_path / TABLE_FILE).write_bytes(b"mine")
    result = run(spacy_folder, tmp_path)
    assert result.exit_code == 1 and "EL527" in result.output
    assert (tmp_path / TABLE_FILE).read_bytes() == b"mine"


@pytest.mark.parametrize(
    "source, options, code",
    [("no-such", [], "EL051"), ("spacy", ["--part-width", 4], "EL053"), ("x.whl", [], "EL054")],
)
def test_what_cannot_be_read_leaves_no_table(
    tmp_path, spacy_folder, monkeypatch, source, options, code
):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "x.whl").write_bytes(b"no wheel")
    monkeypatch.setitem(sys.modules, "pyarrow.parquet", FakeParquet)
    monkeypatch.setitem(sys.modules, "pyarrow", FakeArrow)
    result = run(source, tmp_path / "own", *options)
    assert result.exit_code == 1 and code in result.output
    assert not (tmp_path / "own" / TABLE_FILE).exists()


class FakeParquet:
    """Reads a word per line, as pyarrow reads the wheel's index."""

    @staticmethod
    def read_table(file: io.BytesIO):
        words = file.read().decode().split("\n")
        return {"index": type("Column", (), {"to_pylist": lambda self: words})()}


class FakeArrow:
    parquet = FakeParquet


def write_wheel(path, vectors, monkeypatch):
    """A wheel shaped like GloVe's, whose files are the ones that are expected."""
    values = io.BytesIO()
    np.save(values, vectors)
    contents = (values.getvalue(), "\n".join(WORDS).encode())
    digests = {
        name: hashlib.sha256(content).hexdigest()
        for name, content in zip(glove._FILES, contents, strict=True)
    }
    monkeypatch.setattr(glove, "_FILES", digests)
    monkeypatch.setitem(sys.modules, "pyarrow.parquet", FakeParquet)
    monkeypatch.setitem(sys.modules, "pyarrow", FakeArrow)
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in zip(digests, contents, strict=True):
            archive.writestr(name, content)


def test_the_wheel_of_glove_becomes_a_table(tmp_path, vectors, monkeypatch):
    write_wheel(tmp_path / "glove.whl", vectors, monkeypatch)
    result = run(tmp_path / "glove.whl", tmp_path / "own", "--words", 3)
    assert result.exit_code == 0, result.output
    words = np.array([[get_string_id(word)] for word in WORDS], dtype="u8")
    found = shared_table(str(tmp_path / "own")).look_up(words)
    np.testing.assert_allclose(found, [*vectors[:3], *np.zeros((2, 6))], atol=1e-6)


def test_a_wheel_with_other_vectors_is_refused(tmp_path, vectors, monkeypatch):
    write_wheel(tmp_path / "glove.whl", vectors, monkeypatch)
    monkeypatch.setattr(glove, "_FILES", dict.fromkeys(glove._FILES, "0" * 64))
    result = run(tmp_path / "glove.whl", tmp_path / "own")
    assert result.exit_code == 1 and "EL054" in result.output and "0000" in result.output


def test_without_pyarrow_the_command_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "pyarrow.parquet", None)
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    result = run(tmp_path / "glove.whl", tmp_path / "own")
    assert result.exit_code == 1 and "EL528" in result.output
    assert "spacy-elmo-ner[vectors]" in result.output.replace("\n", "")


def test_the_model_card_names_the_packaged_file():
    from spacy_elmo_ner.vectors.shared import PACKAGED

    card = (PACKAGED / "glove-en" / "MODEL_CARD.md").read_text(encoding="utf8")
    assert packaged_sha256("glove-en") in card and glove.WHEEL_SHA256 in card
