"""Charts of training: scores by share of the train part, and pre-training."""

from collections.abc import Iterator, Mapping, Sequence

from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter

from ..findings import LearningPoint, TrainingLog
from ..metrics import SEQEVAL_DEFAULT
from ..results import CorpusResult
from ..table import Table
from .drawing import Chart, figure, panels, series_color, series_marker


def learning_chart(
    points: Sequence[LearningPoint], corpus: CorpusResult, order: Mapping[str, int]
) -> Chart | None:
    """F1 against the share of train; the whole of train is the pipeline compared."""
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


def training_charts(logs: Sequence[TrainingLog]) -> Iterator[Chart]:
    """Each pre-training's loss over tokens; below, held-out perplexity and rate where logged."""
    for number, log in enumerate(logs):
        if not log.loss:
            continue
        curves: list[tuple[str, dict[str, list[tuple[int, float]]]]] = [
            ("loss in nats per token", {"": log.loss}),
            ("held-out perplexity", {"forward": log.forward, "backward": log.backward}),
            ("learning rate", {"": log.learning_rate}),
        ]
        shown = [each for each in curves if any(each[1].values())]
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
            # A held-out part is measured a few times only; a run may end after the first.
            marker=series_marker(index) if name else None,
            label=name or None,
        )
    if len(series) > 1:
        axes.legend(loc="upper right", fontsize=9)
