"""Measure speed, memory and size of pipelines, and describe the machine.

Timed repeats are interleaved (A B C A B C ...), each after a warm-up, on Docs that carry only
words, so that no pipeline gets the quieter minute. Each repeat gets different text if there is
enough of it: a pipeline that keeps the vectors of words it has seen would otherwise be timed on
its memory.
"""

import gc
import json
import os
import platform
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from statistics import median

import torch
from spacy.tokens import Doc

from ..corpus.docs import blank_copy
from .pipelines import LoadedPipeline, size_on_disk, weights_kept_elsewhere
from .results import PipelineInfo, Speed

# Fewer words than this per repeat say more about the clock than about the pipeline.
MIN_WORDS_PER_REPEAT = 2000

TIMEOUT = 600  # seconds for a process that loads and runs one pipeline

PACKAGES = ("spacy-elmo-ner", "spacy", "thinc", "torch", "seqeval", "nervaluate")


# ---- words per second -----------------------------------------------------------------------


def time_pipelines(
    pipelines: Sequence[LoadedPipeline],
    docs: Sequence[Doc],
    repeats: int,
    max_words: int,
    step: Callable[[], object],
) -> dict[str, Speed]:
    """Time every pipeline ``repeats`` times on at most ``max_words`` words per repeat.

    ``step`` is called after each timed run and each warm-up: (repeats + 1) * len(pipelines) times.
    """
    slices, fresh = text_slices(docs, repeats + 1, max_words)
    rates: dict[str, list[float]] = {pipeline.name: [] for pipeline in pipelines}
    for repeat, part in enumerate(slices):
        n_words = sum(len(doc) for doc in part)
        for pipeline in pipelines:
            seconds = _run(pipeline, part)
            if repeat > 0:  # the first round is the warm-up
                rates[pipeline.name].append(n_words / seconds)
            step()
    timed_words = [sum(len(doc) for doc in part) for part in slices[1:]]
    words_per_repeat = round(sum(timed_words) / len(timed_words))
    return {
        name: Speed(median(values), min(values), max(values), values, words_per_repeat, fresh)
        for name, values in rates.items()
    }


def text_slices(docs: Sequence[Doc], n: int, max_words: int) -> tuple[list[list[Doc]], bool]:
    """Cut the start of the text into n parts of about ``max_words`` words each, or fewer.

    If the parts would be too small to time, each is the same text from the start; the flag says
    whether each part has different text.
    """
    total = sum(len(doc) for doc in docs)
    size = min(max_words, total // n)
    fresh = size >= min(MIN_WORDS_PER_REPEAT, max_words)
    slices: list[list[Doc]] = []
    start = 0
    for _ in range(n):
        words, end = 0, start
        while end < len(docs) and (words < size if fresh else words < max_words):
            words += len(docs[end])
            end += 1
        slices.append(list(docs[start:end]))
        start = end if fresh else 0
    # Long Docs may use up the text early; a part without words cannot be timed.
    if not all(any(len(doc) for doc in part) for part in slices):
        return [slices[0]] * n, False
    return slices, fresh


def _run(pipeline: LoadedPipeline, docs: Sequence[Doc]) -> float:
    copies = [blank_copy(doc, pipeline.nlp.vocab) for doc in docs]
    with pipeline.nlp.select_pipes(enable=pipeline.components):
        gc.collect()
        start = time.perf_counter()
        for _ in pipeline.nlp.pipe(copies):
            pass
        return time.perf_counter() - start


# ---- time to load and memory ----------------------------------------------------------------

# Linux starts ru_maxrss at what the parent held when it forked; VmHWM is of this process alone.
_ALONE = """
import json, sys, time
import spacy
from spacy.tokens import Doc
start = time.perf_counter()
nlp = spacy.load(sys.argv[1])
with nlp.select_pipes(enable=sys.argv[2:]):
    nlp("word")
    seconds = time.perf_counter() - start
    for _ in nlp.pipe(Doc(nlp.vocab, words=words) for words in json.load(sys.stdin)):
        pass
peak = None
if sys.platform == "linux":
    with open("/proc/self/status") as lines:
        (peak,) = [int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM")]
elif sys.platform == "darwin":
    import resource
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
print(json.dumps([seconds, peak]))
"""


@dataclass(frozen=True)
class LoadCost:
    """Holds seconds to the first annotated word, and peak memory in bytes (None on Windows)."""

    seconds: float
    peak_bytes: int | None


def measure_alone(
    source: str, components: Sequence[str], docs: Sequence[Doc], max_words: int
) -> LoadCost:
    """Load a pipeline in a fresh process, annotate one word, then about ``max_words`` words.

    The process is fresh because imports and weights already in memory would favour the pipelines
    loaded later; time ends at the first word because some weights are read only then. Raises
    RuntimeError with the process's last line if it fails.
    """
    texts: list[list[str]] = []
    n_words = 0
    for doc in docs:
        if n_words >= max_words:
            break
        texts.append([token.text for token in doc])
        n_words += len(doc)
    run = subprocess.run(
        [sys.executable, "-c", _ALONE, source, *components],
        input=json.dumps(texts),
        capture_output=True,
        text=True,
        timeout=TIMEOUT,
        check=False,
    )
    if run.returncode != 0:
        raise RuntimeError((run.stderr.strip().splitlines() or ["no message"])[-1])
    seconds, peak = json.loads(run.stdout.strip().splitlines()[-1])
    return LoadCost(seconds, peak)


# ---- pipelines and the machine --------------------------------------------------------------


def describe_pipeline(
    pipeline: LoadedPipeline,
    speed: Speed | None,
    label_map: str | None,
    measure: Callable[[], LoadCost],
) -> PipelineInfo:
    """Describe package, components, size and speed; ``measure`` is called if speed was measured."""
    nlp = pipeline.nlp
    notes = []
    if not pipeline.entity_components:
        notes.append("no component sets entities: no NER scores")
    if not pipeline.tag_components:
        notes.append("no component sets tags: no tag scores")
    cost = None
    if speed is not None:
        try:
            cost = measure()
        except (RuntimeError, subprocess.TimeoutExpired) as error:
            notes.append(f"time to load and memory not measured: {error}")
    return PipelineInfo(
        name=pipeline.name,
        source=pipeline.source,
        package=f"{nlp.meta['lang']}_{nlp.meta['name']}",
        version=nlp.meta["version"],
        components=pipeline.components,
        disabled=pipeline.disabled,
        size_bytes=size_on_disk(nlp),
        shared_weights_bytes=weights_kept_elsewhere(nlp, pipeline.components),
        label_map=label_map,
        load_seconds=cost.seconds if cost else None,
        peak_memory_bytes=cost.peak_bytes if cost else None,
        speed=speed,
        notes=notes,
    )


def describe_environment() -> dict[str, str]:
    """List versions, processor and threads: what a reader needs to judge the speeds."""
    facts = {
        "python": platform.python_version(),
        "machine": platform.machine(),
        "cpus": str(os.cpu_count()),
        "torch_threads": str(torch.get_num_threads()),
    }
    for package in PACKAGES:
        try:
            facts[package] = version(package)
        except PackageNotFoundError:
            facts[package] = "not installed as a package"
    return facts
