"""Whatever torch is set to at the first call, this and all later calls give the same."""

import ast
import copy
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import spacy
import torch
from spacy.language import Language

import spacy_elmo_ner
from spacy_elmo_ner.elmo import BiLM
from tests.conftest import torch_threads
from tests.pipeline.conftest import annotation, make_examples, make_nlp  # noqa: F401

TEXT = "Mary Smith met Reuters in Paris ."


@contextmanager
def default_dtype(dtype: torch.dtype) -> Iterator[None]:
    torch.set_default_dtype(dtype)
    try:
        yield
    finally:
        torch.set_default_dtype(torch.float32)


@contextmanager
def default_device(device: str) -> Iterator[None]:
    torch.set_default_device(device)
    try:
        yield
    finally:
        torch.set_default_device(None)


@contextmanager
def deterministic() -> Iterator[None]:
    torch.use_deterministic_algorithms(True)
    try:
        yield
    finally:
        torch.use_deterministic_algorithms(False)


@contextmanager
def without_onednn() -> Iterator[None]:
    with torch.backends.mkldnn.flags(enabled=False):
        yield


MODES: dict[str, Callable[[], AbstractContextManager[Any]]] = {
    "inference_mode": torch.inference_mode,
    "no_grad": torch.no_grad,
    "float64": lambda: default_dtype(torch.float64),
    "default device": lambda: default_device("meta"),
    "autocast": lambda: torch.autocast("cpu", dtype=torch.bfloat16),
    "deterministic": deterministic,
    "threads": lambda: torch_threads(2),
    "without oneDNN": without_onednn,
}
modes = pytest.mark.parametrize("mode", MODES)


@pytest.fixture
def saved(make_nlp: Any, tmp_path: Path) -> Path:  # noqa: F811
    """A trained pipeline on disk, its biLM inside."""
    make_nlp("elmo", "elmo_tagger", "elmo_ner", steps=20).to_disk(tmp_path / "pipeline")
    return tmp_path / "pipeline"


@modes
def test_a_pipeline_first_called_under_it(saved: Path, mode: str) -> None:
    expected = annotation(spacy.load(saved)(TEXT))
    nlp = spacy.load(saved)
    with MODES[mode]():
        under = annotation(nlp(TEXT))
    assert under == expected
    assert annotation(nlp(TEXT)) == expected
    assert annotation(nlp(TEXT + " Nobody new")) == annotation(
        spacy.load(saved)(TEXT + " Nobody new")
    )


@modes
def test_a_pipeline_loaded_copied_and_saved_under_it(
    saved: Path, tmp_path: Path, mode: str
) -> None:
    expected = annotation(spacy.load(saved)(TEXT))
    with MODES[mode]():
        nlp = spacy.load(saved)
        nlp.to_disk(tmp_path / "again")
        data = nlp.to_bytes()
    for one in (nlp, spacy.load(tmp_path / "again"), spacy.load(saved).from_bytes(data)):
        assert annotation(one(TEXT)) == expected


def _trained(nlp: Language) -> Any:
    nlp.update(make_examples(nlp), sgd=nlp.create_optimizer())
    return annotation(nlp(TEXT))


@modes
def test_training_after_a_call_under_it(saved: Path, mode: str) -> None:
    expected = _trained(spacy.load(saved))
    nlp = spacy.load(saved)
    with MODES[mode]():
        nlp(TEXT)
    assert _trained(nlp) == expected


@modes
@pytest.mark.parametrize("trainable", [False, True])
def test_a_pipeline_initialized_and_trained_under_it(
    make_nlp: Any,  # noqa: F811
    mode: str,
    trainable: bool,
) -> None:
    if mode == "autocast":
        pytest.skip("a caller's autocast may change what training computes")
    expected = annotation(make_nlp("elmo", "elmo_ner", steps=2, trainable=trainable)(TEXT))
    with MODES[mode]():
        nlp = make_nlp("elmo", "elmo_ner", steps=2, trainable=trainable)
    assert annotation(nlp(TEXT)) == expected


SENTENCES = [["Mary", "left"], ["Nobody", "saw", "Mary", "."]]


def _close(found: list[Any], expected: list[Any], atol: float = 1e-6) -> bool:
    return all(
        one.dtype == np.float32 and np.allclose(one, other, atol=atol)
        for one, other in zip(found, expected, strict=True)
    )


@modes
@pytest.mark.parametrize("initial_state", ["zeros", "warm"])
def test_a_biLM_read_and_first_used_under_it(
    bilm_dir: Path, hdf5_dir: Path, tiny_bilm: BiLM, mode: str, initial_state: Any
) -> None:
    expected = tiny_bilm.embed(SENTENCES, initial_state=initial_state)
    for folder in (bilm_dir, hdf5_dir):
        with MODES[mode]():
            bilm = BiLM.from_pretrained(str(folder))
            under = bilm.embed(SENTENCES, initial_state=initial_state)
        # A caller's autocast asks for bfloat16 products, in this call and in no other.
        assert _close(under, expected, atol=0.05 if mode == "autocast" else 1e-6)
        assert _close(bilm.embed(SENTENCES, initial_state=initial_state), expected)
        assert _close(copy.deepcopy(bilm).embed(SENTENCES, initial_state=initial_state), expected)
        bilm.requires_grad_(True)
        tensors, _ = bilm.run(SENTENCES, bilm.initial_states(initial_state))
        sum(one.sum() for one in tensors).backward()
        assert all(torch.isfinite(p.grad).all() for p in bilm.parameters() if p.grad is not None)


@modes
def test_writing_a_biLM_under_it(tiny_bilm: BiLM, tmp_path: Path, mode: str) -> None:
    expected = tiny_bilm.embed(SENTENCES, initial_state="warm")
    fresh = copy.deepcopy(tiny_bilm)
    fresh.forget_warm_states()
    with MODES[mode]():
        fresh.to_disk(tmp_path / "plain")
        fresh.to_hdf5(tmp_path / "hdf5")
    for folder in ("plain", "hdf5"):
        bilm = BiLM.from_pretrained(str(tmp_path / folder))
        assert _close(bilm.embed(SENTENCES, initial_state="warm"), expected)


def test_reading_weights_leaves_torchs_random_numbers_alone(bilm_dir: Path) -> None:
    torch.manual_seed(0)
    expected = torch.rand(3)
    torch.manual_seed(0)
    BiLM.from_pretrained(str(bilm_dir))
    assert torch.equal(torch.rand(3), expected)


def test_every_new_tensor_names_its_dtype() -> None:
    """The default dtype is one setting for all threads, so that no context can keep it out."""
    package = Path(spacy_elmo_ner.__file__).parent
    unnamed = []
    for path in sorted(package.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf8"))):
            if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
                continue
            name = ast.unparse(node.func)
            of_default_dtype = name in {
                f"torch.{kind}"
                for kind in ("empty", "zeros", "ones", "eye", "rand", "randn", "linspace")
            } | {f"nn.{kind}" for kind in ("Linear", "Embedding", "Conv1d", "LSTM")}
            if of_default_dtype and "dtype" not in {keyword.arg for keyword in node.keywords}:
                unnamed.append(f"{path.relative_to(package)}:{node.lineno} {name}")
    assert unnamed == []
