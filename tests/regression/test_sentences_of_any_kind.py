"""`BiLM.embed` reads whatever holds the sentences in its order, once, or says what is wrong."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import numpy as np
import pytest

from spacy_elmo_ner.elmo import BiLM

TEXTS = [["Mary", "left"], [], ["Nobody", "saw", "Mary"], ["Paris"]]


class Labelled:
    """A column as pandas has it: iterates its values, and [i] is the row labelled i."""

    def __init__(self, values: Iterable[Any]) -> None:
        self.values = list(values)
        self.labels = list(range(len(self.values), 0, -1))

    def __iter__(self) -> Iterator[Any]:
        return iter(self.values)

    def __len__(self) -> int:
        return len(self.values)

    def __getitem__(self, label: int) -> Any:
        return self.values[self.labels.index(label)]


def _as_objects(texts: list[list[str]]) -> Any:
    column = np.empty(len(texts), dtype=object)
    column[:] = texts
    return column


KINDS: dict[str, Callable[[Any], Any]] = {
    "labelled": Labelled,
    "generator": lambda values: (value for value in values),
    "iterator": iter,
    "tuple": tuple,
    "deque": deque,
    "values of a dict": lambda values: dict(enumerate(values)).values(),
}


@pytest.mark.parametrize("outer", KINDS)
@pytest.mark.parametrize("inner", KINDS)
def test_embed_of(tiny_bilm: BiLM, outer: str, inner: str) -> None:
    expected = tiny_bilm.embed(TEXTS)
    found = tiny_bilm.embed(KINDS[outer]([KINDS[inner](text) for text in TEXTS]), progress=False)
    assert [one.shape for one in found] == [(3, len(text), 4) for text in TEXTS]
    for one, other in zip(found, expected, strict=True):
        assert np.array_equal(one, other)


def test_embed_of_numpy_arrays(tiny_bilm: BiLM) -> None:
    expected = tiny_bilm.embed(TEXTS)
    for found in (
        tiny_bilm.embed(_as_objects(TEXTS)),
        tiny_bilm.embed([np.array(text, dtype=str) for text in TEXTS]),
    ):
        for one, other in zip(found, expected, strict=True):
            assert np.array_equal(one, other)


def test_embed_of_a_pandas_column(tiny_bilm: BiLM) -> None:
    pandas = pytest.importorskip("pandas")
    column = pandas.Series(TEXTS, index=[3, 1, 0, 2])
    for found, other in zip(tiny_bilm.embed(column), tiny_bilm.embed(TEXTS), strict=True):
        assert np.array_equal(found, other)


@pytest.mark.parametrize(
    ("sentences", "message"),
    [
        ([["a"], None], r"EL035.*Sentence 1 .*None.*NoneType"),
        ([["a"], float("nan")], r"EL035.*Sentence 1 .*nan.*float"),
        ([{"a", "b"}], r"EL035.*Sentence 0 .*set"),
        ([{"a": 1}], r"EL035.*dict"),
        ([5], r"EL035.*int"),
        (["a b"], "EL012"),
        ({"a": ["b"]}, "EL012"),
        ([[["a"]]], r"EL015.*list"),
        ([b"ab"], r"EL015.*int"),
        ([["a", float("nan")]], r"EL015.*nan.*float"),
    ],
)
def test_what_is_no_sentence_is_named(tiny_bilm: BiLM, sentences: Any, message: str) -> None:
    with pytest.raises(TypeError, match=message):
        tiny_bilm.embed(sentences)
