"""Draw charts of a comparison from its results alone; those without data are left out."""

from collections.abc import Iterator

from matplotlib.patches import Rectangle
from matplotlib.ticker import FuncFormatter, LogLocator

from ..confusion import NOTHING
from ..metrics import SEQEVAL_DEFAULT
from ..plotting import GRID, HEAT, INK, MUTED, Chart, figure, series_color, series_marker
from ..results import CorpusResult, Results, SystemScores
from ..tables import Table, percent, type_support, type_table
from .curves import learning_chart, reliability_chart, threshold_chart, training_charts

# The ink stays readable on the strongest cell (contrast above 4.5) in both themes.
STRONGEST = 0.5

NO_TYPE = "none"


def draw_charts(results: Results) -> list[Chart]:
    """Draw every chart of the first corpus that has something to show, in order."""
    return list(_charts(results))


def _charts(results: Results) -> Iterator[Chart]:
    corpus = results.corpora[0]
    order = {info.name: index for index, info in enumerate(results.pipelines)}
    systems = [system for system in corpus.systems if system.ner]
    candidates = [
        _accuracy_speed(results, systems, order),
        _intervals(systems, order),
        _types(corpus, systems, order),
        *(confusion_chart(system, order[system.pipeline]) for system in systems),
        reliability_chart(corpus, order),
        threshold_chart(corpus, order),
        learning_chart(results.learning_curve, corpus, order),
        *training_charts(results.training_logs),
    ]
    yield from (chart for chart in candidates if chart is not None)


def _accuracy_speed(
    results: Results, systems: list[SystemScores], order: dict[str, int]
) -> Chart | None:
    """Draw F1 against words per second; a mark's area is in proportion to the size on disk."""
    infos = {info.name: info for info in results.pipelines}
    points = []
    for system in systems:
        info = infos[system.pipeline]
        if info.speed is not None:
            f1 = 100 * system.ner[SEQEVAL_DEFAULT].f1
            points.append((system.pipeline, info.speed.median, f1, info.megabytes))
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
    shown = [system for system in systems if SEQEVAL_DEFAULT in system.intervals]
    if not shown:
        return None
    rows: list[list[str]] = []
    with figure(0.9 + 0.42 * len(shown)) as (fig, axes):
        for place, system in enumerate(reversed(shown)):
            f1 = system.ner[SEQEVAL_DEFAULT].f1
            interval = system.intervals[SEQEVAL_DEFAULT]
            low, high, middle = 100 * interval.low, 100 * interval.high, 100 * f1
            color = series_color(order[system.pipeline])
            axes.plot([low, high], [place, place], color=color, linewidth=3, solid_capstyle="butt")
            axes.plot([middle], [place], color=color, marker=series_marker(order[system.pipeline]))
            axes.text(high + 0.4, place, f"{middle:.2f}", va="center", fontsize=9)
            rows.insert(0, [system.pipeline, f"{middle:.2f}", f"{low:.2f}", f"{high:.2f}"])
        axes.set_yticks(range(len(shown)), [system.pipeline for system in reversed(shown)])
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
    scores = {system.pipeline: system.ner[SEQEVAL_DEFAULT].per_type for system in systems}
    support = type_support(corpus)
    labels = sorted(support, key=lambda label: support[label])
    thickness = 0.8 / len(systems)
    with figure(1.0 + len(labels) * (0.2 + 0.13 * len(systems))) as (fig, axes):
        for index, (name, per_type) in enumerate(scores.items()):
            # The first system is on top of its group, as in the legend.
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
        f1_of = {name: per_type[label].f1 for name, per_type in scores.items() if label in per_type}
        best = max(f1_of, key=lambda name: f1_of[name])
        if f1_of[best] > 0:
            winners.append(f"{label}: {best} {percent(f1_of[best])}")
    return Chart(
        "types",
        "F1 by entity type",
        f"Best by type, the most frequent first: {'; '.join(winners)}.",
        fig,
        table,
    )


def confusion_chart(system: SystemScores, number: int) -> Chart | None:
    """Draw gold's types as rows, predicted ones as columns; the colour is the share of the row."""
    counts = system.type_confusion
    if not counts:
        return None
    types = sorted({*counts, *(label for row in counts.values() for label in row)} - {NOTHING})
    labels = [*types, NOTHING]
    names = [NO_TYPE if label == NOTHING else label for label in labels]
    with figure(1.0 + 0.36 * len(labels)) as (fig, axes):
        for y, gold in enumerate(labels):
            row = counts.get(gold, {})
            total = sum(row.values())
            for x, predicted in enumerate(labels):
                n = row.get(predicted, 0)
                share = n / total if total else 0.0
                alpha = STRONGEST * share
                axes.add_patch(Rectangle((x, y), 0.96, 0.96, facecolor=HEAT, alpha=alpha, lw=0))
                if n:
                    axes.text(x + 0.5, y + 0.5, f"{n:,}", ha="center", va="center", fontsize=9)
        axes.set(xlim=(0, len(labels)), ylim=(len(labels), 0))
        places = [index + 0.5 for index in range(len(labels))]
        axes.set_xticks(places, names)
        axes.set_yticks(places, names)
        axes.tick_params(length=0, colors=INK)
        axes.grid(visible=False)
        for spine in axes.spines.values():
            spine.set_visible(False)
        axes.set_xlabel("predicted type")
        axes.set_ylabel("type in gold")
    rows = [
        [name, *(f"{counts.get(gold, {}).get(predicted, 0):,}" for predicted in labels)]
        for gold, name in zip(labels, names, strict=True)
    ]
    title = f"{system.pipeline}: types taken for others"
    return Chart(
        f"confusion-{number}",
        title,
        _worst(counts),
        fig,
        Table(title, ["gold \\ predicted", *names], rows),
    )


def _worst(counts: dict[str, dict[str, int]]) -> str:
    wrong = [
        (n, gold, predicted)
        for gold, row in counts.items()
        for predicted, n in row.items()
        if gold != predicted and NOTHING not in (gold, predicted)
    ]
    listed = ", ".join(
        f"{gold} as {predicted} {n:,} times"
        for n, gold, predicted in sorted(wrong, key=lambda confusion: -confusion[0])[:3]
    )
    missed = sum(row.get(NOTHING, 0) for gold, row in counts.items() if gold != NOTHING)
    invented = sum(counts.get(NOTHING, {}).values())
    return (
        f"Most often confused: {listed or 'nothing'}. Not found: {missed:,}. Found where gold has "
        f"nothing: {invented:,}. Matched by words in common, boundaries aside."
    )
