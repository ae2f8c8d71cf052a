from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from spacy_elmo_ner.pretraining import checkpoint
from spacy_elmo_ner.pretraining.checkpoint import (
    Progress,
    checkpoints,
    load_checkpoint,
    save_checkpoint,
)

CONFIG = {"training": {"softmax_cutoffs": (1, 2), "seed": 0}}


def _made(seed: int = 0) -> tuple[nn.Module, torch.optim.Optimizer]:
    torch.manual_seed(seed)
    model = nn.Linear(3, 2)
    return model, torch.optim.AdamW(model.parameters())


def _step(model: nn.Module, optimizer: torch.optim.Optimizer) -> None:
    optimizer.zero_grad()
    model(torch.ones(1, 3)).square().sum().backward()
    optimizer.step()


def _save(directory: Path, step: int, keep: int = 2) -> tuple[nn.Module, torch.optim.Optimizer]:
    model, optimizer = _made()
    _step(model, optimizer)
    save_checkpoint(directory, model, optimizer, Progress(step=step), CONFIG, keep)
    return model, optimizer


def test_model_optimizer_and_progress_go_on_as_if_never_stopped(tmp_path: Path) -> None:
    model, optimizer = _made()
    _step(model, optimizer)
    progress = Progress(step=7, epoch=1, batch=3, n_tokens=90, seconds=1.5)
    save_checkpoint(tmp_path, model, optimizer, progress, CONFIG, 2)
    other, other_optimizer = _made(seed=1)
    (path,) = checkpoints(tmp_path)
    assert load_checkpoint(path, other, other_optimizer, CONFIG) == progress
    for _ in range(3):
        _step(model, optimizer)
        _step(other, other_optimizer)
    for name, value in model.state_dict().items():
        assert torch.equal(other.state_dict()[name], value), name


def test_a_parameter_that_had_no_gradient_yet_has_no_state(tmp_path: Path) -> None:
    model, optimizer = _made()
    save_checkpoint(tmp_path, model, optimizer, Progress(step=1), CONFIG, 2)
    assert load_checkpoint(checkpoints(tmp_path)[0], model, optimizer, CONFIG).step == 1
    _step(model, optimizer)


@pytest.mark.parametrize("keep", [1, 3])
def test_only_the_newest_checkpoints_are_kept(tmp_path: Path, keep: int) -> None:
    for step in (5, 10, 15, 100, 20):
        _save(tmp_path, step, keep)
    names = [path.name for path in checkpoints(tmp_path)]
    assert names == ["step-00000015", "step-00000020", "step-00000100"][-keep:]


def test_a_checkpoint_of_the_same_step_is_replaced(tmp_path: Path) -> None:
    _save(tmp_path, 5)
    _save(tmp_path, 5)
    assert [path.name for path in tmp_path.iterdir()] == ["step-00000005"]


def test_a_write_that_fails_leaves_the_checkpoint_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _save(tmp_path, 5)

    def full(tensors: Any, path: Path) -> None:
        path.write_bytes(b"half")
        raise OSError("No space left on device")

    monkeypatch.setattr(checkpoint, "save_file", full)
    with pytest.raises(OSError, match="No space left"):
        _save(tmp_path, 10)
    assert [path.name for path in tmp_path.iterdir()] == ["step-00000005"]


def test_what_a_killed_run_left_half_written_is_no_checkpoint(tmp_path: Path) -> None:
    (tmp_path / ".step-00000010.new").mkdir()
    assert checkpoints(tmp_path) == []
    _save(tmp_path, 10)
    assert [path.name for path in tmp_path.iterdir()] == ["step-00000010"]


def test_another_config_is_refused(tmp_path: Path) -> None:
    model, optimizer = _save(tmp_path, 5)
    config = {"training": {"softmax_cutoffs": (1, 2), "seed": 1}}
    with pytest.raises(ValueError, match=r"EL406.*step-00000005"):
        load_checkpoint(checkpoints(tmp_path)[0], model, optimizer, config)


@pytest.mark.parametrize("name", ["model.safetensors", "optimizer.safetensors", "state.json"])
@pytest.mark.parametrize("content", [None, b"", b"\xff\xfe\0\0", b"[]"])
def test_a_damaged_checkpoint_is_named(tmp_path: Path, name: str, content: bytes | None) -> None:
    model, optimizer = _save(tmp_path, 5)
    path = checkpoints(tmp_path)[0] / name
    path.unlink()
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ValueError, match=r"EL410.*step-00000005"):
        load_checkpoint(path.parent, model, optimizer, CONFIG)


def test_a_checkpoint_of_another_model_is_refused(tmp_path: Path) -> None:
    _, optimizer = _save(tmp_path, 5)
    with pytest.raises(ValueError, match=r"(?s)EL410.*size mismatch"):
        load_checkpoint(checkpoints(tmp_path)[0], nn.Linear(4, 2), optimizer, CONFIG)
