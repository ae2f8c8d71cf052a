"""Predictions on other tokens than gold's, brought onto gold's words by spaCy's Alignment."""

import math
from collections.abc import Mapping, Sequence

from spacy.tokens import Doc
from spacy.training import Alignment

from ..decoding import EntitySpan as ScoredSpan
from ..errors import Errors
from ..pipeline.stored_scores import decoded_entities
from .annotation import Annotation, entity_confidence, tag_confidence
from .findings import Misaligned
from .results import EntitySpan


def onto_words(words: list[str], doc: Doc, text: int) -> tuple[Annotation, list[Misaligned]]:
    """The Doc's entities and tags on these words; ``text`` is the text's place in the corpus.

    An entity whose ends fall inside a word is widened to whole words, as spaCy's Scorer does, and
    listed; where it then meets one before it, it is dropped. A word made of several tokens has
    their tag where they share one, else ""; its confidence is known where it is one token. Raises
    ValueError (EL317) where the two are not the same text.
    """
    tokens = [token.text for token in doc]
    confidence, of_tags = entity_confidence(doc), tag_confidence(doc)
    alternatives = decoded_entities(doc).alternatives
    if tokens == words:
        entities = [(ent.start, ent.end, ent.label_) for ent in doc.ents]
        tags = [token.tag_ for token in doc]
        return Annotation(words, entities, tags, confidence, tuple(alternatives), of_tags), []
    try:
        alignment = Alignment.from_strings(tokens, words)
    except ValueError as error:
        raise ValueError(
            Errors.EL317.format(text=text + 1, gold=" ".join(words), found=" ".join(tokens))
        ) from error
    entities, kept_confidence, misaligned = _widened(words, doc, alignment, text, confidence)
    sources = [alignment.y2x[index] for index in range(len(words))]
    tags = [_tag(doc, tokens) for tokens in sources]
    if of_tags:
        of_tags = [of_tags[int(each[0])] if len(each) == 1 else math.nan for each in sources]
    others = _widened_alternatives(alignment, alternatives)
    return Annotation(words, entities, tags, kept_confidence, others, of_tags), misaligned


def _widened(
    words: Sequence[str],
    doc: Doc,
    alignment: Alignment,
    text: int,
    confidence: Mapping[tuple[int, int], float],
) -> tuple[list[EntitySpan], dict[tuple[int, int], float], list[Misaligned]]:
    entities: list[EntitySpan] = []
    kept_confidence: dict[tuple[int, int], float] = {}
    misaligned: list[Misaligned] = []
    free = 0
    for ent in doc.ents:
        covered = [int(index) for index in alignment.x2y[ent.start : ent.end]]
        if not covered:  # white space that gold's words leave out
            misaligned.append(Misaligned(text, ent.label_, ent.text, [], kept=False))
            continue
        start, end = covered[0], covered[-1] + 1
        back = [int(index) for index in alignment.y2x[start:end]]
        kept = start >= free
        if back[0] < ent.start or back[-1] >= ent.end or not kept:
            gold_words = list(words[start:end])
            misaligned.append(Misaligned(text, ent.label_, ent.text, gold_words, kept))
        if kept:
            entities.append((start, end, ent.label_))
            if (ent.start, ent.end) in confidence:
                kept_confidence[start, end] = confidence[ent.start, ent.end]
            free = end
    return entities, kept_confidence, misaligned


def _widened_alternatives(
    alignment: Alignment, alternatives: Sequence[ScoredSpan]
) -> tuple[ScoredSpan, ...]:
    """The same for spans that are no entities: they may overlap, and are not listed."""
    covered = [(alignment.x2y[each.start : each.end], each) for each in alternatives]
    return tuple(
        ScoredSpan(int(words[0]), int(words[-1]) + 1, each.label, each.probability)
        for words, each in covered
        if len(words)
    )


def _tag(doc: Doc, tokens: Sequence[int]) -> str:
    tags = {doc[int(index)].tag_ for index in tokens}
    return tags.pop() if len(tags) == 1 else ""
