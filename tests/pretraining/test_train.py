import json
import math
import shutil
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from spacy.tokens import Doc, DocBin
from spacy.vocab import Vocab

from spacy_elmo_ner.elmo import BiLM
from spacy_elmo_ner.pretraining import train
from spacy_elmo_ner.pretraining.checkpoint import checkpoints
from spacy_elmo_ner.pretraining.config import PretrainingConfig, TrainingConfig
from spacy_elmo_ner.pretraining.log import Log
from spacy_elmo_ner.pretraining.processes import Processes
from spacy_elmo_ner.pretraining.train import learning_rate, pretrain

from .conftest import MakeConfig


def _rows(output: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (output / "log.jsonl").read_text().splitlines()]


def _losses(output: Path) -> list[tuple[int, float]]:
    return [(row["step"], row["loss"]) for row in _rows(output)]


def _run(config: PretrainingConfig, output: Path, **settings: Any) -> BiLM:
    return pretrain(config, output, progress_bar=False, **settings)


def _saved(output: Path) -> list[dict[str, torch.Tensor]]:
    """The weights of each checkpoint, oldest first."""
    return [load_file(path / "model.safetensors") for path in checkpoints(output / "checkpoints")]


class Interrupted(Exception):
    """Stands for a power cut."""


def _interrupt_at(monkeypatch: pytest.MonkeyPatch, step: int) -> None:
    """Stop right after the log row of a step, before its checkpoint."""
    append = Log.append

    def stop(log: Log, row: dict[str, Any]) -> None:
        append(log, row)
        if row["step"] == step:
            raise Interrupted

    monkeypatch.setattr(Log, "append", stop)


def test_training_lowers_the_loss_and_leaves_a_biLM(
    make_config: MakeConfig, tmp_path: Path
) -> None:
    bilm = _run(make_config(max_epochs=6, evaluate_every=5), tmp_path / "run")
    rows = _rows(tmp_path / "run")
    assert rows[-1]["loss"] < 0.7 * rows[0]["loss"]
    measured = [row for row in rows if "forward" in row]
    assert [row["step"] for row in measured][:2] == [5, 10] and "forward" in rows[-1]
    assert measured[-1]["forward"] < measured[0]["forward"]
    again = BiLM.from_disk(tmp_path / "run")
    for name, value in bilm.state_dict().items():
        assert torch.equal(again.state_dict()[name], value), name
    (expected,), (found,) = bilm.embed([["the", "cat"]]), again.embed([["the", "cat"]])
    np.testing.assert_allclose(found, expected, atol=1e-6)
    names = {path.name for path in (tmp_path / "run").iterdir()}
    assert names >= {"softmax.safetensors", "vocabulary.txt", "options.json", "log.jsonl"}


def test_every_token_of_the_training_part_is_counted_once_an_epoch(
    make_config: MakeConfig, tmp_path: Path, text_file: Path
) -> None:
    _run(make_config(max_epochs=1), tmp_path / "run")
    n_tokens = sum(len(line.split()) for line in text_file.read_text().splitlines()[:-10])
    assert _rows(tmp_path / "run")[-1]["n_tokens"] == n_tokens


@pytest.mark.parametrize("state", ["sentence", "running"])
@pytest.mark.parametrize("bf16", [False, True])
@pytest.mark.parametrize("stop", [3, 9])  # in the first epoch, and in the second
def test_a_resumed_run_gives_exactly_the_losses_of_an_uninterrupted_one(
    make_config: MakeConfig, tmp_path: Path, state: str, bf16: bool, stop: int
) -> None:
    config = make_config(bf16=bf16, state=state, checkpoint_every=2)
    whole, parts = tmp_path / "whole", tmp_path / "parts"
    expected = _run(config, whole)
    with pytest.MonkeyPatch.context() as patch, pytest.raises(Interrupted):
        _interrupt_at(patch, stop)
        _run(config, parts)
    assert len(_rows(parts)) == stop
    found = _run(config, parts, resume=True)
    assert _losses(parts) == _losses(whole)
    for name, value in expected.state_dict().items():
        assert torch.equal(found.state_dict()[name], value), name


