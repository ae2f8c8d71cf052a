"""The `elmo_tagger` pipe: part-of-speech tags with their probabilities."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from spacy.language import Language
from spacy.tokens import Doc, Token
from spacy.training import Example
from spacy.vocab import Vocab
from thinc.api import Model
from thinc.types import Floats2d

from ..decoding import MISSING, FullTransitions, Transitions, viterbi
from ..errors import Errors
from .token_classifier import TokenClassifier, default_model, same_tokens

# Where a Doc keeps the tagger's probabilities: travels with the Doc into a DocBin and between
# processes.
CONFIDENCE_KEY = "elmo_tagger"


@Language.factory(
    "elmo_tagger",
    assigns=["token.tag", "token._.tag_confidence"],
    default_config={
        **default_model("softmax", "full"),
        "overwrite": True,
        "scorer": {"@scorers": "spacy_elmo_ner.tagger_scorer.v1"},
    },
    default_score_weights={"tag_acc": 1.0},
)
def make_elmo_tagger(
    nlp: Language,
    name: str,
    model: Model[list[Doc], list[Floats2d]],
    overwrite: bool,
    scorer: Callable[..., dict[str, Any]] | None,
) -> "ElmoTagger":
    """Make an `elmo_tagger` pipe.

    overwrite: replace tags that an earlier pipe has set. True by default, unlike spaCy's
        tagger: who adds this one behind another wants its tags.
    The decoder is "softmax", each token's best tag, or "crf", the best sequence of tags, with
    full transitions. Raises ValueError for another.
    """
    decoding = model.attrs["decoding"]
    if decoding.decoder not in ("softmax", "crf"):
        raise ValueError(Errors.EL109.format(name=name, value=decoding.decoder))
    if decoding.decoder == "crf" and decoding.transitions != "full":
        raise ValueError(Errors.EL142.format(name=name, value=decoding.transitions))
    return ElmoTagger(nlp.vocab, model, name, overwrite=overwrite, scorer=scorer)


class Tags(NamedTuple):
    """classes: (n_tokens,) int64 of one Doc; probabilities: (n_tokens,) float64 of each."""

    classes: NDArray[np.int64]
    probabilities: NDArray[np.float64]


class ElmoTagger(TokenClassifier):
    """Sets token.tag_, and token._.tag_confidence, the probability of that tag in [0, 1]."""

    def __init__(
        self,
        vocab: Vocab,
        model: Model[list[Doc], list[Floats2d]],
        name: str = "elmo_tagger",
        *,
        overwrite: bool = True,
        scorer: Callable[..., dict[str, Any]] | None = None,
    ) -> None:
        super().__init__(vocab, model, name, overwrite=overwrite, scorer=scorer)
        if not Token.has_extension("tag_confidence"):
            Token.set_extension("tag_confidence", getter=tag_confidence)

    @property
    def n_classes(self) -> int:
        return len(self.labels)

    def example_labels(self, example: Example) -> Iterable[str]:
        return (token.tag_ for token in example.reference if token.tag)

    def gold_classes(self, example: Example) -> NDArray[np.int64]:
        strings = self.vocab.strings
        index = {strings[label]: i for i, label in enumerate(self.labels)}
        if same_tokens(example):
            tags = example.reference.to_array("TAG").tolist()
        else:
            tags = example.get_aligned("TAG")
        return np.asarray([index.get(tag, MISSING) for tag in tags], dtype=np.int64)

    def transitions(self, temperature: float) -> Transitions:
        learned = self.learned_transitions or FullTransitions.zeros(self.n_classes)
        return learned.over(temperature)

    def predict(self, docs: Iterable[Doc]) -> list[Tags]:
        """The best tag of each token, and its probability over all tags of the other tokens."""
        scores = [self.model.ops.to_numpy(one) for one in self.predict_scores(list(docs))]
        if not scores:
            return []
        lengths = [len(one) for one in scores]
        emissions = np.concatenate(scores).astype(np.float64) / self.temperature
        if self.scores_sequences:
            best, _ = viterbi(emissions, lengths, self.transitions(self.temperature))
        else:
            best = emissions.argmax(axis=1)
        probabilities = self._probabilities(emissions, lengths)
        ends = np.cumsum(lengths)[:-1]
        of_best = probabilities[np.arange(len(best)), best]
        return [
            Tags(*one) for one in zip(np.split(best, ends), np.split(of_best, ends), strict=True)
        ]

    def set_annotations(self, docs: Sequence[Doc], predicted: Sequence[Tags]) -> None:
        tag_ids = np.asarray([self.vocab.strings[label] for label in self.labels], dtype=np.uint64)
        for doc, found in zip(docs, predicted, strict=True):
            if not len(doc):
                continue
            tags: Any = tag_ids[found.classes]
            doc.user_data[CONFIDENCE_KEY] = {
                "tags": tags.tolist(),
                "scores": found.probabilities.tolist(),
            }
            if not self.cfg["overwrite"]:
                before = doc.to_array("TAG")
                tags = np.where(before != 0, before, tags)
            doc.from_array(["TAG"], tags)


def tag_confidence(token: Token) -> float | None:
    """Probability of the tag that `elmo_tagger` gave this token; None for another's tag."""
    stored = token.doc.user_data.get(CONFIDENCE_KEY)
    if stored is None or len(stored["tags"]) != len(token.doc):
        return None
    return stored["scores"][token.i] if stored["tags"][token.i] == token.tag else None
