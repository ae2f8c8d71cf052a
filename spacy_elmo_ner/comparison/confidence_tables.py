"""Tables of confidence: how far it can be trusted, and what a threshold of it does."""

from collections.abc import Callable, Sequence

from .findings import ReliabilityBin
from .reliability import together
from .results import CorpusResult, SystemScores
from .table import NOTHING, Table

# Keys of ``calibration_error`` -> what is counted, and its bins.
LAYERS: dict[str, tuple[str, Callable[[SystemScores], Sequence[ReliabilityBin]]]] = {
    "ner": ("entities", lambda system: system.reliability),
    "tags": ("tags", lambda system: system.tag_reliability),
}


def calibration_table(corpus: CorpusResult) -> Table | None:
    """One row a pipeline and layer: how sure, how often right, how far apart bin by bin."""
    rows = []
    for system in corpus.systems:
        for layer, (what, bins_of) in LAYERS.items():
            whole = together(bins_of(system))
            if whole is not None:
                error = system.calibration_error.get(layer)
                rows.append(
                    [
                        f"{system.pipeline}, {what}",
                        f"{whole.n:,}",
                        f"{100 * whole.mean_confidence:.2f}",
                        f"{100 * whole.share_right:.2f}",
                        NOTHING if error is None else f"{100 * error:.2f}",
                    ]
                )
    header = ["", "predicted", "mean confidence", "right", "calibration error"]
    return Table("Confidence and calibration", header, rows) if rows else None


def reliability_table(corpus: CorpusResult) -> Table | None:
    """One row a bin of confidence."""
    rows = [
        [
            f"{system.pipeline}, {what}",
            f"{100 * cell.low:.0f} to {100 * cell.high:.0f}",
            f"{100 * cell.mean_confidence:.1f}",
            f"{100 * cell.share_right:.1f}",
            f"{cell.n:,}",
        ]
        for system in corpus.systems
        for what, bins_of in LAYERS.values()
        for cell in bins_of(system)
    ]
    header = ["", "confidence", "mean", "right", "predicted"]
    return Table("Confidence against being right", header, rows) if rows else None


def threshold_table(corpus: CorpusResult) -> Table | None:
    """One row a threshold; the first of a pipeline is its own."""
    rows = [
        [
            system.pipeline,
            f"{point.threshold:g}",
            f"{100 * point.precision:.2f}",
            f"{100 * point.recall:.2f}",
            f"{100 * point.f1:.2f}",
        ]
        for system in corpus.systems
        if system.thresholds is not None
        for point in system.thresholds.points
    ]
    header = ["", "threshold", "P", "R", "F1"]
    return Table("Precision and recall by threshold", header, rows) if rows else None
