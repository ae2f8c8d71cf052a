"""Fixtures for every test: a biLM of 2 units, in memory and as the files users have."""

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
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


@contextmanager
def torch_threads(n: int) -> Iterator[None]:
    """Give torch n threads inside."""
    before = torch.get_num_threads()
    torch.set_num_threads(n)
    try:
        yield
    finally:
        torch.set_num_threads(before)


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """Headless Chromium under playwright; asks for nothing of its own on the network."""
    sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    executable = next(filter(None, map(shutil.which, ("chromium", "chromium-browser"))), None)
    if executable is None:
        pytest.skip("no chromium on the path (Debian: apt-get install chromium)")
    # Chromium's own sandbox cannot be set up by root, whom CI often runs as.
    arguments = ["--no-sandbox"] if hasattr(os, "getuid") and os.getuid() == 0 else []
    arguments += ["--disable-gpu", "--disable-quic", "--no-first-run"]
    arguments += ["--disable-background-networking", "--disable-component-update"]
    with sync_api.sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=executable, args=arguments)
        yield started
        started.close()
