"""benchmarks/run_experiments.py: which runs a plan holds, what they are told, what is summed up."""

import json
from pathlib import Path

import pytest

from benchmarks import run_experiments
from benchmarks.run_experiments import Run, collect, read_plan, table, train

ROOT = Path(__file__).parents[1]
# Those of the yardstick have a form of their own: tests/test_yardstick.py.
PLANS = [
    path
    for path in sorted((ROOT / "benchmarks" / "experiments").glob("*.json"))
    if "experiments" in json.loads(path.read_text(encoding="utf8"))
]


def finish(run: Run, base: Path, ents_f: float) -> None:
    """What a training that has ended leaves."""
    best = run.folder(base) / "model-best"
    best.mkdir(parents=True)
    meta = {"performance": {"ents_f": ents_f, "tag_acc": 0.98}}
    (best / "meta.json").write_text(json.dumps(meta), encoding="utf8")


@pytest.mark.parametrize("path", PLANS, ids=lambda path: path.stem)
def test_plans_change_settings_that_their_configs_have(path: Path) -> None:
    _, runs = read_plan(path, [0])
    assert runs
    for run in runs:
        text = (ROOT / run.config).read_text(encoding="utf8")
        for name in run.overrides:
            if f"[{name}]" in text:  # a block, replaced as a whole
                continue
            section, _, key = name.rpartition(".")
            assert f"[{section}]" in text, name
            assert f"\n{key} = " in text.partition(f"[{section}]")[2].partition("\n[")[0], name


def test_seeds_come_in_turns(tmp_path: Path) -> None:
    plan = {
        "title": "t",
        "corpus": "corpus",
        "base": {"config": "a.cfg"},
        "experiments": {"one": {}, "two": {"config": "b.cfg", "training.max_steps": 5}},
    }
    path = tmp_path / "plan.json"
    path.write_text(json.dumps(plan), encoding="utf8")
    _, runs = read_plan(path, [0, 1])
    assert [(run.experiment, run.seed) for run in runs] == [
        ("one", 0),
        ("two", 0),
        ("one", 1),
        ("two", 1),
    ]
    assert runs[1].command[3:] == [
        *("elmo", "train", "b.cfg", "--corpus", "corpus"),
        *("--training.seed", "0", "--system.seed", "0", "--training.max_steps", "5"),
    ]


def test_a_run_that_is_there_is_not_run_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = tmp_path / "a.cfg"
    config.write_text("[training]", encoding="utf8")
    run = Run("one", 0, str(config), "corpus", {})
    calls: list[list[str]] = []
    monkeypatch.setattr(
        run_experiments.subprocess, "run", lambda command, **_: calls.append(command)
    )
    for _ in range(2):
        train(run, tmp_path)
    assert len(calls) == 1
    config.write_text("[training]\nseed = 1", encoding="utf8")
    with pytest.raises(SystemExit, match="other settings"):
        train(run, tmp_path)


def test_rows_are_means_over_the_seeds_that_are_done(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = tmp_path / "a.cfg"
    config.write_text("", encoding="utf8")
    monkeypatch.setattr(run_experiments.subprocess, "run", lambda *_, **__: None)
    runs = [Run("one", seed, str(config), "corpus", {}) for seed in range(3)]
    for run, ents_f in zip(runs[:2], (0.84, 0.86), strict=True):
        finish(run, tmp_path, ents_f)
        train(run, tmp_path)
    rows = collect(runs, tmp_path)
    assert rows[0]["seeds"] == [0, 1]
    assert "| one | 2 | 85.00 ± 1.41 | 98.00 ± 0.00 | 0 |" in table("t", rows)
