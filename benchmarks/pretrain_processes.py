"""One process against several under torchrun, with as many tokens a step in all.

    python -m benchmarks.pretrain_processes CONFIG [--processes 1,2] [--threads 2]
        [--folder FOLDER] [--output benchmarks/results/pretrain-processes.json]

Every run gets all threads, shared among its processes. Prints losses, each a mean over a tenth of
the tokens, and tokens a second without the first tenth. Run on a machine that does nothing else.
"""

import argparse
import shutil
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from spacy.util import load_config

from .output import machine, write
from .pretrain_run import changed_config, finish, rows, start

TENTHS = (1, 2, 5, 10)


@dataclass(frozen=True)
class Result:
    """losses: mean loss of the 1st, 2nd, 5th and 10th tenth; perplexity: held out, at the end."""

    processes: int
    threads_each: int
    batch_tokens_each: int
    n_steps: int
    n_tokens: int
    tokens_per_second: float
    losses: dict[int, float]
    perplexity: tuple[float, float] | None


def measure(config: Path, folder: Path, processes: int, threads: int) -> Result:
    in_all = load_config(config, interpolate=True)["training"]["batch_tokens"]
    each = in_all // processes
    changed = changed_config(config, folder / f"{processes}.cfg", batch_tokens=each)
    output = folder / str(processes)
    threads_each = max(1, threads // processes)
    finish(start(changed, output, processes=processes, threads=threads_each), output)
    found = rows(output)
    tokens = np.array([row["n_tokens"] for row in found])
    losses = np.array([row["loss"] for row in found])
    tenth = np.minimum(10, 1 + 10 * tokens // (tokens[-1] + 1))
    later = found[int((tenth == 1).sum()) - 1]
    seconds = found[-1]["seconds"] - later["seconds"]
    last = found[-1]
    return Result(
        processes,
        threads_each,
        each,
        len(found),
        int(tokens[-1]),
        (last["n_tokens"] - later["n_tokens"]) / max(seconds, 1e-9),
        {number: float(losses[tenth == number].mean()) for number in TENTHS},
        (last["forward"], last["backward"]) if "forward" in last else None,
    )


def table(results: list[Result]) -> str:
    lines = ["| processes | threads | tokens a step | tokens/s | loss, tenths 1, 2, 5, 10 | ppl |"]
    lines.append("|---|---|---|---|---|---|")
    for each in results:
        losses = " ".join(f"{loss:.3f}" for loss in each.losses.values())
        perplexity = "/".join(f"{value:.1f}" for value in each.perplexity or ())
        lines.append(
            f"| {each.processes} | {each.threads_each} each | {each.batch_tokens_each} each | "
            f"{each.tokens_per_second:,.0f} | {losses} | {perplexity} |"
        )
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("config", type=Path)
    parser.add_argument("--processes", default="1,2")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--folder", type=Path, help="kept; default: a temporary one")
    parser.add_argument(
        "--output", type=Path, default=Path("benchmarks/results/pretrain-processes.json")
    )
    args = parser.parse_args()
    folder = args.folder or Path(tempfile.mkdtemp())
    numbers = [int(number) for number in args.processes.split(",")]
    results = [measure(args.config, folder, number, args.threads) for number in numbers]
    print(table(results))
    data = {
        "config": str(args.config),
        "machine": machine(args.threads),
        "results": [asdict(each) for each in results],
    }
    write(args.output, data)
    if not args.folder:
        shutil.rmtree(folder)


if __name__ == "__main__":
    main()
