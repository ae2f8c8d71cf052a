"""`elmo annotate` against a loop written by hand, on several processes, on Ray; memory; kill -9.

    python -m benchmarks.annotate PIPELINE [--parts speed,processes,memory,kills,ray]

- speed: the command's work in this process against loops over `nlp.pipe`, in turns, on one thread.
- processes: two processes against one, each on one thread, from the first shard each has done.
- memory: resident memory while millions of words go through a pipeline of rules and through
  PIPELINE. Every tenth word is one that was never there before.
- kills: kill -9 at ten random moments, then what is written against an undisturbed run.
- ray: an actor of Ray Data against one process, from its first shard.

Texts are sentences of assets/sample, in random order. Ratios are of runs beside each other, by the
clock; the load average says how busy the machine was before. Parts that are not run keep their
figures.
"""

import argparse
import json
import os
import random
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import spacy
import torch
from spacy.language import Language

from benchmarks.invented import invented_word
from benchmarks.output import machine, write
from spacy_elmo_ner.annotation.annotator import Annotator, Settings
from spacy_elmo_ner.annotation.input_files import find_inputs
from spacy_elmo_ner.annotation.inputs import Fields
from spacy_elmo_ner.annotation.outputs import AnnotatedShard
from spacy_elmo_ner.annotation.pool import in_processes
from spacy_elmo_ner.annotation.run import Job, Runner, Source, annotate, find_pipeline, local
from spacy_elmo_ner.annotation.shards import OutputFolder
from spacy_elmo_ner.annotation.texts import SHARD_TEXTS
from spacy_elmo_ner.corpus.sample import read_conll

ROOT = Path(__file__).parent.parent
OUTPUT = ROOT / "benchmarks" / "results" / "annotate.json"
PARTS = ("speed", "processes", "memory", "kills", "ray")
SHARD = 512
# More than running text has.
NEW_WORDS = 0.1


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("pipeline")
    parser.add_argument("--parts", default=",".join(PARTS))
    parser.add_argument("--runs", type=int, default=7, help="pairs of runs")
    parser.add_argument("--words", type=int, default=30_000, help="of one run of speed")
    parser.add_argument("--long-words", type=int, default=5_000_000, help="through rules")
    parser.add_argument("--real-words", type=int, default=5_000_000, help="through PIPELINE")
    parser.add_argument("--output", type=Path, default=OUTPUT)
    options = parser.parse_args(arguments)
    torch.set_num_threads(1)
    found = json.loads(options.output.read_text("utf8")) if options.output.exists() else {}
    found |= {"pipeline": Path(options.pipeline).name, "machine": machine(1)}
    with tempfile.TemporaryDirectory() as folder:
        for part in options.parts.split(","):
            measure: Callable[[argparse.Namespace, Path], dict[str, Any]] = globals()[part]
            load = os.getloadavg()[0]
            found[part] = {**measure(options, Path(folder) / part), "load_before": round(load, 1)}
            write(options.output, found)


def write_texts(path: Path, n_words: int, new: float = 0.0) -> int:
    """Write sentences with at least so many words as JSON lines; return how many words.

    new: the share of words that are replaced by invented ones.
    """
    rng = random.Random(0)
    names = ("train", "dev", "test")
    sentences = [s.words for n in names for s in read_conll(ROOT / f"assets/sample/{n}.conll")]
    path.parent.mkdir(parents=True, exist_ok=True)
    done = number = 0
    with path.open("w", encoding="utf8") as file:
        while done < n_words:
            words = rng.choice(sentences)
            if new:
                words = [invented_word(rng) if rng.random() < new else word for word in words]
            file.write(json.dumps({"id": f"t{number}", "text": " ".join(words)}) + "\n")
            done += len(words)
            number += 1
    return done


# ---- speed -------------------------------------------------------------------------------


def speed(options: argparse.Namespace, folder: Path) -> dict[str, Any]:
    """Annotate the same texts by command and by hand, in turns; what is done once is left out."""
    texts = folder / "texts.jsonl"
    n_words = write_texts(texts, options.words)
    settings = Settings(str(find_pipeline(options.pipeline)))
    annotator = Annotator(settings)
    nlp = spacy.load(options.pipeline)

    source = Source(tuple(find_inputs([str(texts)])), Fields(), SHARD_TEXTS, {})
    output = OutputFolder(folder / "out", settings.formats, settings.is_sorted)

    def command() -> None:
        for shard in source:
            output.save(annotator.annotate(shard))

    ways: dict[str, Callable[[], None]] = {
        "annotate": command,
        "loop_all": lambda: loop(nlp, texts, folder / "loop.jsonl", with_tokens=True),
        "loop_ents": lambda: loop(nlp, texts, folder / "loop.jsonl", with_tokens=False),
    }
    with output.opened({}, overwrite=False):
        command()
    seconds: dict[str, list[tuple[float, float]]] = {name: [] for name in ways}
    for _ in range(options.runs):
        for name, way in ways.items():
            seconds[name].append(_timed(way))
    wall, cpu = (
        {name: [n_words / pair[i] for pair in pairs] for name, pairs in seconds.items()}
        for i in (0, 1)
    )
    return {
        "words": n_words,
        "words_per_second": {name: round(statistics.median(wall[name])) for name in ways},
        "words_per_cpu_second": {name: round(statistics.median(cpu[name])) for name in ways},
        "ratio_of_loop_all": _ratios(wall["annotate"], wall["loop_all"]),
        "ratio_of_loop_ents": _ratios(wall["annotate"], wall["loop_ents"]),
        "cpu_ratio_of_loop_all": _ratios(cpu["annotate"], cpu["loop_all"]),
    }


