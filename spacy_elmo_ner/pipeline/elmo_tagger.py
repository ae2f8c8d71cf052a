"""Find part-of-speech tags, with their probabilities: the `elmo_tagger` pipe."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from spacy.language import Language
from spacy.tokens import Doc
from spacy.training import Example
from spacy.vocab import Vocab
from thinc.api import Model
from thinc.types import Floats2d

from ..decoding import MISSING, FullTransitions, Transitions, viterbi
from ..errors import Errors, shown
from .confidence import TAGS, give_tags
from .default_model import default_model
from .gold import gold_tags
from .settings import ConfiguredPipe, PipelineRef, Setting, check_switch, check_text, is_number
from .token_classifier import TokenClassifier


@Language.factory(
    "elmo_tagger",
    assigns=["token.tag", "token._.tag_confidence"],
    default_config={
        **default_model("softmax", "full", "mix"),
        "overwrite": True,
        "label_smoothing": 0.0,
        "neg_prefix": "!",
        "scorer": {"@scorers": "spacy_elmo_ner.tagger_scorer.v1"},
    },
    default_score_weights={"tag_acc": 1.0},
)
def make_elmo_tagger(
    nlp: Language,
    name: str,
    model: Model[list[Doc], list[Floats2d]],
    overwrite: bool,
    label_smoothing: float,
    neg_prefix: str,
    scorer: Callable[..., dict[str, Any]] | None,
) -> "ElmoTagger":
    """Make an `elmo_tagger` pipe.

    overwrite: replace tags that an earlier pipe has set. True by default, unlike spaCy's
        tagger: whoever adds this pipe after another wants its tags.
    label_smoothing: share of each gold tag that goes to all other tags in training, in [0, 1); 0
        for decoder "crf".
    neg_prefix: a gold tag that begins with this says which tag the token does not have: "!NN".
        Not supported by decoder "crf".
    The decoder is "softmax", each token's best tag, or "crf", the best sequence of tags, with
    full transitions. Raises ValueError for another, or for a label_smoothing out of range.
    """
    decoding = model.attrs["decoding"]
    if decoding.decoder not in ("softmax", "crf"):
        raise ValueError(Errors.EL109.format(name=name, value=decoding.decoder))
    if decoding.decoder == "crf" and decoding.transitions != "full":
        raise ValueError(Errors.EL142.format(name=name, value=decoding.transitions))
    pipe = ElmoTagger(
        nlp.vocab,
        model,
        name,
        overwrite=overwrite,
        label_smoothing=label_smoothing,
        neg_prefix=neg_prefix,
        scorer=scorer,
    )
    pipe.made_by = PipelineRef(nlp)
    return pipe


def check_smoothing(pipe: "ElmoTagger", name: str, value: Any) -> float:
    """Raise ValueError for anything but a number in [0, 1), or 0 with a CRF."""
    is_allowed = is_number(value) and 0 <= value < 1 and (value == 0 or pipe.decoder != "crf")
    if not is_allowed:
        raise ValueError(
            Errors.EL124.format(name=pipe.name, value=shown(value), decoder=pipe.decoder)
        )
    return float(value)


class Tags(NamedTuple):
    """Holds the classes of one Doc, (n_tokens,) int64, and their probabilities, float64."""

    classes: NDArray[np.int64]
    probabilities: NDArray[np.float64]


class ElmoTagger(ConfiguredPipe, TokenClassifier):
    """Sets token.tag_, and token._.tag_confidence, the probability of that tag in [0, 1]."""

    overwrite = Setting(True, check_switch)
    label_smoothing = Setting(0.0, check_smoothing)
    neg_prefix = Setting("!", check_text)

    def __init__(
        self,
        vocab: Vocab,
        model: Model[list[Doc], list[Floats2d]],
        name: str = "elmo_tagger",
        *,
        overwrite: bool = True,
        label_smoothing: float = 0.0,
        neg_prefix: str = "!",
        scorer: Callable[..., dict[str, Any]] | None = None,
    ) -> None:
        super().__init__(vocab, model, name, scorer=scorer)
        type(self).overwrite.configure(self, overwrite)
        type(self).label_smoothing.configure(self, label_smoothing)
        type(self).neg_prefix.configure(self, neg_prefix)
        TAGS.register()

    @property
    def n_classes(self) -> int:
        return len(self.labels)

    def example_labels(self, example: Example) -> Iterable[str]:
        strings = example.reference.vocab.strings
        tags = (strings[tag] for tag in np.unique(example.reference.to_array("TAG")) if tag)
        return (tag for tag in tags if not self._is_negative(tag))

    def gold_classes(self, example: Example) -> NDArray[np.int64]:
        index = {self.vocab.strings[label]: i for i, label in enumerate(self.labels)}
        tags = gold_tags(example)
        return np.asarray([index.get(tag, MISSING) for tag in tags], dtype=np.int64)

    def negative_classes(self, example: Example) -> NDArray[np.int64]:
        strings = example.reference.vocab.strings
        index = {label: i for i, label in enumerate(self.labels)}
        tags = gold_tags(example)
        negative = {
            tag: index.get(strings[tag][len(self.neg_prefix) :], MISSING)
            for tag in set(tags)
            if tag and self._is_negative(strings[tag])
        }
        if negative and self.decoder == "crf":
            tag = strings[next(iter(negative))]
            raise ValueError(Errors.EL125.format(name=self.name, tag=tag))
        return np.asarray([negative.get(tag, MISSING) for tag in tags], dtype=np.int64)

    def _is_negative(self, tag: str) -> bool:
        """Return whether a gold tag says which tag a token does not have.

        A tag that is only the prefix is an ordinary tag.
        """
        if not self.neg_prefix or tag == self.neg_prefix or tag in self.labels:
            return False
        return tag.startswith(self.neg_prefix)

    def transitions(self, temperature: float) -> Transitions:
        learned = self.learned_transitions or FullTransitions.zeros(self.n_classes)
        return learned.over(temperature)

    def predict(self, docs: Iterable[Doc]) -> list[Tags]:
        """Find the best tag of each token and its marginal probability."""
        scores = [
            self.model.ops.to_numpy(doc_scores) for doc_scores in self.predict_scores(list(docs))
        ]
        if not scores:
            return []
        lengths = [len(doc_scores) for doc_scores in scores]
        emissions = np.concatenate(scores).astype(np.float64) / self.temperature
        if self.scores_sequences:
            best, _ = viterbi(emissions, lengths, self.transitions(self.temperature))
        else:
            best = emissions.argmax(axis=1)
        probabilities = self._probabilities(emissions, lengths)
        ends = np.cumsum(lengths)[:-1]
        of_best = probabilities[np.arange(len(best)), best]
        return [
            Tags(*pair) for pair in zip(np.split(best, ends), np.split(of_best, ends), strict=True)
        ]

    def set_annotations(self, docs: Sequence[Doc], predicted: Sequence[Tags]) -> None:
        tag_ids = np.asarray([self.vocab.strings[label] for label in self.labels], dtype=np.uint64)
        for doc, doc_tags in zip(docs, predicted, strict=True):
            if not len(doc):
                continue
            tags: Any = tag_ids[doc_tags.classes]
            is_ours = np.ones(len(doc), dtype=bool)
            if not self.overwrite:
                before = doc.to_array("TAG")
                is_ours = before == 0
                tags = np.where(is_ours, tags, before)
            doc.from_array(["TAG"], tags)
            names = [
                self.labels[i] if ours else ""
                for i, ours in zip(doc_tags.classes.tolist(), is_ours, strict=True)
            ]
            give_tags(doc, names, doc_tags.probabilities.tolist())
