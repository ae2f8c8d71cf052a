"""Exact-match scores apart for parts of the entities: seen or not, by length, by text length."""

from collections.abc import Callable, Sequence

from .annotation import Annotation, entity_words
from .results import EntitySpan, Score

SEEN = "exact_seen_in_train"
UNSEEN = "exact_unseen_in_train"

# Last length of each part but the open one, in words.
SENTENCE_LENGTHS = (10, 20, 30, 40)
ENTITY_LENGTHS = (1, 2, 3)

Pairs = Sequence[tuple[Annotation, Annotation]]  # gold, predicted


def prf(right: int, predicted: int, gold: int) -> Score:
    """Precision, recall and F1 from counts; 0 where nothing is there to count."""
    precision = right / predicted if predicted else 0.0
    recall = right / gold if gold else 0.0
    f1 = 2 * right / (predicted + gold) if predicted + gold else 0.0
    return Score(precision, recall, f1, gold)


def by_part(
    pairs: Pairs, parts: Sequence[str], part_of: Callable[[Annotation, EntitySpan], str]
) -> dict[str, Score]:
    """Exact-match scores for each part of the entities.

    Predictions are parted the same way as gold, so a right one always falls in the part of its
    gold entity.
    """
    counts = {part: [0, 0, 0] for part in parts}  # right, predicted, gold
    for truth, guess in pairs:
        true_spans, pred_spans = set(truth.entities or ()), set(guess.entities or ())
        for column, annotation, spans in (
            (0, truth, true_spans & pred_spans),
            (1, guess, pred_spans),
            (2, truth, true_spans),
        ):
            for span in spans:
                counts[part_of(annotation, span)][column] += 1
    return {part: prf(*count) for part, count in counts.items()}


def seen_unseen(pairs: Pairs, train_entities: set[tuple[str, ...]]) -> dict[str, Score]:
    """Entities whose words are an entity in train, and the rest (Augenstein et al. 2017)."""

    def part_of(annotation: Annotation, span: EntitySpan) -> str:
        (surface,) = entity_words(annotation.words, [span])
        return SEEN if surface in train_entities else UNSEEN

    return by_part(pairs, (SEEN, UNSEEN), part_of)


def by_sentence_length(pairs: Pairs) -> dict[str, Score]:
    """By the words of the text the entity stands in."""
    return by_part(
        pairs,
        _names(SENTENCE_LENGTHS),
        lambda annotation, span: _name(len(annotation.words), SENTENCE_LENGTHS),
    )


def by_entity_length(pairs: Pairs) -> dict[str, Score]:
    """By the words of the entity: recall by gold's length, precision by the predicted one's."""
    return by_part(
        pairs,
        _names(ENTITY_LENGTHS),
        lambda annotation, span: _name(span[1] - span[0], ENTITY_LENGTHS),
    )


def _names(limits: Sequence[int]) -> list[str]:
    return [_name(limit, limits) for limit in (*limits, limits[-1] + 1)]


def _name(length: int, limits: Sequence[int]) -> str:
    """The part a length falls in: "11-20", "3", "41+"."""
    first = 1
    for limit in limits:
        if length <= limit:
            return str(limit) if first == limit else f"{first}-{limit}"
        first = limit + 1
    return f"{first}+"
