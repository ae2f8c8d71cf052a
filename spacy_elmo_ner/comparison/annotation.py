"""A text with its entities and tags, free of any pipeline: what gold and predictions share."""

import math
from array import array
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from spacy.tokens import Doc, Span, Token

from ..corpus.docs import blank_copy
from ..decoding import EntitySpan as ScoredSpan
from .results import EntitySpan

# Stands for a tag the label map sends nowhere. It equals no tag of any tag set, so it is wrong.
# No hyphen at its end: seqeval would read it as having no type and drop it.
UNMAPPED_TAG = "-unmapped"


@dataclass(frozen=True)
class Annotation:
    """``entities`` or ``tags`` is None where that layer was not annotated at all.

    ``tags`` has one entry a word, "" where a single word has none. ``confidence`` maps the
    (start, end) of predicted entities to a probability in [0, 1], where their pipe gives one.
    ``alternatives`` are spans with probabilities that are no entities. ``tag_confidence`` has one
    probability a word, NaN where there is none, and is empty where no word has one.
    ``unannotated``: words whose entities are not known, in a text where those of others are.
    """

    words: list[str]
    entities: list[EntitySpan] | None
    tags: list[str] | None
    confidence: Mapping[tuple[int, int], float] = field(default_factory=dict)
    alternatives: Sequence[ScoredSpan] = ()
    tag_confidence: Sequence[float] = ()
    unannotated: frozenset[int] = frozenset()

    def within(self, truth: "Annotation") -> "Annotation":
        """Return this prediction without the spans that touch words which gold does not annotate.

        They are neither right nor wrong. spaCy's Scorer leaves them out too; seqeval and
        nervaluate, which know of nothing but O, would count them as wrong.
        """
        if not truth.unannotated:
            return self

        def known(span: EntitySpan | ScoredSpan) -> bool:
            return truth.unannotated.isdisjoint(range(span[0], span[1]))

        return replace(
            self,
            entities=None if self.entities is None else [*filter(known, self.entities)],
            alternatives=tuple(filter(known, self.alternatives)),
        )


def from_doc(doc: Doc) -> Annotation:
    """Read a gold Doc; a layer without any annotation becomes None."""
    entities = [(ent.start, ent.end, ent.label_) for ent in doc.ents]
    tags = [token.tag_ for token in doc]
    with_entities = doc.has_annotation("ENT_IOB")
    missing = [token.i for token in doc if not token.ent_iob] if with_entities else ()
    return Annotation(
        words=[token.text for token in doc],
        entities=entities if with_entities else None,
        tags=tags if doc.has_annotation("TAG") else None,
        unannotated=frozenset(missing),
    )


def entity_confidence(doc: Doc) -> dict[tuple[int, int], float]:
    """(start, end) -> ``ent._.confidence`` of the entities that have one."""
    if not Span.has_extension("confidence"):
        return {}
    found = {(ent.start, ent.end): ent._.confidence for ent in doc.ents}
    return {bounds: float(each) for bounds, each in found.items() if each is not None}


def tag_confidence(doc: Doc) -> Sequence[float]:
    """``token._.tag_confidence`` of every token, NaN for those without; empty if none has one."""
    if not Token.has_extension("tag_confidence"):
        return ()
    found = [token._.tag_confidence for token in doc]
    if all(each is None for each in found):
        return ()
    # A float of a list takes 32 bytes, and a corpus has many words.
    return array("d", (math.nan if each is None else each for each in found))


def annotated_copy(doc: Doc, annotation: Annotation) -> Doc:
    """The Doc's words with the annotation's entities, for spaCy's Scorer."""
    copy = blank_copy(doc, doc.vocab)
    spans = [Span(copy, *span) for span in annotation.entities or ()]
    copy.set_ents(spans, default="outside")
    return copy


def entity_words(words: Sequence[str], entities: Iterable[EntitySpan]) -> set[tuple[str, ...]]:
    """The surface forms of the entities, words as written."""
    return {tuple(words[start:end]) for start, end, _ in entities}
