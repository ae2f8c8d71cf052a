"""Draw charts as inline SVG, which follows the page's colours, and as PNG in the light theme."""

import io
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ..files import atomic_file
from .tables import Table

# The light theme's colours. In SVG each becomes var(--name), which the style sheet sets by theme,
# so no two may be equal.
INK, MUTED, GRID, SURFACE, HEAT = "#1b1f24", "#57606a", "#d8dee4", "#ffffff", "#2f6feb"
SERIES = ("#1f5fbf", "#c2410c", "#0f766e", "#a21caf", "#7a6200", "#475569")
MARKERS = ("o", "s", "^", "D", "v", "P")
VARIABLES = {
    INK: "ink",
    MUTED: "muted",
    GRID: "grid",
    SURFACE: "surface",
    HEAT: "heat",
    **{color: f"series-{index}" for index, color in enumerate(SERIES)},
}

# Inches: 350 points, about what a phone has, so that 10 points stay readable there.
WIDTH = 4.86
PNG_DPI = 160

_STYLE: Any = {
    "font.family": "sans-serif",
    "font.sans-serif": ["DejaVu Sans"],
    "font.size": 10,
    "axes.titlesize": 10,
    "axes.edgecolor": GRID,
    "axes.labelcolor": MUTED,
    "axes.facecolor": "none",
    "axes.grid": True,
    "axes.axisbelow": True,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "figure.facecolor": SURFACE,
    "grid.color": GRID,
    "text.color": INK,
    "xtick.color": MUTED,
    "ytick.color": MUTED,
    "legend.frameon": False,
    # Text stays text: it scales, is found, and is a tenth of the size of outlines.
    "svg.fonttype": "none",
    "svg.hashsalt": "chart",
}


@dataclass(frozen=True)
class Chart:
    """Holds a drawn figure; ``alternative`` describes it in words, ``table`` holds its figures."""

    key: str
    title: str
    alternative: str
    figure: Figure
    table: Table

    def svg(self) -> str:
        """Return one <svg> element that can share a page with others."""
        buffer = io.StringIO()
        with rc_context(_STYLE):
            self.figure.savefig(buffer, format="svg", transparent=True, metadata={"Date": None})
        markup = buffer.getvalue()
        markup = markup[markup.index("<svg") :]
        markup = re.sub(r"<metadata>.*?</metadata>", "", markup, flags=re.DOTALL)
        # matplotlib numbers its ids from 1 in every figure.
        markup = re.sub(r'\bid="', f'id="{self.key}-', markup)
        markup = re.sub(r"url\(#", f"url(#{self.key}-", markup)
        markup = re.sub(r'href="#', f'href="#{self.key}-', markup)
        markup = markup.replace("'DejaVu Sans', ", "")
        for color, name in VARIABLES.items():
            markup = markup.replace(color, f"var(--{name})")
        size = r'<svg\b[^>]*?\sviewBox="([^"]*)"[^>]*>'
        # The figure around it carries the name; the drawing's own texts would be read out twice.
        opening = r'<svg viewBox="\1" aria-hidden="true" focusable="false">'
        return re.sub(size, opening, markup, count=1)

    def png(self) -> bytes:
        """Return the chart in the light theme, for places that show no SVG."""
        buffer = io.BytesIO()
        with rc_context(_STYLE):
            self.figure.savefig(buffer, format="png", dpi=PNG_DPI, metadata={"Software": None})
        return buffer.getvalue()


@contextmanager
def figure(height: float) -> Iterator[tuple[Figure, Axes]]:
    """Yield a figure ``WIDTH`` inches wide with one pair of axes, in the charts' style."""
    with panels(height, 1) as (fig, [axes]):
        yield fig, axes


@contextmanager
def panels(height: float, n: int) -> Iterator[tuple[Figure, list[Axes]]]:
    """Yield a figure with n pairs of axes below one another that share their x axis."""
    with rc_context(_STYLE):
        fig = Figure(figsize=(WIDTH, height), layout="constrained")
        yield fig, list(fig.subplots(n, sharex=True, squeeze=False)[:, 0])


def series_color(index: int) -> str:
    """Return a series' colour; from the seventh on, only marker and label tell it apart."""
    return SERIES[index % len(SERIES)]


def series_marker(index: int) -> str:
    """Return the marker that goes with `series_color`."""
    return MARKERS[index % len(MARKERS)]


def write_pictures(charts: Sequence[Chart], folder: Path) -> list[Path]:
    """Write each chart as NAME.png into the folder; return the paths in the order of the charts."""
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for chart in charts:
        path = folder / f"{chart.key}.png"
        with atomic_file(path) as temporary:
            temporary.write_bytes(chart.png())
        written.append(path)
    return written
