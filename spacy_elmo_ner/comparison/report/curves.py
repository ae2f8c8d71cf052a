"""Draw curves: confidence, thresholds, scores by share of train, and the log of a pre-training."""

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter

from ...errors import Errors
from ..detail_tables import LAYERS, reliability_table, threshold_table
from ..metrics import SEQEVAL_DEFAULT
from ..plotting import (
    INK,
    MUTED,
    SURFACE,
    Chart,
    figure,
    panels,
    series_color,
    series_marker,
)
from ..results import CorpusResult, LearningPoint, ReliabilityBin, ThresholdCurve, TrainingLog
from ..tables import Table

# Points of a loss curve that are kept, each the mean since the previous one.
MAX_POINTS = 150

# With fewer predictions than this, a share is mostly chance.
FEW = 20

# Thresholds labelled on the curve.
LABELLED = (0.25, 0.5, 0.75, 0.9)


# ---- confidence -----------------------------------------------------------------------------


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


# ---- training -------------------------------------------------------------------------------


def learning_chart(
    points: Sequence[LearningPoint], corpus: CorpusResult, order: Mapping[str, int]
) -> Chart | None:
    """Draw F1 against the share of train; at 100 % it is the pipeline of the comparison."""
    series: dict[str, list[tuple[float, float]]] = {}
    for point in points:
        if point.ner_f1 is not None:
            series.setdefault(point.system, []).append((point.percent, 100 * point.ner_f1))
    for system in corpus.systems:
        if system.pipeline in series and system.ner:
            series[system.pipeline].append((100.0, 100 * system.ner[SEQEVAL_DEFAULT].f1))
    series = {name: sorted(values) for name, values in series.items() if len(values) > 1}
    if not series:
        return None
    shares = sorted({share for values in series.values() for share, _ in values})
    with figure(3.2) as (fig, axes):
        for number, (name, values) in enumerate(series.items()):
            index = order.get(name, len(order) + number)
            axes.plot(
                [share for share, _ in values],
                [f1 for _, f1 in values],
                color=series_color(index),
                marker=series_marker(index),
                label=name,
            )
        axes.set_xscale("log")
        axes.set_xticks(shares, [f"{share:g}" for share in shares])
        axes.xaxis.set_minor_formatter(FuncFormatter(lambda value, _: ""))
        axes.set_xlabel("percent of the train part (logarithmic)")
        axes.set_ylabel("F1 in percent")
        axes.legend(loc="lower right", fontsize=9)
    rows = [
        [
            name,
            *(f"{dict(values)[share]:.2f}" if share in dict(values) else "-" for share in shares),
        ]
        for name, values in series.items()
    ]
    told = [
        f"{name} goes from {values[0][1]:.1f} at {values[0][0]:g} % to {values[-1][1]:.1f} at "
        f"{values[-1][0]:g} %"
        for name, values in series.items()
    ]
    return Chart(
        "learning",
        "Learning curve",
        f"F1 by share of the train part: {'; '.join(told)}.",
        fig,
        Table("Learning curve", ["", *(f"{share:g} %" for share in shares)], rows),
    )


def read_training_log(path: Path) -> TrainingLog:
    """Read the curves of a log.jsonl, named after its folder. Raises ValueError (EL319)."""
    try:
        with open(path, encoding="utf8") as lines:
            rows = [json.loads(line) for line in lines if line.strip()]
        loss = [(int(row["n_tokens"]), float(row["loss"])) for row in rows]
        forward, backward = _column(rows, "forward"), _column(rows, "backward")
        learning_rate = _column(rows, "learning_rate")
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ValueError(Errors.EL319.format(path=path, problem=repr(error))) from error
    name = path.resolve().parent.name
    return TrainingLog(name, _thinned(loss), forward, backward, _thinned(learning_rate))


def _column(rows: Sequence[dict[str, Any]], name: str) -> list[tuple[int, float]]:
    return [(int(row["n_tokens"]), float(row[name])) for row in rows if name in row]


def _thinned(points: Sequence[tuple[int, float]]) -> list[tuple[int, float]]:
    size = -(-len(points) // MAX_POINTS) or 1
    blocks = [points[start : start + size] for start in range(0, len(points), size)]
    return [(block[-1][0], sum(value for _, value in block) / len(block)) for block in blocks]


def training_charts(logs: Sequence[TrainingLog]) -> Iterator[Chart]:
    """Draw each pre-training's loss over tokens, and perplexity and learning rate if logged."""
    for number, log in enumerate(logs):
        if not log.loss:
            continue
        curves: list[tuple[str, dict[str, list[tuple[int, float]]]]] = [
            ("loss in nats per token", {"": log.loss}),
            ("held-out perplexity", {"forward": log.forward, "backward": log.backward}),
            ("learning rate", {"": log.learning_rate}),
        ]
        shown = [(label, series) for label, series in curves if any(series.values())]
        with panels(3.2 + 1.6 * (len(shown) - 1), len(shown)) as (fig, pairs):
            for axes, (label, series) in zip(pairs, shown, strict=True):
                _draw_over_tokens(axes, series)
                axes.set_ylabel(label)
            fig.align_ylabels(pairs)
            pairs[-1].set_xlabel("million tokens read")
        (_, first), (tokens, last) = log.loss[0], log.loss[-1]
        story = f"Loss falls from {first:.2f} to {last:.2f} over {tokens / 1e6:,.1f} M tokens."
        rows = []
        for (tokens, forward), (_, backward) in zip(log.forward, log.backward, strict=False):
            rows.append([f"{tokens / 1e6:,.1f}", f"{forward:.1f}", f"{backward:.1f}"])
        if rows:
            story += f" Held-out perplexity ends at {rows[-1][1]} forward, {rows[-1][2]} backward."
        title = f"Pre-training of {log.name}"
        header = ["million tokens", "perplexity forward", "perplexity backward"]
        if not rows:
            header = ["million tokens", "loss"]
            rows = [[f"{tokens / 1e6:,.1f}", f"{loss:.3f}"] for tokens, loss in log.loss[::10]]
        table = Table(title, header, rows, frozenset())
        yield Chart(f"training-{number}", title, story, fig, table)


def _draw_over_tokens(axes: Axes, series: Mapping[str, Sequence[tuple[int, float]]]) -> None:
    for index, (name, points) in enumerate(series.items()):
        axes.plot(
            [tokens / 1e6 for tokens, _ in points],
            [value for _, value in points],
            color=series_color(index),
            # The held-out part is measured only a few times; a run may end after the first.
            marker=series_marker(index) if name else None,
            label=name or None,
        )
    if len(series) > 1:
        axes.legend(loc="upper right", fontsize=9)
