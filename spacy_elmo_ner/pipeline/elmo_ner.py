"""Find named entities, with the probability of each span: the `elmo_ner` pipe."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray
from spacy.language import Language
from spacy.tokens import Doc, Span
from spacy.training import Example
from spacy.util import minibatch
from spacy.vocab import Vocab
from thinc.api import Model
from thinc.types import Floats2d

from ..decoding import (
    Decoded,
    Decoder,
    LabelScheme,
    Reading,
    Transitions,
    best_readings,
    decode_entities,
)
from .confidence import (
    give_entities,
    given_entities,
    register_entities,
    write_span_group,
)
from .default_model import default_model
from .gold import IOB, gold_bio
from .settings import (
    ConfiguredPipe,
    PipelineRef,
    Setting,
    check_alternatives,
    check_switch,
    check_threshold,
)
from .token_classifier import BATCH_DOCS, TokenClassifier


@Language.factory(
    "elmo_ner",
    assigns=["doc.ents", "token.ent_iob", "token.ent_type", "doc.spans"],
    default_config={
        **default_model("crf", "structured", "concatenate"),
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
    threshold: drop entities less probable than this, in [0, 1], and take the best that fit in
        their place. More precision, less recall; 0 keeps the best reading.
    alternatives: doc.spans["elmo_ner"] also holds the spans that are no entities but at least as
        probable as this, in (0, 1]; null for none.
    These settings can be changed after training, on the pipe or in a config given at loading.
    Raises ValueError for a threshold or alternatives out of range.
    """
    pipe = ElmoNER(
        nlp.vocab,
        model,
        name,
        overwrite=overwrite,
        threshold=threshold,
        alternatives=alternatives,
        scorer=scorer,
    )
    pipe.made_by = PipelineRef(nlp)
    return pipe


class ElmoNER(ConfiguredPipe, TokenClassifier):
    """Sets doc.ents, and doc.spans["elmo_ner"] with .attrs["scores"].

    ent._.confidence is the probability of exactly that span with that label, in [0, 1]. The spans
    of doc.spans are the entities in order, and then the alternatives; their scores are the same
    kind of probability, float32.
    """

    overwrite = Setting(False, check_switch)
    threshold = Setting(0.0, check_threshold)
    alternatives = Setting(0.1, check_alternatives)

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
        super().__init__(vocab, model, name, scorer=scorer)
        type(self).overwrite.configure(self, overwrite)
        type(self).threshold.configure(self, threshold)
        type(self).alternatives.configure(self, alternatives)
        register_entities()

    @property
    def scheme(self) -> LabelScheme:
        """Return the BIO classes of the entity types in `labels`."""
        return _scheme_of(self.labels)

    @property
    def n_classes(self) -> int:
        return self.scheme.n_labels

    def example_labels(self, example: Example) -> Iterable[str]:
        return (ent.label_ for ent in example.reference.ents)

    def gold_classes(self, example: Example) -> NDArray[np.int64]:
        return gold_bio(example, self.scheme.labels)

    def has_label(self, classes: NDArray[np.int64]) -> bool:
        # Tokens outside of entities alone say nothing about the probabilities of entities.
        return bool((classes > 0).any())

    @property
    def entity_decoder(self) -> Decoder:
        """Return what turns emissions into entities."""
        return Decoder(self.scheme, self.decoder, self.learned_transitions, self.temperature)

    def transitions(self, temperature: float) -> Transitions:
        return self.scheme.constrain(self.learned_transitions).over(temperature)

    def predict(self, docs: Iterable[Doc]) -> list[Decoded]:
        """Find the entities of each Doc and the alternatives, with their probabilities."""
        docs = list(docs)
        return decode_entities(
            self._emissions(docs),
            self.entity_decoder,
            threshold=self.threshold,
            alternatives=self.alternatives,
            skipped=_spaces(docs),
            blocked=[self._taken(doc) for doc in docs],
        )

    def n_best(self, docs: Iterable[Doc], n: int = 5) -> Iterator[list[Reading]]:
        """Yield the n most probable readings of each Doc, best first; fewer if there are fewer.

        A reading holds its entities, each with its own probability, and the probability of
        exactly these entities and no others in this Doc. docs: as this pipe gets them, or as the
        pipeline returns them: entities of other pipes stay in every reading unless `overwrite`,
        ours do not bind. The threshold plays no part. Raises ValueError for n below 1.
        """
        for batch in minibatch(docs, size=BATCH_DOCS):
            blocked = [self._taken(doc) for doc in batch]
            yield from best_readings(
                self._emissions(batch),
                self.entity_decoder,
                n,
                blocked=blocked,
                skipped=_spaces(batch),
            )

    def _emissions(self, docs: Sequence[Doc]) -> list[NDArray[np.float32]]:
        return [self.model.ops.to_numpy(doc_scores) for doc_scores in self.predict_scores(docs)]

    def set_annotations(self, docs: Sequence[Doc], predicted: Sequence[Decoded]) -> None:
        for doc, decoded in zip(docs, predicted, strict=True):
            ours = [Span(doc, span.start, span.end, label=span.label) for span in decoded.entities]
            blocked = [doc[i : i + 1] for i in np.flatnonzero(_blocked(doc)).tolist()]
            kept = self._entities_of_others(doc)
            doc.set_ents([*kept, *ours], blocked=blocked, default="outside")
            give_entities(doc, self.name, decoded)
            write_span_group(doc)

    def _taken(self, doc: Doc) -> NDArray[np.bool_]:
        """Return which tokens our entities must leave out, (n_tokens,).

        They are those that are blocked, or in an entity that another pipe or a person set.
        """
        taken = _blocked(doc)
        for ent in self._entities_of_others(doc):
            taken[ent.start : ent.end] = True
        return taken

    def _entities_of_others(self, doc: Doc) -> list[Span]:
        """Return the entities that stay. Ours are found again if a pipe runs again on a Doc."""
        if self.overwrite or not doc.ents:
            return []
        given = given_entities(doc)
        others = []
        for ent in doc.ents:
            scored = given.get((ent.start_char, ent.end_char, ent.label_))
            # pipe is None if the Doc was stored without it: the entity may be ours.
            if scored is None or scored.pipe not in (self.name, None):
                others.append(ent)
        return others


@lru_cache(maxsize=64)
def _scheme_of(labels: tuple[str, ...]) -> LabelScheme:
    return LabelScheme(labels)


def _spaces(docs: Sequence[Doc]) -> list[Any]:
    """Return which tokens are whitespace: no entity of ours begins or ends with one."""
    return [doc.to_array("IS_SPACE") for doc in docs]


def _blocked(doc: Doc) -> NDArray[np.bool_]:
    """Return which tokens set_ents() was told to block, (n_tokens,)."""
    iob, types = doc.to_array(["ENT_IOB", "ENT_TYPE"]).T
    return (iob == IOB["B"]) & (types == 0)
