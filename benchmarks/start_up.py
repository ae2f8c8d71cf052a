"""Seconds from the start of a process to the first annotated sentence, in turns with others.

    python -m benchmarks.start_up ours=assets/pipelines/en_elmo_gmb_sm en_core_web_sm \\
        [--runs 9] [--output benchmarks/results/start-up.json]

Each run is a new Python that imports spaCy, loads a pipeline and calls it once. spaCy also imports
what other installed packages add to it, so this belongs into an environment without them. The
first round only fills the file cache.
"""

import argparse
import statistics
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import torch

from .output import machine, write
from .pipeline_speed import load_pipelines

PROGRAM = "import sys, spacy; spacy.load(sys.argv[1])('Angela Merkel visited Paris.')"


def seconds(pipeline: str) -> float:
    start = time.perf_counter()
    subprocess.run([sys.executable, "-c", PROGRAM, pipeline], check=True)
    return time.perf_counter() - start


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("pipelines", nargs="+", metavar="[NAME=]PIPELINE")
    parser.add_argument("--runs", type=int, default=9)
    parser.add_argument("--output", type=Path, default=Path("benchmarks/results/start-up.json"))
    options = parser.parse_args(arguments)
    sources = {each.name: each.source for each in load_pipelines(options.pipelines)}
    taken: dict[str, list[float]] = {name: [] for name in sources}
    for _ in range(options.runs + 1):
        for name, source in sources.items():
            taken[name].append(seconds(source))
    found = {name: statistics.median(values[1:]) for name, values in taken.items()}
    write(options.output, {"machine": machine(torch.get_num_threads()), "seconds": found})


if __name__ == "__main__":
    main()
