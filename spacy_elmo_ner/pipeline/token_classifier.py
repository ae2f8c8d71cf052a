"""Score, train and calibrate: what `elmo_tagger` and `elmo_ner` share besides their labels."""

import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from typing import Any

import numpy as np
from numpy.typing import NDArray
from spacy.errors import Errors as SpacyErrors
from spacy.language import Language
from spacy.tokens import Doc
from spacy.training import Example, validate_examples, validate_get_examples
from spacy.util import minibatch
from spacy.vocab import Vocab
from thinc.api import Model, Optimizer, set_dropout_rate
from thinc.types import Floats2d

from ..decoding import MISSING, DecoderMode, Transitions, log_softmax, marginals
from ..elmo.packing import token_batches
from ..errors import Errors, Warnings
from ..layers import crf
from .labels import LabelledPipe
from .losses import cross_entropy, rehearsal
from .temperature import Calibration, ScoredBatch, calibrate

# Docs scored at once outside of nlp.pipe().
BATCH_DOCS = 64


class TokenClassifier(LabelledPipe):
    """Scores each token against a fixed list of classes.

    Subclasses say which labels an Example holds, which class each token's gold label is, which
    classes may follow each other, and what a batch of scores means for a Doc.
    """

    def __init__(
        self,
        vocab: Vocab,
        model: Model[list[Doc], list[Floats2d]],
        name: str,
        *,
        scorer: Callable[..., dict[str, Any]] | None,
    ) -> None:
        self.vocab = vocab
        self.model = model
        self.name = name
        self.scorer = scorer
        self._takes_labels = True  # from the examples it is updated with
        self._rehearsal_model: Any = None  # set by nlp.resume_training()
        self.cfg: dict[str, Any] = {"labels": [], "temperature": 1.0}

    # ---- for subclasses --------------------------------------------------------------

    def example_labels(self, example: Example) -> Iterable[str]:
        """Return the labels that occur in one Example's reference."""
        raise NotImplementedError

    def gold_classes(self, example: Example) -> NDArray[np.int64]:
        """Return each token's class, or MISSING: (n_tokens of the predicted Doc,) int64."""
        raise NotImplementedError

    def has_label(self, classes: NDArray[np.int64]) -> bool:
        """Return whether any token has one of the labels."""
        return bool((classes != MISSING).any())

    def negative_classes(self, example: Example) -> NDArray[np.int64]:
        """Return a class that each token is known not to have, or MISSING.

        (n_tokens of the predicted Doc,) int64.
        """
        return np.full(len(example.predicted), MISSING, dtype=np.int64)

    label_smoothing = 0.0

    def transitions(self, temperature: float) -> Transitions:
        """Return the scores of sequences of classes, over temperature; -inf for impossible ones."""
        raise NotImplementedError

    @property
    def scores_sequences(self) -> bool:
        """Return whether probabilities are those of sequences of classes, not of single tokens."""
        return self.decoder != "softmax"

    # ---- decoder ---------------------------------------------------------------------

    @property
    def decoder(self) -> DecoderMode:
        """Return how the pipe reads scores: "softmax", "constrained" or "crf"."""
        return self.model.attrs["decoding"].decoder

    @property
    def temperature(self) -> float:
        """Return what scores are divided by to give probabilities; `calibrate` fits it."""
        return self.cfg["temperature"]

    @property
    def learned_transitions(self) -> Transitions | None:
        """Return what the CRF has learned; None with another decoder."""
        node = self.model.maybe_get_ref("crf")
        return None if node is None else crf.learned(node)

    # ---- training --------------------------------------------------------------------

    def initialize(
        self,
        get_examples: Callable[[], Iterable[Example]],
        *,
        nlp: Language | None = None,
        labels: Sequence[str] | None = None,
    ) -> None:
        """Take the labels, given or found in all examples, and size the model with a few Docs.

        Raises ValueError if there are no examples or no labels.
        """
        validate_get_examples(get_examples, f"{type(self).__name__}.initialize")
        self._takes_labels = labels is None
        if labels is None:
            in_examples = {
                label for example in get_examples() for label in self.example_labels(example)
            }
            labels = sorted(in_examples)
        for label in labels:
            self.add_label(label)
        self._require_labels()
        self.cfg["temperature"] = 1.0
        self.model.get_ref("output_layer").set_dim("nO", self.n_classes)
        self.model.initialize(X=[example.x for example in islice(get_examples(), 10)])

    def update(
        self,
        examples: Iterable[Example],
        *,
        drop: float = 0.0,
        sgd: Optimizer | None = None,
        losses: dict[str, float] | None = None,
    ) -> dict[str, float]:
        """Learn from a batch of examples, and add labels that the pipe does not know yet.

        If initialize() was given a list of labels, others do not count as annotation.
        """
        examples = list(examples)
        validate_examples(examples, f"{type(self).__name__}.update")
        if self._takes_labels and self.is_trained:
            known = set(self.labels)
            new = {label for example in examples for label in self.example_labels(example)} - known
            for label in sorted(new):
                self.add_label(label)
        return super().update(examples, drop=drop, sgd=sgd, losses=losses)

    def rehearse(
        self,
        examples: Iterable[Example],
        *,
        drop: float = 0.0,
        sgd: Optimizer | None = None,
        losses: dict[str, float] | None = None,
    ) -> dict[str, float]:
        """Learn to score the tokens of these examples as the model did at nlp.resume_training().

        The loss is the mean cross-entropy, in nats per token, between the probabilities over all
        labels at that time and now. The transitions of a CRF do not change. Raises ValueError if
        nlp.resume_training() was not called.
        """
        losses = losses if losses is not None else {}
        losses.setdefault(self.name, 0.0)
        examples = list(examples)
        validate_examples(examples, f"{type(self).__name__}.rehearse")
        if self._rehearsal_model is None:
            raise ValueError(Errors.EL126.format(name=self.name))
        docs = [example.predicted for example in examples]
        if not any(len(doc) for doc in docs):
            return losses
        set_dropout_rate(self.model, drop)
        losses[self.name] += rehearsal(self.model, self._rehearsal_model, docs)
        if sgd not in (None, False):
            self.finish_update(sgd)
        return losses

    def predict_scores(self, docs: Iterable[Doc]) -> list[Floats2d]:
        """Compute the emissions of each Doc, (n_tokens, n_classes) float32."""
        docs = list(docs)
        scores = [self.model.ops.alloc2f(0, self.n_classes) for _ in docs]
        # A Doc's scores depend on the Doc alone; the arrays of a few thousand tokens at a time
        # are fetched from memory less often than those of all.
        for batch in token_batches([len(doc) for doc in docs]):
            batch_scores = self.model.predict([docs[i] for i in batch])
            for i, doc_scores in zip(batch, batch_scores, strict=True):
                scores[i] = doc_scores
        return scores

    def get_loss(
        self, examples: Iterable[Example], scores: Sequence[Floats2d]
    ) -> tuple[float, list[Floats2d]]:
        """Compute the loss in nats per annotated token, and its gradient for the scores.

        That is the mean cross-entropy of the annotated tokens; with decoder "crf" the negative
        log-likelihood of whole sequences, summed over all that agree with the annotation, whose
        gradient for the transitions goes to the model with that for the scores.

        Raises ValueError if a score is not finite.
        """
        examples = list(examples)
        validate_examples(examples, f"{type(self).__name__}.get_loss")
        xp = self.model.ops.xp
        emissions = xp.concatenate(list(scores))
        gold = np.concatenate([self.gold_classes(example) for example in examples])
        negative = xp.asarray(
            np.concatenate([self.negative_classes(example) for example in examples])
        )
        if not xp.isfinite(emissions).all():
            raise ValueError(SpacyErrors.E940)
        node = self.model.maybe_get_ref("crf")
        if node is not None:
            return crf.sequence_loss(node, self.transitions(1.0), scores, gold)
        smoothing = self.label_smoothing
        loss, gradient = cross_entropy(
            emissions, xp.asarray(gold), xp, negative=negative, smoothing=smoothing
        )
        ends = np.cumsum([len(doc_scores) for doc_scores in scores])
        return loss, xp.split(gradient, ends[:-1].tolist())

    # ---- probabilities ---------------------------------------------------------------

    def label_probabilities(self, docs: Iterable[Doc]) -> list[NDArray[np.float64]]:
        """Compute the calibrated probability of each class, (n_tokens, n_classes) of each Doc.

        With another decoder than "softmax" these are marginals over all sequences of classes.
        """
        scores = self.predict_scores(docs)
        if not scores:
            return []
        lengths = [len(doc_scores) for doc_scores in scores]
        emissions = self.model.ops.to_numpy(self.model.ops.xp.concatenate(scores))
        probabilities = self._probabilities(
            emissions.astype(np.float64) / self.temperature, lengths
        )
        return np.split(probabilities, np.cumsum(lengths)[:-1])

    def _probabilities(
        self, emissions: NDArray[np.float64], lengths: Sequence[int]
    ) -> NDArray[np.float64]:
        """Compute (n_tokens, n_classes) from emissions already divided by the temperature."""
        if self.scores_sequences:
            return marginals(emissions, lengths, self.transitions(self.temperature)).of_labels()
        return np.exp(log_softmax(emissions))

    def calibrate(self, examples: Iterable[Example]) -> Calibration:
        """Fit the temperature on annotated examples that training has not seen, and keep it.

        The predicted Docs must be as this pipe gets them in the pipeline. Raises ValueError if
        none of their tokens has one of the labels. Warns (WL104) where the pipe is always right
        or no better than chance, so that no temperature fits.
        """
        batches = list(self._scored(examples))
        if not any(self.has_label(batch.gold) for batch in batches):
            raise ValueError(Errors.EL108.format(name=self.name))
        calibration = calibrate(batches, self.transitions if self.scores_sequences else None)
        if calibration.is_at_end:
            temperature = calibration.temperature
            problem = "always right" if temperature < 1 else "no better than chance"
            message = Warnings.WL104.format(
                name=self.name, temperature=temperature, problem=problem
            )
            warnings.warn(message, stacklevel=2)
        self.cfg["temperature"] = calibration.temperature
        return calibration

    def _scored(self, examples: Iterable[Example]) -> Iterator[ScoredBatch]:
        for batch in minibatch(examples, size=BATCH_DOCS):
            scores = self.predict_scores([example.predicted for example in batch])
            yield ScoredBatch(
                self.model.ops.to_numpy(self.model.ops.xp.concatenate(scores)),
                [len(doc_scores) for doc_scores in scores],
                np.concatenate([self.gold_classes(example) for example in batch]),
            )
