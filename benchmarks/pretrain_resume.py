"""kill -9 in mid-run, at random points, then --resume: is the loss curve the uninterrupted run's?

    python -m benchmarks.pretrain_resume CONFIG [--kills 3] [--seed 0] [--folder FOLDER]

Two runs of the config: one undisturbed, one killed and resumed. Ends with status 1 unless every
loss, gradient norm and held-out perplexity and the final weights are equal to the last bit. Choose
a config of a few minutes with a small checkpoint_every.
"""

import argparse
import random
import shutil
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from .pretrain_run import finish, rows, start


def killed_run(config: Path, output: Path, kills: int, n_steps: int, seed: int) -> list[int]:
    """Let a run be killed at random points and go on, to its end; the steps it had logged then.

    n_steps: of the whole run. A kill falls anywhere in the step after the one drawn, also into the
    writing of a checkpoint.
    """
    rng = random.Random(seed)
    killed_at = []
    for target in sorted(rng.sample(range(n_steps - 1), kills)):
        run = start(config, output, resume=bool(killed_at))
        while run.poll() is None and len(rows(output)) < target:
            time.sleep(0.002)
        time.sleep(rng.random() * _step_seconds(output))
        run.kill()
        run.wait()
        killed_at.append(len(rows(output)))
    finish(start(config, output, resume=True), output)
    return killed_at


def differences(whole: Path, killed: Path) -> list[str]:
    """What differs between two finished runs, leaving out how long anything took."""
    found = []
    pairs = list(zip(_without_times(whole), _without_times(killed), strict=False))
    found += [f"step {a['step']}: {a} and {b}" for a, b in pairs if a != b]
    if len(rows(whole)) != len(rows(killed)):
        found.append(f"{len(rows(whole))} and {len(rows(killed))} steps")
    for name in ("weights.safetensors", "softmax.safetensors", "vocabulary.txt"):
        if (whole / name).read_bytes() != (killed / name).read_bytes():
            found.append(f"{name} differs")
    return found


def _without_times(output: Path) -> list[dict[str, Any]]:
    return [{k: v for k, v in row.items() if k != "seconds"} for row in rows(output)]


def _step_seconds(output: Path) -> float:
    found = rows(output)
    return float(found[-1]["seconds"]) / len(found) if found else 1.0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("config", type=Path)
    parser.add_argument("--kills", type=int, default=3)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--folder", type=Path, help="kept; default: a temporary one")
    args = parser.parse_args()
    folder = args.folder or Path(tempfile.mkdtemp())
    whole, killed = folder / "whole", folder / "killed"
    finish(start(args.config, whole), whole)
    n_steps = len(rows(whole))
    at = killed_run(args.config, killed, args.kills, n_steps, args.seed)
    found = differences(whole, killed)
    print(f"{n_steps} steps, killed when {', '.join(map(str, at))} of them were logged")
    print(f"last loss {rows(whole)[-1]['loss']} undisturbed, {rows(killed)[-1]['loss']} killed")
    print("\n".join(found) or "Every row and the weights are equal to the last bit.")
    if not args.folder:
        shutil.rmtree(folder)
    sys.exit(bool(found))


if __name__ == "__main__":
    main()
