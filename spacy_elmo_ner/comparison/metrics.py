"""Score predicted against gold annotation, each score under a key that names its mode.

The same metric counts differently in different libraries: seqeval's default reads an I- without
its B- as an entity (as conlleval does), strict IOB2 does not; spaCy's Scorer compares spans;
nervaluate (SemEval-2013 task 9.1) gives credit for boundaries or types alone. seqeval and
nervaluate are imported when they are used, as they belong to the ``project`` extra.
"""

import importlib
import sys
import warnings
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from types import ModuleType
from typing import Any

from spacy.scorer import get_ner_prf
from spacy.tokens import Doc, Span
from spacy.training import Example

from ..corpus.docs import blank_copy
from ..decoding import spans_to_bio
from ..errors import Errors
from .breakdowns import seen_unseen
from .corpora import UNMAPPED_TAG, Annotation, Pairs, scored_tags
from .results import Score

SEQEVAL_DEFAULT = "seqeval_default"
SEQEVAL_STRICT = "seqeval_strict_iob2"
SCORER = "spacy_scorer_ents"
TAG_ACCURACY = "accuracy_real_tokens"
TAG_PADDED = "seqeval_default_padded_to_50"

# Releases that count as ours do need Python 3.11; on 3.10 these scores are left out.
HAS_NERVALUATE = sys.version_info >= (3, 11)
# nervaluate's strategies -> our keys.
NERVALUATE = {
    "strict": "nervaluate_strict",
    "exact": "nervaluate_exact",
    "partial": "nervaluate_partial",
    "ent_type": "nervaluate_type",
}

# The article's sentence length and padding tag; its POS figure counts the padding's runs out.
PADDED_LENGTH = 50
PADDING_TAG = "."

# One sequence of O, B-x and I-x per text; none may be empty.
Bio = Sequence[Sequence[str]]


def ner_scores(
    gold_docs: Sequence[Doc],
    gold: Sequence[Annotation],
    predicted: Sequence[Annotation],
    train_entities: set[tuple[str, ...]] | None = None,
) -> dict[str, Score]:
    """Compute every entity metric over the texts whose gold has entity annotation, by mode.

    Empty if no such text has an entity in gold or prediction, or a prediction has no entity layer.
    ``train_entities`` (entities' words in train) adds scores of seen and unseen entities.
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
        SCORER: scorer_ents(Example(_annotated_copy(d, guess), d) for d, _, guess in triples),
        **(nervaluate_modes(true_bio, pred_bio) if HAS_NERVALUATE else {}),
    }
    if train_entities is not None:
        pairs = [(truth, guess) for _, truth, guess in triples]
        scores.update(seen_unseen(pairs, train_entities))
    return scores


def tag_scores(gold: Sequence[Annotation], predicted: Sequence[Annotation]) -> dict[str, Score]:
    """Compute tag metrics over the texts whose gold has tags, by mode; empty where none has."""
    pairs = [
        (truth, guess)
        for truth, guess in zip(gold, predicted, strict=True)
        if truth.tags and guess.tags
    ]
    if not pairs:
        return {}
    tags = [(truth.tags or (), guess.tags or ()) for truth, guess in pairs]
    return {TAG_ACCURACY: tag_accuracy(pairs), TAG_PADDED: padded_tag_score(tags)}


# ---- spaCy's Scorer, and tags ---------------------------------------------------------------


def scorer_ents(examples: Iterable[Example]) -> Score:
    """Compute spaCy's ents_p, ents_r and ents_f, which ``python -m spacy evaluate`` prints."""
    support: Counter[str] = Counter()

    def counted() -> Iterator[Example]:
        # One at a time: the Docs of a large corpus are not to be held a second time.
        for example in examples:
            support.update(ent.label_ for ent in example.reference.ents)
            yield example

    scores = get_ner_prf(counted())
    per_type = scores["ents_per_type"] or {}
    return Score(
        precision=scores["ents_p"] or 0.0,
        recall=scores["ents_r"] or 0.0,
        f1=scores["ents_f"] or 0.0,
        support=sum(support.values()),
        per_type={
            label: Score(row["p"], row["r"], row["f"], support[label])
            for label, row in sorted(per_type.items())
        },
    )


def _annotated_copy(doc: Doc, annotation: Annotation) -> Doc:
    copy = blank_copy(doc, doc.vocab)
    spans = [Span(copy, *span) for span in annotation.entities or ()]
    copy.set_ents(spans, default="outside")
    return copy


