"""Whole pipelines in turns on the same texts: words per second, latency, and what they depend on.

    python -m benchmarks.pipeline_speed ours=training/elmo/model-best \\
        spacy-cnn=training/tok2vec/model-best en_core_web_sm --corpus corpus/dev.spacy \\
        [--compiled --output benchmarks/results/pipelines-compiled.json]

Run from the root of the checkout, on a machine that does nothing else. The first pipeline is ours:
it is also run with products in bfloat16, on texts of other lengths, and with other settings. With
--compiled its LSTMs run in the compiled kernels, else on torch alone. Rates are medians of
interleaved repeats on text that is new to the pipeline; ratios are to `--reference`, and only they
can be compared between machines.
"""

import argparse
import platform
import statistics
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import spacy
import torch
from spacy.tokens import Doc, DocBin
from spacy.training import Example
from spacy.util import load_config
from tqdm import tqdm

from spacy_elmo_ner.comparison.pipelines import LoadedPipeline, load_pipeline
from spacy_elmo_ner.comparison.speed import time_pipelines
from spacy_elmo_ner.corpus.docs import blank_copy

from .cells import cells
from .output import machine, write

LENGTHS = (10, 100, 1_000, 10_000, 100_000)  # words in a text
BATCHES = (1, 8, 32, 128, 256, 1024)  # texts in a batch
SHORT = range(5, 16)  # words of a short sentence
HAVE_PRECISION = ("spacy_elmo_ner.BiLM.v1", "spacy_elmo_ner.ResidualBiLSTM.v1")


def load_pipelines(arguments: Sequence[str]) -> list[LoadedPipeline]:
    """Load what is named on the command line, each as [NAME=]PIPELINE."""
    named = [each.rpartition("=") for each in arguments]
    return [load_pipeline(name or source, source) for name, _, source in named]


def with_precision(pipeline: LoadedPipeline, precision: str) -> LoadedPipeline:
    """The same pipeline from the same folder, with all its products in another precision."""
    config = load_config(Path(pipeline.source) / "config.cfg")
    overrides = {f"{section}.precision": precision for section in _sections(config)}
    nlp = spacy.load(pipeline.source, config=overrides)
    return replace(pipeline, name=f"{pipeline.name}, {precision}", nlp=nlp)


def _sections(config: dict[str, Any], path: str = "") -> Iterator[str]:
    if config.get("@architectures") in HAVE_PRECISION:
        yield path
    for name, value in config.items():
        if isinstance(value, dict):
            yield from _sections(value, f"{path}.{name}".lstrip("."))


def throughput(
    pipelines: Sequence[LoadedPipeline], docs: Sequence[Doc], repeats: int, reference: str
) -> list[dict[str, Any]]:
    with tqdm(desc="words per second", total=(repeats + 1) * len(pipelines)) as bar:
        speeds = time_pipelines(pipelines, docs, repeats, 20_000, bar.update)
    return [
        {"pipeline": name, **asdict(speed), "ratio": speed.median / speeds[reference].median}
        for name, speed in speeds.items()
    ]


