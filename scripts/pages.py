"""Write the generated parts of README and docs from committed results, or check them.

    python scripts/pages.py [--check] [--root FOLDER]

What a results file in benchmarks/results/ goes into, and what makes that file:

- gmb-seed.json: docs/results/comparison.md, with three charts. A copy of what `python -m spacy
  project run compare` writes to metrics/compare/results.json.
- gmb-seed.json, pipelines-compiled.json (or pipelines.json) and yardstick-test.json (or
  yardstick.json): the table in README.md.
- cases.json, seed-split.json: docs/accuracy.md. `python -m benchmarks.cases`.
- released-test.json, ablation.json: docs/accuracy.md. `python -m benchmarks.seed_scores` and
  `python -m benchmarks.run_experiments` with the plan of the same name.
- bilm.json, pipelines.json, pipelines-compiled.json, latency.json, training.json: docs/speed.md.
  `make bench`. latency-amx.json: the same as latency.json, of another machine.
- many-labels.json, start-up.json: docs/speed.md. `python -m benchmarks.many_labels`,
  `python -m benchmarks.start_up PIPELINE en_core_web_sm`.
- pretraining.json: docs/pretraining.md. `python -m benchmarks.run_experiments
  benchmarks/experiments/pretraining.json`.
- field-text.json, yardstick-test.json: docs/pretraining.md. `python -m benchmarks.field_text`; its
  docstring has the commands that follow it.
- more-cells.json, more-cells-test.json, latency-more-cells.json: docs/pretraining.md. `python -m
  benchmarks.yardstick` on dev with small-en and with biLMs of more cells, renamed to what they are,
  and on test with the best of these; benchmarks.latency of `configs/ner.cfg` on both.
- perplexity.json: the model card of small-en. `python -m spacy elmo perplexity FOLDER --json`.
- yardstick.json, yardstick-test.json: docs/yardstick.md. `python -m benchmarks.yardstick`, and the
  same with `--test`.
- annotate.json: docs/annotate.md. `python -m benchmarks.annotate PIPELINE`.
- drop-in.json: docs/drop-in.md. `python -m benchmarks.drop_in PIPELINE en_core_web_sm --test
  TEST.spacy --dev DEV.spacy`.
- serve.json: docs/serving.md. `python benchmarks/serve_load.py corpus/dev.spacy`.

docs/config.md and docs/commands.md come from the code. A part whose results are not there is left
out of a whole page, and left as it is between marks.
With --check nothing is written; the exit status is 1 if a page differs from its results, or a
picture of it is missing.
"""

import argparse
import json
import re
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

# `python scripts/pages.py` puts scripts/ on the path instead of the checkout.
sys.path.insert(0, str(Path(__file__).parents[1]))

from scripts.accuracy_page import accuracy_sections
from scripts.annotate_page import annotate_sections
from scripts.commands_page import commands_page
from scripts.config_page import config_page
from scripts.drop_in_page import drop_in_text
from scripts.pretraining_page import (
    by_share,
    cells_table,
    gain_table,
    perplexity_table,
    worth_caption,
    worth_chart,
)
from scripts.readme_table import caption, readme_table
from scripts.serve_page import serve_sections
from scripts.speed_page import bilm_speed_sections, lengths_chart, lengths_table, speed_sections
from scripts.yardstick_page import yardstick_page
from spacy_elmo_ner.comparison.plotting import Chart, write_pictures
from spacy_elmo_ner.comparison.render import markdown_table, render_readme
from spacy_elmo_ner.comparison.report.charts import draw_charts
from spacy_elmo_ner.comparison.results import results_from_json
from spacy_elmo_ner.errors import Errors
from spacy_elmo_ner.files import write_text

ROOT = Path(__file__).parents[1]
RESULTS, PICTURES = "benchmarks/results", "docs/pictures"
CARD = "spacy_elmo_ner/data/small-en/MODEL_CARD.md"
WRITTEN = "Written by `python scripts/pages.py` from `benchmarks/results/`."

ACCURACY = (
    f"{WRITTEN} All in percent; with several seeds, mean ± standard deviation. "
    "[Comparison](results/comparison.md) says what the columns mean."
)

