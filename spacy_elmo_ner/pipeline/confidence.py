"""Probabilities of entities and tags, kept with the characters that they were given for.

spaCy keeps a value of ``span._`` or ``token._`` in ``doc.user_data``, under the extension's name
and the characters of the span or token. Everything in spaCy that copies, joins, cuts or stores
Docs knows such keys, and merging or splitting tokens leaves characters as they are. So a
probability either arrives with its span or is gone, and it is found in constant time. Each value
also says what it was given for, because another pipe or a person may change a label or a token.
"""

import warnings
import weakref
from collections.abc import Callable, Iterable, Sequence, Set
from typing import Any, NamedTuple, cast

import numpy as np
from numpy.typing import ArrayLike, NDArray
from spacy.tokens import Doc, Span, SpanGroup, Token

from ..decoding import Decoded, EntitySpan, drop_unlikely
from ..errors import Warnings
from .scored_spans import ScoredSpans, stored_spans, token_bounds

# doc.spans key of the scored entities, as spaCy's spancat keeps its own.
SPANS_KEY = "elmo_ner"

# Name under which alternatives are stored. Not that of entities: Doc.from_json stops at a span
# whose tokens were merged with others, which happens to alternatives whenever entities are merged.
ALTERNATIVES = "elmo_ner"

# Characters from, to and the label's text.
Place = tuple[int, int, str]


class Given(NamedTuple):
    """score: probability in [0, 1]; pipe: name of the pipe that gave it. None if not known."""

    score: float | None
    pipe: str | None


# ---- extensions --------------------------------------------------------------------------


class Extension(NamedTuple):
    """An extension of ours, and the name it has where other code uses its first name."""

    owner: Any  # Span or Token
    name: str
    getter: Callable[[Any], float | None]

    @property
    def second_name(self) -> str:
        return f"elmo_{self.name}"

    @property
    def key(self) -> str:
        """The name under which values are stored."""
        return self.second_name if self._is_taken else self.name

    def register(self) -> None:
        """Register the extension; warn if the name is taken and use the second name."""
        if self is ENTITIES and not Span.has_extension(ALTERNATIVES):
            Span.set_extension(ALTERNATIVES, default=None)  # Doc.from_json asks for it
        if not self.owner.has_extension(self.name):
            self.owner.set_extension(self.name, getter=self.getter)
        if not self._is_taken:
            return
        if not self._is_ours(self.second_name):
            self.owner.set_extension(self.second_name, getter=self.getter, force=True)
        message = Warnings.WL102.format(
            owner=self.owner.__name__, name=self.name, second=self.second_name
        )
        warnings.warn(message, stacklevel=2)

    @property
    def _is_taken(self) -> bool:
        return self.owner.has_extension(self.name) and not self._is_ours(self.name)

    def _is_ours(self, name: str) -> bool:
        if not self.owner.has_extension(name):
            return False
        getter = self.owner.get_extension(name)[2]
        # By name: another process has another object of the same function.
        return getter is not None and (
            (getter.__module__, getter.__name__) == (self.getter.__module__, self.getter.__name__)
        )


def _user_data(doc: Doc) -> dict[Any, Any]:
    return cast(dict[Any, Any], doc.user_data)  # keys are tuples too, whatever the stubs say


def confidence(span: Span) -> float | None:
    """Return the probability of this span with this label; None if no `elmo_ner` scored it."""
    doc, place = span.doc, (span.start_char, span.end_char, span.label_)
    for name in (ENTITIES.key, ALTERNATIVES):
        stored = _user_data(doc).get(("._.", name, *place[:2]))
        if isinstance(stored, int | float):
            return stored  # set by a person
        if stored is not None and place[2] in stored:
            return stored[place[2]]["score"]
    in_group = _of_group(doc).get(place)
    return None if in_group is None else in_group.score


def tag_confidence(token: Token) -> float | None:
    """Return the probability of this token's tag; None for a tag that `elmo_tagger` did not set."""
    stored = _user_data(token.doc).get(("._.", TAGS.key, token.idx, None))
    if isinstance(stored, list | tuple):
        tag, score, n_chars = stored
        # Of a merged or split token, one end is still where it was.
        return score if tag == token.tag_ and n_chars == len(token) else None
    return stored


ENTITIES = Extension(Span, "confidence", confidence)
TAGS = Extension(Token, "tag_confidence", tag_confidence)


# ---- entities ----------------------------------------------------------------------------


