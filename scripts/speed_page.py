"""The tables of docs/speed.md and its chart, from the benchmarks' results."""

from collections.abc import Iterator, Sequence
from typing import Any

from matplotlib.ticker import FuncFormatter

from spacy_elmo_ner.comparison.plotting import Chart, figure, series_color
from spacy_elmo_ner.comparison.render import markdown_table
from spacy_elmo_ner.comparison.tables import NOTHING, Table

# The version whose benchmarks did not write which they were.
FIRST = "0.1.0"

# Scores beside the speeds.
SPEED_SCORES = {"ents_f": "entity F1", "tag_acc": "tag accuracy"}


OLD_CELL = "as 0.1.0 could, the LSTM's cell alone and on request"
NEW_KERNELS = "with the compiled kernels"


def speed_sections(
    bilm: dict[str, Any] | None,
    pipelines: dict[str, Any] | None,
    compiled: dict[str, Any] | None,
    training: dict[str, Any] | None,
    latency: dict[str, Any] | None = None,
    many_labels: dict[str, Any] | None = None,
    start_up: dict[str, Any] | None = None,
    on_amx: dict[str, Any] | None = None,
) -> Iterator[str]:
    """Write the biLM against AllenNLP, pipelines, small work, training, labels, and the start."""
    if bilm:
        kernels = OLD_CELL if _version(bilm) == FIRST else NEW_KERNELS
        yield "## The biLM against AllenNLP"
        yield (
            "Official shapes with random weights, the same sentences, in turns; tokens per second. "
            "Cold: every word is spelled out; warm: all words are known from the batch before; "
            f"compiled: {kernels}. The limit is the rate of "
            "matrix products on the same CPU in the same run; the last column is the share of it "
            f"that the LSTMs reach, compiled and warm. {_measured(bilm)}"
        )
        yield markdown_table(bilm_table(bilm["results"]))
    if pipelines:
        yield "## Pipelines on torch alone"
        yield (
            f"On {pipelines['corpus']}, components that the task does not need disabled; in turns, "
            f"medians. Ratios are to {pipelines['reference']}. One sentence at a time: 5 to 15 "
            f"words, milliseconds. {_measured(pipelines)}"
        )
        yield markdown_table(throughput_table(pipelines))
        yield "Ours, by length of the texts:"
        yield markdown_table(lengths_table(pipelines))
        yield "Ours, by settings of `nlp.pipe` and torch:"
        yield markdown_table(settings_table(pipelines["settings"]))
    if compiled:
        old = _version(compiled) == FIRST
        yield "## Pipelines with the compiled cell" if old else "## Pipelines, compiled"
        kernels = f"compiled {OLD_CELL}" if old else NEW_KERNELS
        yield f"The same in another run, {kernels}. {_measured(compiled)}"
        yield markdown_table(throughput_table(compiled))
        yield markdown_table(lengths_table(compiled))
    if latency:
        yield from latency_sections("Single texts, small batches, busy machines", latency)
    if on_amx:
        yield from latency_sections("The same on a CPU with AMX", on_amx)
    if training:
        yield "## Training"
        yield (
            f"Seconds per pass over {training['n_docs']:,} texts of {training['corpus']} with "
            "configs/elmo.cfg: a frozen biLM's layers are computed once and kept on disk "
            f"(`training_cache`), or computed every time. {_measured(training)}"
        )
        yield markdown_table(training_table(training["rows"]))
    if many_labels:
        yield "## Many entity types"
        yield (
            "`elmo_ner` with structured transitions and spaCy's `ner`, both with their default "
            "models: words per second of the pipeline, and seconds of an update with "
            f"{many_labels['update_words']:,} words. Processor time of one thread. "
            f"{_measured(many_labels)}"
        )
        yield markdown_table(many_labels_table(many_labels["rows"]))
    if start_up:
        yield "## Start"
        told = [f"{seconds:.1f} s with {name}" for name, seconds in start_up["seconds"].items()]
        yield (
            "From the start of a new process to the first annotated sentence, in turns, medians: "
            f"{', '.join(told)} ({start_up['machine']['cpu']}). {_measured(start_up)}"
        )


