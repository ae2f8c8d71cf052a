"""Draw charts of training: scores by share of the train part, and the log of a pre-training."""

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter

from ...errors import Errors
from ..metrics import SEQEVAL_DEFAULT
from ..plotting import Chart, figure, panels, series_color, series_marker
from ..results import CorpusResult, LearningPoint, TrainingLog
from ..tables import Table

# Points of a loss curve that are kept, each the mean since the previous one.
MAX_POINTS = 150


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
