"""Describe a corpus before training: labels, lengths, and texts that occur twice."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median

from ...files import readable_name
from .texts import OwnText, Problem

Parts = Mapping[str, Sequence[OwnText]]


@dataclass(frozen=True)
class PartReport:
    """Count what a part holds; lengths are in tokens.

    labels: entities by label. tags: annotated tokens by tag. without_entities: texts.
    """

    texts: int
    tokens: int
    entities: int
    without_entities: int
    median_length: float
    longest: int
    labels: Counter[str]
    tags: Counter[str]


@dataclass(frozen=True)
class Report:
    """Describe the parts, with problems in the order of the parts' texts.

    repeated: texts of a part that occur earlier in it or in a previous part, by (part, earlier).
    """

    parts: dict[str, PartReport]
    problems: list[Problem]
    repeated: Counter[tuple[str, str]]

    @property
    def labels(self) -> list[str]:
        """Return all entity labels, the most frequent first."""
        total: Counter[str] = sum((part.labels for part in self.parts.values()), Counter())
        return sorted(total, key=lambda label: (-total[label], label))

    def only_outside_train(self) -> list[str]:
        """Return labels that no text of train has, so that nothing can learn them."""
        return [label for label in self.labels if not self.parts["train"].labels[label]]


def report(parts: Parts) -> Report:
    """Count each part, and collect the problems of its texts with those between texts."""
    problems = [problem for texts in parts.values() for text in texts for problem in text.problems]
    repeated, problems_between = _repeated(parts)
    described = {name: _part(texts) for name, texts in parts.items()}
    return Report(described, [*problems, *problems_between], repeated)


def _part(texts: Sequence[OwnText]) -> PartReport:
    lengths = [len(text.doc) for text in texts]
    labels = [label for text in texts for _, _, label in text.entities]
    return PartReport(
        texts=len(texts),
        tokens=sum(lengths),
        entities=len(labels),
        without_entities=sum(not text.doc.ents for text in texts),
        median_length=median(lengths),
        longest=max(lengths),
        labels=Counter(labels),
        tags=Counter(token.tag_ for text in texts for token in text.doc if token.tag_),
    )


def _repeated(parts: Parts) -> tuple[Counter[tuple[str, str]], list[Problem]]:
    """Find texts that occur again, in their own part or in another, and annotated differently."""
    first: dict[tuple[str, ...], tuple[str, OwnText]] = {}
    repeated: Counter[tuple[str, str]] = Counter()
    problems = []
    for name, texts in parts.items():
        for text in texts:
            part, earlier = first.setdefault(text.words, (name, text))
            if earlier is text:
                continue
            repeated[name, part] += 1
            where = f"{readable_name(earlier.path)}, {earlier.place} ({part})"
            what = f"the same text as {where}"
            problems.append(Problem("duplicate", text.path, text.place, what))
            if _annotation(text) != _annotation(earlier):
                what = f"annotated differently from the same text in {where}"
                problems.append(Problem("contradiction", text.path, text.place, what))
    return repeated, problems


def _annotation(text: OwnText) -> list[tuple[str, str]]:
    return [(token.ent_iob_, token.ent_type_) for token in text.doc if not token.is_space]
