"""Milliseconds per call and words per second of small batches, in turns with en_core_web_sm.

    python -m benchmarks.latency ours=assets/pipelines/en_elmo_gmb_sm en_core_web_sm \\
        --corpus corpus/dev.spacy [--cases "2 threads" "1 thread"] [--output FILE]

Measures single texts of several lengths, batches of several sizes, and one sentence beside busy
processes, each in a process of its own per case: torch's threads, the CPU that oneDNN and the
kernels may assume, our products in bfloat16, with and without the kernels. The first pipeline is
ours; ratios are to the last one named. Run from the root of the checkout on a machine that does
nothing else. Cases that are not measured keep their figures, where they are of the same machine.
"""

import argparse
import gc
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import spacy
import torch
from spacy.tokens import Doc, DocBin

from spacy_elmo_ner.comparison.pipelines import LoadedPipeline

from .cells import cells
from .output import machine, write
from .pipeline_speed import load_pipelines, with_precision

CASES: dict[str, dict[str, str]] = {
    "2 threads": {"OMP_NUM_THREADS": "2"},
    "1 thread": {"OMP_NUM_THREADS": "1"},
    "2 threads, bf16": {"OMP_NUM_THREADS": "2"},
    "1 thread, bf16": {"OMP_NUM_THREADS": "1"},
    "1 thread, AVX2": {"OMP_NUM_THREADS": "1", "ONEDNN_MAX_CPU_ISA": "AVX2"},
    "2 threads, without kernels": {"OMP_NUM_THREADS": "2"},
}
WORDS = (1, 12, 40, 200)  # in a single text
BATCHES = (1, 8, 32, 256)
BUSY = (0, 2, 4)  # processes
BUSY_WORDS = 12
CALLS = 100
BATCH_WORDS = 12_000  # per repeat
REPEATS = 3


def calls(pipelines: Sequence[LoadedPipeline], texts: Sequence[Sequence[str]]) -> list[Any]:
    """Call pipelines in turns on each text; milliseconds per pipeline: median, 99 %, longest."""
    milliseconds: list[list[float]] = [[] for _ in pipelines]
    for words in (*texts[:20], *texts):  # the first ones only warm up
        for pipeline, taken in zip(pipelines, milliseconds, strict=True):
            doc = Doc(pipeline.nlp.vocab, words=list(words))
            start = time.perf_counter()
            pipeline.nlp(doc)
            taken.append(1000 * (time.perf_counter() - start))
    rows = []
    for pipeline, taken in zip(pipelines, milliseconds, strict=True):
        counted = taken[20:]
        rows.append(
            {
                "pipeline": pipeline.name,
                "p50": statistics.median(counted),
                "p99": statistics.quantiles(counted, n=100)[98],
                "longest": max(counted),
            }
        )
    return rows


def batches(pipelines: Sequence[LoadedPipeline], texts: Sequence[Sequence[str]], size: int) -> Any:
    """Words per second of `nlp.pipe`, in turns, median of repeats."""
    n_words = sum(map(len, texts))
    rates: list[list[float]] = [[] for _ in pipelines]
    for _ in range(REPEATS + 1):
        for pipeline, found in zip(pipelines, rates, strict=True):
            docs = [Doc(pipeline.nlp.vocab, words=list(words)) for words in texts]
            start = time.perf_counter()
            for _ in pipeline.nlp.pipe(docs, batch_size=size):
                pass
            found.append(n_words / (time.perf_counter() - start))
    return [
        {"pipeline": pipeline.name, "words_per_second": statistics.median(found[1:])}
        for pipeline, found in zip(pipelines, rates, strict=True)
    ]


@contextmanager
def busy(n: int) -> Iterator[None]:
    """Keep n processes busy that do nothing useful."""
    others = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(n)]
    try:
        time.sleep(0.5 if n else 0)
        yield
    finally:
        for other in others:
            other.kill()
            other.wait()


def measure(sources: Sequence[str], corpus: Path, precision: str) -> dict[str, Any]:
    """Measure one case in this process; precision: of our own pipeline."""
    pipelines = load_pipelines(sources)
    ours = pipelines[0]
    if precision != "exact":
        pipelines[0] = replace(with_precision(ours, precision), name=ours.name)
    for pipeline in pipelines:
        pipeline.nlp.select_pipes(enable=pipeline.components)
    # A search for garbage in all that both have loaded takes 0.3 s, of whichever is called then.
    gc.collect()
    gc.freeze()
    words = [
        token.text
        for doc in DocBin().from_disk(corpus).get_docs(spacy.blank("en").vocab)
        for token in doc
    ]

    def cut(n_words: int, n_texts: int) -> list[list[str]]:
        return [words[i * n_words :][:n_words] for i in range(min(n_texts, len(words) // n_words))]

    single = [{"words": n, "systems": calls(pipelines, cut(n, CALLS))} for n in WORDS]
    of_batches = [
        {"batch": size, "systems": batches(pipelines, cut(20, BATCH_WORDS // 20), size)}
        for size in BATCHES
    ]
    beside = []
    for n in BUSY:
        with busy(n):
            beside.append({"busy": n, "systems": calls(pipelines, cut(BUSY_WORDS, CALLS))})
    return {"single": single, "batches": of_batches, "beside": beside}


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("pipelines", nargs="+", metavar="[NAME=]PIPELINE")
    parser.add_argument("--corpus", type=Path, required=True, help="a .spacy file")
    parser.add_argument("--cases", nargs="+", choices=CASES, default=list(CASES))
    parser.add_argument("--output", type=Path, default=Path("benchmarks/results/latency.json"))
    parser.add_argument("--one", choices=CASES, help="measure this case here and print it")
    args = parser.parse_args()
    if args.one:
        torch.set_num_threads(int(os.environ["OMP_NUM_THREADS"]))
        with cells(compiled="without" not in args.one):
            precision = "bf16" if "bf16" in args.one else "exact"
            print(json.dumps(measure(args.pipelines, args.corpus, precision)))
        return
    command = [sys.executable, "-m", "benchmarks.latency", *args.pipelines, "--corpus"]
    about = {"corpus": args.corpus.name, "machine": machine(os.cpu_count() or 1)}
    before = json.loads(args.output.read_text("utf8")) if args.output.exists() else {}
    same = {key: before.get(key) for key in about} == about
    found = before["cases"] if same else {}
    for case in args.cases:
        done = subprocess.run(
            [*command, str(args.corpus), "--one", case],
            env={**os.environ, **CASES[case]},
            stdout=subprocess.PIPE,
            text=True,
            check=True,
        )
        found[case] = json.loads(done.stdout.splitlines()[-1])
        print(f"{case}: done", flush=True)
    ordered = {case: found[case] for case in CASES if case in found}
    write(args.output, {**about, "cases": ordered})


if __name__ == "__main__":
    main()