def test_the_schedule_is_the_same_wherever_a_run_goes_on(
    make_config: MakeConfig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Epochs may differ by a batch: the number of steps must not follow the epoch resumed in."""
    epoch = train._Run._epoch

    def uneven(run: train._Run, number: int) -> Any:
        batches = list(epoch(run, number))
        if number == 1:
            batches[:2] = [np.concatenate(batches[:2])]
        return batches

    monkeypatch.setattr(train._Run, "_epoch", uneven)
    config = make_config(max_epochs=3, checkpoint_every=1)
    _run(config, tmp_path / "whole")
    n_steps = len(_rows(tmp_path / "whole"))
    with pytest.MonkeyPatch.context() as patch, pytest.raises(Interrupted):
        _interrupt_at(patch, n_steps // 2)
        _run(config, tmp_path / "parts")
    _run(config, tmp_path / "parts", resume=True)
    assert _losses(tmp_path / "parts") == _losses(tmp_path / "whole")


@pytest.mark.parametrize("cut", [False, True])
def test_rows_after_the_checkpoint_are_dropped_also_when_cut_short(
    make_config: MakeConfig, tmp_path: Path, cut: bool
) -> None:
    config = make_config(checkpoint_every=2)
    with pytest.MonkeyPatch.context() as patch, pytest.raises(Interrupted):
        _interrupt_at(patch, 5)
        _run(config, tmp_path)
    rows = (tmp_path / "log.jsonl").read_text()
    assert rows.count("\n") == 5
    if cut:
        (tmp_path / "log.jsonl").write_text(rows[: rows.index('{"step": 5') + 20])
    assert [path.name for path in checkpoints(tmp_path / "checkpoints")][-1] == "step-00000004"
    _run(config, tmp_path, resume=True)
    steps = [row["step"] for row in _rows(tmp_path)]
    assert steps == list(range(1, len(steps) + 1))


def test_a_finished_run_resumed_changes_nothing(make_config: MakeConfig, tmp_path: Path) -> None:
    config = make_config(max_epochs=1)
    _run(config, tmp_path)
    before = {name: (tmp_path / name).read_bytes() for name in ("log.jsonl", "weights.safetensors")}
    _run(config, tmp_path, resume=True)
    assert {name: (tmp_path / name).read_bytes() for name in before} == before


def test_max_steps_stops_inside_an_epoch_and_may_pass_many(
    make_config: MakeConfig, tmp_path: Path
) -> None:
    for n_steps in (2, 17):
        _run(make_config(max_steps=n_steps), tmp_path / str(n_steps))
        assert len(_rows(tmp_path / str(n_steps))) == n_steps


def test_a_few_sentences_train_without_a_held_out_part(
    make_config: MakeConfig, tmp_path: Path
) -> None:
    (tmp_path / "few.txt").write_text("one word\nword\n")
    config = make_config(paths=(str(tmp_path / "few.txt"),), evaluate_every=1)
    _run(config, tmp_path / "run")
    rows = _rows(tmp_path / "run")
    assert rows and not any("forward" in row for row in rows)


def test_a_folder_with_a_run_is_not_overwritten(make_config: MakeConfig, tmp_path: Path) -> None:
    config = make_config(max_steps=1)
    _run(config, tmp_path)
    with pytest.raises(FileExistsError, match=r"EL408.*--resume"):
        _run(config, tmp_path)


@pytest.mark.parametrize("resume", [False, True])
def test_a_folder_with_a_biLM_alone_is_not_overwritten(
    make_config: MakeConfig, bilm_dir: Path, resume: bool
) -> None:
    before = (bilm_dir / "weights.safetensors").read_bytes()
    with pytest.raises(FileExistsError, match=r"EL411.*bilm"):
        _run(make_config(max_steps=1), bilm_dir, resume=resume)
    assert (bilm_dir / "weights.safetensors").read_bytes() == before


def test_another_config_cannot_resume(make_config: MakeConfig, tmp_path: Path) -> None:
    _run(make_config(max_steps=1), tmp_path)
    with pytest.raises(ValueError, match=r"EL406.*step-00000001"):
        _run(make_config(max_steps=2), tmp_path, resume=True)


def test_text_left_by_a_run_without_a_checkpoint_is_not_taken_for_other_files(
    make_config: MakeConfig, tmp_path: Path
) -> None:
    with pytest.MonkeyPatch.context() as patch, pytest.raises(Interrupted):
        _interrupt_at(patch, 1)
        _run(make_config(), tmp_path / "run")
    (tmp_path / "other.txt").write_text("quite another text\n" * 30)
    _run(make_config(paths=(str(tmp_path / "other.txt"),), max_steps=1), tmp_path / "run")
    words = (tmp_path / "run" / "vocabulary.txt").read_text().split("\n")
    assert "quite" in words and "minister" not in words


@pytest.mark.parametrize(
    ("what", "value"), [("loss", float("nan")), ("loss", float("inf")), ("norm", float("nan"))]
)
def test_a_loss_or_gradient_that_is_not_finite_stops_before_it_reaches_the_weights(
    make_config: MakeConfig,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    what: str,
    value: float,
) -> None:
    def forward(
        model: train.LanguageModel, batch: Any, states: None
    ) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor, None]:
        loss = sum(parameter.sum() for parameter in model.parameters())
        assert isinstance(loss, torch.Tensor)
        return loss * value, loss, torch.zeros(()), None

    if what == "loss":
        monkeypatch.setattr(train.LanguageModel, "forward", forward)
    else:
        monkeypatch.setattr(torch.nn.utils, "clip_grad_norm_", lambda *args: torch.tensor(value))
    config = make_config(checkpoint_every=1)
    with pytest.raises(ValueError, match=rf"EL409.*step 1 .*{'nan' if value != value else 'inf'}"):
        _run(config, tmp_path)
    assert checkpoints(tmp_path / "checkpoints") == []


def test_with_a_decay_the_learning_rate_is_constant_until_the_last_steps() -> None:
    settings = TrainingConfig(learning_rate=1.0, warmup_steps=10, decay_steps=50)
    rates = [learning_rate(step, 200, settings) for step in range(200)]
    assert rates[9:151] == [1.0] * 142
    assert rates[175] == pytest.approx(0.5) and rates[199] == pytest.approx(0.02)


def test_a_run_with_a_decay_can_be_given_another_end(
    make_config: MakeConfig, tmp_path: Path
) -> None:
    whole = make_config(max_steps=8, decay_steps=2, checkpoint_every=2)
    short = make_config(max_steps=4, decay_steps=2, checkpoint_every=2)
    for name in ("whole", "edition"):
        _run(whole if name == "whole" else short, tmp_path / name)
    # An edition is the run up to its own decay: two steps in, both are the same run.
    shutil.rmtree(tmp_path / "edition" / "checkpoints" / "step-00000004")
    pretrain(whole, tmp_path / "edition", resume=True, progress_bar=False)
    found, expected = (
        (tmp_path / name / "weights.safetensors").read_bytes() for name in ("edition", "whole")
    )
    assert found == expected


def test_the_learning_rate_rises_then_falls_to_zero() -> None:
    settings = TrainingConfig(learning_rate=1.0, warmup_steps=10)
    rates = [learning_rate(step, 200, settings) for step in range(201)]
    assert rates[0] == pytest.approx(0.1) and rates[9] == 1.0
    assert rates[10:] == sorted(rates[10:], reverse=True)
    assert rates[200] == pytest.approx(0.0, abs=1e-9)
    # A short run warms up over a tenth of its steps.
    assert learning_rate(0, 20, settings) == pytest.approx(0.5)
    assert math.isfinite(learning_rate(0, 1, settings))


def test_a_run_may_start_from_other_weights_of_its_shape(
    make_config: MakeConfig, tmp_path: Path
) -> None:
    config = make_config(max_steps=1, learning_rate=0.0, softmax_steps=0)
    start = BiLM(config.options)
    found = _run(config, tmp_path / "run", init=start)
    for name, value in start.state_dict().items():
        assert torch.equal(found.state_dict()[name], value), name


def test_weights_of_another_shape_to_start_from_are_refused(
    make_config: MakeConfig, make_bilm: Callable[..., BiLM], tmp_path: Path
) -> None:
    with pytest.raises(ValueError, match=r"EL420"):
        _run(make_config(), tmp_path / "run", init=make_bilm(n_layers=3))
    config = make_config()  # of 12 cells with a projection to 8
    for dim, dim_before in ((12, 20), (8, 6)):  # with fewer cells, and without a projection
        options, before = (
            replace(config.options, lstm=replace(config.options.lstm, dim=n))
            for n in (dim, dim_before)
        )
        with pytest.raises(ValueError, match=r"EL420"):
            _run(replace(config, options=options), tmp_path / "run", init=BiLM(before))
    assert not (tmp_path / "run").exists()


def test_a_run_may_start_from_weights_with_fewer_cells(
    make_config: MakeConfig, tmp_path: Path
) -> None:
    config = make_config(max_steps=1, learning_rate=0.0, softmax_steps=0)
    small = BiLM(config.options)
    options = replace(config.options, lstm=replace(config.options.lstm, dim=20))
    texts = [["the", "cat", "sees", "Paris", "."], ["Zaïre"], ["the"] * 9]
    grown = _run(replace(config, options=options), tmp_path / "run", init=small)
    assert grown.options == options
    with torch.inference_mode():
        for before, after in zip(small.eval().run(texts)[0], grown.run(texts)[0], strict=True):
            assert torch.allclose(before, after, atol=1e-6)
    learning = make_config(max_steps=3, learning_rate=0.01, softmax_steps=0)
    grown = _run(replace(learning, options=options), tmp_path / "longer", init=small)
    for name, weight in grown.state_dict().items():
        if name.endswith(".projection"):
            assert bool(weight[:, 12:].any(dim=0).all()), name  # each new cell counts


def test_weights_to_start_from_rest_until_the_softmax_has_learned(
    make_config: MakeConfig, tmp_path: Path
) -> None:
    config = make_config(max_steps=9, softmax_steps=3, checkpoint_every=1, keep_checkpoints=9)
    start = BiLM(config.options)
    _run(config, tmp_path / "run", init=start)
    saved = _saved(tmp_path / "run")
    bilm = {f"bilm.{name}": value for name, value in start.state_dict().items()}
    others = saved[0].keys() - bilm.keys()
    assert others
    for before, after in pairwise(saved):
        assert any(not torch.equal(before[name], after[name]) for name in others)
    for i, tensors in enumerate(saved):
        same = [torch.equal(tensors[name], value) for name, value in bilm.items()]
        assert all(same) if i < 3 else not any(same)


@pytest.mark.parametrize("again", [True, False])
def test_a_run_from_other_weights_goes_on_as_if_never_interrupted(
    make_config: MakeConfig, tmp_path: Path, again: bool
) -> None:
    """Also where the command that resumes it does not repeat what it started from."""
    config = make_config(max_steps=6, softmax_steps=2, checkpoint_every=1, keep_checkpoints=6)
    start = BiLM(config.options)
    _run(config, tmp_path / "whole", init=start)
    expected = (tmp_path / "whole" / "weights.safetensors").read_bytes()
    for stopped in (1, 2, 3):
        folder = tmp_path / f"stopped-{stopped}"
        shutil.copytree(tmp_path / "whole", folder)
        for later in checkpoints(folder / "checkpoints")[stopped:]:
            shutil.rmtree(later)
        init = start if again else None
        pretrain(config, folder, resume=True, init=init, progress_bar=False)
        assert (folder / "weights.safetensors").read_bytes() == expected


def test_a_new_biLM_learns_from_the_first_step(make_config: MakeConfig, tmp_path: Path) -> None:
    weights = [
        _run(make_config(max_steps=3, softmax_steps=steps), tmp_path / str(steps)).state_dict()
        for steps in (0, 2, 200)
    ]
    for other in weights[1:]:
        assert all(torch.equal(value, other[name]) for name, value in weights[0].items())


@pytest.mark.parametrize(("max_steps", "resting"), [(1, 0), (5, 1), (9, 3), (15, 4)])
def test_the_softmax_learns_alone_for_a_third_of_the_steps_at_most(
    make_config: MakeConfig, tmp_path: Path, max_steps: int, resting: int
) -> None:
    config = make_config(
        max_steps=max_steps, softmax_steps=4, checkpoint_every=1, keep_checkpoints=20
    )
    start = BiLM(config.options)
    _run(config, tmp_path / "run", init=start)
    name, weights = next(iter(start.state_dict().items()))
    same = [torch.equal(tensors[f"bilm.{name}"], weights) for tensors in _saved(tmp_path / "run")]
    assert same == [step < resting for step in range(max_steps)]


def test_a_run_from_before_there_were_such_steps_goes_on_as_it_began(
    make_config: MakeConfig, tmp_path: Path
) -> None:
    config = make_config(max_steps=6, softmax_steps=0, checkpoint_every=1, keep_checkpoints=6)
    start = BiLM(config.options)
    _run(config, tmp_path / "run", init=start)
    expected = (tmp_path / "run" / "weights.safetensors").read_bytes()
    for later in checkpoints(tmp_path / "run/checkpoints")[1:]:
        shutil.rmtree(later)
    (saved,) = checkpoints(tmp_path / "run/checkpoints")
    state = json.loads((saved / "state.json").read_text())
    del state["progress"]["softmax_steps"], state["config"]["training"]["softmax_steps"]
    (saved / "state.json").write_text(json.dumps(state))
    config = make_config(max_steps=6, checkpoint_every=1, keep_checkpoints=6)
    pretrain(config, tmp_path / "run", resume=True, init=start, progress_bar=False)
    assert (tmp_path / "run" / "weights.safetensors").read_bytes() == expected


def test_running_text_learns_as_well_and_otherwise(make_config: MakeConfig, tmp_path: Path) -> None:
    for state in ("sentence", "running"):
        _run(make_config(max_epochs=6, state=state), tmp_path / state)
    running, sentence = (
        [row["loss"] for row in _rows(tmp_path / state)] for state in ("running", "sentence")
    )
    assert np.mean(running[-6:]) < 0.8 * running[0]
    assert running != sentence


def test_running_text_carries_its_states_from_step_to_step(
    make_config: MakeConfig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Zeros where an epoch begins, and what the step before left everywhere else."""
    forward = train.LanguageModel.forward
    given, left = [], []

    def keep(model: train.LanguageModel, batch: Any, states: Any = None) -> Any:
        result = forward(model, batch, states)
        if torch.is_grad_enabled():
            given.append(states)
            left.append(result[-1])
        return result

    monkeypatch.setattr(train.LanguageModel, "forward", keep)
    _run(make_config(state="running", max_epochs=2), tmp_path)
    n_steps = len(given)
    fresh = [step for step in range(n_steps) if given[step] is None]
    assert fresh == [0, n_steps // 2]
    for step in set(range(n_steps)) - set(fresh):
        assert given[step] is left[step - 1]


def test_a_checkpoint_of_running_text_without_its_states_is_named(
    make_config: MakeConfig, tmp_path: Path
) -> None:
    config = make_config(state="running", checkpoint_every=1, max_steps=3)
    with pytest.MonkeyPatch.context() as patch, pytest.raises(Interrupted):
        _interrupt_at(patch, 3)
        _run(config, tmp_path)
    path = checkpoints(tmp_path / "checkpoints")[-1] / "states.safetensors"
    whole = path.read_bytes()
    for content in (None, b"", whole[:-1]):
        path.unlink()
        if content is not None:
            path.write_bytes(content)
        with pytest.raises(ValueError, match=r"EL410.*step-00000002"):
            _run(config, tmp_path, resume=True)
        path.touch()
    path.write_bytes(whole)
    _run(config, tmp_path, resume=True)
    assert [row["step"] for row in _rows(tmp_path)] == [1, 2, 3]


def test_several_processes_cannot_share_running_text(
    make_config: MakeConfig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(train, "joined_processes", lambda: nullcontext(Processes(0, 2)))
    with pytest.raises(ValueError, match=r"EL419.*2 processes"):
        _run(make_config(state="running"), tmp_path / "run")
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("content", ["word word\n" * 30, "!\n"])
def test_text_with_nothing_to_tell_apart_is_an_error(
    make_config: MakeConfig, tmp_path: Path, content: str
) -> None:
    (tmp_path / "same.txt").write_text(content)
    with pytest.raises(ValueError, match=r"EL416.*words to predict: \[.*\]\. Give more text"):
        _run(make_config(paths=(str(tmp_path / "same.txt"),)), tmp_path / "run")
    assert not (tmp_path / "run" / "checkpoints").exists()


def test_a_run_counts_what_it_reads_before_it_trains(
    make_config: MakeConfig,
    tmp_path: Path,
    text_file: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def stop(run: train._Run) -> None:
        raise Interrupted

    monkeypatch.setattr(train._Run, "step", stop)
    with pytest.raises(Interrupted):
        _run(make_config(), tmp_path / "run")
    found = json.loads((tmp_path / "run" / "text.json").read_text())
    lines = text_file.read_text().splitlines()
    words = [line.split() for line in lines]
    assert (found["n_files"], found["n_held_out"]) == (1, 10)
    n_distinct = len({word for line in words for word in line})
    assert (found["n_distinct"], found["n_vocabulary"]) == (n_distinct, n_distinct + 3)
    assert (found["train"]["n_sentences"], found["held_out"]["n_sentences"]) == (110, 10)
    assert found["train"]["n_tokens"] == sum(map(len, words[:110]))
    assert found["held_out"]["n_tokens"] == sum(map(len, words[110:]))


def test_folders_named_in_a_config_stand_for_their_files(
    make_config: MakeConfig, tmp_path: Path
) -> None:
    (tmp_path / "texts").mkdir()
    (tmp_path / "texts" / "b.jsonl").write_text('{"text": "Json words here"}\n' * 3)
    (tmp_path / "texts" / "a.txt").write_text("Plain words here\n" * 3)
    docs = [Doc(Vocab(), words=["Spacy", "words", "here"])] * 3
    DocBin(docs=docs).to_disk(tmp_path / "texts" / "c.spacy")
    _run(make_config(paths=(str(tmp_path / "texts"),), max_steps=1), tmp_path / "run")
    found = json.loads((tmp_path / "run" / "text.json").read_text())
    assert [source["file"] for source in found["sources"]] == ["a.txt", "b.jsonl", "c.spacy"]
    assert [source["train"]["n_tokens"] for source in found["sources"]] == [9, 9, 9]


def test_rows_of_the_log_hold_the_learning_rate_of_their_step(
    make_config: MakeConfig, tmp_path: Path
) -> None:
    config = make_config(max_steps=12)
    _run(config, tmp_path)
    rates = [row["learning_rate"] for row in _rows(tmp_path)]
    assert rates == [learning_rate(step, 12, config.training) for step in range(12)]


@pytest.mark.parametrize(
    ("n_bytes", "code"),
    [
        pytest.param(60, "EL418", id="text"),
        pytest.param(1_000, "EL418", id="counts"),
        pytest.param(4_000, "EL414", id="checkpoint"),
    ],
)
def test_a_full_disk_is_named_and_leaves_nothing_half_written(
    make_config: MakeConfig, tmp_path: Path, n_bytes: int, code: str
) -> None:
    """The kernel refuses to let any file grow beyond n_bytes, as a full disk would."""
    resource = pytest.importorskip("resource", reason="limits of files are Unix's")
    _, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    config = make_config(checkpoint_every=2, max_steps=40)
    resource.setrlimit(resource.RLIMIT_FSIZE, (n_bytes, hard))
    try:
        with pytest.raises(OSError, match=rf"{code}.*{tmp_path.name}.*[mM]ake room"):
            _run(config, tmp_path / "run")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
    assert not list(tmp_path.rglob("*.tmp"))
    assert not (tmp_path / "run" / "weights.safetensors").exists()
    # With room again, the run does what it would have done.
    _run(config, tmp_path / "run", resume=True)
    _run(config, tmp_path / "whole")
    assert _losses(tmp_path / "run") == _losses(tmp_path / "whole")
