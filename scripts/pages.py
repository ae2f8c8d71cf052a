"""Write the generated parts of README and docs from committed results, or check them.

    python scripts/pages.py [--check] [--root FOLDER]

What a results file in benchmarks/results/ goes into, and what makes that file:

- gmb-seed.json: README.md, with three charts. A copy of what `python -m spacy project run compare`
  writes to metrics/compare/results.json.
- released-test.json, ablation.json: docs/accuracy.md. `python -m benchmarks.seed_scores` and
  `python -m benchmarks.run_experiments` with the plan of the same name.
- bilm.json, pipelines.json, pipelines-compiled.json, training.json: docs/speed.md. `make bench`.
- pretraining.json: docs/pretraining.md and the model card of small-en. `python -m
  benchmarks.run_experiments benchmarks/experiments/pretraining.json`.
- perplexity.json: the model card. `python -m spacy elmo perplexity FOLDER --json`.

A part whose results are not there is left out of a whole page, and left as it is between marks.
With --check nothing is written; the exit status is 1 if a page differs from its results, or a
picture of it is missing.
"""

import argparse
import json
import statistics
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from matplotlib.ticker import FuncFormatter

from spacy_elmo_ner.comparison.plotting import (
    Chart,
    figure,
    series_color,
    series_marker,
    write_pictures,
)
from spacy_elmo_ner.comparison.render import markdown_table, render_readme
from spacy_elmo_ner.comparison.report.charts import draw_charts
from spacy_elmo_ner.comparison.results import results_from_json, write_atomically
from spacy_elmo_ner.comparison.tables import NER_TITLES, NOTHING, TAG_TITLES, Table, spread
from spacy_elmo_ner.errors import Errors

ROOT = Path(__file__).parents[1]
RESULTS, PICTURES = "benchmarks/results", "docs/pictures"
CARD = "spacy_elmo_ner/data/small-en/MODEL_CARD.md"
WRITTEN = "Written by `python scripts/pages.py` from `benchmarks/results/`."

# Of the report's charts, those a README has room for.
README_CHARTS = ("accuracy-speed", "intervals", "types")


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
        write_atomically(page, text)
    write_pictures(generated.charts, root / PICTURES)
    print(f"Wrote {len(pages)} pages and {len(pictures)} pictures")
    return 0


def generate(results: Path) -> Generated:
    """Build every part for which there are results. Raises OSError or ValueError."""

    def load(name: str) -> Any:
        path = results / f"{name}.json"
        return json.loads(path.read_text(encoding="utf8")) if path.is_file() else None

    found = Generated()
    if compared := load("gmb-seed"):
        charts = [
            chart
            for chart in draw_charts(results_from_json(compared))
            if chart.key in README_CHARTS
        ]
        shown = [(f"{PICTURES}/{chart.key}.png", _alternative(chart)) for chart in charts]
        found.parts.append(Part("README.md", render_readme(compared, shown), "results"))
        found.charts += charts
    accuracy = [*accuracy_sections(load("released-test"), load("ablation"))]
    if accuracy:
        found.parts.append(Part("docs/accuracy.md", _page("Accuracy", ACCURACY, accuracy)))
    names = ("bilm", "pipelines", "pipelines-compiled", "training")
    pipelines = load("pipelines")
    speed = [*speed_sections(*map(load, names))]
    if pipelines:
        found.charts.append(lengths_chart(pipelines))
        speed.append(_picture(found.charts[-1]))
    if speed:
        found.parts.append(Part("docs/speed.md", _page("Speed", WRITTEN, speed)))
    if worth := load("pretraining"):
        by_bilm = by_share(worth["rows"])
        chart = worth_chart(by_bilm)
        told = f"{worth_caption(by_bilm)}\n\n{markdown_table(chart.table)}"
        found.parts.append(Part("docs/pretraining.md", f"{told}\n\n{_picture(chart)}", "worth"))
        found.parts.append(Part(CARD, told, "worth"))
        found.charts.append(chart)
    if measured := load("perplexity"):
        found.parts.append(Part(CARD, markdown_table(perplexity_table(measured)), "perplexity"))
    return found


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


# ---- accuracy -------------------------------------------------------------------------------

ACCURACY = (
    f"{WRITTEN} All in percent; with several seeds, mean ± standard deviation. README says what "
    "the columns mean."
)


