"""The README's one table: accuracy, case, latency, speed and size of four systems."""

import statistics
import textwrap
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from spacy_elmo_ner.comparison.metrics import SEQEVAL_DEFAULT, TAG_ACCURACY
from spacy_elmo_ner.comparison.tables import NOTHING, Table

from .yardstick_page import FIELDS, SHIPPED

Data = Mapping[str, Any] | None


@dataclass(frozen=True)
class System:
    """A column: its title, its name in comparisons and benchmarks, and its rows in the yardstick.

    The yardstick has several heads per system: the first that was run counts.
    """

    title: str
    name: str
    clean: tuple[str, ...] = ()
    any_case: tuple[str, ...] = ()


SYSTEMS = (
    System("ours", "ours", ("head + both",), ("head + both, any case", "head + both")),
    System(
        "spaCy CNN",
        "spacy-cnn",
        ("spaCy CNN + vectors", "spaCy CNN"),
        ("spaCy CNN + vectors, any case", "spaCy CNN + vectors", "spaCy CNN"),
    ),
    System(
        "small transformer",
        "transformer",
        ("all-MiniLM-L6-v2 (uncased), fine-tuned",),
        ("all-MiniLM-L6-v2 (uncased), fine-tuned",),
    ),
    System("en_core_web_sm", "en_core_web_sm"),
)


# Of benchmarks.latency: what stands for one sentence and for throughput.
CASE, WORDS, BATCH = "2 threads", 12, 256


def readme_table(compared: Data, pipelines: Data, yardstick: Data, latency: Data = None) -> Table:
    """Build at most seven rows; a row for which there are no results is left out.

    compared: results.json of `elmo compare`. pipelines: of benchmarks.pipeline_speed. yardstick:
    of benchmarks.yardstick. latency: of benchmarks.latency, which counts before pipelines.
    """
    fields = measured_fields(yardstick)
    where = fields_title(fields)
    rows = [
        _row("GMB, entity F1", lambda system: _entity_f1(compared, system.name)),
        _row("GMB, tag accuracy", lambda system: _tag_accuracy(compared, system.name)),
        _row(f"{where}, entity F1", lambda system: _mean(yardstick, fields, system.clean, "clean")),
        _row(
            f"{where} in lower case, entity F1",
            lambda system: _mean(yardstick, fields, system.any_case, "lower"),
        ),
        _row("one sentence, ms", lambda system: _latency(pipelines, latency, system.name)),
        _row("words per second", lambda system: _throughput(pipelines, latency, system.name)),
        _row("size, MB", lambda system: _size(compared, system.name)),
    ]
    shown = [row for row in rows if any(cell != NOTHING for cell in row[1:])]
    return Table("In figures", ["", *(system.title for system in SYSTEMS)], shown)


def caption(
    compared: Data,
    pipelines: Data,
    yardstick: Data,
    part: str = "dev",
    latency: Data = None,
) -> str:
    """Say on what, with what and when the table was measured. part: of the yardstick's corpora."""
    told = []
    if compared:
        corpus = compared["corpora"][0]
        told.append(
            f"GMB: the {corpus['n_docs']:,} test sentences of the article's split. All but "
            "en_core_web_sm were trained on its training part, which has a few of them as well; "
            "the labels of en_core_web_sm are mapped. Ours is `configs/elmo.cfg` here, in speed "
            "and in size, which counts weights that pipelines share. "
            f"Version {_version(compared)}, {compared['created'].partition('T')[0]}."
        )
    if fields := measured_fields(yardstick):
        n_ours, n_cnn, n_transformer = (
            _n_seeds(yardstick, fields, system.clean[0]) for system in SYSTEMS[:3]
        )
        fewer = (
            f", but {n_transformer} of the transformer" if n_transformer not in (0, n_ours) else ""
        )
        which = f" ({', '.join(fields)})" if len(fields) == len(FIELDS) else ""
        told.append(
            f"{fields_title(fields).capitalize()}{which}: {part} part, "
            f"seeds: {n_ours}{fewer}; ours by `configs/ner.cfg`"
            f"{', spaCy CNN with the same word vectors' if n_cnn else ''}"
            f"{'; the transformer lower-cases what it reads' if n_transformer else ''}."
        )
    if latency:
        elsewhere = [
            system.title
            for system in SYSTEMS
            if not _measured(latency, "single", "words", WORDS, system.name)
        ]
        others = (
            f"; {' and '.join(elsewhere)} in another run, sentences of 5 to 15 words"
            if elsewhere and pipelines
            else ""
        )
        told.append(
            f"Speed: one sentence of {WORDS} words, median; batches of {BATCH}; {CASE}, "
            f"{latency['machine']['cpu'].partition(' avx')[0]}{others}."
        )
    elif pipelines:
        machine = pipelines["machine"]
        told.append(
            f"One sentence: 5 to 15 words, median. {machine['threads']} threads, "
            f"{machine['cpu'].partition(' avx')[0]}."
        )
    return textwrap.fill(" ".join(told), 100)


