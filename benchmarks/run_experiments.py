"""Train the same pipeline in several ways and with several seeds, and compare them on dev.

    python -m benchmarks.run_experiments benchmarks/experiments/ablation.json [--seeds 0,1,2]
        [--folder training/experiments] [--only NAME] [--report]

Run from the root of the checkout. Each experiment of the file changes settings of its config. What
is trained already is not trained again, so a run that was stopped goes on. The results are written
beside the file's own name, to benchmarks/results/NAME.json, with all scores from dev; the test
parts are never read. With --report nothing is trained: what is there is summed up.
"""

import argparse
import json
import statistics
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from spacy_elmo_ner.comparison.render import markdown_table
from spacy_elmo_ner.comparison.tables import Table, spread

from .output import write

SCORES = ("ents_f", "tag_acc")
DONE = "experiment.json"


@dataclass(frozen=True)
class Run:
    """One training, on share percent of the train part.

    overrides: settings of the config, by their dotted names.
    """

    experiment: str
    seed: int
    config: str
    corpus: str
    overrides: Mapping[str, Any]
    share: float = 100

    def folder(self, base: Path) -> Path:
        return base / self.experiment.replace(" ", "-") / f"seed-{self.seed}"

    @property
    def command(self) -> list[str]:
        settings = {"training.seed": self.seed, "system.seed": self.seed, **self.overrides}
        words = [sys.executable, "-m", "spacy", "elmo", "train", self.config]
        words += ["--corpus", self.corpus]
        if self.share != 100:
            words += ["--share", f"{self.share:g}"]
        for name, value in settings.items():
            words += [f"--{name}", value if isinstance(value, str) else json.dumps(value)]
        return words


def train(run: Run, base: Path) -> None:
    """Train unless this very run is there already; its log stands beside the pipelines."""
    folder = run.folder(base)
    made_from = asdict(run) | {"config_text": Path(run.config).read_text(encoding="utf8")}
    done = folder / DONE
    if done.is_file():
        if json.loads(done.read_text(encoding="utf8"))["made_from"] == made_from:
            return
        raise SystemExit(f"{folder} was made from other settings. Delete it, or use --folder.")
    folder.mkdir(parents=True, exist_ok=True)
    start = time.monotonic()
    with (folder / "log.txt").open("w", encoding="utf8") as log:
        command = [*run.command, "--output", str(folder)]
        subprocess.run(command, stdout=log, stderr=subprocess.STDOUT, check=True)
    minutes = (time.monotonic() - start) / 60
    text = json.dumps({"made_from": made_from, "minutes": minutes}, indent=1)
    done.write_text(text, encoding="utf8")


def collect(runs: list[Run], base: Path) -> list[dict[str, Any]]:
    """One row an experiment with the scores of its seeds on dev, as fractions."""
    rows: dict[str, dict[str, Any]] = {}
    for run in runs:
        folder = run.folder(base)
        if not (folder / DONE).is_file():
            continue
        meta = json.loads((folder / "model-best" / "meta.json").read_text(encoding="utf8"))
        done = json.loads((folder / DONE).read_text(encoding="utf8"))
        row = rows.setdefault(run.experiment, {"experiment": run.experiment, "seeds": []})
        row["seeds"].append(run.seed)
        for name in SCORES:
            if name in meta["performance"]:
                row.setdefault(name, []).append(meta["performance"][name])
        row.setdefault("minutes", []).append(done["minutes"])
    return list(rows.values())


def table(title: str, rows: list[dict[str, Any]]) -> str:
    """The rows in Markdown: mean and standard deviation over seeds, in percent."""
    cells = [
        [
            row["experiment"],
            f"{len(row['seeds'])}",
            *(spread(row.get(name, ())) for name in SCORES),
            f"{statistics.mean(row['minutes']):.0f}",
        ]
        for row in rows
    ]
    header = ["", "seeds", "entity F1", "tag accuracy", "minutes"]
    return f"### {title}\n\n{markdown_table(Table(title, header, cells))}\n"


def read_plan(path: Path, seeds: list[int]) -> tuple[str, list[Run]]:
    """The file's title and its runs, seed after seed, so that all have one before any has two.

    An experiment may name a "config", a "corpus" or a "share" of its own among its settings.
    """
    plan = json.loads(path.read_text(encoding="utf8"))
    runs = []
    for seed in seeds:
        for name, settings in plan["experiments"].items():
            settings = plan["base"] | settings
            config, corpus = settings.pop("config"), settings.pop("corpus", plan["corpus"])
            share = settings.pop("share", 100)
            runs.append(Run(name, seed, config, corpus, settings, share))
    return plan["title"], runs


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("plan", type=Path)
    parser.add_argument("--seeds", default="0,1,2")
    parser.add_argument("--folder", type=Path, default=Path("training/experiments"))
    parser.add_argument("--only", action="append", help="run this experiment; may be given again")
    parser.add_argument("--report", action="store_true", help="train nothing")
    args = parser.parse_args()
    title, runs = read_plan(args.plan, [int(seed) for seed in args.seeds.split(",")])
    base = args.folder / args.plan.stem
    for run in runs:
        if not args.report and (args.only is None or run.experiment in args.only):
            print(f"{run.experiment}, seed {run.seed}", flush=True)
            train(run, base)
    rows = collect(runs, base)
    output = Path("benchmarks/results") / f"{args.plan.stem}.json"
    if rows:
        write(output, {"title": title, "rows": rows})
        print(table(title, rows))


if __name__ == "__main__":
    main()