def accuracy_sections(
    released: dict[str, Any] | None, ablation: dict[str, Any] | None
) -> Iterator[str]:
    """Write the test parts, every system with all its seeds, and what each choice is worth."""
    for part in released["parts"] if released else ():
        yield from part_sections(part)
    if ablation:
        yield f"## {ablation['title']}\n\nOn dev; the difference is to the first row."
        yield markdown_table(ablation_table(ablation["rows"]))


def part_sections(part: dict[str, Any]) -> Iterator[str]:
    """Write one test part: all metrics, entity types, and agreement between systems."""
    systems = part["systems"]
    yield (
        f"## {part['corpus']}, {part['part']}\n\n{part['n_docs']:,} texts, {part['n_words']:,} "
        f"words, {part['n_entities']:,} entities."
    )
    yield markdown_table(score_table(systems))
    labels = sorted({label for system in systems for label in system["per_type"]})
    rows = [
        [system["name"], *(spread(system["per_type"].get(label, ())) for label in labels)]
        for system in systems
    ]
    yield "F1 by entity type (seqeval default):"
    yield markdown_table(Table("Types", ["", *labels], rows))
    if part["agreement"]:
        yield (
            "Agreement between systems, first seed of each: entity F1 of one against the other. "
            "Where they agree more with each other than with gold, gold contradicts itself."
        )
        rows = [
            [f"{pair['first']} and {pair['second']}", spread([pair["entities"]])]
            for pair in part["agreement"]
        ]
        yield markdown_table(Table("Agreement", ["", "F1"], rows))
        if part["unanimous"]["found"]:
            yield unanimity(part["unanimous"])


def unanimity(found: dict[str, int]) -> str:
    """Say what all systems and seeds find alike, and how gold differs."""
    n = found["found"]
    wrong = n - found["right"]
    return (
        f"All trained systems with all seeds agree on {n:,} entities. {wrong:,} of them "
        f"({wrong / n:.1%}) differ from the gold annotation: {found['other_label']:,} have another "
        f"label there, {found['other_bounds']:,} other bounds, {found['nothing']:,} are not there."
    )


def score_table(systems: Sequence[dict[str, Any]]) -> Table:
    """Build one row per system, one column per metric that any of them has."""
    ner = [mode for mode in NER_TITLES if any(mode in system["ner"] for system in systems)]
    tags = [mode for mode in TAG_TITLES if any(mode in system["tags"] for system in systems)]
    header = [
        *("", "seeds"),
        *(NER_TITLES[mode] for mode in ner),
        *(TAG_TITLES[mode] for mode in tags),
        *("calibration error, entities", "tags"),
    ]
    rows = [
        [
            system["name"],
            f"{len(system['seeds'])}",
            *(spread(system["ner"].get(mode, ())) for mode in ner),
            *(spread(system["tags"].get(mode, ())) for mode in tags),
            *(spread(system["calibration_error"].get(layer, ())) for layer in ("ner", "tags")),
        ]
        for system in systems
    ]
    return Table("Scores", header, rows)


def ablation_table(experiments: Sequence[dict[str, Any]]) -> Table:
    """Build entity F1 on dev with each choice, and its difference to the first row."""
    first = statistics.mean(experiments[0]["ents_f"])
    rows = []
    for number, row in enumerate(experiments):
        difference = f"{100 * (statistics.mean(row['ents_f']) - first):+.2f}" if number else ""
        minutes = f"{statistics.mean(row['minutes']):.0f}"
        seeds = f"{len(row['seeds'])}"
        rows.append([row["experiment"], seeds, spread(row["ents_f"]), difference, minutes])
    return Table("Ablation", ["", "seeds", "entity F1", "difference", "minutes"], rows)


# ---- speed ----------------------------------------------------------------------------------

# Scores beside the speeds.
SPEED_SCORES = {"ents_f": "entity F1", "tag_acc": "tag accuracy"}


