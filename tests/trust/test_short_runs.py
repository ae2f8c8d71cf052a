"""A few thousand inputs of the long runs, always the same ones; and those that broke something."""

import random
import warnings
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file
from spacy.language import Language
from torch import nn

from spacy_elmo_ner.elmo import BiLM
from spacy_elmo_ner.pretraining.checkpoint import Progress, load_checkpoint, save_checkpoint
from tests.conftest import random_bilm
from tests.fuzz.documents import annotate
from tests.fuzz.mutate import mutated
from tests.fuzz.pipelines import odd_words
from tests.fuzz.targets import Target, make_targets, outcome

SLOW = {"hdf5": 60, "language-model": 60, "text-cache": 100, "checkpoint": 150}


@pytest.mark.parametrize("name", make_targets(Path()))
def test_a_reader_gives_a_value_or_an_error_of_ours(tmp_path: Path, name: str) -> None:
    target: Target = make_targets(tmp_path)[name]()
    rng = random.Random(name)
    n = SLOW.get(name, 400)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = [outcome(target, mutated(rng, target)) for _ in range(n)]
    assert len(found) == n
    assert any(each != "value" for each in found)


def test_odd_docs_have_no_problem(nlp: Language) -> None:
    rng = random.Random(1)
    problems: dict[str, list[str]] = {}
    for _ in range(4):
        problems |= annotate(nlp, [odd_words(rng) for _ in range(16)])
    assert problems == {}


@pytest.mark.parametrize(
    "free", [0, 8, 0xEC, 1 << 40], ids=["in a circle", "in a name", "beyond", "far beyond"]
)
def test_free_places_of_hdf5_names_that_never_end_are_refused(tmp_path: Path, free: int) -> None:
    """libhdf5 goes round in such a list for ever: a hang that fuzzing found, by one bit."""
    random_bilm().to_hdf5(tmp_path)
    path = tmp_path / "weights.hdf5"
    data = bytearray(path.read_bytes())
    heap = data.index(b"HEAP\0")
    start = int.from_bytes(data[heap + 24 : heap + 32], "little")
    first = int.from_bytes(data[heap + 16 : heap + 24], "little")
    data[start + first : start + first + 8] = free.to_bytes(8, "little")
    if free == 0:
        data[start + first : start + first + 8] = first.to_bytes(8, "little")
    path.write_bytes(data)
    with pytest.raises(ValueError, match=r"EL004.*free places"):
        BiLM.from_hdf5(tmp_path / "options.json", path)


@pytest.mark.parametrize(("at", "value"), [(0, b"X"), (8, b"\x09"), (13, b"\x04"), (24, b"\x01")])
def test_hdf5_that_is_laid_out_in_another_way_is_refused(
    tmp_path: Path, at: int, value: bytes
) -> None:
    random_bilm().to_hdf5(tmp_path)
    path = tmp_path / "weights.hdf5"
    data = bytearray(path.read_bytes())
    data[at : at + 1] = value
    path.write_bytes(data)
    with pytest.raises(ValueError, match="EL004"):
        BiLM.from_hdf5(tmp_path / "options.json", path)


def test_a_checkpoint_whose_squares_are_negative_is_refused(tmp_path: Path) -> None:
    """A step later every weight would have been NaN: fuzzing found it."""
    model = nn.Linear(2, 2)
    optimizer = torch.optim.AdamW(model.parameters())
    model(torch.ones(1, 2)).sum().backward()
    optimizer.step()
    save_checkpoint(tmp_path, model, optimizer, Progress(step=1), {}, keep=1)
    (path,) = tmp_path.glob("*/optimizer.safetensors")
    tensors = load_file(path)
    (key, *_) = (key for key in tensors if key.endswith("exp_avg_sq"))
    save_file({**tensors, key: -1 - tensors[key]}, path)
    with pytest.raises(ValueError, match=f"EL410.*{key}"):
        load_checkpoint(path.parent, model, optimizer, {})
