"""seqeval and nervaluate, asked for by name so that they stay extras.

Both take sequences of O, B-x and I-x, one sequence a text, and none of them may be empty.
"""

import importlib
import warnings
from collections.abc import Sequence
from types import ModuleType
from typing import Any

from ..errors import Errors
from .results import Score

Bio = Sequence[Sequence[str]]

# nervaluate's strategies -> our keys.
NERVALUATE = {
    "strict": "nervaluate_strict",
    "exact": "nervaluate_exact",
    "partial": "nervaluate_partial",
    "ent_type": "nervaluate_type",
}


def seqeval_default(gold: Bio, predicted: Bio) -> Score:
    """seqeval's default micro average, as the article used it (conlleval's reading of BIO)."""
    return seqeval_report(gold, predicted)


def seqeval_strict(gold: Bio, predicted: Bio) -> Score:
    """seqeval's strict mode on IOB2: an I- that no B- opens is no entity."""
    scheme = _extra("seqeval.scheme").IOB2
    return seqeval_report(gold, predicted, mode="strict", scheme=scheme)


def nervaluate_modes(gold: Bio, predicted: Bio) -> dict[str, Score]:
    """nervaluate's strict, exact, partial and type scores, overall and per type."""
    evaluator_class = _extra("nervaluate").Evaluator
    labels = sorted({tag[2:] for sentence in (*gold, *predicted) for tag in sentence if tag != "O"})
    evaluator = evaluator_class(
        [list(tags) for tags in gold], [list(tags) for tags in predicted], labels, loader="list"
    )
    report = evaluator.evaluate()
    scores = {}
    for strategy, key in NERVALUATE.items():
        per_type = {
            label: _nervaluate_score(report["entities"][label][strategy])
            for label in sorted(report["entities"])
        }
        overall = _nervaluate_score(report["overall"][strategy])
        scores[key] = Score(
            overall.precision, overall.recall, overall.f1, overall.support, per_type
        )
    return scores


def seqeval_report(gold: Bio, predicted: Bio, **mode: Any) -> Score:
    """seqeval's classification report as a micro-averaged Score with its types."""
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
    micro = _seqeval_score(report["micro avg"])
    return Score(micro.precision, micro.recall, micro.f1, micro.support, per_type)


def _seqeval_score(row: dict[str, Any]) -> Score:
    # numpy scalars, which JSON refuses.
    return Score(
        float(row["precision"]), float(row["recall"]), float(row["f1-score"]), int(row["support"])
    )


def _nervaluate_score(result: Any) -> Score:
    return Score(
        float(result.precision), float(result.recall), float(result.f1), int(result.possible)
    )


def check_extras() -> None:
    """Fail at once, not after minutes of predicting, where an extra is missing (EL303)."""
    for module in ("seqeval.metrics", "nervaluate", "matplotlib", "jinja2"):
        _extra(module)


def _extra(module: str) -> ModuleType:
    """Import a module of the ``project`` extra; ImportError (EL303) names how to get it."""
    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise ImportError(Errors.EL303.format(package=module.partition(".")[0])) from error