def speed_sections(
    bilm: dict[str, Any] | None,
    pipelines: dict[str, Any] | None,
    compiled: dict[str, Any] | None,
    training: dict[str, Any] | None,
) -> Iterator[str]:
    """Write the biLM against AllenNLP, whole pipelines, the compiled cell, and training."""
    if bilm:
        yield "## The biLM against AllenNLP"
        yield (
            "Official shapes with random weights, the same sentences, in turns; tokens per second. "
            "Cold: every word is spelled out; warm: all words are known from the batch before; "
            "compiled: with the cell of `python -m spacy elmo compile`. The limit is the rate of "
            "matrix products on the same CPU in the same run; the last column is the share of it "
            f"that the LSTMs reach, compiled and warm. {bilm['machine']['threads']} threads."
        )
        yield markdown_table(bilm_table(bilm["results"]))
    if pipelines:
        yield "## Pipelines"
        yield (
            f"On {pipelines['corpus']}, {pipelines['machine']['threads']} threads, components that "
            "the task does not need disabled; in turns, medians. Ratios are to "
            f"{pipelines['reference']}. One sentence at a time: 5 to 15 words, milliseconds."
        )
        yield markdown_table(throughput_table(pipelines))
        yield "Ours, by length of the texts:"
        yield markdown_table(lengths_table(pipelines))
        yield "Ours, by settings of `nlp.pipe` and torch:"
        yield markdown_table(settings_table(pipelines["settings"]))
    if compiled:
        yield "## With the compiled cell"
        yield "The same after `python -m spacy elmo compile`, in another run."
        yield markdown_table(throughput_table(compiled))
        yield markdown_table(lengths_table(compiled))
    if training:
        yield "## Training"
        yield (
            f"Seconds per pass over {training['n_docs']:,} texts of {training['corpus']} with "
            f"configs/elmo.cfg, {training['machine']['threads']} threads: a frozen biLM's layers "
            "are computed once and kept on disk (`training_cache`), or computed every time."
        )
        yield markdown_table(training_table(training["rows"]))


def bilm_table(measured: Sequence[dict[str, Any]]) -> Table:
    """Build tokens per second of each shape, and their ratios to AllenNLP."""
    kinds = ("cold", "warm", "compiled_cold", "compiled_warm")
    titles = [kind.replace("_", ", ") for kind in kinds]
    header = ["", "sentences", "AllenNLP", *titles, *(f"{title}: ratio" for title in titles)]
    header.append("of limit")
    rows = [
        [
            row["shape"],
            f"{row['n_sentences']}",
            *(f"{row[name]:,.0f}" for name in ("peer", *kinds)),
            *(f"{row[f'{name}_ratio']:.1f}x" for name in kinds),
            f"{row['compiled_warm_share_of_limit']:.0%}",
        ]
        for row in measured
    ]
    return Table("biLM", header, rows)


def throughput_table(data: dict[str, Any]) -> Table:
    """Build words per second, latency, and scores where they were taken, one row per pipeline."""
    waits = {row["pipeline"]: row for row in data["latency"]}
    rows = []
    for row in data["throughput"]:
        name = row["pipeline"]
        scores = data["accuracy"].get(name, {})
        rows.append(
            [
                name,
                f"{row['median']:,.0f}",
                f"{row['ratio']:.2f}x",
                *(f"{waits[name][key]:.1f}" for key in ("p50_ms", "p99_ms")),
                *(f"{100 * scores[key]:.2f}" if key in scores else NOTHING for key in SPEED_SCORES),
            ]
        )
    header = ["", "words/s", "ratio", "one sentence, p50", "p99", *SPEED_SCORES.values()]
    return Table("Pipelines", header, rows)


def lengths_table(data: dict[str, Any]) -> Table:
    """Build words per second on the same words in texts of other lengths."""
    header = ["words in a text", *(f"{row['words']:,}" for row in data["lengths"])]
    cells = [f"{row['median']:,.0f}" for row in data["lengths"]]
    return Table("Lengths", header, [["words/s", *cells]])


def settings_table(settings: Sequence[dict[str, Any]]) -> Table:
    """Build words per second by batch size, threads and processes."""
    keys = ("batch_size", "threads", "n_process")
    rows = [[*(f"{row[key]}" for key in keys), f"{row['median']:,.0f}"] for row in settings]
    header = ["texts in a batch", "torch threads", "processes", "words/s"]
    return Table("Settings", header, rows, frozenset())


def training_table(measured: Sequence[dict[str, Any]]) -> Table:
    """Build seconds per pass with and without kept layers."""
    passes = range(len(measured[0]["seconds"]))
    header = ["biLM", "layers", *(f"pass {number + 1}" for number in passes)]
    rows = [
        [
            row["bilm"],
            "kept" if row["cached"] else "computed",
            *(f"{seconds:.1f}" for seconds in row["seconds"]),
        ]
        for row in measured
    ]
    return Table("Training", header, rows, frozenset({0, 1}))