def give_entities(doc: Doc, pipe: str, found: Decoded) -> None:
    """Keep the probabilities of all spans that a pipe found, in place of what it gave before."""
    user_data, names = _user_data(doc), (ENTITIES.key, ALTERNATIVES)
    for key, stored in _stored(doc):
        # New dicts: Docs that were cut or joined share the old ones.
        others = {label: one for label, one in stored.items() if one["pipe"] != pipe}
        if others:
            user_data[key] = others
        else:
            del user_data[key]
    for name, spans in zip(names, found, strict=True):
        for one in spans:
            last = doc[one.end - 1]
            key = ("._.", name, doc[one.start].idx, last.idx + len(last))
            before = user_data.get(key)
            # As precise as in doc.spans, so that the same number arrives on both ways.
            given = {"score": float(np.float32(one.probability)), "pipe": pipe}
            user_data[key] = {**(before if isinstance(before, dict) else {}), one.label: given}


def given_entities(doc: Doc) -> dict[Place, Given]:
    """Return what was given to each span of this Doc, whether it is an entity now or not."""
    found = _of_group(doc).copy()
    for (_, _, start, end), stored in _stored(doc):
        for label, one in stored.items():
            found[start, end, label] = Given(one["score"], one["pipe"])
    return found


def _stored(doc: Doc) -> list[tuple[Any, dict[str, dict[str, Any]]]]:
    """Keys and values of all scored spans: entities last, whose score counts."""
    names = (ALTERNATIVES, ENTITIES.key)
    found = [
        (key, value)
        for key, value in _user_data(doc).items()
        if isinstance(key, tuple) and len(key) == 4 and key[0] == "._." and key[1] in names
    ]
    found.sort(key=lambda item: names.index(item[0][1]))
    return [(key, value) for key, value in found if isinstance(value, dict)]


def located_entities(doc: Doc) -> tuple[Decoded, dict[EntitySpan, str | None]]:
    """Return the scored spans of this Doc by its tokens as they are now, and who gave each."""
    first, last = token_bounds(doc)
    set_here = {(ent.start_char, ent.end_char, ent.label_) for ent in doc.ents}
    found, pipes = Decoded([], []), {}
    for place, given in given_entities(doc).items():
        start, end, label = place
        if given.score is None or start not in first or end not in last:
            continue
        one = EntitySpan(first[start], last[end], label, given.score)
        (found.entities if place in set_here else found.alternatives).append(one)
        pipes[one] = given.pipe
    for spans in found:
        spans.sort(key=lambda one: one[:2])
    return found, pipes


def decoded_entities(doc: Doc) -> Decoded:
    """Return the entities of this Doc that `elmo_ner` scored, and its other scored spans.

    An entity of another pipe is not among them. Both are empty where no `elmo_ner` has been.
    """
    return located_entities(doc)[0]


def write_span_group(doc: Doc) -> None:
    """Set doc.spans["elmo_ner"]: the scored entities in order, then the alternatives."""
    found, pipes = located_entities(doc)
    scored = [*found.entities, *found.alternatives]
    doc.spans[SPANS_KEY] = ScoredSpans(
        doc,
        name=SPANS_KEY,
        spans=[Span(doc, one.start, one.end, label=one.label) for one in scored],
        attrs={
            "scores": np.asarray([one.probability for one in scored], dtype=np.float32),
            "pipes": [pipes[one] for one in scored],
        },
    )


# A DocBin without user data keeps span groups; what they hold, by Doc. With the group, so that
# one set since is read anew.
_groups: "weakref.WeakKeyDictionary[Doc, tuple[SpanGroup, dict[Place, Given]]]"
_groups = weakref.WeakKeyDictionary()


def _of_group(doc: Doc) -> dict[Place, Given]:
    """What doc.spans["elmo_ner"] says where it was stored without the user data."""
    group = doc.spans.get(SPANS_KEY)
    if group is None or isinstance(group, ScoredSpans):
        return {}
    kept = _groups.get(doc)
    if kept is None or kept[0] is not group:
        kept = _groups[doc] = group, _read_group(doc, group)
    return kept[1]


def _read_group(doc: Doc, group: SpanGroup) -> dict[Place, Given]:
    spans = stored_spans(group)
    columns = []
    for name in ("scores", "pipes"):
        column = list(group.attrs.get(name, ()))
        columns.append(column if len(column) == len(spans) else [None] * len(spans))
    strings = doc.vocab.strings
    return {
        (one.start_char, one.end_char, strings[one.label]): Given(
            None if score is None else float(score), pipe
        )
        for one, score, pipe in zip(spans, *columns, strict=True)
    }


