"""Run a pipeline on gold's own words and keep only what it predicted."""

from collections.abc import Callable, Sequence

from spacy.tokens import Doc

from .annotation import Annotation, blank_copy
from .pipelines import LoadedPipeline


def predict(
    pipeline: LoadedPipeline, docs: Sequence[Doc], step: Callable[[], object]
) -> list[Annotation]:
    """One annotation a Doc, in the pipeline's own labels; ``step`` is called after each Doc.

    Docs are made from gold's words one by one as the pipeline takes them, so that a large corpus
    is never in memory twice. A layer the pipeline has no component for is None.
    """
    copies = (blank_copy(doc, pipeline.nlp.vocab) for doc in docs)
    predictions = []
    with pipeline.nlp.select_pipes(enable=pipeline.components):
        for doc in pipeline.nlp.pipe(copies):
            predictions.append(_read(pipeline, doc))
            step()
    return predictions


def _read(pipeline: LoadedPipeline, doc: Doc) -> Annotation:
    # Not annotation.from_doc: a Doc in which nothing was found is a prediction, not a gap.
    entities = [(ent.start, ent.end, ent.label_) for ent in doc.ents]
    tags = [token.tag_ for token in doc]
    return Annotation(
        words=[token.text for token in doc],
        entities=entities if pipeline.entity_components else None,
        tags=tags if pipeline.tag_components else None,
    )
