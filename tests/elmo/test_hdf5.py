import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
import torch

from spacy_elmo_ner.elmo import BiLM

SENTENCES = [["The", "cat", "sat"], ["naïve"]]
CELL = "RNN_0/RNN/MultiRNNCell/Cell0/LSTMCell"


def _read(folder: Path) -> BiLM:
    return BiLM.from_hdf5(folder / "options.json", folder / "weights.hdf5")


def _edit(folder: Path) -> h5py.File:
    return h5py.File(folder / "weights.hdf5", "r+")


def _replace(folder: Path, name: str, values: Any) -> None:
    with _edit(folder) as file:
        del file[name]
        file[name] = values


@pytest.mark.parametrize(
    "lstm",
    [
        {},
        {"n_layers": 1},
        {"n_layers": 3},
        {"use_skip_connections": False},
        {"dim": 2},
        {"cell_clip": None, "proj_clip": 0.1},
    ],
    ids=str,
)
def test_a_round_trip_keeps_every_bit(
    make_bilm: Callable[..., BiLM], tmp_path: Path, lstm: dict[str, Any]
) -> None:
    bilm = make_bilm(**lstm)
    bilm.to_hdf5(tmp_path)
    again = _read(tmp_path)
    assert again.options == bilm.options
    for name, value in bilm.state_dict().items():
        assert torch.equal(again.state_dict()[name], value), name
    assert not again.training


def test_the_file_has_the_official_names_and_shapes(hdf5_dir: Path) -> None:
    with _edit(hdf5_dir) as file:
        assert file["char_embed"].shape == (261, 3)
        assert file["CNN/W_cnn_2"].shape == (1, 4, 3, 2)
        assert file["CNN_high_0/W_carry"].shape == (9, 9)
        assert file["CNN_proj/W_proj"].shape == (9, 2)
        assert file[f"{CELL}/W_0"].shape == (4, 20)
        assert file[f"{CELL}/B"].shape == (20,)
        assert file[f"{CELL}/W_P_0"].shape == (5, 2)
        assert file["char_embed"].dtype == np.float32


def test_w_p_0_is_missing_where_cells_are_as_wide_as_the_output(
    make_bilm: Callable[..., BiLM], tmp_path: Path
) -> None:
    make_bilm(dim=2).to_hdf5(tmp_path)
    with _edit(tmp_path) as file:
        assert sorted(file[CELL]) == ["B", "W_0"]


def test_a_table_of_262_rows_loads_like_one_of_261(hdf5_dir: Path) -> None:
    expected = _read(hdf5_dir)
    with _edit(hdf5_dir) as file:
        rows = file["char_embed"][...]
    _replace(hdf5_dir, "char_embed", np.vstack([rows, np.ones((1, 3), "f")]))
    found = _read(hdf5_dir)
    for name, value in expected.state_dict().items():
        assert torch.equal(found.state_dict()[name], value), name


def test_a_missing_cnn_projection_is_the_identity_where_filters_already_fit(
    make_bilm: Callable[..., BiLM], tmp_path: Path
) -> None:
    bilm = make_bilm(projection_dim=9)
    with torch.no_grad():
        bilm.char_cnn.projection.weight.copy_(torch.eye(9))
        bilm.char_cnn.projection.bias.zero_()
    bilm.to_hdf5(tmp_path)
    with _edit(tmp_path) as file:
        del file["CNN_proj"]
    for found, expected in zip(
        _read(tmp_path).embed(SENTENCES), bilm.embed(SENTENCES), strict=True
    ):
        assert np.array_equal(found, expected)


def test_a_missing_cnn_projection_is_an_error_where_filters_do_not_fit(hdf5_dir: Path) -> None:
    with _edit(hdf5_dir) as file:
        del file["CNN_proj"]
    with pytest.raises(ValueError, match=r"EL005.*weights\.hdf5.*CNN_proj/W_proj"):
        _read(hdf5_dir)


def test_half_and_double_precision_load(hdf5_dir: Path) -> None:
    with _edit(hdf5_dir) as file:
        bias = file["CNN/b_cnn_0"][...]
    for dtype, tolerance in (("f2", 1e-3), ("f8", 0)):
        _replace(hdf5_dir, "CNN/b_cnn_0", bias.astype(dtype))
        found = _read(hdf5_dir).state_dict()["char_cnn.convolutions.0.bias"].numpy()
        np.testing.assert_allclose(found, bias, atol=tolerance)


@pytest.mark.parametrize("name", ["char_embed", "CNN/W_cnn_1", f"{CELL}/W_P_0"])
def test_a_missing_dataset_is_named(hdf5_dir: Path, name: str) -> None:
    with _edit(hdf5_dir) as file:
        del file[name]
    with pytest.raises(ValueError, match=rf"EL005.*weights\.hdf5.*'{name}'"):
        _read(hdf5_dir)


@pytest.mark.parametrize(
    "values",
    [
        np.zeros((4, 21), "f"),
        np.zeros((20, 4), "f"),
        np.zeros((80,), "f"),
        np.float32(0),
        np.zeros((4, 20), "i8"),
        np.zeros((4, 20), "c8"),
        np.zeros((4, 20), "S3"),
    ],
    ids=lambda values: f"{values.dtype}{values.shape}",
)
def test_a_dataset_of_another_shape_or_type_is_named_with_both_shapes(
    hdf5_dir: Path, values: Any
) -> None:
    _replace(hdf5_dir, f"{CELL}/W_0", values)
    with pytest.raises(ValueError, match=rf"EL006.*weights\.hdf5.*{CELL}/W_0.*\(4, 20\)"):
        _read(hdf5_dir)