# ---- tags --------------------------------------------------------------------------------


def give_tags(doc: Doc, tags: Iterable[str], scores: Iterable[float]) -> None:
    """Keep the probability of each token's tag; a tag "" leaves what is there."""
    name, user_data = TAGS.key, _user_data(doc)
    for token, tag, score in zip(doc, tags, scores, strict=True):
        if tag:
            user_data["._.", name, token.idx, None] = [tag, score, len(token)]


# ---- what a threshold would do -------------------------------------------------------------

THRESHOLDS = tuple(round(0.05 * k, 2) for k in range(20))  # 0, 0.05, ..., 0.95

# An entity of gold: first token, one past the last, label.
Wanted = tuple[int, int, str]


class ScoredEntities(NamedTuple):
    """confidences: (n_entities,) float64 of all predicted; right: (n_entities,) bool, is exactly
    this span with this label in gold; n_gold: entities in gold."""

    confidences: NDArray[np.float64]
    right: NDArray[np.bool_]
    n_gold: int


class OperatingPoint(NamedTuple):
    """precision, recall and their harmonic mean, in [0, 1], over exact spans with labels, where
    `elmo_ner` has this threshold."""

    threshold: float
    precision: float
    recall: float
    f: float


def scored_entities(
    gold: Iterable[Doc], predicted: Iterable[Doc], threshold: float = 0.0
) -> ScoredEntities:
    """The predicted entities with their confidence, as they would be with this threshold.

    gold, predicted: the same texts in the same tokens, predicted with threshold 0. Alternatives
    take a dropped entity's place as far down as the pipe kept them.
    """
    return score_decoded(map(_wanted, gold), map(decoded_entities, predicted), threshold)


def score_decoded(
    wanted: Iterable[Set[Wanted]], found: Iterable[Decoded], threshold: float = 0.0
) -> ScoredEntities:
    """The same from the entities of gold and what was decoded, text by text."""
    confidences, right, n_gold = [], [], 0
    for truth, guess in zip(wanted, found, strict=True):
        for one in drop_unlikely(guess.entities, guess.alternatives, threshold):
            confidences.append(one.probability)
            right.append(one[:3] in truth)
        n_gold += len(truth)
    return ScoredEntities(np.asarray(confidences), np.asarray(right, dtype=bool), n_gold)


def precision_recall_curve(
    gold: Iterable[Doc], predicted: Iterable[Doc], thresholds: Sequence[float] = THRESHOLDS
) -> list[OperatingPoint]:
    """Precision and recall at each threshold. Arguments as in `scored_entities`."""
    wanted, found = list(map(_wanted, gold)), list(map(decoded_entities, predicted))
    return [operating_point(wanted, found, threshold) for threshold in thresholds]


def operating_point(
    wanted: Iterable[Set[Wanted]], found: Iterable[Decoded], threshold: float
) -> OperatingPoint:
    """Precision and recall at one threshold. Arguments as in `score_decoded`."""
    scored = score_decoded(wanted, found, threshold)
    n_right = int(scored.right.sum())
    precision = n_right / len(scored.right) if len(scored.right) else 0.0
    recall = n_right / scored.n_gold if scored.n_gold else 0.0
    f = 2 * precision * recall / (precision + recall) if n_right else 0.0
    return OperatingPoint(threshold, precision, recall, f)


def expected_calibration_error(confidences: ArrayLike, right: ArrayLike, n_bins: int = 10) -> float:
    """Mean gap between confidence and share right over bins of equal width, each weighted by
    what falls into it (Guo et al. 2017, equation 3): in [0, 1], 0.0 where there is nothing.

    confidences: (n,) floats in [0, 1]; right: (n,) bool.
    """
    sure, is_right = np.asarray(confidences, np.float64), np.asarray(right, np.float64)
    if not len(sure):
        return 0.0
    bins = np.minimum((sure * n_bins).astype(np.int64), n_bins - 1)
    gaps = np.bincount(bins, weights=sure - is_right, minlength=n_bins)
    return float(np.abs(gaps).sum() / len(sure))


def _wanted(gold: Doc) -> set[Wanted]:
    return {(ent.start, ent.end, ent.label_) for ent in gold.ents}