def lengths_chart(data: dict[str, Any]) -> Chart:
    """Draw words per second against words in a text."""
    lengths = [row["words"] for row in data["lengths"]]
    rates = [row["median"] for row in data["lengths"]]
    with figure(2.6) as (fig, axes):
        axes.plot(lengths, rates, color=series_color(0), marker="o")
        axes.set_xscale("log")
        axes.set_ylim(0, 1.15 * max(rates))
        axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))
        axes.xaxis.set_minor_formatter(FuncFormatter(lambda value, _: ""))
        axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))
        axes.set_xlabel("words in a text (logarithmic)")
        axes.set_ylabel("words per second")
    story = f"From {lengths[0]:,} to {lengths[-1]:,} words: {rates[0]:,.0f} to {rates[-1]:,.0f}."
    rows = [[f"{n:,}", f"{rate:,.0f}"] for n, rate in zip(lengths, rates, strict=True)]
    table = Table("Words per second by length", ["words in a text", "words/s"], rows, frozenset())
    return Chart("speed-lengths", "Words per second by length of the texts", story, fig, table)


# ---- pre-training ---------------------------------------------------------------------------

# By biLM and percent of the training part: entity F1 of each seed.
Worth = dict[str, dict[int, list[float]]]


def by_share(rows: Sequence[dict[str, Any]]) -> Worth:
    """Group rows of experiments named "biLM, 10 %", in their order."""
    found: Worth = {}
    for row in rows:
        name, _, share = row["experiment"].rpartition(", ")
        found.setdefault(name, {})[int(share.removesuffix("%"))] = row["ents_f"]
    return found


def worth_caption(found: Worth) -> str:
    """Say what the table and the chart show."""
    counts = {len(scores) for of_share in found.values() for scores in of_share.values()}
    told = f"mean and standard deviation of {max(counts)} seeds" if max(counts) > 1 else "one seed"
    alone = " A figure without deviation is of one seed." if {1} < counts else ""
    return (
        f"Entity F1 on dev, {told}, by percent of GMB's training part. The biLM is frozen, the "
        f"head the same in all rows but spaCy's CNN.{alone}"
    )


def worth_chart(found: Worth) -> Chart:
    """Draw F1 against the share of the training part, one line per biLM."""
    shares = sorted({share for of_share in found.values() for share in of_share})
    rows = [
        [name, *(spread(of_share.get(share, ())) for share in shares)]
        for name, of_share in found.items()
    ]
    table = Table("Worth", ["", *(f"{share} %" for share in shares)], rows)
    with figure(3.6) as (fig, axes):
        for index, (name, of_share) in enumerate(found.items()):
            x = sorted(of_share)
            y = [100 * statistics.mean(of_share[share]) for share in x]
            color, marker = series_color(index), series_marker(index)
            axes.plot(x, y, color=color, marker=marker, label=name)
        axes.set_xscale("log")
        axes.set_xticks(shares, [f"{share} %" for share in shares])
        axes.minorticks_off()
        axes.set_xlabel("of the training part (logarithmic)")
        axes.set_ylabel("entity F1 on dev")
        axes.legend(fontsize=9)
    least = shares[0]
    told = "; ".join(
        f"{name} {100 * statistics.mean(of_share[least]):.1f}"
        for name, of_share in found.items()
        if least in of_share
    )
    return Chart(
        "pretraining-worth",
        "Entity F1 by share of the training part",
        f"At {least} %: {told}. The table has all figures.",
        fig,
        table,
    )


def perplexity_table(measured: dict[str, Any]) -> Table:
    """Build both directions, words and share outside the vocabulary, by source and for all."""
    rows = [
        [
            source["file"],
            f"{source['forward']:.1f}",
            f"{source['backward']:.1f}",
            f"{source['n_tokens']:,}",
            f"{source['oov']:.1%}",
        ]
        for source in [*measured["sources"], {"file": "all", **measured}]
    ]
    header = ["text", "forward", "backward", "words", "outside the vocabulary"]
    return Table("Perplexity", header, rows)


if __name__ == "__main__":
    sys.exit(main())
