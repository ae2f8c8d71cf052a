"""The charts of a comparison, drawn from its results alone; those without data are left out."""

from collections.abc import Iterator

from matplotlib.ticker import FuncFormatter, LogLocator

from ..detail import percent
from ..metrics import SEQEVAL_DEFAULT
from ..results import CorpusResult, Results, SystemScores
from ..table import Table, type_table
from .confidence_charts import reliability_chart, threshold_chart
from .confusion_chart import confusion_chart
from .curves import learning_chart, training_charts
from .drawing import GRID, INK, MUTED, Chart, figure, series_color, series_marker


def draw_charts(results: Results) -> list[Chart]:
    """Every chart of the first corpus that has something to show, in the order they are shown."""
    return list(_charts(results))


def _charts(results: Results) -> Iterator[Chart]:
    corpus = results.corpora[0]
    order = {info.name: index for index, info in enumerate(results.pipelines)}
    systems = [each for each in corpus.systems if each.ner]
    candidates = [
        _accuracy_speed(results, systems, order),
        _intervals(systems, order),
        _types(corpus, systems, order),
        *(confusion_chart(each, order[each.pipeline]) for each in systems),
        reliability_chart(corpus, order),
        threshold_chart(corpus, order),
        learning_chart(results.learning_curve, corpus, order),
        *training_charts(results.training_logs),
    ]
    yield from (each for each in candidates if each is not None)


def _accuracy_speed(
    results: Results, systems: list[SystemScores], order: dict[str, int]
) -> Chart | None:
    """F1 against words a second, the area of a mark in proportion to the megabytes on disk."""
    infos = {info.name: info for info in results.pipelines}
    points = []
    for each in systems:
        info = infos[each.pipeline]
        if info.speed is not None:
            size = (info.size_bytes + sum(info.shared_weights_bytes.values())) / 1e6
            f1 = 100 * each.ner[SEQEVAL_DEFAULT].f1
            points.append((each.pipeline, info.speed.median, f1, size))
    if not points:
        return None
    with figure(3.6) as (fig, axes):
        largest = max(size for *_, size in points)
        for name, speed, f1, size in points:
            color = series_color(order[name])
            area = 30 + 900 * size / largest
            axes.scatter([speed], [f1], s=area, color=color, alpha=0.45, linewidths=0)
            axes.scatter([speed], [f1], s=14, color=color, marker=series_marker(order[name]))
            # Under its mark, or over it where another one lies just below.
            neighbours = (p for p in points if max(p[1], speed) < 1.6 * min(p[1], speed))
            side = 1 if any(0 < f1 - other[2] < 10 for other in neighbours) else -1
            axes.annotate(
                f"{name}\n{size:,.0f} MB",
                (speed, f1),
                xytext=(0, side * (area**0.5 / 2 + 4)),
                textcoords="offset points",
                ha="center",
                va="bottom" if side > 0 else "top",
                fontsize=9,
            )
        axes.set_xscale("log")
        axes.margins(0.25, 0.35)
        axes.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))
        axes.xaxis.set_minor_formatter(FuncFormatter(lambda value, _: ""))
        axes.set_xlabel("words per second (logarithmic)")
        axes.set_ylabel("F1 in percent")
    rows = [
        [name, f"{f1:.2f}", f"{speed:,.0f}", f"{size:,.1f}"] for name, speed, f1, size in points
    ]
    best, fastest = max(points, key=lambda p: p[2]), max(points, key=lambda p: p[1])
    return Chart(
        "accuracy-speed",
        "Accuracy against speed",
        f"{best[0]} has the highest F1 ({best[2]:.2f}), {fastest[0]} is the fastest "
        f"({fastest[1]:,.0f} words per second). The area of a mark is the size on disk.",
        fig,
        Table("Accuracy against speed", ["", "F1", "words/s", "MB on disk"], rows),
    )


def _intervals(systems: list[SystemScores], order: dict[str, int]) -> Chart | None:
    shown = [each for each in systems if SEQEVAL_DEFAULT in each.intervals]
    if not shown:
        return None
    rows: list[list[str]] = []
    with figure(0.9 + 0.42 * len(shown)) as (fig, axes):
        for place, each in enumerate(reversed(shown)):
            f1 = each.ner[SEQEVAL_DEFAULT].f1
            interval = each.intervals[SEQEVAL_DEFAULT]
            low, high, middle = 100 * interval.low, 100 * interval.high, 100 * f1
            color = series_color(order[each.pipeline])
            axes.plot([low, high], [place, place], color=color, linewidth=3, solid_capstyle="butt")
            axes.plot([middle], [place], color=color, marker=series_marker(order[each.pipeline]))
            axes.text(high + 0.4, place, f"{middle:.2f}", va="center", fontsize=9)
            rows.insert(0, [each.pipeline, f"{middle:.2f}", f"{low:.2f}", f"{high:.2f}"])
        axes.set_yticks(range(len(shown)), [each.pipeline for each in reversed(shown)])
        axes.tick_params(axis="y", colors=INK)
        axes.set_ylim(-0.6, len(shown) - 0.4)
        axes.margins(x=0.16)
        axes.grid(axis="y", visible=False)
        axes.set_xlabel("F1 in percent, with 95 % interval")
    return Chart(
        "intervals",
        "F1 with its interval",
        "; ".join(f"{name} {middle}, from {low} to {high}" for name, middle, low, high in rows)
        + ". The table of differences says which pairs these texts tell apart.",
        fig,
        Table("F1 with its interval", ["", "F1", "low", "high"], rows),
    )


def _types(
    corpus: CorpusResult, systems: list[SystemScores], order: dict[str, int]
) -> Chart | None:
    table = type_table(corpus)
    if table is None:
        return None
    scores = {each.pipeline: each.ner[SEQEVAL_DEFAULT].per_type for each in systems}
    support = {
        label: max(each[label].support for each in scores.values() if label in each)
        for label in table.header[1:]
    }
    labels = sorted(support, key=lambda label: support[label])
    thickness = 0.8 / len(systems)
    with figure(1.0 + len(labels) * (0.2 + 0.13 * len(systems))) as (fig, axes):
        for index, (name, per_type) in enumerate(scores.items()):
            # The first system stands on top of its group, as in the legend.
            offset = (len(scores) - 1) / 2 - index
            axes.barh(
                [place + offset * thickness for place in range(len(labels))],
                [100 * per_type[label].f1 if label in per_type else 0 for label in labels],
                height=thickness * 0.92,
                color=series_color(order[name]),
                label=name,
            )
        axes.set_yticks(
            range(len(labels)), [f"{label}\n{support[label]:,}" for label in labels], color=INK
        )
        axes.set_xlim(0, 100)
        axes.grid(axis="y", visible=False)
        axes.spines["left"].set_color(GRID)
        axes.set_xlabel("F1 in percent; under each type its entities in gold", color=MUTED)
        fig.legend(loc="outside upper left", ncols=2, fontsize=9)
    winners = []
    for label in reversed(labels):
        found = {name: each[label].f1 for name, each in scores.items() if label in each}
        best = max(found, key=lambda name: found[name])
        if found[best] > 0:
            winners.append(f"{label}: {best} {percent(found[best])}")
    return Chart(
        "types",
        "F1 by entity type",
        f"Best by type, the most frequent first: {'; '.join(winners)}.",
        fig,
        table,
    )
