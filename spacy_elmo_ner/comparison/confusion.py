"""What is taken for what: entity types, kinds of error, tags."""

from collections import Counter
from collections.abc import Iterable
from enum import Enum

from .annotation import Annotation
from .breakdown import Pairs
from .results import EntitySpan

# Stands for no entity, on either side of a confusion.
NOTHING = "-"

Confusion = dict[str, dict[str, int]]


class ErrorKind(str, Enum):
    """What became of an entity; every gold and every predicted one falls under one kind."""

    RIGHT = "right"
    TYPE = "wrong type"
    BOUNDARY = "wrong boundary"
    BOTH = "wrong type and boundary"
    MISSED = "missed"
    SPURIOUS = "spurious"


def match_entities(
    gold: Iterable[EntitySpan], predicted: Iterable[EntitySpan]
) -> list[tuple[EntitySpan | None, EntitySpan | None]]:
    """Pair each gold entity with at most one predicted one that shares words with it.

    The pairs that share most come first, the same words before all others; what is left over is
    paired with None.
    """
    left, right = sorted(set(gold)), sorted(set(predicted))
    candidates = sorted(
        (_distance(truth, guess), truth, guess)
        for truth in left
        for guess in right
        if guess[0] < truth[1] and truth[0] < guess[1]
    )
    pairs: list[tuple[EntitySpan | None, EntitySpan | None]] = []
    free_gold, free_predicted = set(left), set(right)
    for _, truth, guess in candidates:
        if truth in free_gold and guess in free_predicted:
            pairs.append((truth, guess))
            free_gold.remove(truth)
            free_predicted.remove(guess)
    pairs += [(truth, None) for truth in sorted(free_gold)]
    pairs += [(None, guess) for guess in sorted(free_predicted)]
    return pairs


def type_confusion(pairs: Pairs) -> tuple[Confusion, dict[str, int]]:
    """Gold type -> predicted type -> entities, boundaries aside; and entities by `ErrorKind`."""
    counts: Counter[tuple[str, str]] = Counter()
    kinds: Counter[str] = Counter()
    for truth, guess in pairs:
        for matched in match_entities(truth.entities or (), guess.entities or ()):
            labels = [span[2] if span else NOTHING for span in matched]
            counts[labels[0], labels[1]] += 1
            kinds[_kind(*matched).value] += 1
    return _nested(counts), {kind.value: kinds[kind.value] for kind in ErrorKind}


def tag_confusion(pairs: Iterable[tuple[Annotation, Annotation]]) -> Confusion:
    """Gold tag -> other tag predicted for it -> words; right tags are left out."""
    counts: Counter[tuple[str, str]] = Counter()
    for truth, guess in pairs:
        if not truth.tags or not guess.tags:
            continue
        for word, tag, guessed in zip(truth.words, truth.tags, guess.tags, strict=True):
            if tag and word.strip() and tag != guessed:
                counts[tag, guessed or NOTHING] += 1
    return _nested(counts)


def _distance(truth: EntitySpan, guess: EntitySpan) -> tuple[int, bool]:
    """Words in only one of the two, then whether their labels differ."""
    shared = min(truth[1], guess[1]) - max(truth[0], guess[0])
    return (truth[1] - truth[0]) + (guess[1] - guess[0]) - 2 * shared, truth[2] != guess[2]


def _kind(truth: EntitySpan | None, guess: EntitySpan | None) -> ErrorKind:
    if truth is None:
        return ErrorKind.SPURIOUS
    if guess is None:
        return ErrorKind.MISSED
    if truth[:2] == guess[:2]:
        return ErrorKind.RIGHT if truth[2] == guess[2] else ErrorKind.TYPE
    return ErrorKind.BOUNDARY if truth[2] == guess[2] else ErrorKind.BOTH


def _nested(counts: Counter[tuple[str, str]]) -> Confusion:
    table: Confusion = {}
    for (gold, predicted), count in sorted(counts.items()):
        table.setdefault(gold, {})[predicted] = count
    return table
