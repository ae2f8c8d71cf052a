"""Fixtures for every test: a biLM of 2 units, in memory and as the files users have."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from spacy_elmo_ner.elmo import BiLM, BiLMOptions
from spacy_elmo_ner.elmo.options import CharCNNOptions, LSTMOptions

torch.set_num_threads(1)

TINY_CNN = CharCNNOptions(embedding_dim=3, filters=((1, 4), (2, 3), (4, 2)), n_highway=1)

# The shape of a biLM as a pre-training config has it.
TINY_BILM_CONFIG = """
[bilm]
[bilm.lstm]
dim = 4
projection_dim = 2
[bilm.char_cnn]
filters = [[1, 4]]
n_highway = 1
[bilm.char_cnn.embedding]
dim = 2
"""


def random_bilm(*, seed: int = 0, cnn: CharCNNOptions = TINY_CNN, **lstm: Any) -> BiLM:
    """A biLM with random weights and biases; lstm: settings of `LSTMOptions` to change."""
    settings: dict[str, Any] = {"dim": 5, "projection_dim": 2, **lstm}
    bilm = BiLM(BiLMOptions(cnn, LSTMOptions(**settings)))
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for parameter in bilm.parameters():
            parameter.copy_(torch.rand(parameter.shape, generator=generator) - 0.5)
        bilm.char_cnn.embedding.weight[0] = 0
    return bilm.eval()


@pytest.fixture
def make_bilm() -> Callable[..., BiLM]:
    return random_bilm


@pytest.fixture
def tiny_bilm() -> BiLM:
    """5 cells projected to 2 units, 2 layers: width 4."""
    return random_bilm()


@pytest.fixture
def bilm_dir(tmp_path: Path, tiny_bilm: BiLM) -> Path:
    """A folder with options.json and weights.safetensors, usable as a biLM's name."""
    tiny_bilm.to_disk(tmp_path / "bilm")
    return tmp_path / "bilm"


@pytest.fixture
def hdf5_dir(tmp_path: Path, tiny_bilm: BiLM) -> Path:
    """A folder with options.json and weights.hdf5 in the official layout."""
    tiny_bilm.to_hdf5(tmp_path / "bilm-hdf5")
    return tmp_path / "bilm-hdf5"
