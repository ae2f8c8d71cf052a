"""The `elmo_ner` pipe: named entities with the probability of each span."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from spacy.language import Language
from spacy.tokens import Doc, Span, SpanGroup
from spacy.training import Example
from spacy.vocab import Vocab
from thinc.api import Model
from thinc.types import Floats2d

from ..decoding import EntitySpan, LabelScheme, decode_entities
from .token_classifier import MISSING, TokenClassifier, default_model

# doc.spans key of the scored entities, as spaCy's spancat keeps its own.
SPANS_KEY = "elmo_ner"


@Language.factory(
    "elmo_ner",
    assigns=["doc.ents", "token.ent_iob", "token.ent_type", "doc.spans"],
    default_config={
        **default_model("constrained"),
        "overwrite": False,
        "scorer": {"@scorers": "spacy_elmo_ner.ner_scorer.v1"},
    },
    default_score_weights={"ents_f": 1.0, "ents_p": 0.0, "ents_r": 0.0, "ents_per_type": None},
)
def make_elmo_ner(
    nlp: Language,
    name: str,
    model: Model[list[Doc], list[Floats2d]],
    overwrite: bool,
    scorer: Callable[..., dict[str, Any]] | None,
) -> "ElmoNER":
    """Make an `elmo_ner` pipe.

    overwrite: replace entities that an earlier pipe has set. By default they stay, as with
        spaCy's ner behind an entity_ruler, and ours fill the rest.
    """
    return ElmoNER(nlp.vocab, model, name, overwrite=overwrite, scorer=scorer)


class ElmoNER(TokenClassifier):
    """Sets doc.ents, and doc.spans["elmo_ner"] with .attrs["scores"].

    ent._.confidence is the probability of exactly that span with that label, in [0, 1].
    """

    def __init__(
        self,
        vocab: Vocab,
        model: Model[list[Doc], list[Floats2d]],
        name: str = "elmo_ner",
        *,
        overwrite: bool = False,
        scorer: Callable[..., dict[str, Any]] | None = None,
    ) -> None:
        super().__init__(vocab, model, name, overwrite=overwrite, scorer=scorer)
        if not Span.has_extension("confidence"):
            Span.set_extension("confidence", getter=confidence)

    @property
    def scheme(self) -> LabelScheme:
        """BIO classes of the entity types in `labels`."""
        return LabelScheme(self.labels)

    @property
    def n_classes(self) -> int:
        return self.scheme.n_labels

    def example_labels(self, example: Example) -> Iterable[str]:
        return (ent.label_ for ent in example.reference.ents)

    def gold_classes(self, example: Example) -> NDArray[np.int64]:
        index: dict[str | None, int] = {label: i for i, label in enumerate(self.scheme.labels)}
        classes = (index.get(_bio(tag), MISSING) for tag in example.get_aligned_ner())
        return np.fromiter(classes, dtype=np.int64, count=len(example.predicted))

    def predict(self, docs: Iterable[Doc]) -> list[list[EntitySpan]]:
        """The entities of each Doc: start, end, label and probability."""
        docs = list(docs)
        scores = [self.model.ops.to_numpy(one) for one in self.predict_scores(docs)]
        return decode_entities(
            scores,
            self.scheme,
            mode=self.model.attrs["decoding"].decoder,
            # spaCy would let an entity begin or end on whitespace; ours never does.
            skipped=[doc.to_array("IS_SPACE") for doc in docs],
            # Entities of an earlier pipe stay.
            blocked=None if self.cfg["overwrite"] else [doc.to_array("ENT_TYPE") for doc in docs],
        )

    def set_annotations(self, docs: Sequence[Doc], predicted: Sequence[list[EntitySpan]]) -> None:
        for doc, spans in zip(docs, predicted, strict=True):
            ents = [Span(doc, one.start, one.end, label=one.label) for one in spans]
            kept = [] if self.cfg["overwrite"] else list(doc.ents)
            doc.set_ents([*kept, *ents], default="outside")
            scores = np.asarray([one.probability for one in spans], dtype=np.float32)
            doc.spans[SPANS_KEY] = SpanGroup(
                doc, name=SPANS_KEY, spans=ents, attrs={"scores": scores}
            )


def confidence(span: Span) -> float | None:
    """Probability of this span with this label; None for entities that we did not set."""
    group = span.doc.spans.get(SPANS_KEY)
    if group is None:
        return None
    wanted = (span.start, span.end, span.label)
    for found, score in zip(group, group.attrs["scores"], strict=True):
        if (found.start, found.end, found.label) == wanted:
            return float(score)
    return None


def _bio(tag: str | None) -> str | None:
    """spaCy's BILUO spelling to BIO; missing annotation stays None."""
    if not tag or tag == "O" or tag[1:2] != "-" or len(tag) < 3:
        return tag
    prefix = {"B": "B", "U": "B", "I": "I", "L": "I"}.get(tag[0])
    return f"{prefix}-{tag[2:]}" if prefix else None
