"""Side by side: a few texts with gold's and every pipeline's reading of them."""

from collections.abc import Mapping, Sequence

from .annotation import Annotation
from .gold import GoldCorpus
from .results import Example

# The article shows its readers what spaCy makes of this sentence.
ARTICLE_SENTENCE = "Mr. Azhari told VOA reporter William Eagle"

# Words: longer sentences do not read well side by side.
READABLE_LENGTH = 45

GOLD = "gold"


def find_text(corpora: Sequence[GoldCorpus], text: str) -> tuple[int, int] | None:
    """(corpus, Doc) of the first Doc that starts with this text, white space aside, or None."""
    wanted = "".join(text.split())
    for which, gold in enumerate(corpora):
        for index, annotation in enumerate(gold.annotations):
            if "".join("".join(annotation.words).split()).startswith(wanted):
                return which, index
    return None


def largest_disagreement(
    gold: Sequence[Annotation], systems: Sequence[Sequence[Annotation]]
) -> int:
    """Index of the readable text where the pipelines together are furthest from gold.

    Distance: entities in only one of gold and the prediction, summed over the pipelines. Longer
    texts than ``READABLE_LENGTH`` words count only where all are longer.
    """
    indices = [i for i, truth in enumerate(gold) if 0 < len(truth.words) <= READABLE_LENGTH]

    def distance(index: int) -> int:
        truth = set(gold[index].entities or ())
        return sum(len(truth ^ set(guess[index].entities or ())) for guess in systems)

    return max(indices or range(len(gold)), key=distance)


def default_example(gold: GoldCorpus, systems: Sequence[Sequence[Annotation]]) -> tuple[int, str]:
    """Index and title of the example shown when the user names none."""
    article = find_text([gold], ARTICLE_SENTENCE)
    if article is not None:
        return article[1], "The article's own example"
    return largest_disagreement(gold.annotations, systems), "The largest disagreement"


def side_by_side(
    title: str, gold: Annotation | None, readings: Mapping[str, Annotation]
) -> Example:
    """One example from gold (None for a text without gold) and each pipeline's reading."""
    words = next(iter(readings.values())).words if gold is None else gold.words
    entities = {name: list(reading.entities or ()) for name, reading in readings.items()}
    if gold is not None:
        entities = {GOLD: list(gold.entities or ()), **entities}
    return Example(title, words, entities)


def marked_text(words: Sequence[str], spans: Sequence[tuple[int, int, str]], mark: str) -> str:
    """The text on one line, each entity written as ``mark`` with {text} and {label}."""
    pieces: list[str] = []
    position = 0
    for start, end, label in sorted(spans):
        pieces.extend(words[position:start])
        pieces.append(mark.format(text=" ".join(words[start:end]), label=label))
        position = end
    pieces.extend(words[position:])
    return " ".join(pieces)
