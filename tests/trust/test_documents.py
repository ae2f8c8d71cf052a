"""Any text gets one finite vector a token, a tag a token, and entities that are entities."""

import random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from spacy.language import Language
from spacy.tokens import Doc

from spacy_elmo_ner.elmo import BiLM
from tests.fuzz.pipelines import PIECES, odd_words, problem

# spaCy refuses "" as a word and whatever UTF-8 cannot write: see below.
CHARACTERS = st.characters(exclude_categories=["Cs"])
WORDS = st.lists(st.one_of(st.sampled_from(PIECES), st.text(CHARACTERS, min_size=1)), max_size=12)


@settings(max_examples=40, deadline=None)
@given(WORDS)
def test_any_words_get_finite_vectors_tags_and_valid_entities(
    nlp: Language, words: list[str]
) -> None:
    assert problem(nlp, nlp(Doc(nlp.vocab, words=words)), words) is None


@settings(max_examples=40, deadline=None)
@given(st.text(CHARACTERS, max_size=200))
def test_any_text_keeps_its_characters(nlp: Language, text: str) -> None:
    doc = nlp(text)
    assert doc.text == text
    assert problem(nlp, doc, [token.text for token in doc]) is None


def test_odd_docs_pass_in_a_stream(nlp: Language) -> None:
    rng = random.Random(0)
    texts = [odd_words(rng) for _ in range(40)]
    docs = (Doc(nlp.vocab, words=words) for words in texts)
    for words, doc in zip(texts, nlp.pipe(docs, batch_size=16), strict=True):
        assert problem(nlp, doc, words) is None


@pytest.mark.parametrize(
    "words",
    [[], [" "], ["\n"] * 5, ["\0"], ["x" * 10_000], ["."] * 3_000],
    ids=["empty", "space", "newlines", "NUL", "10,000 characters", "3,000 tokens"],
)
def test_a_doc_at_the_edge_is_a_doc_like_any_other(nlp: Language, words: list[str]) -> None:
    assert problem(nlp, nlp(Doc(nlp.vocab, words=words)), words) is None


def test_a_lone_surrogate_stops_at_spacy_and_has_a_vector_without_it(
    nlp: Language, tiny_bilm: BiLM
) -> None:
    with pytest.raises(UnicodeEncodeError):
        nlp("a \ud800 b")
    (layers,) = tiny_bilm.embed([["a", "\ud800", "b\udc00"]])
    assert layers.shape == (3, 3, 4) and np.isfinite(layers).all()
