"""Labels survive the way into a Doc, into a file and back."""

import spacy
from spacy.tokens import DocBin
from spacy.training import Example
from spacy.vocab import Vocab

from spacy_elmo_ner.corpus.docs import blank_doc, doc_bin_bytes, sentence_to_doc
from spacy_elmo_ner.corpus.gmb import GMBFile, GMBSentence
from spacy_elmo_ner.decoding import bio_to_spans, spans_to_bio

from .conftest import sentence


def test_blank_words_keep_their_place_and_labels() -> None:
    ents = ["O", "B-org", "O", "I-per", "B-geo"]
    blank = sentence(1, ["The", "", " ", "5\xa0storm", "\n"], ents)
    doc = sentence_to_doc(blank, Vocab())
    assert [token.text for token in doc] == ["The", " ", " ", "5\xa0storm", "\n"]
    assert [(ent.start, ent.end, ent.label_) for ent in doc.ents] == bio_to_spans(ents)
    example = Example(blank_doc(blank.words, doc.vocab), doc)
    assert example.get_aligned_ner() == ["O", "U-org", "O", "U-per", "U-geo"]
    assert example.get_aligned("TAG", as_string=True) == ["NN"] * 5


def test_a_doc_carries_tags_and_says_that_it_has_no_entities() -> None:
    doc = sentence_to_doc(GMBSentence(1, ("He", "left"), ("PRP", "VBD"), ("O", "O")), Vocab())
    assert [token.tag_ for token in doc] == ["PRP", "VBD"]
    assert doc.has_annotation("ENT_IOB") and not doc.ents
    assert doc.has_unknown_spaces


def test_a_file_holds_what_was_annotated_and_nothing_else() -> None:
    one = GMBSentence(1, ("Rome", "fell"), ("NNP", "VBD"), ("B-geo", "O"))
    two = sentence(2, ["", "x"])
    data = doc_bin_bytes([one, two], Vocab())
    first, second = DocBin().from_bytes(data).get_docs(spacy.blank("en").vocab)
    assert [(token.text, token.tag_) for token in first] == [("Rome", "NNP"), ("fell", "VBD")]
    assert [(ent.text, ent.label_) for ent in first.ents] == [("Rome", "geo")]
    assert len(second) == 2 and second.has_annotation("ENT_IOB")
    for attribute in ("DEP", "LEMMA", "POS", "SENT_START"):
        assert not first.has_annotation(attribute)
    assert data == doc_bin_bytes([one, two], Vocab())


def test_every_published_label_survives_the_doc(published: GMBFile) -> None:
    vocab = Vocab()
    for each in published.sentences[::50]:
        doc = sentence_to_doc(each, vocab)
        spans = [(ent.start, ent.end, ent.label_) for ent in doc.ents]
        assert spans_to_bio(len(doc), spans) == list(each.ents)
        assert tuple(token.text for token in doc) == each.words
