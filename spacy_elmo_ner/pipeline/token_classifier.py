"""What `elmo_tagger` and `elmo_ner` share: labels, initialization, and the loss per token."""

from collections.abc import Callable, Iterable, Sequence
from itertools import islice
from typing import Any

import numpy as np
from numpy.typing import NDArray
from spacy.errors import Errors as SpacyErrors
from spacy.language import Language
from spacy.pipeline.trainable_pipe import TrainablePipe
from spacy.tokens import Doc
from spacy.training import Example, validate_examples, validate_get_examples
from spacy.vocab import Vocab
from thinc.api import Config, Model
from thinc.types import Floats2d

from ..layers.elmo_tagger import DecoderName

DEFAULT_MODEL = """
[model]
@architectures = "spacy_elmo_ner.ElmoTagger.v1"
decoder = "{decoder}"
nO = null

[model.tok2vec]
@architectures = "spacy_elmo_ner.ElmoTok2Vec.v1"
upstream = "*"

[model.tok2vec.bilm]
@architectures = "spacy_elmo_ner.BiLM.v1"
name = "small-en"

[model.encoder]
@architectures = "spacy_elmo_ner.ResidualBiLSTM.v1"
units = 256
dropout = 0.2
recurrent_dropout = 0.2
"""

MISSING = -1  # class of a token without gold annotation; it adds nothing to the loss


def default_model(decoder: DecoderName) -> Config:
    """The [model] block both pipes begin with."""
    return Config().from_str(DEFAULT_MODEL.format(decoder=decoder))


class TokenClassifier(TrainablePipe):
    """A pipe that scores each token against a fixed list of classes.

    Subclasses say which labels an Example holds, which class each token's gold label is, and
    what a batch of scores means for a Doc.
    """

    def __init__(
        self,
        vocab: Vocab,
        model: Model[list[Doc], list[Floats2d]],
        name: str,
        *,
        overwrite: bool,
        scorer: Callable[..., dict[str, Any]] | None,
    ) -> None:
        self.vocab = vocab
        self.model = model
        self.name = name
        self.scorer = scorer
        self.cfg: dict[str, Any] = {"labels": [], "overwrite": overwrite}

    # ---- for subclasses --------------------------------------------------------------

    @property
    def n_classes(self) -> int:
        raise NotImplementedError

    def example_labels(self, example: Example) -> Iterable[str]:
        """Labels that occur in one Example's reference."""
        raise NotImplementedError

    def gold_classes(self, example: Example) -> NDArray[np.int64]:
        """(n_tokens of the predicted Doc,) int64: each token's class, or MISSING."""
        raise NotImplementedError

    # ---- labels ----------------------------------------------------------------------

    @property
    def labels(self) -> tuple[str, ...]:
        return tuple(self.cfg["labels"])

    @property
    def label_data(self) -> tuple[str, ...]:
        """What `spacy init labels` saves."""
        return self.labels

    def add_label(self, label: str) -> int:
        """Add a label before initialization. Returns 1, or 0 if it was there already.

        Raises ValueError for a label that is not a str, or once the model's size is fixed.
        """
        if not isinstance(label, str):
            raise ValueError(SpacyErrors.E187)
        if label in self.labels:
            return 0
        output_layer = self.model.get_ref("output_layer")
        if output_layer.has_dim("nO"):
            raise ValueError(SpacyErrors.E922.format(name=self.name, nO=output_layer.get_dim("nO")))
        self.cfg["labels"].append(label)
        self.vocab.strings.add(label)
        return 1

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
        if labels is None:
            found = {label for example in get_examples() for label in self.example_labels(example)}
            labels = sorted(found)
        for label in labels:
            self.add_label(label)
        self._require_labels()
        self.model.get_ref("output_layer").set_dim("nO", self.n_classes)
        self.model.initialize(X=[example.x for example in islice(get_examples(), 10)])

    def predict_scores(self, docs: Sequence[Doc]) -> list[Floats2d]:
        """Emissions (n_tokens, n_classes) float32 of each Doc."""
        if not any(len(doc) for doc in docs):
            return [self.model.ops.alloc2f(0, self.n_classes) for _ in docs]
        return self.model.predict(list(docs))

    def get_loss(
        self, examples: Iterable[Example], scores: Sequence[Floats2d]
    ) -> tuple[float, list[Floats2d]]:
        """Mean cross-entropy of the annotated tokens in nats, and its gradient.

        Raises ValueError if a score is not finite.
        """
        examples = list(examples)
        validate_examples(examples, f"{type(self).__name__}.get_loss")
        xp = self.model.ops.xp
        emissions = xp.concatenate(list(scores))
        gold = xp.asarray(np.concatenate([self.gold_classes(example) for example in examples]))
        if not xp.isfinite(emissions).all():
            raise ValueError(SpacyErrors.E940)
        annotated = xp.flatnonzero(gold != MISSING)
        gradient = xp.zeros_like(emissions)
        loss = 0.0
        if len(annotated):
            shifted = emissions[annotated]
            shifted = shifted - shifted.max(axis=1, keepdims=True)
            log_probabilities = shifted - xp.log(xp.exp(shifted).sum(axis=1, keepdims=True))
            row, chosen = xp.arange(len(annotated)), gold[annotated]
            loss = -float(log_probabilities[row, chosen].mean())
            d_annotated = xp.exp(log_probabilities)
            d_annotated[row, chosen] -= 1
            gradient[annotated] = d_annotated / len(annotated)
        ends = np.cumsum([len(one) for one in scores])[:-1]
        return loss, xp.split(gradient, ends.tolist())
