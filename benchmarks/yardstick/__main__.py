"""Train every system of a plan on every corpus, and score it on dev as it is and in other case.

    python -m benchmarks.yardstick [PLAN] [--corpora politics,gmb-2] [--systems "head + biLM"]
        [--seeds 0,1,2] [--bilm small-en] [--vectors FOLDER] [--results FILE] [--lock FILE]
        [--test]

Run from the root of the checkout, after `python -m spacy elmo corpus` and `python -m
benchmarks.fields FOLDER`. Seeds come in turns. A run that is in the results already is not run
again, so that a stopped plan continues. The test parts are read with --test alone, which is for
the systems that are released: whatever is chosen is chosen on dev.
"""

import argparse
from pathlib import Path

import torch

from .plan import read_plan
from .results import ResultsFile
from .runner import Runner
from .score import CASES

PLAN = Path("benchmarks/experiments/yardstick.json")


def names(value: str) -> list[str]:
    return [name.strip() for name in value.split(",") if name.strip()]


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("plan", type=Path, nargs="?", default=PLAN)
    parser.add_argument("--corpora", type=names, default=[])
    parser.add_argument(
        "--systems", action="append", default=[], help="run this one; may be given again"
    )
    parser.add_argument("--seeds", type=names, default=["0", "1", "2"])
    parser.add_argument("--bilm", default="small-en", help="a biLM by name, or its folder")
    parser.add_argument("--vectors", help="folder of spaCy vectors")
    parser.add_argument("--cases", type=names, default=list(CASES), help="of the dev text")
    parser.add_argument("--test", action="store_true", help="score the test parts")
    parser.add_argument("--results", type=Path)
    parser.add_argument("--work", type=Path, default=Path("training/yardstick"))
    parser.add_argument("--lock", type=Path, help="a file to lock during each run")
    args = parser.parse_args()
    torch.set_num_threads(1)
    plan = read_plan(args.plan)
    name = f"{args.plan.stem}-test.json" if args.test else f"{args.plan.stem}.json"
    output = args.results or Path("benchmarks/results") / name
    results = ResultsFile(output, plan.heading)
    runner = Runner(args.work, args.bilm, args.vectors, args.lock, args.cases, args.test)
    for run in plan.runs([int(seed) for seed in args.seeds], args.corpora, args.systems):
        row = runner.run(run, results)
        print(f"  {row.corpus}, {row.system}: {100 * row.scores['clean']:.2f}", flush=True)


if __name__ == "__main__":
    main()
