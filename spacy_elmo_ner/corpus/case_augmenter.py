"""Augment training with copies of texts in another case, with the same annotation."""

import random
from collections.abc import Callable, Iterator
from typing import cast

from spacy.attrs import (
    DEP,
    ENT_ID,
    ENT_IOB,
    ENT_KB_ID,
    ENT_TYPE,
    HEAD,
    LEMMA,
    MORPH,
    POS,
    SENT_START,
    TAG,
)
from spacy.language import Language
from spacy.tokens import Doc, Span
from spacy.training import Example
from thinc.types import Ints2d

from ..errors import Errors
from .casing import CASES

Augmenter = Callable[[Language, Example], Iterator[Example]]

_ATTRS = [TAG, POS, MORPH, LEMMA, ENT_IOB, ENT_TYPE, ENT_KB_ID, ENT_ID]


def create_case_augmenter_v1(
    lower: float = 0.1, upper: float = 0.05, title: float = 0.05, first_word: float = 0.0
) -> Augmenter:
    """Make an augmenter that yields every Example, and copies of some of them in another case.

    lower: the share of texts that is copied in lower case.
    upper: the share that is copied in capitals.
    title: the share that is copied with a capital at the beginning of each word.
    first_word: the share that is copied with a capital at the first word alone.

    Texts are drawn with `random`, as by spaCy's own augmenters, so the seed of [training] decides.
    spaCy's loop draws once, before the first epoch. Raises ValueError for a share outside of 0 to 1
    (EL119).
    """
    levels = {"lower": lower, "upper": upper, "title": title, "first_word": first_word}
    for name, level in levels.items():
        if not 0 <= level <= 1:
            raise ValueError(Errors.EL119.format(name=name, level=level))

    def augment(nlp: Language, example: Example) -> Iterator[Example]:
        yield example
        for case, level in levels.items():
            if random.random() < level:
                copy = recased_example(nlp, example, case)
                if copy is not None:
                    yield copy

    return augment


def recased_example(nlp: Language, example: Example, case: str) -> Example | None:
    """Return the Example in another case, a key of `CASES`; None if no word changes.

    It is tokenized as spaCy's Corpus does: anew if the text is known, else as gold has it.
    """
    reference = recased_doc(example.reference, case)
    if reference.text == example.reference.text:
        return None
    if reference.has_unknown_spaces:
        return Example(Doc(nlp.vocab, words=[token.text for token in reference]), reference)
    return Example(nlp.make_doc(reference.text), reference)


def recased_doc(doc: Doc, case: str) -> Doc:
    """Return a copy of a gold Doc in another case, with all its annotation."""
    words = CASES[case]([token.text for token in doc])
    spaces = None if doc.has_unknown_spaces else [bool(token.whitespace_) for token in doc]
    copy = Doc(doc.vocab, words=words, spaces=spaces)
    # Heads say where sentences begin, and spaCy takes only one of the two.
    attrs = [*_ATTRS, *([HEAD, DEP] if doc.has_annotation("DEP") else [SENT_START])]
    copy.from_array(attrs, cast(Ints2d, doc.to_array(attrs)))
    copy.cats = dict(doc.cats)
    for key, group in doc.spans.items():
        copy.spans[key] = [
            Span(copy, span.start, span.end, span.label, kb_id=span.kb_id) for span in group
        ]
    return copy