def _measured(data: dict[str, Any]) -> str:
    """Say with which version, and on how many threads."""
    n = data["machine"]["threads"]
    return f"Measured with {_version(data)} on {n} thread{'s' if n > 1 else ''}."


def _version(data: dict[str, Any]) -> str:
    return data["machine"].get("spacy-elmo-ner", FIRST)


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


def latency_sections(title: str, data: dict[str, Any]) -> Iterator[str]:
    """Write single texts, small batches and one sentence on a busy machine, as ratios."""
    first = next(iter(data["cases"].values()))["single"][0]["systems"]
    ours, reference = first[0]["pipeline"], first[-1]["pipeline"]
    yield f"## {title}"
    yield (
        f"{ours} against {reference} on the same texts in turns ({data['machine']['cpu']}). AVX2: "
        'as on a CPU without AVX-512 and bfloat16; bf16: ours with `precision = "bf16"`. '
        "Milliseconds for one call, median and 99 %, and "
        f"how many times those of {reference}:"
    )
    yield markdown_table(single_table(data["cases"]))
    yield f"Words per second of `nlp.pipe`, and how many times those of {reference}:"
    yield markdown_table(batches_table(data["cases"]))
    yield (
        "One text of 12 words beside processes that keep the cores busy: median and longest of "
        "100 calls in milliseconds, and how many times those of the other under the same load:"
    )
    yield markdown_table(beside_table(data["cases"]))


def bilm_speed_sections(data: dict[str, Any]) -> Iterator[str]:
    """Write what an entity recognizer costs on one biLM, as ratios to the same on another."""
    ours, *_, reference = next(iter(data["cases"].values()))["single"][0]["systems"]
    yield (
        f"An `elmo_ner` by `configs/ner.cfg` on {ours['pipeline']} against one on "
        f"{reference['pipeline']}, in turns ({data['machine']['cpu']}): milliseconds for one text, "
        "and words per second of `nlp.pipe`."
    )
    yield markdown_table(single_table(data["cases"]))
    yield markdown_table(batches_table(data["cases"]))


def single_table(cases: dict[str, Any]) -> Table:
    """Build milliseconds per call and their ratios, one row per case and length."""
    rows = [
        [case, f"{row['words']}", *_milliseconds(row["systems"], "p50", "p99")]
        for case, measured in cases.items()
        for row in measured["single"]
    ]
    header = ["", "words", "median", "ratio", "99 %", "ratio"]
    return Table("Single texts", header, rows, frozenset({0}))


def beside_table(cases: dict[str, Any]) -> Table:
    """Build milliseconds per call beside busy processes, and their ratios."""
    rows = [
        [case, f"{row['busy']}", *_milliseconds(row["systems"], "p50", "longest")]
        for case, measured in cases.items()
        for row in measured["beside"]
    ]
    header = ["", "busy processes", "median", "ratio", "longest", "ratio"]
    return Table("Busy machines", header, rows, frozenset({0}))


def batches_table(cases: dict[str, Any]) -> Table:
    """Build words per second and ratios by size of the batch, one row per case."""
    rows = []
    for case, measured in cases.items():
        cells = [case]
        for row in measured["batches"]:
            rate, other = (row["systems"][i]["words_per_second"] for i in (0, -1))
            cells.append(f"{rate:,.0f} ({rate / other:.2f}x)")
        rows.append(cells)
    sizes = [f"batches of {row['batch']}" for row in next(iter(cases.values()))["batches"]]
    return Table("Batches", ["", *sizes], rows)


def _milliseconds(systems: Sequence[dict[str, Any]], *names: str) -> Iterator[str]:
    for name in names:
        yield f"{systems[0][name]:.1f}"
        yield f"{systems[0][name] / systems[-1][name]:.2f}x"


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


def many_labels_table(measured: Sequence[dict[str, Any]]) -> Table:
    """Build words per second and seconds of an update, by pipe and number of entity types."""
    rows = [
        [
            f"{row['pipe']}, {row['types']} types",
            f"{row['words_per_second']:,.0f}",
            f"{row['update_seconds']:.2f}",
        ]
        for row in sorted(measured, key=lambda row: (row["pipe"], row["types"]))
    ]
    return Table("Many labels", ["", "words/s", "update"], rows)