def measured_fields(yardstick: Data) -> list[str]:
    """Return the fields on which ours was run, in the usual order."""
    ran = {row["corpus"] for row in _rows(yardstick) if row["system"] in SYSTEMS[0].clean}
    return [field for field in FIELDS if field in ran]


def _rows(yardstick: Data) -> list[Mapping[str, Any]]:
    """Return the rows of the biLM that ships with the package, and those without one."""
    rows = yardstick["rows"] if yardstick else ()
    return [row for row in rows if row["bilm"] in (None, SHIPPED)]


def fields_title(fields: Sequence[str]) -> str:
    return "mean of five fields" if len(fields) == len(FIELDS) else ", ".join(fields)


def _version(compared: Mapping[str, Any]) -> str:
    return compared["environment"].get("spacy-elmo-ner", "an unknown version")


def _row(title: str, value: Callable[[System], str]) -> list[str]:
    return [title, *(value(system) for system in SYSTEMS)]


def _entity_f1(compared: Data, name: str) -> str:
    found = _scores(compared, name).get("ner", {}).get(SEQEVAL_DEFAULT)
    return f"{100 * found['f1']:.1f}" if found else NOTHING


def _tag_accuracy(compared: Data, name: str) -> str:
    found = _scores(compared, name).get("tags", {}).get(TAG_ACCURACY)
    return f"{100 * found['f1']:.1f}" if found else NOTHING


def _scores(compared: Data, name: str) -> Mapping[str, Any]:
    systems = compared["corpora"][0]["systems"] if compared else []
    return next((system for system in systems if system["pipeline"] == name), {})


def _mean(yardstick: Data, fields: Sequence[str], names: Sequence[str], score: str) -> str:
    """Take the first of these heads that was run on all the fields, and its mean over them."""
    for name in names:
        values = [
            [
                row["scores"][score]
                for row in _rows(yardstick)
                if row["corpus"] == field and row["system"] == name and score in row["scores"]
            ]
            for field in fields
        ]
        if values and all(values):
            return f"{100 * statistics.mean(map(statistics.mean, values)):.1f}"
    return NOTHING


def _n_seeds(yardstick: Data, fields: Sequence[str], name: str) -> int:
    """Return how often this head was trained on each of the fields, at least."""
    ran = [row["corpus"] for row in _rows(yardstick) if row["system"] == name]
    return min((ran.count(field) for field in fields), default=0)


def _latency(pipelines: Data, latency: Data, name: str) -> str:
    if measured := _measured(latency, "single", "words", WORDS, name):
        return f"{measured['p50']:.1f}"
    found = _named(pipelines, "latency", name)
    return f"{found['p50_ms']:.1f}" if found else NOTHING


def _throughput(pipelines: Data, latency: Data, name: str) -> str:
    if measured := _measured(latency, "batches", "batch", BATCH, name):
        return f"{measured['words_per_second']:,.0f}"
    found = _named(pipelines, "throughput", name)
    return f"{found['median']:,.0f}" if found else NOTHING


def _measured(latency: Data, block: str, key: str, value: int, name: str) -> Mapping[str, Any]:
    rows = latency["cases"].get(CASE, {}).get(block, ()) if latency else ()
    systems = next((row["systems"] for row in rows if row[key] == value), ())
    return next((system for system in systems if system["pipeline"] == name), {})


def _named(pipelines: Data, block: str, name: str) -> Mapping[str, Any] | None:
    rows = pipelines[block] if pipelines else []
    return next((row for row in rows if row["pipeline"] == name), None)


def _size(compared: Data, name: str) -> str:
    for info in compared["pipelines"] if compared else ():
        if info["name"] == name:
            n_bytes = info["size_bytes"] + sum(info["shared_weights_bytes"].values())
            return f"{n_bytes / 1e6:.0f}"
    return NOTHING
