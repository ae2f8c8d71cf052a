"""Side by side: a few texts with gold's and every pipeline's reading of them."""

from collections.abc import Mapping, Sequence
from itertools import combinations

import spacy

from .annotation import Annotation, from_doc
from .gold import GoldCorpus
from .label_choice import Labels
from .pipelines import LoadedPipeline
from .predict import predict
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


def disagreement(readings: Sequence[Annotation]) -> int:
    """Entities in only one of two readings of a text, summed over all pairs of readings."""
    spans = [set(reading.entities or ()) for reading in readings]
    return sum(len(first ^ second) for first, second in combinations(spans, 2))


def largest_disagreement(layers: Sequence[Sequence[Annotation]]) -> int:
    """Index of the readable text that gold (where there is any) and the pipelines read most apart.

    Longer texts than ``READABLE_LENGTH`` words count only where all are longer.
    """
    lengths = [len(each.words) for each in layers[0]]
    indices = [i for i, length in enumerate(lengths) if 0 < length <= READABLE_LENGTH]
    return max(
        indices or range(len(lengths)),
        key=lambda index: disagreement([each[index] for each in layers]),
    )


def default_example(gold: GoldCorpus, systems: Sequence[Sequence[Annotation]]) -> tuple[int, str]:
    """Index and title of the example shown when the user names none."""
    article = find_text([gold], ARTICLE_SENTENCE)
    if article is not None:
        return article[1], "The article's own example"
    layers = [gold.annotations, *systems] if gold.has_entities else systems
    return largest_disagreement(layers), "The largest disagreement"


def shown_examples(
    asked: Sequence[str],
    corpora: Sequence[GoldCorpus],
    pipelines: Sequence[LoadedPipeline],
    labels: Labels,
    readings: Sequence[Mapping[str, Sequence[Annotation]]],
) -> list[Example]:
    """The texts asked for by their first words, else one of the first corpus.

    readings: by corpus, each pipeline's annotation of every text. A text that no corpus has is
    read on the spot. Only pipelines that set entities are shown.
    """
    readers = [each for each in pipelines if each.entity_components]
    if not readers:
        return []

    def of_corpus(which: int, index: int, title: str) -> Example:
        guesses = {each.name: readings[which][each.name][index] for each in readers}
        gold = corpora[which].annotations[index] if corpora[which].has_entities else None
        return side_by_side(title, gold, guesses)

    if not asked:
        systems = [readings[0][each.name] for each in readers]
        return [of_corpus(0, *default_example(corpora[0], systems))]
    examples = []
    for text in asked:
        found = find_text(corpora, text)
        if found is not None:
            which, index = found
            title = f"Sentence {index + 1} of {corpora[which].part}"
            examples.append(of_corpus(which, index, title))
        else:
            guesses = {each.name: _read_on_the_spot(each, labels, text) for each in readers}
            examples.append(side_by_side("A text without gold annotation", None, guesses))
    return examples


def _read_on_the_spot(pipeline: LoadedPipeline, labels: Labels, text: str) -> Annotation:
    doc = spacy.blank(pipeline.nlp.meta["lang"])(text)
    predicted = predict(pipeline, [doc], [from_doc(doc)], lambda: None).annotations
    return labels.translate(pipeline, predicted).annotations[0]


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