COMPARISON = (
    "# Comparison\n\n"
    f"{WRITTEN} Each system was trained on the training part of the seed split, but en_core_web_sm "
    "comes as it is: its labels are mapped by `assets/label_maps/ontonotes-gmb.json`. The map "
    "beside it that ends in `-either` is one to many and sides with gold where gold has one of the "
    "labels, which gives an upper bound. More seeds and the clean split are in "
    "[Accuracy](../accuracy.md)."
)

# Of the report's charts, those that a page has room for.
SHOWN_CHARTS = ("accuracy-speed", "intervals", "types")


@dataclass(frozen=True)
class Part:
    """Markdown for a page, or for the part of it between the marks of this name."""

    page: str
    text: str
    mark: str | None = None


@dataclass
class Generated:
    """All that is generated: parts of pages, and the charts they show."""

    parts: list[Part] = field(default_factory=list)
    charts: list[Chart] = field(default_factory=list)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the script; return its exit status, 2 if a page or a results file cannot be used."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--root", type=Path, default=ROOT, help="of the checkout")
    parser.add_argument("--check", action="store_true", help="only say what is out of date")
    options = parser.parse_args(arguments)
    root: Path = options.root
    try:
        generated = generate(root / RESULTS)
        generated.parts += reference(root / "setup.cfg")
        pages = updated(generated.parts, root)
    except (OSError, ValueError) as error:
        print(error, file=sys.stderr)
        return 2
    stale = [page for page, text in pages.items() if _read(page) != text]
    pictures = [root / PICTURES / f"{chart.key}.png" for chart in generated.charts]
    stale += [picture for picture in pictures if not picture.is_file()]
    if options.check:
        for path in stale:
            print(f"{path} is out of date. Run: python scripts/pages.py")
        return min(1, len(stale))
    for page, text in pages.items():
        write_text(page, text)
    write_pictures(generated.charts, root / PICTURES)
    print(f"Wrote {len(pages)} pages and {len(pictures)} pictures")
    return 0


