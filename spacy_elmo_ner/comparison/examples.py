"""Choose the texts that are shown side by side, and the reading of each by every system."""

import random
from collections.abc import Callable, Mapping, Sequence
from itertools import combinations

from .corpora import Annotation, GoldCorpus
from .results import Example

# The article shows its readers what spaCy makes of this sentence.
ARTICLE_SENTENCE = "Mr. Azhari told VOA reporter William Eagle"

# In words: longer sentences do not read well side by side.
READABLE_LENGTH = 45

N_DISAGREEMENTS = 5
N_RANDOM = 4
SEED = 2021

GOLD = "gold"

# The annotation of every text of a corpus, by system.
Readings = Mapping[str, Sequence[Annotation]]


def with_entities(readings: Readings) -> dict[str, Sequence[Annotation]]:
    """Return the readings of the systems that set entities."""
    return {
        name: annotations
        for name, annotations in readings.items()
        if annotations and annotations[0].entities is not None
    }


def choose_examples(
    gold: GoldCorpus, kept: Sequence[int], distances: Sequence[int]
) -> list[tuple[str, int]]:
    """Choose the article's sentence if it is there, the largest disagreements, some at random."""
    position = {number: index for index, number in enumerate(kept)}
    readable = [n for n in kept if len(gold.annotations[n].words) <= READABLE_LENGTH]
    chosen: dict[int, str] = {}
    article = find_text([gold], ARTICLE_SENTENCE)
    if article is not None and article[1] in position:
        chosen[article[1]] = "The article's own example"
    by_distance = sorted(readable, key=lambda number: -distances[number])
    for number in by_distance[:N_DISAGREEMENTS]:
        if distances[number] > 0:
            chosen.setdefault(number, "A large disagreement")
    rest = [number for number in readable if number not in chosen]
    for number in random.Random(SEED).sample(rest, min(N_RANDOM, len(rest))):
        chosen[number] = "Drawn at random"
    return [(title, position[number]) for number, title in chosen.items()]


def find_examples(
    asked: Sequence[str],
    corpora: Sequence[GoldCorpus],
    readings: Sequence[Readings],
    annotate: Callable[[str], Mapping[str, Annotation]],
) -> list[Example]:
    """Find the texts that start with the words asked for, else one of the first corpus.

    readings: by corpus. A text that no corpus has goes to ``annotate``, which gives each system's
    annotation of it. Only pipelines that set entities are shown.
    """
    layers = [with_entities(of_corpus) for of_corpus in readings]
    if not layers[0]:
        return []

    def of_corpus(which: int, index: int, title: str) -> Example:
        guesses = {name: annotations[index] for name, annotations in layers[which].items()}
        gold = corpora[which].annotations[index] if corpora[which].has_entities else None
        return side_by_side(title, gold, guesses)

    if not asked:
        return [of_corpus(0, *default_example(corpora[0], list(layers[0].values())))]
    examples = []
    for text in asked:
        place = find_text(corpora, text)
        if place is not None:
            which, index = place
            title = f"Sentence {index + 1} of {corpora[which].part}"
            examples.append(of_corpus(which, index, title))
        else:
            guesses = {name: guess for name, guess in annotate(text).items() if name in layers[0]}
            examples.append(side_by_side("A text without gold annotation", None, guesses))
    return examples


def find_text(corpora: Sequence[GoldCorpus], text: str) -> tuple[int, int] | None:
    """Find (corpus, Doc) of the first Doc that starts with this text, ignoring white space."""
    start = "".join(text.split())
    for which, gold in enumerate(corpora):
        for index, annotation in enumerate(gold.annotations):
            if "".join("".join(annotation.words).split()).startswith(start):
                return which, index
    return None


def default_example(gold: GoldCorpus, systems: Sequence[Sequence[Annotation]]) -> tuple[int, str]:
    """Choose the index and title of the example that is shown if the user names none."""
    article = find_text([gold], ARTICLE_SENTENCE)
    if article is not None:
        return article[1], "The article's own example"
    layers = [gold.annotations, *systems] if gold.has_entities else systems
    return largest_disagreement(layers), "The largest disagreement"


def largest_disagreement(layers: Sequence[Sequence[Annotation]]) -> int:
    """Find the text that gold (if there is any) and the pipelines annotate most differently.

    Texts longer than ``READABLE_LENGTH`` words count only if all are longer.
    """
    lengths = [len(annotation.words) for annotation in layers[0]]
    indices = [i for i, length in enumerate(lengths) if 0 < length <= READABLE_LENGTH]
    return max(
        indices or range(len(lengths)),
        key=lambda index: disagreement([annotations[index] for annotations in layers]),
    )


def disagreement(readings: Sequence[Annotation]) -> int:
    """Count entities that only one of two readings has, summed over all pairs of readings."""
    spans = [set(reading.entities or ()) for reading in readings]
    return sum(len(first ^ second) for first, second in combinations(spans, 2))


def side_by_side(
    title: str, gold: Annotation | None, readings: Mapping[str, Annotation]
) -> Example:
    """Build an example from gold (None for a text without) and each pipeline's reading."""
    words = next(iter(readings.values())).words if gold is None else gold.words
    entities = {name: list(reading.entities or ()) for name, reading in readings.items()}
    if gold is not None:
        entities = {GOLD: list(gold.entities or ()), **entities}
    return Example(title, words, entities)
