"""Tags with probabilities."""

import pytest
import spacy
from spacy.tokens import Doc, DocBin
from spacy.training import Example

from spacy_elmo_ner.decoding import MISSING

from .conftest import annotation, make_examples


def test_it_learns_the_examples(make_nlp):
    nlp = make_nlp("elmo_tagger", steps=120)
    assert nlp.evaluate(make_examples(nlp))["tag_acc"] == 1.0


def test_each_tag_has_its_probability(make_nlp):
    doc = make_nlp("elmo_tagger", steps=120)("Mary Smith left Paris")
    assert all(0.5 < token._.tag_confidence <= 1.0 for token in doc)


def test_confidence_is_none_for_tags_of_others(make_nlp):
    doc = make_nlp("elmo_tagger", steps=120)("Mary Smith left Paris")
    doc[1].tag_ = "XX"
    assert doc[1]._.tag_confidence is None and doc[0]._.tag_confidence is not None
    assert spacy.blank("en")("Mary")[0]._.tag_confidence is None


def test_confidence_is_none_once_tokens_are_merged(make_nlp):
    doc = make_nlp("elmo_tagger", steps=5)("Mary Smith left Paris")
    with doc.retokenize() as retokenizer:
        retokenizer.merge(doc[0:2])
    assert doc[0]._.tag_confidence is None


def test_confidence_travels_with_the_doc(make_nlp):
    nlp = make_nlp("elmo_tagger", steps=5)
    doc = nlp("Mary Smith left Paris")
    stored = DocBin(docs=[doc], attrs=["TAG"], store_user_data=True).to_bytes()
    (loaded,) = DocBin().from_bytes(stored).get_docs(nlp.vocab)
    assert annotation(loaded) == annotation(doc)


@pytest.mark.parametrize(("overwrite", "expected"), [(True, "NNP"), (False, "XX")])
def test_tags_set_before_are_replaced_unless_told_otherwise(make_nlp, overwrite, expected):
    nlp = make_nlp("elmo_tagger", steps=120)
    nlp.get_pipe("elmo_tagger").cfg["overwrite"] = overwrite
    doc = Doc(nlp.vocab, words=["Mary", "Smith", "left", "Paris"], tags=["XX", "", "", ""])
    doc = nlp(doc)
    assert [token.tag_ for token in doc] == [expected, "NNP", "VBD", "NNP"]
    assert (doc[0]._.tag_confidence is None) == (not overwrite)


def test_missing_tags_add_nothing_to_the_loss(make_nlp):
    nlp = make_nlp("elmo_tagger")
    pipe = nlp.get_pipe("elmo_tagger")
    words = ["Mary", "left"]
    reference = Doc(nlp.vocab, words=words, tags=["", "VBD"])
    gold = pipe.gold_classes(Example(Doc(nlp.vocab, words=words), reference))
    assert gold.tolist() == [MISSING, pipe.labels.index("VBD")]


def test_empty_docs_pass(make_nlp):
    nlp = make_nlp("elmo_tagger")
    docs = list(nlp.pipe(["", "Mary", ""]))
    assert [len(doc) for doc in docs] == [0, 1, 0] and docs[1][0].tag_


def test_gold_on_other_tokens_is_aligned(make_nlp):
    nlp = make_nlp("elmo_tagger")
    pipe = nlp.get_pipe("elmo_tagger")
    reference = Doc(nlp.vocab, words=["Mary", "left"], tags=["NNP", "VBD"])
    predicted = Doc(nlp.vocab, words=["Ma", "ry", "left"], spaces=[False, True, False])
    gold = pipe.gold_classes(Example(predicted, reference))
    nnp, vbd = (pipe.labels.index(tag) for tag in ("NNP", "VBD"))
    assert gold.tolist() == [nnp, nnp, vbd]