def test_options_of_another_biLM_are_refused(hdf5_dir: Path) -> None:
    options = json.loads((hdf5_dir / "options.json").read_text())
    options["lstm"]["dim"] = 6
    (hdf5_dir / "options.json").write_text(json.dumps(options))
    with pytest.raises(ValueError, match=r"EL006.*\(4, 20\).*\(4, 24\)"):
        _read(hdf5_dir)


@pytest.mark.parametrize("value", [np.nan, np.inf, 1e300])
def test_values_that_are_not_finite_are_refused(hdf5_dir: Path, value: float) -> None:
    _replace(hdf5_dir, f"{CELL}/B", np.full(20, value))
    with pytest.raises(ValueError, match=rf"EL007.*weights\.hdf5.*{CELL}/B"):
        _read(hdf5_dir)


def _link_to_group(file: h5py.File, other: Path) -> None:
    del file["CNN"]
    file["CNN"] = h5py.ExternalLink(other, "CNN")


def _link_to_dataset(file: h5py.File, other: Path) -> None:
    del file["CNN/W_cnn_0"]
    file["CNN/W_cnn_0"] = h5py.ExternalLink(other, "CNN/W_cnn_0")


def _store_outside(file: h5py.File, other: Path) -> None:
    shape = file["CNN/W_cnn_0"].shape
    del file["CNN/W_cnn_0"]
    file.create_dataset("CNN/W_cnn_0", shape, "f", external=[(str(other), 0, h5py.h5f.UNLIMITED)])


def _map_from_outside(file: h5py.File, other: Path) -> None:
    shape = file["CNN/W_cnn_0"].shape
    del file["CNN/W_cnn_0"]
    layout = h5py.VirtualLayout(shape, "f")
    layout[...] = h5py.VirtualSource(str(other), "CNN/W_cnn_0", shape)
    file.create_virtual_dataset("CNN/W_cnn_0", layout)


def _put_a_group(file: h5py.File, other: Path) -> None:
    del file["CNN/W_cnn_0"]
    file.create_group("CNN/W_cnn_0")


def _put_a_dataset_for_a_group(file: h5py.File, other: Path) -> None:
    del file["CNN"]
    file["CNN"] = np.zeros(3, "f")


def _link_nowhere(file: h5py.File, other: Path) -> None:
    del file["CNN/W_cnn_0"]
    file["CNN/W_cnn_0"] = h5py.SoftLink("/nothing")


@pytest.mark.parametrize(
    "change",
    [
        _link_to_group,
        _link_to_dataset,
        _store_outside,
        _map_from_outside,
        _put_a_group,
        _put_a_dataset_for_a_group,
        _link_nowhere,
    ],
)
def test_values_are_read_from_the_file_itself_only(
    tiny_bilm: BiLM, hdf5_dir: Path, tmp_path: Path, change: Callable[[h5py.File, Path], None]
) -> None:
    tiny_bilm.to_hdf5(tmp_path / "other")
    with _edit(hdf5_dir) as file:
        change(file, tmp_path / "other" / "weights.hdf5")
    with pytest.raises(ValueError, match=r"EL005.*weights\.hdf5.*'CNN/W_cnn_0'"):
        _read(hdf5_dir)


@pytest.mark.parametrize("n_bytes", [0, 7, 100, 2_000, 20_000, -1])
def test_a_file_cut_short_is_an_error(hdf5_dir: Path, n_bytes: int) -> None:
    path = hdf5_dir / "weights.hdf5"
    path.write_bytes(path.read_bytes()[:n_bytes])
    with pytest.raises(ValueError, match=r"EL00[45].*weights\.hdf5"):
        _read(hdf5_dir)


def test_damaged_bytes_end_in_an_error_or_in_finite_weights(hdf5_dir: Path) -> None:
    path = hdf5_dir / "weights.hdf5"
    whole = path.read_bytes()
    rng = np.random.default_rng(0)
    n_errors = 0
    for _ in range(60):
        data = bytearray(whole)
        for place in rng.integers(0, 4_000, size=4):
            data[place] = int(rng.integers(256))
        path.write_bytes(data)
        try:
            bilm = _read(hdf5_dir)
        except ValueError as err:
            assert str(err).startswith("[EL00"), err
            n_errors += 1
        else:
            assert all(value.isfinite().all() for value in bilm.state_dict().values())
    assert n_errors > 8


def test_files_of_other_kinds_and_missing_ones_are_named(hdf5_dir: Path, tmp_path: Path) -> None:
    options = hdf5_dir / "options.json"
    with pytest.raises(ValueError, match=r"EL004.*options\.json"):
        BiLM.from_hdf5(options, options)
    with pytest.raises(FileNotFoundError, match=r"EL003.*none\.hdf5"):
        BiLM.from_hdf5(options, tmp_path / "none.hdf5")
    with pytest.raises(FileNotFoundError, match=r"EL003.*none\.json"):
        BiLM.from_hdf5(tmp_path / "none.json", hdf5_dir / "weights.hdf5")


def test_a_write_that_fails_leaves_the_old_file(
    make_bilm: Callable[..., BiLM], hdf5_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = {path.name: path.read_bytes() for path in hdf5_dir.iterdir()}

    def full(*args: Any, **kwargs: Any) -> None:
        raise OSError("No space left on device")

    monkeypatch.setattr(h5py.Group, "create_dataset", full)
    with pytest.raises(OSError, match="No space left"):
        make_bilm(seed=9).to_hdf5(hdf5_dir)
    assert {path.name: path.read_bytes() for path in hdf5_dir.iterdir()} == before
