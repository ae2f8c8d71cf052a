"""Sentences as spaCy Docs, entity spans as BIO labels, and both ways between them."""

from collections.abc import Iterable, Sequence

from spacy.tokens import Doc, DocBin, Span
from spacy.vocab import Vocab

from .gmb import GMBSentence

EntitySpan = tuple[int, int, str]

# What the corpus annotates. Anything else in the file would read as annotation to spaCy.
_ATTRS = ("ORTH", "TAG", "ENT_IOB", "ENT_TYPE")


def bio_to_spans(labels: Iterable[str]) -> list[EntitySpan]:
    """BIO labels -> (start, end, label), end exclusive.

    An I- that continues nothing, or another type, opens an entity, as in conlleval and seqeval's
    default.
    """
    spans: list[EntitySpan] = []
    open_label = ""
    for i, entry in enumerate(labels):
        prefix, _, label = entry.partition("-")
        if prefix == "I" and label == open_label:
            start, _, _ = spans.pop()
            spans.append((start, i + 1, label))
        elif prefix in ("B", "I"):
            spans.append((i, i + 1, label))
        open_label = label
    return spans


def spans_to_bio(n_words: int, spans: Iterable[EntitySpan]) -> list[str]:
    """(start, end, label), not overlapping -> n_words labels O, B-x, I-x."""
    labels = ["O"] * n_words
    for start, end, label in spans:
        labels[start:end] = [f"B-{label}", *[f"I-{label}"] * (end - start - 1)]
    return labels


def sentence_to_doc(sentence: GMBSentence, vocab: Vocab) -> Doc:
    """A Doc of one token a word, with tags and entities; spaces between words are unknown.

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
    """The words alone, as `sentence_to_doc` writes them."""
    return Doc(vocab, words=[word or " " for word in words])


def blank_copy(doc: Doc, vocab: Vocab) -> Doc:
    """Return the same words and spaces on another vocabulary, without annotation."""
    words = [token.text for token in doc]
    if doc.has_unknown_spaces:
        return Doc(vocab, words=words)
    return Doc(vocab, words=words, spaces=[bool(token.whitespace_) for token in doc])


def doc_bin_bytes(sentences: Iterable[GMBSentence], vocab: Vocab) -> bytes:
    """The content of a .spacy file; equal sentences give equal bytes."""
    docs = (sentence_to_doc(sentence, vocab) for sentence in sentences)
    return DocBin(attrs=_ATTRS, docs=docs).to_bytes()
