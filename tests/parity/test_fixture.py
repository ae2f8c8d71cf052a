"""Golden activations: AllenNLP's ELMo test fixture where it is at hand, and our own anywhere.

The fixture is the folder tests/fixtures (elmo) of AllenNLP's repository; its activations are
bilm-tf's, made with the LSTM state running on from batch to batch. ``golden/`` holds tiny
weights and what AllenNLP's module makes of them from states of zeros
(benchmarks/allennlp_peer/make_golden.py).
"""

import json
import os
from pathlib import Path

import h5py
import numpy as np
import pytest
import torch

from spacy_elmo_ner.elmo import BiLM

ENVIRONMENT_VARIABLE = "SPACY_ELMO_NER_FIXTURE"
GOLDEN = Path(__file__).parent / "golden"
SHAPES = ("ordinary", "three-layers", "one-layer")
TOLERANCE = 1e-5

Batches = list[list[list[str]]]


@pytest.fixture(scope="module")
def fixture_folder() -> Path:
    named = os.environ.get(ENVIRONMENT_VARIABLE)
    if not named:
        pytest.skip(
            f"no AllenNLP fixture: set {ENVIRONMENT_VARIABLE} to AllenNLP's test_fixtures/elmo, "
            "with its language_model files in one folder"
        )
    return Path(named)


@pytest.fixture(scope="module")
def fixture_bilm(fixture_folder: Path) -> BiLM:
    return BiLM.from_hdf5(fixture_folder / "options.json", fixture_folder / "lm_weights.hdf5")


@pytest.fixture(scope="module")
def batches(fixture_folder: Path) -> Batches:
    """Ten batches, a sentence of each of the three streams in each."""
    streams = json.loads((fixture_folder / "sentences.json").read_text(encoding="utf8"))
    return [[text.split() for text in batch] for batch in zip(*streams, strict=True)]


def top_layer(folder: Path, stream: int, entry: int) -> np.ndarray:
    """bilm-tf's top layer of a sentence: (n_tokens, 32), forward and backward side by side."""
    with h5py.File(folder / f"lm_embeddings_{stream}.hdf5", "r") as file:
        return np.concatenate(file[str(entry)][...], axis=-1)


def test_all_sentences_of_the_fixture_come_out_when_the_state_runs_on(
    fixture_folder: Path, fixture_bilm: BiLM, batches: Batches
) -> None:
    states = None
    n_compared = 0
    for entry, batch in enumerate(batches):
        with torch.inference_mode():
            per_sentence, states = fixture_bilm.run(batch, states)
        for stream, layers in enumerate(per_sentence):
            expected = top_layer(fixture_folder, stream, entry)
            found = layers[-1].numpy()
            assert found.shape == expected.shape
            assert np.abs(found - expected).max() <= TOLERANCE
            n_compared += 1
    assert n_compared == 30


def test_the_first_batch_of_the_fixture_comes_out_of_embed(
    fixture_folder: Path, fixture_bilm: BiLM, batches: Batches
) -> None:
    for stream, layers in enumerate(fixture_bilm.embed(batches[0])):
        expected = top_layer(fixture_folder, stream, 0)
        assert layers[-1].shape == expected.shape
        assert np.abs(layers[-1] - expected).max() <= TOLERANCE


def test_a_later_batch_of_the_fixture_needs_the_state_before_it(
    fixture_folder: Path, fixture_bilm: BiLM, batches: Batches
) -> None:
    layers = fixture_bilm.embed(batches[1])[0]
    assert np.abs(layers[-1] - top_layer(fixture_folder, 0, 1)).max() > 0.01


# ---- our own golden, everywhere -----------------------------------------------------------


@pytest.fixture(scope="module")
def sentences() -> list[list[str]]:
    return json.loads((GOLDEN / "sentences.json").read_text(encoding="ascii"))


def golden_layers(shape: str, n: int) -> list[np.ndarray]:
    with np.load(GOLDEN / shape / "layers.npz", allow_pickle=False) as file:
        return [file[str(i)] for i in range(n)]


@pytest.mark.parametrize("shape", SHAPES)
def test_layers_are_those_of_allennlp_for_every_number_of_layers(
    shape: str, sentences: list[list[str]]
) -> None:
    bilm = BiLM.from_hdf5(GOLDEN / shape / "options.json", GOLDEN / shape / "weights.hdf5")
    expected = golden_layers(shape, len(sentences))
    for found, golden in zip(bilm.embed(sentences), expected, strict=True):
        assert found.shape == golden.shape
        assert np.abs(found - golden).max() <= TOLERANCE


@pytest.mark.parametrize("shape", SHAPES)
def test_the_golden_reaches_both_clips(shape: str, sentences: list[list[str]]) -> None:
    bilm = BiLM.from_hdf5(GOLDEN / shape / "options.json", GOLDEN / shape / "weights.hdf5")
    with torch.inference_mode():
        _, states = bilm.run(sentences)
    last = [state for direction in states for state in direction]
    assert max(float(state.c.abs().max()) for state in last) == bilm.options.lstm.cell_clip
    # The first LSTM layer's output has no residual, so it ends at the projection clip.
    first = np.concatenate([layers[1] for layers in golden_layers(shape, len(sentences))])
    assert np.abs(first).max() == bilm.options.lstm.proj_clip


@pytest.mark.parametrize("shape", SHAPES)
def test_written_weights_are_read_back_bit_by_bit(shape: str, tmp_path: Path) -> None:
    bilm = BiLM.from_hdf5(GOLDEN / shape / "options.json", GOLDEN / shape / "weights.hdf5")
    bilm.to_hdf5(tmp_path)
    again = BiLM.from_hdf5(tmp_path / "options.json", tmp_path / "weights.hdf5")
    for name, value in bilm.state_dict().items():
        assert torch.equal(value, again.state_dict()[name]), name
