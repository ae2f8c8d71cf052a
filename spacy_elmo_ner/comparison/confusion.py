"""Count entity types and tags that are predicted for others, and entities by kind of error."""

from collections import Counter
from collections.abc import Iterable
from enum import Enum

from .corpora import Pairs, scored_tags
from .results import LabeledSpan

# No entity, on either side of a confusion.
NOTHING = "-"

Confusion = dict[str, dict[str, int]]


class ErrorKind(str, Enum):
    """Names a kind of match or error; every gold and every predicted entity has exactly one."""

    RIGHT = "right"
    TYPE = "wrong type"
    BOUNDARY = "wrong boundary"
    BOTH = "wrong type and boundary"
    MISSED = "missed"
    SPURIOUS = "spurious"


def match_entities(
    gold: Iterable[LabeledSpan], predicted: Iterable[LabeledSpan]
) -> list[tuple[LabeledSpan | None, LabeledSpan | None]]:
    """Pair each gold entity with at most one predicted one that shares words with it.

    Pairs that share most are matched first, the same words before all others; an entity left over
    is paired with None.
    """
    left, right = sorted(set(gold)), sorted(set(predicted))
    candidates = sorted(
        (_distance(truth, guess), truth, guess)
        for truth in left
        for guess in right
        if guess[0] < truth[1] and truth[0] < guess[1]
    )
    pairs: list[tuple[LabeledSpan | None, LabeledSpan | None]] = []
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
    """Count entities by gold and predicted type, boundaries aside, and by `ErrorKind`."""
    counts: Counter[tuple[str, str]] = Counter()
    kinds: Counter[str] = Counter()
    for truth, guess in pairs:
        for matched in match_entities(truth.entities or (), guess.entities or ()):
            labels = [span[2] if span else NOTHING for span in matched]
            counts[labels[0], labels[1]] += 1
            kinds[_kind(*matched).value] += 1
    return _nested(counts), {kind.value: kinds[kind.value] for kind in ErrorKind}


def tag_confusion(pairs: Pairs) -> Confusion:
    """Count words by gold tag and the other tag predicted for it; right tags are left out."""
    counts: Counter[tuple[str, str]] = Counter()
    for truth, guess in pairs:
        for _, tag, guessed in scored_tags(truth, guess):
            if tag != guessed:
                counts[tag, guessed or NOTHING] += 1
    return _nested(counts)


def _distance(truth: LabeledSpan, guess: LabeledSpan) -> tuple[int, bool]:
    """Return the number of words in only one of the two, then whether their labels differ."""
    shared = min(truth[1], guess[1]) - max(truth[0], guess[0])
    return (truth[1] - truth[0]) + (guess[1] - guess[0]) - 2 * shared, truth[2] != guess[2]


def _kind(truth: LabeledSpan | None, guess: LabeledSpan | None) -> ErrorKind:
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
