"""Scores of predicted against gold annotation, each under a key that names its mode.

Two names count the same thing differently often enough to need saying: seqeval's default reads an
I- without its B- as an entity (conlleval's way), strict IOB2 does not; spaCy's Scorer compares
spans; nervaluate (SemEval-2013 task 9.1) gives credit for boundaries or types alone.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from spacy.scorer import get_ner_prf
from spacy.tokens import Doc
from spacy.training import Example

from ..decoding import spans_to_bio
from .annotation import UNMAPPED_TAG, Annotation, annotated_copy
from .breakdown import prf, seen_unseen
from .peers import nervaluate_modes, seqeval_default, seqeval_report, seqeval_strict
from .results import Score

SEQEVAL_DEFAULT = "seqeval_default"
SEQEVAL_STRICT = "seqeval_strict_iob2"
SCORER = "spacy_scorer_ents"
TAG_ACCURACY = "accuracy_real_tokens"
TAG_PADDED = "seqeval_default_padded_to_50"

# The article's sentence length and padding tag; its POS figure counts the padding's runs out.
PADDED_LENGTH = 50
PADDING_TAG = "."


def ner_scores(
    gold_docs: Sequence[Doc],
    gold: Sequence[Annotation],
    predicted: Sequence[Annotation],
    train_entities: set[tuple[str, ...]] | None = None,
) -> dict[str, Score]:
    """Every entity metric over the texts whose gold has entity annotation, keyed by mode.

    Empty where no such text holds an entity in gold or prediction, or a prediction has no entity
    layer. ``train_entities`` (surface forms) adds the seen and unseen parts.
    """
    triples = [
        (doc, truth, guess)
        for doc, truth, guess in zip(gold_docs, gold, predicted, strict=True)
        if truth.entities is not None and guess.entities is not None and truth.words
    ]
    if not any(truth.entities or guess.entities for _, truth, guess in triples):
        return {}
    true_bio = [spans_to_bio(len(truth.words), truth.entities or ()) for _, truth, _ in triples]
    pred_bio = [spans_to_bio(len(guess.words), guess.entities or ()) for _, _, guess in triples]
    scores = {
        SEQEVAL_DEFAULT: seqeval_default(true_bio, pred_bio),
        SEQEVAL_STRICT: seqeval_strict(true_bio, pred_bio),
        SCORER: scorer_ents(Example(annotated_copy(d, guess), d) for d, _, guess in triples),
        **nervaluate_modes(true_bio, pred_bio),
    }
    if train_entities is not None:
        pairs = [(truth, guess) for _, truth, guess in triples]
        scores.update(seen_unseen(pairs, train_entities))
    return scores


def tag_scores(gold: Sequence[Annotation], predicted: Sequence[Annotation]) -> dict[str, Score]:
    """Tag metrics over the texts whose gold has tags, keyed by mode; empty where none has."""
    triples = [
        (truth.words, truth.tags, guess.tags)
        for truth, guess in zip(gold, predicted, strict=True)
        if truth.tags and guess.tags
    ]
    if not triples:
        return {}
    return {
        TAG_ACCURACY: tag_accuracy(triples),
        TAG_PADDED: padded_tag_score([(truth, guess) for _, truth, guess in triples]),
    }


def scorer_ents(examples: Iterable[Example]) -> Score:
    """spaCy's own ents_p, ents_r, ents_f: what ``python -m spacy evaluate`` prints."""
    support: Counter[str] = Counter()

    def counted() -> Iterator[Example]:
        # One at a time: the Docs of a large corpus are not to be held a second time.
        for example in examples:
            support.update(ent.label_ for ent in example.reference.ents)
            yield example

    found = get_ner_prf(counted())
    per_type = found["ents_per_type"] or {}
    return Score(
        precision=found["ents_p"] or 0.0,
        recall=found["ents_r"] or 0.0,
        f1=found["ents_f"] or 0.0,
        support=sum(support.values()),
        per_type={
            label: Score(row["p"], row["r"], row["f"], support[label])
            for label, row in sorted(per_type.items())
        },
    )


def tag_accuracy(triples: Iterable[tuple[Sequence[str], Sequence[str], Sequence[str]]]) -> Score:
    """Share of right tags over words that are not white space and have a gold tag.

    triples: (words, gold tags, predicted tags) of each text. One tag a word makes precision,
    recall and F1 the same number; per type they differ.
    """
    right: dict[str, int] = {}
    predicted: dict[str, int] = {}
    gold: dict[str, int] = {}
    for words, true_tags, pred_tags in triples:
        for word, true_tag, pred_tag in zip(words, true_tags, pred_tags, strict=True):
            if not true_tag or not word.strip():
                continue
            gold[true_tag] = gold.get(true_tag, 0) + 1
            predicted[pred_tag] = predicted.get(pred_tag, 0) + 1
            if true_tag == pred_tag:
                right[true_tag] = right.get(true_tag, 0) + 1
    total = sum(gold.values())
    accuracy = sum(right.values()) / total if total else 0.0
    per_type = {
        tag: prf(right.get(tag, 0), predicted.get(tag, 0), count)
        for tag, count in sorted(gold.items())
    }
    return Score(accuracy, accuracy, accuracy, total, per_type)


def padded_tag_score(pairs: Iterable[tuple[Sequence[str], Sequence[str]]]) -> Score:
    """The article's POS "F1", kept only to compare with its 97.1; it is no accuracy.

    pairs: (gold tags, predicted tags) of each text. seqeval's default reads each tag's first
    letter as its prefix, so a run of like tags is one item and "." is outside; every sentence is
    cut at 50 tags or padded to 50 with ".".
    """
    gold, predicted = [], []
    for true_tags, pred_tags in pairs:
        # A word without a gold tag is padding on both sides: what is predicted there is not wrong.
        both = zip(true_tags, pred_tags, strict=True)
        guessed = [(guess or UNMAPPED_TAG) if truth else PADDING_TAG for truth, guess in both]
        gold.append(_pad([tag or PADDING_TAG for tag in true_tags]))
        predicted.append(_pad(guessed))
    score = seqeval_report(gold, predicted)
    # Per "type" seqeval reports tags without their first letter: nothing a reader could use.
    return Score(score.precision, score.recall, score.f1, score.support)


def _pad(tags: list[str]) -> list[str]:
    return (tags + [PADDING_TAG] * PADDED_LENGTH)[:PADDED_LENGTH]
