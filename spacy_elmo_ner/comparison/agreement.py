"""How far pipelines agree with each other: all that can be said of a text without gold."""

from collections.abc import Mapping, Sequence
from itertools import combinations

from .annotation import Annotation
from .breakdown import prf
from .findings import Agreement


def pairwise_agreement(readings: Mapping[str, Sequence[Annotation]]) -> list[Agreement]:
    """Every pair of pipelines, in the order given."""
    return [
        _agreement(first, second, readings[first], readings[second])
        for first, second in combinations(readings, 2)
    ]


def _agreement(
    first: str, second: str, left: Sequence[Annotation], right: Sequence[Annotation]
) -> Agreement:
    pairs = list(zip(left, right, strict=True))
    with_entities = all(a.entities is not None and b.entities is not None for a, b in pairs)
    n_first = sum(len(a.entities or ()) for a, _ in pairs)
    n_second = sum(len(b.entities or ()) for _, b in pairs)
    same = sum(len(set(a.entities or ()) & set(b.entities or ())) for a, b in pairs)
    bounds = sum(len(_bounds(a) & _bounds(b)) for a, b in pairs)
    tags = [
        mine == other
        for a, b in pairs
        for mine, other in zip(a.tags or (), b.tags or (), strict=False)
    ]
    return Agreement(
        first=first,
        second=second,
        entities=prf(same, n_first, n_second).f1 if with_entities else None,
        boundaries=prf(bounds, n_first, n_second).f1 if with_entities else None,
        n_first=n_first,
        n_second=n_second,
        tags=sum(tags) / len(tags) if tags else None,
    )


def _bounds(annotation: Annotation) -> set[tuple[int, int]]:
    return {(start, end) for start, end, _ in annotation.entities or ()}
