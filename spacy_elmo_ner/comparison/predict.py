"""Run a pipeline on gold's own words and keep only what it predicted."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace

from spacy.tokens import Doc

from ..corpus.docs import blank_copy
from .alignment import onto_words
from .annotation import Annotation
from .findings import Misaligned
from .pipelines import LoadedPipeline


@dataclass(frozen=True)
class Predicted:
    """One annotation a text, on gold's words, and the entities that did not fit them."""

    annotations: list[Annotation] = field(default_factory=list)
    misaligned: list[Misaligned] = field(default_factory=list)


def predict(
    pipeline: LoadedPipeline,
    docs: Sequence[Doc],
    gold: Sequence[Annotation],
    step: Callable[[], object],
    own_tokens: bool = False,
) -> Predicted:
    """Predictions in the pipeline's own labels; ``step`` is called after each Doc.

    ``gold`` gives the words of each Doc, which the predictions share with it. Docs are made one by
    one as the pipeline takes them, so that a large corpus is never in memory twice: from gold's
    words, or with ``own_tokens`` from gold's text, which the pipeline splits itself. What is
    predicted on other words, because of that or because a component joins or splits words, is
    brought back onto gold's. A layer the pipeline has no component for is None.
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
