"""Write docs/speed.md and its picture from the benchmarks' results.

    python scripts/speed_page.py [--results benchmarks/results] [--output docs/speed.md] [--check]

Results that are not there leave their section out. With --check nothing is written; the exit
status is 1 where the page is out of date.
"""

import argparse
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from matplotlib.ticker import FuncFormatter

from spacy_elmo_ner.comparison.markdown import markdown_table
from spacy_elmo_ner.comparison.pages import read_benchmark, update_page
from spacy_elmo_ner.comparison.report.drawing import Chart, figure, series_color
from spacy_elmo_ner.comparison.report.page import write_pictures
from spacy_elmo_ner.comparison.table import Table

TITLE = "# Speed\n\nWritten by `python scripts/speed_page.py` from `benchmarks/results/`."


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the script; returns its exit status."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--results", type=Path, default=Path("benchmarks/results"))
    parser.add_argument("--output", type=Path, default=Path("docs/speed.md"))
    parser.add_argument("--check", action="store_true", help="only tell whether it is up to date")
    options = parser.parse_args(arguments)
    bilm, pipelines, compiled, training = (
        read_benchmark(options.results / f"{name}.json")
        for name in ("bilm", "pipelines", "pipelines-compiled", "training")
    )
    charts = [lengths_chart(pipelines)] if pipelines else []
    parts = [TITLE]
    parts += bilm_sections(bilm) if bilm else []
    parts += pipeline_sections(pipelines) if pipelines else []
    parts += compiled_section(compiled) if compiled else []
    parts += training_section(training) if training else []
    parts += [f"![{each.title}. {each.alternative}](pictures/{each.key}.png)" for each in charts]
    text = "\n\n".join(parts) + "\n"
    if not options.check:
        write_pictures(charts, options.output.parent / "pictures")
    command = "python scripts/speed_page.py"
    return update_page(options.output, text, command, check=options.check)


def bilm_sections(data: dict[str, Any]) -> Iterator[str]:
    """The biLM beside AllenNLP's."""
    yield "## The biLM against AllenNLP"
    yield (
        "Official shapes with random weights, the same sentences, in turns; tokens per second. "
        "Cold: every word is spelled out; warm: all words are known from the batch before; "
        "compiled: with the cell of `python -m spacy elmo compile`. The limit is what products on "
        "the same CPU reach in the same run; beside it the share of it that the LSTMs reach, "
        "compiled and warm. "
        f"{data['machine']['threads']} threads."
    )
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
        for row in data["results"]
    ]
    yield markdown_table(Table("biLM", header, rows))


def pipeline_sections(data: dict[str, Any]) -> Iterator[str]:
    """Whole pipelines, with what their speed depends on."""
    yield "## Pipelines"
    yield (
        f"On {data['corpus']}, {data['machine']['threads']} threads, components that the task does "
        f"not need switched off; in turns, medians. Ratios are to {data['reference']}. One "
        "sentence at a time: 5 to 15 words, milliseconds."
    )
    yield markdown_table(throughput_table(data))
    yield "Ours, by length of the texts:"
    yield markdown_table(lengths_table(data))
    yield "Ours, by settings of `nlp.pipe` and torch:"
    header = ["texts in a batch", "torch threads", "processes", "words/s"]
    keys = ("batch_size", "threads", "n_process")
    rows = [[*(f"{row[key]}" for key in keys), f"{row['median']:,.0f}"] for row in data["settings"]]
    yield markdown_table(Table("Settings", header, rows, frozenset()))


def compiled_section(data: dict[str, Any]) -> Iterator[str]:
    """The same pipelines where ours have the compiled cell."""
    yield "## With the compiled cell"
    yield "The same after `python -m spacy elmo compile`, in a run of its own."
    yield markdown_table(throughput_table(data))
    yield markdown_table(lengths_table(data))


def training_section(data: dict[str, Any]) -> Iterator[str]:
    """Passes over the same Docs, with and without the layers kept."""
    yield "## Training"
    yield (
        f"Seconds of each pass over {data['n_docs']:,} texts of {data['corpus']} with "
        f"configs/elmo.cfg, {data['machine']['threads']} threads: a frozen biLM's layers are "
        "computed once and kept on disk (`training_cache`), or computed every time."
    )
    passes = range(len(data["rows"][0]["seconds"]))
    header = ["biLM", "layers", *(f"pass {number + 1}" for number in passes)]
    rows = [
        [
            row["bilm"],
            "kept" if row["cached"] else "computed",
            *(f"{seconds:.1f}" for seconds in row["seconds"]),
        ]
        for row in data["rows"]
    ]
    yield markdown_table(Table("Training", header, rows, frozenset({0, 1})))


def throughput_table(data: dict[str, Any]) -> Table:
    """One row a pipeline: words per second, latency, and the scores where they were taken."""
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
                *(f"{100 * scores[key]:.2f}" if key in scores else "-" for key in SCORES),
            ]
        )
    header = ["", "words/s", "ratio", "one sentence, p50", "p99", *SCORES.values()]
    return Table("Pipelines", header, rows)


def lengths_table(data: dict[str, Any]) -> Table:
    """Words per second on the same words in texts of other lengths."""
    header = ["words in a text", *(f"{row['words']:,}" for row in data["lengths"])]
    cells = [f"{row['median']:,.0f}" for row in data["lengths"]]
    return Table("Lengths", header, [["words/s", *cells]])


SCORES = {"ents_f": "entity F1", "tag_acc": "tag accuracy"}


def lengths_chart(data: dict[str, Any]) -> Chart:
    """Words per second against words in a text."""
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


if __name__ == "__main__":
    sys.exit(main())