def generate(folder: Path) -> Generated:
    """Build every part for which there are results. Raises OSError or ValueError."""

    def load(name: str) -> Any:
        path = folder / f"{name}.json"
        return json.loads(path.read_text(encoding="utf8")) if path.is_file() else None

    found = Generated()
    compared, pipelines, yardstick = map(load, ("gmb-seed", "pipelines", "yardstick"))
    results = results_from_json(compared) if compared else None
    # What a reader gets is compiled; 0.1.0 compiled on request only.
    compiled, on_test = load("pipelines-compiled"), load("yardstick-test")
    is_default = compiled and "spacy-elmo-ner" in compiled["machine"]
    measured = (compared, compiled if is_default else pipelines, on_test or yardstick)
    table = readme_table(*measured, load("latency"))
    if table.rows:
        part = "test" if on_test else "dev"
        told = f"{markdown_table(table)}\n\n{caption(*measured, part, load('latency'))}"
        found.parts.append(Part("README.md", told, "results"))
    if results:
        charts = [chart for chart in draw_charts(results) if chart.key in SHOWN_CHARTS]
        shown = [(f"../pictures/{chart.key}.png", _alternative(chart)) for chart in charts]
        body = re.sub("^### ", "## ", render_readme(compared, shown), flags=re.MULTILINE)
        text = f"{COMPARISON}\n\n{body}"
        found.parts.append(Part("docs/results/comparison.md", text))
        found.charts += charts
    names = ("released-test", "ablation", "cases", "seed-split")
    accuracy = [*accuracy_sections(*map(load, names))]
    if accuracy:
        found.parts.append(Part("docs/accuracy.md", _page("Accuracy", ACCURACY, accuracy)))
    names = (
        "bilm",
        "pipelines",
        "pipelines-compiled",
        "training",
        "latency",
        "many-labels",
        "start-up",
        "latency-amx",
    )
    speed = [*speed_sections(*map(load, names))]
    if pipelines:
        found.charts.append(lengths_chart(pipelines))
        after = speed.index(markdown_table(lengths_table(pipelines)))
        speed.insert(after + 1, _picture(found.charts[-1]))
    if speed:
        found.parts.append(Part("docs/speed.md", "\n\n".join([WRITTEN, *speed]), "speed"))
    if worth := load("pretraining"):
        by_bilm = by_share(worth["rows"])
        chart = worth_chart(by_bilm)
        told = f"{worth_caption(by_bilm)}\n\n{markdown_table(chart.table)}"
        found.parts.append(Part("docs/pretraining.md", f"{told}\n\n{_picture(chart)}", "worth"))
        found.charts.append(chart)
    if on_test and (read_on := load("field-text")):
        table = gain_table("Field text", on_test, read_on["rows"], "after the field's text")
        found.parts.append(Part("docs/pretraining.md", markdown_table(table), "field-text"))
    if measured := load("more-cells"):
        told = markdown_table(cells_table(measured))
        found.parts.append(Part("docs/pretraining.md", told, "more-cells"))
    if on_test and (measured := load("more-cells-test")):
        table = gain_table("More cells", on_test, measured["rows"], "1,024 cells")
        found.parts.append(Part("docs/pretraining.md", markdown_table(table), "more-cells-test"))
    if measured := load("latency-more-cells"):
        told = "\n\n".join(bilm_speed_sections(measured))
        found.parts.append(Part("docs/pretraining.md", told, "more-cells-speed"))
    if measured := load("annotate"):
        told = "\n\n".join(annotate_sections(measured))
        found.parts.append(Part("docs/annotate.md", told, "annotate"))
    if measured := load("drop-in"):
        found.parts.append(Part("docs/drop-in.md", drop_in_text(measured), "measured"))
    if measured := load("serve"):
        told = "\n\n".join(serve_sections(measured))
        found.parts.append(Part("docs/serving.md", told, "load"))
    if yardstick:
        found.parts.append(
            Part("docs/yardstick.md", yardstick_page(yardstick, load("yardstick-test")))
        )
    if measured := load("perplexity"):
        found.parts.append(Part(CARD, markdown_table(perplexity_table(measured)), "perplexity"))
    return found


def reference(setup_cfg: Path) -> list[Part]:
    """Build the pages that come from the code. Raises OSError or ValueError."""
    return [
        Part("docs/config.md", config_page(setup_cfg)),
        Part("docs/commands.md", commands_page()),
    ]


def updated(parts: Sequence[Part], root: Path) -> dict[Path, str]:
    """Map each page to its new text. Raises OSError or ValueError (EL316) for lacking marks."""
    pages: dict[Path, str] = {}
    for part in parts:
        page = root / part.page
        if part.mark is None:
            pages[page] = part.text
        else:
            text = pages.get(page) or page.read_text(encoding="utf8")
            pages[page] = between_marks(text, part.text, page, part.mark)
    return pages


def between_marks(page: str, markdown: str, path: Path, name: str = "results") -> str:
    """Return the page with ``markdown`` between the marks of this name, all else unchanged.

    ``path`` is for the message only. Raises ValueError (EL316) unless each mark is there once, in
    order.
    """
    begin, end = f"<!-- {name}:begin -->", f"<!-- {name}:end -->"
    if page.count(begin) != 1 or page.count(end) != 1 or page.index(begin) > page.index(end):
        raise ValueError(Errors.EL316.format(path=path, begin=begin, end=end))
    before, _, rest = page.partition(begin)
    _, _, after = rest.partition(end)
    return f"{before}{begin}\n\n{markdown.strip()}\n\n{end}{after}"


def _read(page: Path) -> str | None:
    return page.read_text(encoding="utf8") if page.is_file() else None


def _page(title: str, introduction: str, sections: Sequence[str]) -> str:
    return "\n\n".join([f"# {title}", introduction, *sections]) + "\n"


def _alternative(chart: Chart) -> str:
    return f"{chart.title}. {chart.alternative}"


def _picture(chart: Chart) -> str:
    return f"![{_alternative(chart)}](pictures/{chart.key}.png)"


if __name__ == "__main__":
    sys.exit(main())
