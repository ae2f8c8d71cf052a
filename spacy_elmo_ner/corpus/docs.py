"""Turn sentences with BIO labels into spaCy Docs."""

from collections.abc import Iterable, Sequence

from spacy.tokens import Doc, DocBin, Span
from spacy.vocab import Vocab

from ..decoding import bio_to_spans
from .gmb import GMBSentence

# What the corpus annotates. Anything else in the file would read as annotation to spaCy.
_ATTRS = ("ORTH", "TAG", "ENT_IOB", "ENT_TYPE")


def sentence_to_doc(sentence: GMBSentence, vocab: Vocab) -> Doc:
    """Make a Doc of one token per word, with tags and entities and without known spaces.

    spaCy refuses an empty word (its E031) but keeps one space as a token, so a blank word becomes
    " " and the labels stay where they are.
    """
    doc = blank_doc(sentence.words, vocab)
    for token, tag in zip(doc, sentence.tags, strict=True):
        token.tag_ = tag
    spans = [Span(doc, *span) for span in bio_to_spans(sentence.ents)]
    doc.set_ents(spans, default="outside")
    return doc


def blank_doc(words: Sequence[str], vocab: Vocab) -> Doc:
    """Make a Doc of the words alone, as `sentence_to_doc` writes them."""
    return Doc(vocab, words=[word or " " for word in words])


def blank_copy(doc: Doc, vocab: Vocab) -> Doc:
    """Return the same words and spaces on another vocabulary, without annotation."""
    words = [token.text for token in doc]
    if doc.has_unknown_spaces:
        return Doc(vocab, words=words)
    return Doc(vocab, words=words, spaces=[bool(token.whitespace_) for token in doc])


def doc_bin_bytes(sentences: Iterable[GMBSentence], vocab: Vocab) -> bytes:
    """Return the content of a .spacy file; equal sentences give equal bytes."""
    docs = (sentence_to_doc(sentence, vocab) for sentence in sentences)
    return DocBin(attrs=_ATTRS, docs=docs).to_bytes()
