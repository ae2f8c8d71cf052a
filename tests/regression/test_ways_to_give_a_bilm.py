"""A biLM is found in every form people have it in, or the message says what they have."""

import shutil
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from spacy_elmo_ner.elmo import BiLM
from spacy_elmo_ner.elmo.pretrained import is_hdf5, read_options
from spacy_elmo_ner.layers.bilm_layer import build_bilm_v1

SENTENCES = [["Mary", "left"]]


def _check(name: str | Path, expected: BiLM) -> None:
    assert read_options(str(name)) == expected.options
    assert build_bilm_v1(str(name)).get_dim("nO") == expected.options.width
    found = BiLM.from_pretrained(str(name))
    assert np.array_equal(found.embed(SENTENCES)[0], expected.embed(SENTENCES)[0])


def _zipped(folder: Path, path: Path, inside: str = "", **names: str) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for file in folder.iterdir():
            archive.write(file, inside + names.get(file.stem, file.name))
    return path


@pytest.mark.parametrize("inside", ["", "204/"])
def test_a_zip_archive_of_nlpl(
    hdf5_dir: Path, tiny_bilm: BiLM, tmp_path: Path, inside: str
) -> None:
    path = _zipped(hdf5_dir, tmp_path / "204.zip", inside, weights="model.hdf5")
    _check(path, tiny_bilm)
    assert is_hdf5(str(path))


def test_a_zip_archive_of_our_own_files(bilm_dir: Path, tiny_bilm: BiLM, tmp_path: Path) -> None:
    _check(_zipped(bilm_dir, tmp_path / "bilm.zip"), tiny_bilm)


@pytest.mark.parametrize("suffix", [".hdf5", ".h5"])
def test_a_weights_file_beside_its_options(hdf5_dir: Path, tiny_bilm: BiLM, suffix: str) -> None:
    weights = (hdf5_dir / "weights.hdf5").rename(hdf5_dir / f"weights{suffix}")
    _check(weights, tiny_bilm)
    (hdf5_dir / "options.json").rename(hdf5_dir / "elmo_2x5_options.json")
    weights = weights.rename(hdf5_dir / f"elmo_2x5_weights{suffix}")
    _check(weights, tiny_bilm)
    (hdf5_dir / "elmo_2x5_options.json").unlink()
    with pytest.raises(FileNotFoundError, match=r"EL003.*options\.json"):
        BiLM.from_pretrained(str(weights))


def test_a_safetensors_file_beside_its_options(bilm_dir: Path, tiny_bilm: BiLM) -> None:
    _check(bilm_dir / "weights.safetensors", tiny_bilm)


def test_a_path_below_the_home_folder(
    bilm_dir: Path, hdf5_dir: Path, tiny_bilm: BiLM, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = bilm_dir.parent
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("USERPROFILE", str(home))
    _check("~/bilm", tiny_bilm)
    _check("~/bilm-hdf5/weights.hdf5", tiny_bilm)
    tiny_bilm.to_disk("~/new")
    tiny_bilm.to_hdf5(Path("~/new-hdf5"))
    assert (home / "new" / "options.json").is_file()
    expected = tiny_bilm.embed(SENTENCES)[0]
    for bilm in (
        BiLM.from_disk("~/new"),
        BiLM.from_hdf5("~/new-hdf5/options.json", Path("~/new-hdf5/weights.hdf5")),
    ):
        assert np.array_equal(bilm.embed(SENTENCES)[0], expected)


def test_options_with_a_byte_order_mark(hdf5_dir: Path, tiny_bilm: BiLM, tmp_path: Path) -> None:
    options = hdf5_dir / "options.json"
    options.write_bytes(b"\xef\xbb\xbf" + options.read_bytes())
    _check(hdf5_dir, tiny_bilm)
    _check(_zipped(hdf5_dir, tmp_path / "bom.zip"), tiny_bilm)


MANY_LANGS = ("char.dic", "word.dic", "config.json", "encoder.pkl", "token_embedder.pkl")


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize(
    ("files", "what"),
    [
        (MANY_LANGS, "an ELMoForManyLangs model.*pickles"),
        (("checkpoint", "model.ckpt-1.index", "options.json"), "TensorFlow.*dump_weights"),
    ],
)
def test_other_formats_are_called_by_their_name(
    tmp_path: Path, tiny_bilm: BiLM, files: tuple[str, ...], what: str, packed: bool
) -> None:
    path = tmp_path / "144"
    path.mkdir()
    for name in files:
        (path / name).write_text("{}")
    if "options.json" in files:
        tiny_bilm.options.to_json(path / "options.json")
    if packed:
        path = _zipped(path, tmp_path / "144.zip")
    with pytest.raises(ValueError, match=rf"EL037.*144.*{what}"):
        BiLM.from_pretrained(str(path))


def test_any_other_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "model.bin"
    path.write_bytes(b"PyTorch")
    for use in (BiLM.from_pretrained, read_options, build_bilm_v1):
        with pytest.raises(ValueError, match=r"EL036.*model\.bin.*ZIP archive"):
            use(str(path))


def test_archives_that_are_damaged_or_too_large(
    hdf5_dir: Path, make_bilm: Any, tmp_path: Path
) -> None:
    path = _zipped(hdf5_dir, tmp_path / "cut.zip")
    data = path.read_bytes()
    for damaged in (
        data.replace(b"\x1f", b"\x20"),
        bytes(255 - b if 60 < i < 400 else b for i, b in enumerate(data)),
    ):
        path.write_bytes(damaged)
        with pytest.raises(ValueError, match=r"EL0\d\d"):
            BiLM.from_pretrained(str(path))
    empty = tmp_path / "empty.zip"
    zipfile.ZipFile(empty, "w").close()
    with pytest.raises(ValueError, match=r"EL03[68].*empty\.zip"):
        BiLM.from_pretrained(str(empty))
    # A few kilobytes that would unpack to more than any biLM of these options has.
    bomb = tmp_path / "bomb"
    shutil.copytree(hdf5_dir, bomb)
    (bomb / "weights.hdf5").write_bytes(bytes(30_000_000))
    path = _zipped(bomb, tmp_path / "bomb.zip")
    assert path.stat().st_size < 100_000
    with pytest.raises(ValueError, match=r"EL038.*weights\.hdf5 has more than"):
        BiLM.from_pretrained(str(path))
    (bomb / "options.json").write_bytes(b" " * 1_000_000)
    with pytest.raises(ValueError, match=r"EL038.*options\.json has more than"):
        read_options(str(_zipped(bomb, tmp_path / "bomb.zip")))
