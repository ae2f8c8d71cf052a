from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load, load_file, save_file

import spacy_elmo_ner
from spacy_elmo_ner.elmo import BiLM
from spacy_elmo_ner.elmo.bilm import InitialState
from spacy_elmo_ner.files import sha256_of

SENTENCES = [["The", "cat", "sat"]]
WEIGHT = "forward_lstm.layers.0.weight"
STATE = "warm.backward.1.c"


def _edit(folder: Path, **changes: torch.Tensor | None) -> None:
    path = folder / "weights.safetensors"
    tensors = load_file(path) | changes
    save_file({name: value for name, value in tensors.items() if value is not None}, path)


def test_a_round_trip_keeps_every_bit(tiny_bilm: BiLM, bilm_dir: Path) -> None:
    again = BiLM.from_disk(bilm_dir)
    assert again.options == tiny_bilm.options
    for name, value in tiny_bilm.state_dict().items():
        assert torch.equal(again.state_dict()[name], value), name
    assert sorted(path.name for path in bilm_dir.iterdir()) == [
        "options.json",
        "weights.safetensors",
    ]


def test_float16_halves_the_weights_and_moves_vectors_by_little(
    tiny_bilm: BiLM, tmp_path: Path
) -> None:
    tiny_bilm.to_disk(tmp_path, dtype=torch.float16)
    stored = load_file(tmp_path / "weights.safetensors")
    assert stored[WEIGHT].dtype == torch.float16
    again = BiLM.from_disk(tmp_path)
    assert again.char_cnn.projection.weight.dtype == torch.float32
    states: list[InitialState] = ["zeros", "warm"]
    for state in states:
        (found,), (expected,) = (
            bilm.embed(SENTENCES, initial_state=state) for bilm in (again, tiny_bilm)
        )
        np.testing.assert_allclose(found, expected, atol=2e-3)


def test_weights_read_from_float16_are_written_so_again(tiny_bilm: BiLM, tmp_path: Path) -> None:
    tiny_bilm.to_disk(tmp_path / "half", dtype=torch.float16)
    half = BiLM.from_disk(tmp_path / "half")
    (expected,) = half.embed(SENTENCES)
    half.to_disk(tmp_path / "again")
    for data in ((tmp_path / "again/weights.safetensors").read_bytes(), half.to_bytes()):
        assert {value.dtype for value in load(data).values()} == {torch.float16}
        again = BiLM.from_bytes(half.options, data, source="bytes")
        assert (again.embed(SENTENCES)[0] == expected).all()
    with torch.no_grad():  # one of its values is no float16 any more
        half.get_parameter(WEIGHT)[0, 0] = 0.1
    mixed = load(half.to_bytes())
    assert mixed[WEIGHT].dtype == torch.float32 and mixed[WEIGHT][0, 0] == torch.tensor(0.1)
    assert torch.float16 in {value.dtype for value in mixed.values()}


def test_values_that_the_type_cannot_hold_are_not_written(tiny_bilm: BiLM, bilm_dir: Path) -> None:
    before = sha256_of(bilm_dir / "weights.safetensors")
    with torch.no_grad():
        tiny_bilm.char_cnn.projection.bias[0] = 1e5
    with pytest.raises(ValueError, match=r"EL016.*char_cnn\.projection\.bias.*float16"):
        tiny_bilm.to_disk(bilm_dir, dtype=torch.float16)
    with torch.no_grad():
        tiny_bilm.char_cnn.projection.bias[0] = float("nan")
    with pytest.raises(ValueError, match=r"EL016.*char_cnn\.projection\.bias.*float32"):
        tiny_bilm.to_disk(bilm_dir)
    assert sha256_of(bilm_dir / "weights.safetensors") == before


