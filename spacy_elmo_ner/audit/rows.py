"""Describe suspicious tokens so that a person can check them: place, annotation, suggestion."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from spacy.tokens import Doc

from ..decoding import EntitySpan

Kind = Literal["missing", "spurious", "type", "boundary", "type and boundary", "tag"]
CONTEXT_TOKENS = 8  # on each side


@dataclass(frozen=True)
class AuditRow:
    """Holds one probable error.

    doc: the text's place in the corpus, from 0. start, end: its tokens start to end - 1.
    gold, suggested: "Paris=geo, Smith=per", or a tag; "" for no entity. kind: what is wrong.
    margin: how much more probable the suggestion is than the annotation, in (-1, 1], at the token
    where the difference is largest; p_gold, p_suggested: both probabilities there. context: the
    text around, with the words in question between [[ and ]].
    """

    doc: int
    start: int
    end: int
    kind: Kind
    gold: str
    suggested: str
    margin: float
    p_gold: float
    p_suggested: float
    context: str


def entity_regions(
    gold: Sequence[EntitySpan], suggested: Sequence[EntitySpan]
) -> Iterator[tuple[list[EntitySpan], list[EntitySpan]]]:
    """Yield the places where two annotations of a Doc differ.

    Each place is a group of spans that overlap, directly or through others. Spans that both
    annotations have are left out.
    """
    in_gold, in_suggestion = ({span[:3] for span in spans} for spans in (gold, suggested))
    different = [(span, True) for span in gold if span[:3] not in in_suggestion]
    different += [(span, False) for span in suggested if span[:3] not in in_gold]
    region: tuple[list[EntitySpan], list[EntitySpan]] = ([], [])
    reach = -1
    for span, is_gold in sorted(different):
        if span.start >= reach and any(region):
            yield region
            region = ([], [])
        region[0 if is_gold else 1].append(span)
        reach = max(reach, span.end)
    if any(region):
        yield region


def kind_of(gold: Sequence[EntitySpan], suggested: Sequence[EntitySpan]) -> Kind:
    """Name the difference between the spans of a region."""
    if not gold:
        return "missing"
    if not suggested:
        return "spurious"
    if [span[:2] for span in gold] == [span[:2] for span in suggested]:
        return "type"
    if {span.label for span in gold} == {span.label for span in suggested}:
        return "boundary"
    return "type and boundary"


def spelled(doc: Doc, spans: Sequence[EntitySpan]) -> str:
    """Write spans as "Paris=geo, Smith=per"."""
    return ", ".join(f"{doc[span.start : span.end].text}={span.label}" for span in spans)


def context(doc: Doc, start: int, end: int) -> str:
    """Return one line with the words in question between [[ and ]], and some on each side."""
    first, last = max(0, start - CONTEXT_TOKENS), min(len(doc), end + CONTEXT_TOKENS)
    words = [token.text for token in doc[first:last]]
    words[start - first] = f"[[{words[start - first]}"
    words[end - 1 - first] += "]]"
    if first:
        words.insert(0, "...")
    if last < len(doc):
        words.append("...")
    return " ".join(" ".join(words).split())  # a token may hold a tab or a line break
