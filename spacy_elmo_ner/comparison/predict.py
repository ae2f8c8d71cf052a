"""Run a pipeline on gold's texts and bring what it predicts onto gold's words."""

import math
from array import array
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from spacy.tokens import Doc, Span
from spacy.training import Alignment

from ..corpus.docs import blank_copy
from ..decoding import EntitySpan
from ..errors import Errors
from ..pipeline.confidence import confidence, decoded_entities, tag_confidences
from ..pipeline.settings import is_number
from .corpora import Annotation, entities_of
from .pipelines import LoadedPipeline
from .results import LabeledSpan, Misaligned


@dataclass(frozen=True)
class Predicted:
    """Holds one annotation per text, on gold's words, and the entities that did not fit them."""

    annotations: list[Annotation] = field(default_factory=list)
    misaligned: list[Misaligned] = field(default_factory=list)


def predict(
    pipeline: LoadedPipeline,
    docs: Sequence[Doc],
    gold: Sequence[Annotation],
    step: Callable[[], object],
    own_tokens: bool = False,
) -> Predicted:
    """Predict in the pipeline's own labels; ``step`` is called after each Doc.

    The pipeline gets gold's words, or with ``own_tokens`` gold's text, which it splits itself.
    Predictions on other words, because of that or because a component joins or splits words, are
    aligned to the words in ``gold``. A layer for which the pipeline has no component is None. Docs
    are made one by one as the pipeline takes them, so a large corpus is never in memory twice.
    """
    result = Predicted()
    with pipeline.nlp.select_pipes(enable=pipeline.components):
        for index, doc in enumerate(pipeline.nlp.pipe(_inputs(pipeline, docs, own_tokens))):
            annotation, misaligned = onto_words(gold[index].words, doc, index)
            result.annotations.append(_with_layers(pipeline, annotation))
            result.misaligned.extend(misaligned)
            step()
    return result


def _inputs(pipeline: LoadedPipeline, docs: Sequence[Doc], own_tokens: bool) -> Iterator[Doc]:
    for doc in docs:
        yield (
            pipeline.nlp.make_doc(doc.text) if own_tokens else blank_copy(doc, pipeline.nlp.vocab)
        )


def _with_layers(pipeline: LoadedPipeline, annotation: Annotation) -> Annotation:
    # By component, not by content: a text in which nothing was found is a prediction, not a gap.
    return replace(
        annotation,
        entities=annotation.entities if pipeline.entity_components else None,
        tags=annotation.tags if pipeline.tag_components else None,
    )


# ---- alignment ------------------------------------------------------------------------------


def onto_words(words: list[str], doc: Doc, text: int) -> tuple[Annotation, list[Misaligned]]:
    """Return the Doc's entities and tags on these words; ``text`` is its place in the corpus.

    An entity that ends inside a word is widened to whole words, as spaCy's Scorer does, and listed;
    if it then overlaps an earlier one, it is dropped. A word made of several tokens has their tag
    if they share one, else ""; its confidence is known if it is a single token. Raises ValueError
    (EL317) if the two texts differ.
    """
    tokens = [token.text for token in doc]
    of_ents, of_tags = entity_confidence(doc), tag_confidence(doc)
    alternatives = decoded_entities(doc).alternatives
    if tokens == words:
        tags = [token.tag_ for token in doc]
        entities = entities_of(doc)
        return Annotation(words, entities, tags, of_ents, tuple(alternatives), of_tags), []
    try:
        alignment = Alignment.from_strings(tokens, words)
    except ValueError as error:
        raise ValueError(
            Errors.EL317.format(text=text + 1, gold=" ".join(words), found=" ".join(tokens))
        ) from error
    entities, kept_confidence, misaligned = _widened(words, doc, alignment, text, of_ents)
    sources = [alignment.y2x[index] for index in range(len(words))]
    tags = [_tag(doc, tokens) for tokens in sources]
    if of_tags:
        of_tags = [of_tags[int(tokens[0])] if len(tokens) == 1 else math.nan for tokens in sources]
    others = _widened_alternatives(alignment, alternatives)
    return Annotation(words, entities, tags, kept_confidence, others, of_tags), misaligned


def entity_confidence(doc: Doc) -> dict[tuple[int, int], float]:
    """Map (start, end) to the confidence of the entities that have one."""
    confidences = {(ent.start, ent.end): _confidence(ent) for ent in doc.ents}
    return {bounds: value for bounds, value in confidences.items() if value is not None}


def _confidence(ent: Span) -> float | None:
    """Return the probability that our pipe gave, or what another one calls so."""
    value = confidence(ent)
    if value is None and Span.has_extension("confidence"):
        value = ent._.confidence
    return None if value is None or not is_number(value) else float(value)


def tag_confidence(doc: Doc) -> Sequence[float]:
    """Return the confidence of every token's tag, NaN for none; empty if no token has one."""
    confidences = tag_confidences(doc)
    if all(value is None for value in confidences):
        return ()
    # A float in a list takes 32 bytes, and a corpus has many words.
    return array("d", (math.nan if value is None else value for value in confidences))


def _widened(
    words: Sequence[str],
    doc: Doc,
    alignment: Alignment,
    text: int,
    of_ents: Mapping[tuple[int, int], float],
) -> tuple[list[LabeledSpan], dict[tuple[int, int], float], list[Misaligned]]:
    entities: list[LabeledSpan] = []
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
            if (ent.start, ent.end) in of_ents:
                kept_confidence[start, end] = of_ents[ent.start, ent.end]
            free = end
    return entities, kept_confidence, misaligned


def _widened_alternatives(
    alignment: Alignment, alternatives: Sequence[EntitySpan]
) -> tuple[EntitySpan, ...]:
    """Widen spans that are not entities: they may overlap, and are not listed."""
    covered = [(alignment.x2y[span.start : span.end], span) for span in alternatives]
    return tuple(
        EntitySpan(int(words[0]), int(words[-1]) + 1, span.label, span.probability)
        for words, span in covered
        if len(words)
    )


def _tag(doc: Doc, tokens: Sequence[int]) -> str:
    tags = {doc[int(index)].tag_ for index in tokens}
    return tags.pop() if len(tags) == 1 else ""
