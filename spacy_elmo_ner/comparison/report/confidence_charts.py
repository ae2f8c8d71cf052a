"""Draw charts of confidence: whether it can be trusted, and the effect of a threshold."""

from collections.abc import Mapping, Sequence
from typing import Any

from matplotlib.axes import Axes

from ..detail_tables import LAYERS, reliability_table, threshold_table
from ..plotting import INK, MUTED, SURFACE, Chart, figure, series_color, series_marker
from ..results import CorpusResult, ReliabilityBin, ThresholdCurve

# With fewer predictions than this, a share is mostly chance.
FEW = 20

# Thresholds labelled on the curve.
LABELLED = (0.25, 0.5, 0.75, 0.9)


def reliability_chart(corpus: CorpusResult, order: Mapping[str, int]) -> Chart | None:
    """Draw the share right against confidence; None if no pipeline gives confidences."""
    table = reliability_table(corpus)
    if table is None:
        return None
    told = []
    with figure(3.8) as (fig, axes):
        axes.plot([0, 100], [0, 100], color=MUTED, linestyle=":", linewidth=1)
        for system in corpus.systems:
            index = order[system.pipeline]
            for layer, (what, bins_of) in LAYERS.items():
                _draw_bins(
                    axes, bins_of(system), index, f"{system.pipeline}, {what}", layer == "tags"
                )
            errors = [
                f"{what} by {100 * system.calibration_error[layer]:.1f}"
                for layer, (what, _) in LAYERS.items()
                if layer in system.calibration_error
            ]
            if errors:
                told.append(f"{system.pipeline}: {', '.join(errors)}")
        axes.set(xlim=(0, 102), ylim=(0, 102))
        axes.set_xlabel("confidence in percent")
        axes.set_ylabel("right in percent")
        axes.legend(loc="upper left", fontsize=9)
    story = (
        "On the dotted line, confidence equals the share that is right; small marks mean fewer "
        f"than {FEW} predictions."
    )
    if told:
        story += f" Off it by points on average (expected calibration error): {'; '.join(told)}."
    return Chart("reliability", table.title, story, fig, table)


def _draw_bins(
    axes: Axes, bins: Sequence[ReliabilityBin], index: int, label: str, hollow: bool
) -> None:
    if not bins:
        return
    style: dict[str, Any] = {"linestyle": "--", "markerfacecolor": SURFACE} if hollow else {}
    style |= {"color": series_color(index), "marker": series_marker(index)}
    x = [100 * cell.mean_confidence for cell in bins]
    y = [100 * cell.share_right for cell in bins]
    few = [place for place, cell in enumerate(bins) if cell.n < FEW]
    many = [place for place, cell in enumerate(bins) if cell.n >= FEW]
    # At 0 and 100 half a mark lies outside the axes.
    axes.plot(x, y, label=label, markevery=many, clip_on=False, **style)
    axes.plot(x, y, markevery=few, markersize=3, clip_on=False, **{**style, "linestyle": ""})


def threshold_chart(corpus: CorpusResult, order: Mapping[str, int]) -> Chart | None:
    """Draw precision against recall over thresholds; None if no pipeline gives confidences."""
    table = threshold_table(corpus)
    if table is None:
        return None
    curves = {
        system.pipeline: system.thresholds
        for system in corpus.systems
        if system.thresholds is not None and system.thresholds.points
    }
    with figure(3.8) as (fig, axes):
        for name, curve in curves.items():
            _draw_thresholds(axes, curve, order[name], name)
        axes.margins(0.12, 0.12)
        axes.set_xlabel("recall in percent")
        axes.set_ylabel("precision in percent")
        axes.legend(loc="lower left", fontsize=9)
    told = " ".join(_told(name, curve) for name, curve in curves.items())
    story = (
        f"{told} The ring is the threshold a pipeline runs with, numbers are others: entities less "
        "probable than that are dropped."
    )
    return Chart("thresholds", table.title, story, fig, table)


def _draw_thresholds(axes: Axes, curve: ThresholdCurve, index: int, name: str) -> None:
    color = series_color(index)
    recall = [100 * point.recall for point in curve.points]
    precision = [100 * point.precision for point in curve.points]
    axes.plot(recall, precision, color=color, label=name)
    for x, y, point in zip(recall, precision, curve.points, strict=True):
        if point.threshold == curve.own:
            axes.plot([x], [y], "o", markersize=11, color=color, markerfacecolor="none", mew=2)
        if point.threshold in LABELLED:
            axes.plot([x], [y], color=color, marker=series_marker(index), markersize=6)
            axes.annotate(
                f"{point.threshold:g}",
                (x, y),
                xytext=(7, 5),
                textcoords="offset points",
                color=INK,
                fontsize=9,
            )


def _told(name: str, curve: ThresholdCurve) -> str:
    """Describe the way from the pipeline's own threshold to the highest labelled one."""
    first, *others = curve.points
    told = (
        f"{name} at its threshold of {first.threshold:g}: precision "
        f"{100 * first.precision:.1f}, recall {100 * first.recall:.1f}"
    )
    labelled = [point for point in others if point.threshold in LABELLED]
    if labelled:
        last = labelled[-1]
        told += f"; at {last.threshold:g}: {100 * last.precision:.1f} and {100 * last.recall:.1f}"
    return told + "."
