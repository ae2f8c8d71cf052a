"""Read entities from the labels of words: IOB, IOB2, BILOU and BIOES."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

# "-" is a word that nobody has annotated, as spaCy writes it.
_LABEL = re.compile(r"[Oo]|-|([BILUES])-(\S(?:.*\S)?)")
_AS_BILOU = {"S": "U", "E": "L"}
UNKNOWN = "-"


class Label(NamedTuple):
    """Holds one word's label: "B", "I", "L" or "U" with an entity type, or "O" or "-" with none."""

    prefix: str
    type: str


def parse_label(text: str) -> Label | None:
    """Return the label, BIOES as BILOU; None for text that is none."""
    found = _LABEL.fullmatch(text)
    if found is None:
        return None
    if found[1] is None:
        return Label(text.upper(), "")
    return Label(_AS_BILOU.get(found[1], found[1]), found[2])


@dataclass(frozen=True)
class Scheme:
    """Says how a file writes its entities.

    has_ends: BILOU, where the last word of an entity is marked too. begins_inside: IOB, where an
    entity begins with I- unless it follows one of the same type.
    """

    has_ends: bool
    begins_inside: bool

    @property
    def name(self) -> str:
        """Return the scheme's name."""
        if self.has_ends:
            return "BILOU"
        return "IOB" if self.begins_inside else "IOB2"


def scheme_of(sentences: Iterable[Sequence[Label]]) -> Scheme:
    """Decide by all labels of a file how it writes entities.

    It is IOB where some begin with I-, and B- is used only where IOB needs it.
    """
    has_ends = begins_inside = begins_anywhere = False
    for labels in sentences:
        before = ""
        for prefix, type_ in labels:
            has_ends = has_ends or prefix in "LU"
            if type_ and type_ != before:
                begins_anywhere = begins_anywhere or prefix == "B"
                begins_inside = begins_inside or prefix == "I"
            before = type_
    return Scheme(has_ends, begins_inside and not begins_anywhere and not has_ends)


def entities(
    labels: Sequence[Label], scheme: Scheme
) -> tuple[list[tuple[int, int, str]], list[int]]:
    """Return entities (start, end, type), and the words whose label cannot follow the one before.

    Such a label begins an entity if there is none to continue, and ends the one before it.
    """
    found: list[tuple[int, int, str]] = []
    wrong: list[int] = []
    start, open_type = 0, ""
    for i, (prefix, type_) in enumerate([*labels, Label("O", "")]):
        goes_on = prefix in "IL" and type_ == open_type
        if open_type and not goes_on:
            found.append((start, i, open_type))
            if scheme.has_ends:  # every entity ends with L- or U-, which close it below
                wrong.append(i - 1)
            open_type = ""
        if not type_:
            continue
        if not open_type:
            start, open_type = i, type_
            if prefix == "L" or (prefix == "I" and not scheme.begins_inside):
                wrong.append(i)
        if prefix in "LU":
            found.append((start, i + 1, type_))
            open_type = ""
    return found, sorted(set(wrong))
