"""Two processes learn what one with batches of twice the size does."""

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

from spacy_elmo_ner.elmo import BiLM
from spacy_elmo_ner.pretraining.config import PretrainingConfig

from .conftest import MakeConfig
from .test_train import _rows, _run

CONFIG = """
[text]
paths = ["{text}"]
n_vocabulary = 18
n_held_out = 10
[training]
batch_tokens = 75
max_steps = 60
learning_rate = 0.02
softmax_cutoffs = [5, 10]
bf16 = false
checkpoint_every = 4
[bilm]
[bilm.lstm]
dim = 12
projection_dim = 8
[bilm.char_cnn]
filters = [[1, 4], [3, 8]]
n_highway = 1
[bilm.char_cnn.embedding]
dim = 4
"""


def _two_processes(text: Path, output: Path, more: str = "", *options: str) -> str:
    config = output.with_suffix(".cfg")
    config.write_text(CONFIG.format(text=text) + more)
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2"]
    done = subprocess.run(
        [*command, "-m", "spacy", "elmo", "pretrain", str(config), "-o", str(output), *options],
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_two_processes_learn_what_one_does_with_twice_the_batch(
    make_config: MakeConfig, text_file: Path, tmp_path: Path
) -> None:
    output = _two_processes(text_file, tmp_path / "two")
    assert output.count("Wrote a biLM") == 1
    _run(make_config(batch_tokens=150, max_steps=60), tmp_path / "one")
    one, two = (
        np.array([row["loss"] for row in _rows(tmp_path / name)]) for name in ("one", "two")
    )
    assert len(two) == 60 and two[-9:].mean() < 0.8 * two[0]
    assert abs(one[-9:].mean() - two[-9:].mean()) < 0.1 * one[-9:].mean()
    # Both read about the same number of words.
    counts = [_rows(tmp_path / name)[-1]["n_tokens"] for name in ("one", "two")]
    assert abs(counts[0] - counts[1]) < 0.15 * counts[0]
    assert json.loads((tmp_path / "two" / "options.json").read_text())["lstm"]["dim"] == 12


def test_two_processes_that_start_from_weights(
    make_config: MakeConfig, text_file: Path, tmp_path: Path
) -> None:
    (tmp_path / "shape.cfg").write_text(CONFIG.format(text=text_file))
    shape = PretrainingConfig.from_cfg(tmp_path / "shape.cfg").options
    start = BiLM(shape)
    start.to_disk(tmp_path / "start")
    options = ("--init", str(tmp_path / "start"), "--training.softmax_steps", "20")
    _two_processes(text_file, tmp_path / "two", "", *options)
    config = replace(make_config(max_steps=60, softmax_steps=20), options=shape)
    _run(config, tmp_path / "one", init=start)
    one, two = (
        np.array([row["loss"] for row in _rows(tmp_path / name)]) for name in ("one", "two")
    )
    assert len(two) == 60 and two[-9:].mean() < 0.8 * two[0]
    assert abs(one[-9:].mean() - two[-9:].mean()) < 0.1 * one[-9:].mean()
    learned = BiLM.from_disk(tmp_path / "two").state_dict()
    assert not any(torch.equal(learned[name], value) for name, value in start.state_dict().items())


def test_processes_whose_batches_have_no_labels_go_on_with_those_that_have(
    text_file: Path, ruler: str, tmp_path: Path
) -> None:
    # So few words that most batches have none of them.
    silver = f'[silver]\npipeline = "{ruler}"\nn_words = 10\nshare = 0.05\n'
    assert "Wrote a biLM" in _two_processes(text_file, tmp_path / "two", silver)
    losses = [row["silver"] for row in _rows(tmp_path / "two")]
    assert len(losses) == 60 and min(losses) == 0.0 < max(losses)