def loop(nlp: Language, texts: Path, output: Path, *, with_tokens: bool) -> None:
    """Annotate as one would by hand: read JSON lines, nlp.pipe, write JSON lines."""
    with texts.open(encoding="utf8") as lines, output.open("w", encoding="utf8") as out:
        rows = ((row["text"], row["id"]) for row in map(json.loads, lines))
        for doc, name in nlp.pipe(rows, as_tuples=True):
            ents = [
                {
                    "start": ent.start_char,
                    "end": ent.end_char,
                    "label": ent.label_,
                    "confidence": ent._.confidence,
                }
                for ent in doc.ents
            ]
            row: dict[str, Any] = doc.to_json() if with_tokens else {"text": doc.text}
            out.write(json.dumps({"id": name, **row, "ents": ents}, ensure_ascii=False) + "\n")


def _timed(work: Callable[[], None]) -> tuple[float, float]:
    wall, cpu = time.perf_counter(), time.process_time()
    work()
    return time.perf_counter() - wall, time.process_time() - cpu


def _ratios(ours: Sequence[float], theirs: Sequence[float]) -> dict[str, Any]:
    ratios = [one / other for one, other in zip(ours, theirs, strict=True)]
    return {
        "median": round(statistics.median(ratios), 3),
        "pairs": [round(ratio, 3) for ratio in ratios],
    }


# ---- processes, Ray ----------------------------------------------------------------------


