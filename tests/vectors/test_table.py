import numpy as np
import pytest
from safetensors.numpy import load, save
from spacy.attrs import LOWER
from spacy.strings import get_string_id

from spacy_elmo_ner.vectors.build import smaller_table
from spacy_elmo_ner.vectors.quantize import PlainValues
from spacy_elmo_ner.vectors.table import VectorTable, table_of

from .conftest import WORDS


def keys(*words: str) -> np.ndarray:
    """As written and in lower case."""
    return np.array([[get_string_id(w), get_string_id(w.lower())] for w in words], dtype="u8")


def test_a_word_is_found_as_written_first_then_in_lower_case(table, vectors):
    found = table.look_up(keys("Paris", "paris", "PARIS", "The"))
    np.testing.assert_array_equal(found, vectors[[2, 3, 3, 0]])


def test_an_unknown_word_has_zeros(table, vectors):
    found = table.look_up(keys("dog", "cat", ""))
    np.testing.assert_array_equal(found, [np.zeros(4), vectors[1], np.zeros(4)])


def test_words_beyond_the_last_key_are_unknown(table):
    assert table.find(np.array([0, 2**64 - 1], dtype="u8")).tolist() == [-1, -1]


def test_no_words_give_no_vectors(table):
    assert table.look_up(np.zeros((0, 2), dtype="u8")).shape == (0, 4)


def test_a_table_without_words_knows_none():
    empty = table_of(np.zeros(0, "u8"), None, PlainValues(np.zeros((0, 3), "f")))
    assert empty.find(keys("a")[0]).tolist() == [-1, -1]


@pytest.mark.parametrize("quantized", [False, True])
def test_bytes_hold_the_whole_table(table, quantized):
    if quantized:
        table, _ = smaller_table(table, n_words=6, part_width=2)
    data = table.to_bytes()
    other = VectorTable.from_bytes(data, source="here")
    assert other.to_bytes() == data and other.width == 4
    words = keys(*WORDS, "dog")
    np.testing.assert_array_equal(other.look_up(words), table.look_up(words))


def test_the_attribute_of_the_keys_is_kept(table):
    lower = VectorTable(table.keys, table.rows, table.values, LOWER)
    assert VectorTable.from_bytes(lower.to_bytes(), source="here").attr == LOWER
    assert VectorTable.from_bytes(table.to_bytes(), source="here").attr != LOWER


def test_a_table_that_was_read_cannot_be_written_to(table):
    read = VectorTable.from_bytes(table.to_bytes(), source="here")
    with pytest.raises(ValueError, match="read-only"):
        read.values.vectors[0, 0] = 1


def test_fewer_words_are_the_first_ones(table, vectors):
    smaller, cosine = smaller_table(table, n_words=3, part_width=2)
    assert smaller.rows is None and len(smaller.keys) == 3 and cosine > 0.999
    found = smaller.look_up(keys("the", "cat", "Paris", "paris", "case"))
    np.testing.assert_allclose(found[:3], vectors[:3], atol=1e-6)
    assert not found[3:].any()


def test_words_that_share_a_vector_keep_sharing_it(vectors):
    words = np.array([get_string_id(w) for w in ("a", "b", "c")], "u8")
    table = table_of(words, np.array([0, 1, 0]), PlainValues(vectors[:2]))
    smaller, _ = smaller_table(table, n_words=1, part_width=2)
    assert smaller.rows is not None and len(smaller.values.codes) == 1
    found = smaller.look_up(keys("a", "b", "c"))
    np.testing.assert_allclose(found, [vectors[0], np.zeros(4), vectors[0]], atol=1e-6)
    again = VectorTable.from_bytes(smaller.to_bytes(), source="here")
    np.testing.assert_array_equal(again.look_up(keys("a", "b", "c")), found)


DAMAGE = {
    "missing": lambda t: t.pop("keys"),
    "not expected": lambda t: t.update(more=np.zeros(1)),
    "do not ascend": lambda t: t.update(keys=t["keys"][::-1].copy()),
    "uint32": lambda t: t.update(keys=t["keys"].astype("u4")),
    "keys for": lambda t: t.update(keys=t["keys"][1:].copy()),
    "reach from": lambda t: t.update(rows=np.full(6, 6, dtype="i4")),
    "not finite": lambda t: t.update(vectors=np.full_like(t["vectors"], np.nan)),
    "no values": lambda t: t.update(
        keys=t["keys"][:0], rows=np.zeros(0, "i4"), vectors=t["vectors"][:0]
    ),
    "attributes": lambda t: t.update(attr=np.zeros(2, dtype="i8")),
    "3 dimensions": lambda t: t.update(vectors=t["vectors"][None].copy()),
}


@pytest.mark.parametrize("problem", DAMAGE)
def test_a_damaged_table_is_refused(table, problem):
    tensors = {name: value.copy() for name, value in load(table.to_bytes()).items()}
    DAMAGE[problem](tensors)
    with pytest.raises(ValueError, match=rf"EL050.*a file.*{problem}"):
        VectorTable.from_bytes(save(tensors), source="a file")


def test_codes_that_do_not_fit_their_centres_are_refused(table):
    tensors = load(smaller_table(table, n_words=6, part_width=2)[0].to_bytes())
    tensors = {name: value.copy() for name, value in tensors.items()}
    tensors["codebook"] = tensors["codebook"][:, :255].copy()
    with pytest.raises(ValueError, match=r"EL050.*do not fit"):
        VectorTable.from_bytes(save(tensors), source="a file")


@pytest.mark.parametrize("data", [b"", b"\xff" * 100, b"\x08" + bytes(7) + b"not json"])
def test_what_is_no_safetensors_is_refused(data):
    with pytest.raises(ValueError, match="EL050"):
        VectorTable.from_bytes(data, source="a file")


def test_the_first_words_of_a_table_without_their_order_are_refused(table) -> None:
    made, _ = smaller_table(table, n_words=6, part_width=2)
    n = len(made.keys)
    assert smaller_table(made, n_words=n, part_width=2)[0].keys.tolist() == made.keys.tolist()
    with pytest.raises(ValueError, match=rf"EL055.*{n} words.*2 of them.*--words {n}"):
        smaller_table(made, n_words=2, part_width=2)