def tag_accuracy(pairs: Pairs) -> Score:
    """Compute the share of right tags over the words on which tags are scored.

    With one tag per word, precision, recall and F1 are the same number; per type they differ.
    """
    right: Counter[str] = Counter()
    predicted: Counter[str] = Counter()
    gold: Counter[str] = Counter()
    for truth, guess in pairs:
        for _, tag, guessed in scored_tags(truth, guess):
            gold[tag] += 1
            predicted[guessed] += 1
            right[tag] += tag == guessed
    per_type = {
        tag: Score.of(right[tag], predicted[tag], count) for tag, count in sorted(gold.items())
    }
    return replace(Score.of(right.total(), gold.total(), gold.total()), per_type=per_type)


def padded_tag_score(pairs: Iterable[tuple[Sequence[str], Sequence[str]]]) -> Score:
    """Compute the article's POS "F1", to compare with its 97.1; it is not an accuracy.

    pairs: (gold tags, predicted tags) of each text. seqeval's default reads each tag's first
    letter as its prefix, so a run of equal tags is one item and "." is outside; every sentence is
    cut at 50 tags or padded to 50 with ".".
    """
    gold, predicted = [], []
    for true_tags, pred_tags in pairs:
        # A word without a gold tag is padding on both sides: what is predicted there is not wrong.
        both = zip(true_tags, pred_tags, strict=True)
        guessed = [(guess or UNMAPPED_TAG) if truth else PADDING_TAG for truth, guess in both]
        gold.append(_pad([tag or PADDING_TAG for tag in true_tags]))
        predicted.append(_pad(guessed))
    # Per "type" seqeval reports tags without their first letter: nothing a reader could use.
    return replace(seqeval_report(gold, predicted), per_type={})


def _pad(tags: list[str]) -> list[str]:
    return (tags + [PADDING_TAG] * PADDED_LENGTH)[:PADDED_LENGTH]


# ---- seqeval and nervaluate -----------------------------------------------------------------


def seqeval_default(gold: Bio, predicted: Bio) -> Score:
    """Compute seqeval's default micro average, which the article used (conlleval's rules)."""
    return seqeval_report(gold, predicted)


def seqeval_strict(gold: Bio, predicted: Bio) -> Score:
    """Compute seqeval's strict mode on IOB2: an I- without its B- is not an entity."""
    scheme = _extra("seqeval.scheme").IOB2
    return seqeval_report(gold, predicted, mode="strict", scheme=scheme)


def seqeval_report(gold: Bio, predicted: Bio, **mode: Any) -> Score:
    """Return seqeval's classification report as a micro-averaged Score with its types."""
    metrics = _extra("seqeval.metrics")
    with warnings.catch_warnings():
        # seqeval warns of every POS tag that is no NE tag, and numpy of an empty macro average.
        warnings.simplefilter("ignore")
        report = metrics.classification_report(
            [list(tags) for tags in gold],
            [list(tags) for tags in predicted],
            output_dict=True,
            zero_division=0,
            **mode,
        )
    averages = {"micro avg", "macro avg", "weighted avg"}
    per_type = {
        str(label): _seqeval_score(row) for label, row in report.items() if label not in averages
    }
    return replace(_seqeval_score(report["micro avg"]), per_type=per_type)


def _seqeval_score(row: dict[str, Any]) -> Score:
    # numpy scalars, which JSON refuses.
    return Score(
        float(row["precision"]), float(row["recall"]), float(row["f1-score"]), int(row["support"])
    )


def nervaluate_modes(gold: Bio, predicted: Bio) -> dict[str, Score]:
    """Compute nervaluate's strict, exact, partial and type scores, overall and per type."""
    evaluator_class = _extra("nervaluate").Evaluator
    labels = sorted({tag[2:] for sentence in (*gold, *predicted) for tag in sentence if tag != "O"})
    evaluator = evaluator_class(
        [list(tags) for tags in gold], [list(tags) for tags in predicted], labels, loader="list"
    )
    report = evaluator.evaluate()
    entities = report["entities"]
    return {
        key: replace(
            _nervaluate_score(report["overall"][strategy]),
            per_type={
                label: _nervaluate_score(entities[label][strategy]) for label in sorted(entities)
            },
        )
        for strategy, key in NERVALUATE.items()
    }


def _nervaluate_score(result: Any) -> Score:
    return Score(
        float(result.precision), float(result.recall), float(result.f1), int(result.possible)
    )


def check_extras() -> None:
    """Raise ImportError (EL303) if an extra is missing, before minutes of predicting."""
    with_nervaluate = ["nervaluate"] if HAS_NERVALUATE else []
    for module in ("seqeval.metrics", *with_nervaluate, "matplotlib", "jinja2"):
        _extra(module)


def _extra(module: str) -> ModuleType:
    """Import a module of the ``project`` extra; ImportError (EL303) says how to get it."""
    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise ImportError(Errors.EL303.format(package=module.partition(".")[0])) from error
