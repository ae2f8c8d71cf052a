"""A heat map of entity types taken for others, one pipeline each."""

from matplotlib.patches import Rectangle

from ..confusion import NOTHING
from ..results import SystemScores
from ..table import Table
from .drawing import HEAT, INK, Chart, figure

# The ink stays readable on the strongest cell (contrast above 4.5) in both themes.
STRONGEST = 0.5

NONE = "none"


def confusion_chart(system: SystemScores, number: int) -> Chart | None:
    """Rows: gold's types, columns: predicted ones; colour: share of the row."""
    counts = system.type_confusion
    if not counts:
        return None
    types = sorted({*counts, *(label for row in counts.values() for label in row)} - {NOTHING})
    labels = [*types, NOTHING]
    names = [NONE if label == NOTHING else label for label in labels]
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
        for n, gold, predicted in sorted(wrong, key=lambda each: -each[0])[:3]
    )
    missed = sum(row.get(NOTHING, 0) for gold, row in counts.items() if gold != NOTHING)
    invented = sum(counts.get(NOTHING, {}).values())
    return (
        f"Most often confused: {listed or 'nothing'}. Not found: {missed:,}. Found where gold has "
        f"nothing: {invented:,}. Matched by words in common, boundaries aside."
    )