def test_files_without_a_warm_state_load_and_compute_it(tiny_bilm: BiLM, bilm_dir: Path) -> None:
    names = [name for name in load_file(bilm_dir / "weights.safetensors") if "warm." in name]
    assert len(names) == 8
    _edit(bilm_dir, **dict.fromkeys(names))
    (found,), (expected,) = (
        bilm.embed(SENTENCES, initial_state="warm")
        for bilm in (BiLM.from_disk(bilm_dir), tiny_bilm)
    )
    np.testing.assert_allclose(found, expected, atol=1e-6)


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        (WEIGHT, None, "EL008.*missing"),
        (STATE, None, "EL008.*missing"),
        ("extra", torch.zeros(2), "EL008.*not expected"),
        ("warm.extra", torch.zeros(2), "EL008.*not expected"),
        (WEIGHT, torch.zeros(20, 5), r"EL006.*\(20, 5\).*\(20, 4\)"),
        (STATE, torch.zeros(5), r"EL006.*\(5,\).*\(1, 5\)"),
        (WEIGHT, torch.zeros(20, 4, dtype=torch.int64), "EL006.*int64"),
        (WEIGHT, torch.full((20, 4), float("nan")), "EL007"),
        (STATE, torch.full((1, 5), float("inf")), "EL007"),
    ],
)
def test_names_shapes_and_values_are_checked_strictly(
    bilm_dir: Path, name: str, value: torch.Tensor | None, message: str
) -> None:
    _edit(bilm_dir, **{name: value})
    code, *rest = message.split(".*")
    pattern = ".*".join([code, r"weights\.safetensors", name, *rest])
    with pytest.raises(ValueError, match=pattern):
        BiLM.from_disk(bilm_dir)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\x08\0\0\0",
        b"\xff" * 64,
        b"\x89HDF\r\n\x1a\n" + bytes(64),
        b'\x3b\0\0\0\0\0\0\0{"x":{"dtype":"F8_E8M0","shape":[1],"data_offsets":[0,1]}}\0',
        b'\x38\0\0\0\0\0\0\0{"x":{"dtype":"F32","shape":[9],"data_offsets":[0,4]}}  \0\0\0\0',
    ],
    ids=["empty", "cut", "binary", "hdf5", "unknown type", "wrong size"],
)
def test_a_file_that_is_no_safetensors_file_is_named(bilm_dir: Path, content: bytes) -> None:
    (bilm_dir / "weights.safetensors").write_bytes(content)
    with pytest.raises(ValueError, match=r"EL004.*weights\.safetensors"):
        BiLM.from_disk(bilm_dir)


def test_a_file_cut_short_anywhere_is_an_error(bilm_dir: Path) -> None:
    path = bilm_dir / "weights.safetensors"
    whole = path.read_bytes()
    for n_bytes in range(0, len(whole), 173):
        path.write_bytes(whole[:n_bytes])
        with pytest.raises(ValueError, match=r"EL004.*weights\.safetensors"):
            BiLM.from_disk(bilm_dir)


@pytest.mark.parametrize("name", ["options.json", "weights.safetensors"])
def test_a_missing_file_is_named(bilm_dir: Path, name: str) -> None:
    (bilm_dir / name).unlink()
    with pytest.raises(FileNotFoundError, match=f"EL003.*{name}"):
        BiLM.from_disk(bilm_dir)


def test_a_write_that_fails_leaves_the_old_files(
    make_bilm: Callable[..., BiLM], bilm_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = {path.name: path.read_bytes() for path in bilm_dir.iterdir()}

    def full(path: Path, data: bytes) -> int:
        with open(path, "wb") as file:
            file.write(data[:100])
        raise OSError("No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(OSError, match="No space left"):
        make_bilm(seed=9).to_disk(bilm_dir)
    assert {path.name: path.read_bytes() for path in bilm_dir.iterdir()} == before


def test_reading_takes_none_of_torchs_random_numbers(bilm_dir: Path) -> None:
    torch.manual_seed(0)
    expected = torch.rand(1)
    torch.manual_seed(0)
    BiLM.from_disk(bilm_dir)
    assert torch.rand(1) == expected


def test_bytes_are_the_same_for_the_same_weights(tiny_bilm: BiLM, bilm_dir: Path) -> None:
    assert BiLM.from_disk(bilm_dir).to_bytes() == tiny_bilm.to_bytes()


def test_nothing_in_the_package_pickles() -> None:
    root = Path(spacy_elmo_ner.__file__).parent
    forbidden = [
        "import pickle",
        "pickle.load",
        "torch.load",
        "torch.save",
        "allow_pickle=True",
        "import joblib",
        "import dill",
    ]
    for path in root.rglob("*.py"):
        text = path.read_text(encoding="utf8")
        assert not [word for word in forbidden if word in text], path
