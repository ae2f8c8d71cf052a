"""What the benchmarks of pre-training measure, but for AllenNLP's side of them."""

import math
from pathlib import Path

import numpy as np
import pytest
import torch

from benchmarks import pretrain_processes, pretrain_speed
from benchmarks.pretrain_speed import PARTS, Batches, Trainer
from spacy_elmo_ner.pretraining.config import PretrainingConfig

from .conftest import MakeConfig


@pytest.fixture
def config(make_config: MakeConfig) -> PretrainingConfig:
    return make_config()


@pytest.fixture
def batches(config: PretrainingConfig, text_file: Path) -> Batches:
    return pretrain_speed.make_batches(text_file, 100, 3, config)


def test_both_sides_get_the_same_tokens_and_targets(
    batches: Batches, config: PretrainingConfig
) -> None:
    assert len(batches.ours) == len(batches.theirs) == 3
    for ours, theirs in zip(batches.ours, batches.theirs, strict=True):
        assert ours.targets.tolist() == [i for row in theirs["targets"] for i in row]
        assert len(ours.targets) > config.training.batch_tokens / 2
        lengths = [len(words) + 2 for words in theirs["sentences"]]
        assert lengths == [len(row) for row in theirs["targets"]]
        assert ours.n_predictions == sum(lengths) - len(lengths)
    n_tokens = [sum(map(len, batch["sentences"])) for batch in batches.theirs]
    assert batches.n_tokens == round(sum(n_tokens) / 3)


def test_a_step_taken_in_parts_changes_the_weights_as_a_whole_one_does(
    batches: Batches, config: PretrainingConfig
) -> None:
    whole, parts = (
        Trainer(pretrain_speed._model(batches, config), config, bf16=False) for _ in range(2)
    )
    seconds, loss = whole.step(batches.ours[0])
    taken = parts.parts(batches.ours[0])
    assert seconds > 0 and 0 < loss < 2 * math.log(18)
    assert len(taken) == len(PARTS) and min(taken) > 0
    for name, value in whole.model.state_dict().items():
        assert torch.allclose(value, parts.model.state_dict()[name], atol=1e-5), name


def test_what_the_peer_reads_is_what_we_have(
    batches: Batches, config: PretrainingConfig, tmp_path: Path
) -> None:
    model = pretrain_speed._model(batches, config)
    pretrain_speed._write(tmp_path, model, batches)
    with np.load(tmp_path / "softmax.npz") as file:
        assert file["cutoffs"].tolist() == model.softmax.cutoffs
        assert np.array_equal(file["head.weight"], model.softmax.head.weight.detach().numpy())
    assert {path.name for path in tmp_path.iterdir()} >= {
        "options.json",
        "weights.hdf5",
        "batches.json",
    }


def test_a_run_is_summed_up_without_its_first_tenth(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # 20 steps of 10 tokens: two slow ones, then one second each.
    seconds = np.cumsum([50, 50, *[1] * 18]).tolist()
    log = [{"n_tokens": 10 * (i + 1), "loss": 20.0 - i, "seconds": seconds[i]} for i in range(20)]
    log[-1] |= {"forward": 3.0, "backward": 4.0}
    config = tmp_path / "run.cfg"
    config.write_text("[training]\nbatch_tokens = 10\n")
    monkeypatch.setattr(pretrain_processes, "start", lambda *args, **settings: None)
    monkeypatch.setattr(pretrain_processes, "finish", lambda *args: None)
    monkeypatch.setattr(pretrain_processes, "rows", lambda output: log)
    found = pretrain_processes.measure(config, tmp_path, 2, 2)
    assert (found.batch_tokens_each, found.threads_each, found.n_tokens) == (5, 1, 200)
    assert "batch_tokens = 5" in (tmp_path / "2.cfg").read_text()
    assert found.tokens_per_second == pytest.approx(10.0, rel=0.01)
    assert found.losses == {1: 19.5, 2: 17.5, 5: 11.5, 10: 1.5}
    row = pretrain_processes.table([found]).splitlines()[-1]
    assert "| 2 | 1 each | 5 each | 10 | 19.500 17.500 11.500 1.500 | 3.0/4.0 |" in row