def processes(options: argparse.Namespace, folder: Path) -> dict[str, Any]:
    """Measure one process and two, in turns."""
    settings, source, n_words = _source(options, folder)
    rates: dict[int, list[tuple[float, float]]] = {1: [], 2: []}
    for _ in range(max(3, options.runs // 2)):
        for n in rates:
            rates[n].append(steady_rates(in_processes(settings, source, n), n))
    wall, cpu = ({n: [pair[i] for pair in rates[n]] for n in rates} for i in (0, 1))
    return {
        "words": n_words,
        "words_per_second": {str(n): round(statistics.median(wall[n])) for n in rates},
        "words_per_cpu_second": {str(n): round(statistics.median(cpu[n])) for n in rates},
        "ratio": _ratios(wall[2], wall[1]),
        "ratio_if_each_had_a_core": _ratios([2 * rate for rate in cpu[2]], cpu[1]),
    }


def ray(options: argparse.Namespace, folder: Path) -> dict[str, Any]:
    """Measure one process and one actor, in turns."""
    from spacy_elmo_ner.annotation.ray_run import on_ray

    settings, source, n_words = _source(options, folder)
    ways: dict[str, Runner] = {
        "process": lambda settings, source: in_processes(settings, source, 1),
        "actor": on_ray("local", 1),
    }
    rates: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(3):
        for name, way in ways.items():
            rates[name].append(steady_rates(way(settings, source), 1)[0])
    return {
        "words": n_words,
        "words_per_second": {name: round(statistics.median(rates[name])) for name in ways},
        "ratio": _ratios(rates["actor"], rates["process"]),
    }


def _source(options: argparse.Namespace, folder: Path) -> tuple[Settings, Source, int]:
    texts = folder / "texts.jsonl"
    n_words = write_texts(texts, 3 * options.words)
    settings = Settings(str(find_pipeline(options.pipeline)))
    return settings, Source(tuple(find_inputs([str(texts)])), Fields(), SHARD // 16, {}), n_words


def steady_rates(shards: Iterator[AnnotatedShard], n: int) -> tuple[float, float]:
    """Return words per second, and per second of CPU time of this process and its children.

    Counts from when n processes have each had time for a first shard.
    """
    times, words = [], []
    for shard in shards:
        times.append((time.perf_counter(), _cpu_seconds()))
        words.append(shard.n_words)
    first, last = times[2 * n - 1], times[-1]
    n_words = sum(words[2 * n :])
    return n_words / (last[0] - first[0]), n_words / (last[1] - first[1])


def _cpu_seconds() -> float:
    """Return the CPU time of this process and of its children that are running."""
    pids = Path(f"/proc/self/task/{os.getpid()}/children").read_text(encoding="utf8").split()
    ticks = 0
    for pid in ("self", *pids):
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf8").rpartition(")")[2].split()
        ticks += int(fields[11]) + int(fields[12])  # utime and stime, as man proc numbers them
    return ticks / os.sysconf("SC_CLK_TCK")


# ---- memory ------------------------------------------------------------------------------


def memory(options: argparse.Namespace, folder: Path) -> dict[str, Any]:
    """Measure resident memory while texts go through, each pipeline in a process of its own."""
    rules = spacy.blank("en")
    rules.add_pipe("sentencizer")
    ruler: Any = rules.add_pipe("entity_ruler")
    ruler.add_patterns([{"label": "geo", "pattern": name} for name in ("Iraq", "Iran", "London")])
    folder.mkdir()
    rules.to_disk(folder / "rules")
    real = find_pipeline(options.pipeline)
    found = {}
    for name, pipeline, n_words in (
        ("rules", folder / "rules", options.long_words),
        ("pipeline", real, options.real_words),
    ):
        texts = folder / f"{name}.jsonl"
        n_words = write_texts(texts, n_words, NEW_WORDS)
        code = "import sys, benchmarks.annotate as b; b.report_memory(*sys.argv[1:])"
        done = subprocess.run(
            [sys.executable, "-c", code, str(pipeline), str(texts), str(folder / f"{name}-out")],
            stdout=subprocess.PIPE,
            check=True,
            text=True,
        )
        found[name] = {
            "words": n_words,
            "share_of_new_words": NEW_WORDS,
            "bytes_of_input": texts.stat().st_size,
        }
        found[name] |= json.loads(done.stdout.splitlines()[-1])
    return found


def report_memory(pipeline: str, texts: str, output: str) -> None:
    """Print the resident memory after each tenth of the texts, in megabytes."""
    torch.set_num_threads(1)
    measured: list[tuple[int, float]] = []

    def watched(settings: Settings, source: Source) -> Iterator[AnnotatedShard]:
        n_words = 0
        for shard in local(1)(settings, source):
            yield shard
            n_words += shard.n_words
            measured.append((n_words, _resident()))

    annotate(Job((texts,), Path(output), Settings(pipeline)), watched)
    size = len(measured)
    tenths = [measured[max(0, size * i // 10 - 1)] for i in range(1, 11)]
    print(json.dumps({"megabytes": [[n, round(mb)] for n, mb in tenths]}))


def _resident() -> float:
    status = Path("/proc/self/status").read_text(encoding="utf8").splitlines()
    return next(int(line.split()[1]) for line in status if line.startswith("VmRSS")) / 1024


# ---- kills -------------------------------------------------------------------------------


def kills(options: argparse.Namespace, folder: Path) -> dict[str, Any]:
    """Kill the command ten times with signal 9, then let it end, and compare."""
    texts = folder / "texts.jsonl"
    n_words = write_texts(texts, 4 * options.words)
    command = [sys.executable, "-m", "spacy", "elmo", "annotate", str(texts)]
    command += ["--pipeline", options.pipeline, "--shard-size", str(SHARD // 8)]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}

    def start(output: Path) -> "subprocess.Popen[bytes]":
        arguments = [*command, "--output", str(output)]
        return subprocess.Popen(arguments, env=environment, stdout=subprocess.DEVNULL)

    assert start(folder / "clean").wait() == 0
    rng, out, n_killed, moments = random.Random(1), folder / "out", 0, []
    while n_killed < 10:
        process, n_files = start(out), len([*out.glob("annotations-*")])
        # Most of a short run is its start; every other one is killed when it has written something.
        while n_killed % 2 and process.poll() is None:
            if len([*out.glob("annotations-*")]) > n_files:
                break
            time.sleep(0.01)
        time.sleep(rng.random())
        if process.poll() is None:
            os.kill(process.pid, signal.SIGKILL)
            n_killed += 1
            moments.append(len([*out.glob("annotations-*")]))
        if process.wait() == 0:
            break
    assert start(out).wait() == 0
    rows = [line for path in sorted(out.glob("annotations-*")) for line in path.open()]
    whole = folder / "clean"
    clean = [line for path in sorted(whole.glob("annotations-*")) for line in path.open()]
    ids = [json.loads(row)["id"] for row in rows]
    return {
        "words": n_words,
        "texts": len(rows),
        "killed": n_killed,
        "files_at_each_kill": moments,
        "same_as_undisturbed": rows == clean,
        "rows_twice": len(ids) - len(set(ids)),
        "rows_missing": len(clean) - len(set(ids)),
    }


if __name__ == "__main__":
    main()
