"""The same text in another case, with the same entities."""

from collections.abc import Callable, Mapping

from spacy.tokens import Doc, Span
from spacy.vocab import Vocab


def _title(word: str) -> str:
    # As headlines do: "of" becomes "Of", but "NATO" and "McDonald" stay as they are.
    return word[:1].upper() + word[1:]


CASES: Mapping[str, Callable[[str], str]] = {
    "clean": str,
    "lower": str.lower,
    "upper": str.upper,
    "title": _title,
}


def recased(doc: Doc, case: str, vocab: Vocab) -> Doc:
    """Return a copy of the Doc on the vocabulary, each word in the case, entities kept."""
    words = [CASES[case](token.text) for token in doc]
    copy = Doc(vocab, words=words)
    spans = [Span(copy, ent.start, ent.end, ent.label_) for ent in doc.ents]
    copy.set_ents(spans, default="outside")
    return copy
