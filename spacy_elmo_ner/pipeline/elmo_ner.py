"""The `elmo_ner` pipe: named entities with the probability of each span."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from spacy.attrs import IOB_STRINGS
from spacy.language import Language
from spacy.tokens import Doc, Span, SpanGroup
from spacy.training import Example
from spacy.util import minibatch
from spacy.vocab import Vocab
from thinc.api import Model
from thinc.types import Floats2d

from ..decoding import (
    MISSING,
    Decoded,
    Decoder,
    LabelScheme,
    Reading,
    Transitions,
    best_readings,
    decode_entities,
)
from .token_classifier import BATCH_DOCS, TokenClassifier, default_model, same_tokens

# doc.spans key of the scored entities, as spaCy's spancat keeps its own.
SPANS_KEY = "elmo_ner"

_IOB = {name: number for number, name in enumerate(IOB_STRINGS)}  # in Doc.to_array("ENT_IOB")


@Language.factory(
    "elmo_ner",
    assigns=["doc.ents", "token.ent_iob", "token.ent_type", "doc.spans"],
    default_config={
        **default_model("crf", "structured"),
        "overwrite": False,
        "threshold": 0.0,
        "alternatives": 0.1,
        "scorer": {"@scorers": "spacy_elmo_ner.ner_scorer.v1"},
    },
    default_score_weights={"ents_f": 1.0, "ents_p": 0.0, "ents_r": 0.0, "ents_per_type": None},
)
def make_elmo_ner(
    nlp: Language,
    name: str,
    model: Model[list[Doc], list[Floats2d]],
    overwrite: bool,
    threshold: float,
    alternatives: float | None,
    scorer: Callable[..., dict[str, Any]] | None,
) -> "ElmoNER":
    """Make an `elmo_ner` pipe.

    overwrite: replace entities that an earlier pipe has set. They stay by default, and ours are
        found around them.
    threshold: drop entities less probable than this, in [0, 1], and take the best that may stand
        in their place instead. More precision, less recall; 0 keeps the best reading.
    alternatives: doc.spans["elmo_ner"] also holds the spans that are no entities but at least as
        probable as this, in (0, 1]; null for none.
    The last two can be changed in the config after training, or on the pipe.
    """
    return ElmoNER(
        nlp.vocab,
        model,
        name,
        overwrite=overwrite,
        threshold=threshold,
        alternatives=alternatives,
        scorer=scorer,
    )


class ElmoNER(TokenClassifier):
    """Sets doc.ents, and doc.spans["elmo_ner"] with .attrs["scores"].

    ent._.confidence is the probability of exactly that span with that label, in [0, 1]. The spans
    of doc.spans are the entities in order, and then the alternatives; their scores are the same
    kind of probability, float32.
    """

    def __init__(
        self,
        vocab: Vocab,
        model: Model[list[Doc], list[Floats2d]],
        name: str = "elmo_ner",
        *,
        overwrite: bool = False,
        threshold: float = 0.0,
        alternatives: float | None = 0.1,
        scorer: Callable[..., dict[str, Any]] | None = None,
    ) -> None:
        super().__init__(vocab, model, name, overwrite=overwrite, scorer=scorer)
        # Not in cfg, which is saved and wins over the config: these are the user's to change.
        self.threshold = threshold
        self.alternatives = alternatives
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
        if not same_tokens(example):
            classes = (index.get(_bio(tag), MISSING) for tag in example.get_aligned_ner())
            return np.fromiter(classes, dtype=np.int64, count=len(example.predicted))
        iob, types = example.reference.to_array(["ENT_IOB", "ENT_TYPE"]).T
        gold = np.where(iob == _IOB["O"], index["O"], MISSING)
        for label in self.labels:
            of_label = types == self.vocab.strings[label]
            for prefix in ("B", "I"):
                gold[of_label & (iob == _IOB[prefix])] = index[f"{prefix}-{label}"]
        return gold

    @property
    def reader(self) -> Decoder:
        """What turns emissions into entities."""
        return Decoder(self.scheme, self.decoder, self.learned_transitions, self.temperature)

    def transitions(self, temperature: float) -> Transitions:
        return self.scheme.constrain(self.learned_transitions).over(temperature)

    def predict(self, docs: Iterable[Doc]) -> list[Decoded]:
        """The entities of each Doc and the alternatives, with their probabilities."""
        docs = list(docs)
        return decode_entities(
            self._emissions(docs),
            self.reader,
            threshold=self.threshold,
            alternatives=self.alternatives,
            skipped=_spaces(docs),
            # Entities of an earlier pipe stay.
            blocked=None if self.cfg["overwrite"] else [doc.to_array("ENT_TYPE") for doc in docs],
        )

    def n_best(self, docs: Iterable[Doc], n: int = 5) -> Iterator[list[Reading]]:
        """The n most probable readings of each Doc, best first; fewer where there are fewer.

        A reading holds its entities, each with its own probability, and the probability of
        exactly these entities and no others in this Doc. docs: as this pipe gets them, or as the
        pipeline returns them: entities of other pipes stay in every reading unless `overwrite`,
        ours do not bind. The threshold plays no part. Raises ValueError for n below 1.
        """
        for batch in minibatch(docs, size=BATCH_DOCS):
            blocked = None if self.cfg["overwrite"] else [_of_others(doc) for doc in batch]
            yield from best_readings(
                self._emissions(batch), self.reader, n, blocked=blocked, skipped=_spaces(batch)
            )

    def _emissions(self, docs: Sequence[Doc]) -> list[NDArray[np.float32]]:
        return [self.model.ops.to_numpy(one) for one in self.predict_scores(docs)]

    def set_annotations(self, docs: Sequence[Doc], predicted: Sequence[Decoded]) -> None:
        for doc, found in zip(docs, predicted, strict=True):
            scored = [*found.entities, *found.alternatives]
            spans = [Span(doc, one.start, one.end, label=one.label) for one in scored]
            kept = [] if self.cfg["overwrite"] else list(doc.ents)
            doc.set_ents([*kept, *spans[: len(found.entities)]], default="outside")
            scores = np.asarray([one.probability for one in scored], dtype=np.float32)
            doc.spans[SPANS_KEY] = SpanGroup(
                doc, name=SPANS_KEY, spans=spans, attrs={"scores": scores}
            )


def confidence(span: Span) -> float | None:
    """Probability of this span with this label; None for spans that we did not score."""
    group = span.doc.spans.get(SPANS_KEY)
    if group is None:
        return None
    wanted = (span.start, span.end, span.label)
    for found, score in zip(group, group.attrs["scores"], strict=True):
        if (found.start, found.end, found.label) == wanted:
            return float(score)
    return None


def _spaces(docs: Sequence[Doc]) -> list[Any]:
    """spaCy would let an entity begin or end on whitespace; ours never does."""
    return [doc.to_array("IS_SPACE") for doc in docs]


def _of_others(doc: Doc) -> NDArray[np.bool_]:
    """(n_tokens,): is the token in an entity that another pipe, or a person, has set?"""
    ours = {(span.start, span.end, span.label) for span in doc.spans.get(SPANS_KEY, ())}
    taken = np.zeros(len(doc), dtype=bool)
    for ent in doc.ents:
        taken[ent.start : ent.end] = (ent.start, ent.end, ent.label) not in ours
    return taken


def _bio(tag: str | None) -> str | None:
    """spaCy's BILUO spelling to BIO; missing annotation stays None."""
    if not tag or tag == "O" or tag[1:2] != "-" or len(tag) < 3:
        return tag
    prefix = {"B": "B", "U": "B", "I": "I", "L": "I"}.get(tag[0])
    return f"{prefix}-{tag[2:]}" if prefix else None