def latency(pipelines: Sequence[LoadedPipeline], docs: Sequence[Doc]) -> list[dict[str, Any]]:
    """Milliseconds of one short sentence at a time, pipelines in turns; words mostly seen before
    in the second half, as for a server that has run a while: that half counts."""
    short = [doc for doc in docs if len(doc) in SHORT][:400]
    seconds: dict[str, list[float]] = {each.name: [] for each in pipelines}
    for doc in tqdm(short, desc="latency"):
        for each in pipelines:
            copy = blank_copy(doc, each.nlp.vocab)
            with each.nlp.select_pipes(enable=each.components):
                start = time.perf_counter()
                each.nlp(copy)
                seconds[each.name].append(time.perf_counter() - start)
    rows = []
    for name, values in seconds.items():
        of_half = [1000 * value for value in values[len(values) // 2 :]]
        cuts = statistics.quantiles(of_half, n=100)
        rows.append({"pipeline": name, "n": len(of_half), "p50_ms": cuts[49], "p99_ms": cuts[98]})
    return rows


def lengths(pipeline: LoadedPipeline, docs: Sequence[Doc], repeats: int) -> list[dict[str, Any]]:
    """Words per second on the same words, cut into texts of other lengths."""
    words = [token.text for doc in docs for token in doc]
    words = (words * (1 + LENGTHS[-1] // len(words)))[: LENGTHS[-1]]
    rates: dict[int, list[float]] = {n: [] for n in LENGTHS}
    for _ in tqdm(range(repeats), desc="length of texts"):
        for n in LENGTHS:
            cut = [words[i : i + n] for i in range(0, len(words), n)]
            rates[n].append(len(words) / _seconds(pipeline, cut))
    return [{"words": n, "median": statistics.median(each)} for n, each in rates.items()]


def settings(pipeline: LoadedPipeline, docs: Sequence[Doc], repeats: int) -> list[dict[str, Any]]:
    """Words per second by batch size, torch threads and processes."""
    texts = [[token.text for token in doc] for doc in docs][:1500]
    n_words = sum(map(len, texts))
    before = torch.get_num_threads()
    cases = [{"batch_size": n, "threads": before, "n_process": 1} for n in BATCHES]
    cases += [{"batch_size": 256, "threads": 1, "n_process": n} for n in (1, 2)]
    rates: list[list[float]] = [[] for _ in cases]
    for _ in tqdm(range(repeats), desc="settings"):
        for case, found in zip(cases, rates, strict=True):
            torch.set_num_threads(case["threads"])
            options = {name: case[name] for name in ("batch_size", "n_process")}
            found.append(n_words / _seconds(pipeline, texts, **options))
    torch.set_num_threads(before)
    return [
        {**case, "median": statistics.median(each)} for case, each in zip(cases, rates, strict=True)
    ]


def accuracy(pipeline: LoadedPipeline, docs: Sequence[Doc]) -> dict[str, float]:
    """Entity F1 and tag accuracy by spaCy's own scorer, fractions."""
    nlp = pipeline.nlp
    examples = [Example(blank_copy(doc, nlp.vocab), doc) for doc in docs]
    with nlp.select_pipes(enable=pipeline.components):
        scores = nlp.evaluate(examples)
    return {name: scores[name] for name in ("ents_f", "tag_acc") if scores.get(name) is not None}


def _seconds(pipeline: LoadedPipeline, texts: Sequence[Sequence[str]], **options: Any) -> float:
    nlp = pipeline.nlp
    docs = [Doc(nlp.vocab, words=list(words)) for words in texts]
    with nlp.select_pipes(enable=pipeline.components):
        start = time.perf_counter()
        for _ in nlp.pipe(docs, **options):
            pass
        return time.perf_counter() - start


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("pipelines", nargs="+", metavar="[NAME=]PIPELINE")
    parser.add_argument("--corpus", type=Path, required=True, help="annotated .spacy file")
    parser.add_argument("--reference", default="en_core_web_sm", help="what ratios are to")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--repeats", type=int, default=4)
    parser.add_argument("--output", type=Path, default=Path("benchmarks/results/pipelines.json"))
    parser.add_argument("--compiled", action="store_true", help="with the compiled kernels")
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    with cells(compiled=args.compiled):
        write(args.output, measure(args))


def measure(args: argparse.Namespace) -> dict[str, Any]:
    docs = list(DocBin().from_disk(args.corpus).get_docs(spacy.blank("en").vocab))
    ours, *others = load_pipelines(args.pipelines)
    fast = with_precision(ours, "bf16")
    pipelines = [ours, fast, *others]
    return {
        "corpus": args.corpus.name,
        "compiled": args.compiled,
        "machine": {
            **machine(args.threads),
            "python": platform.python_version(),
            "torch": torch.__version__,
            "spacy": spacy.__version__,
        },
        "reference": args.reference,
        "throughput": throughput(pipelines, docs, args.repeats, args.reference),
        "accuracy": {each.name: accuracy(each, docs) for each in (ours, fast)},
        "latency": latency(pipelines, docs),
        "lengths": lengths(ours, docs, args.repeats),
        "settings": settings(ours, docs, args.repeats),
    }


if __name__ == "__main__":
    main()
