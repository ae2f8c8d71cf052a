from pathlib import Path
from typing import Any

import numpy as np
import pytest
from spacy.cli._util import app
from typer.testing import CliRunner, Result

from spacy_elmo_ner.cli.app import elmo_cli
from spacy_elmo_ner.elmo import BiLM, pretrained

SENTENCES = [["The", "cat", "sat"]]


def _run(*args: Any) -> Result:
    return CliRunner().invoke(elmo_cli, ["convert", *map(str, args)])


def _vectors(bilm: BiLM) -> Any:
    return bilm.embed(SENTENCES)[0]


def test_hdf5_becomes_safetensors_with_the_same_vectors(
    hdf5_dir: Path, tiny_bilm: BiLM, tmp_path: Path
) -> None:
    result = _run(hdf5_dir, tmp_path / "out")
    assert result.exit_code == 0 and "weights.safetensors" in result.output, result.output
    found = _vectors(BiLM.from_disk(tmp_path / "out"))
    np.testing.assert_allclose(found, _vectors(tiny_bilm), atol=1e-6)


def test_safetensors_become_hdf5_with_the_same_vectors(
    bilm_dir: Path, tiny_bilm: BiLM, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    result = _run(bilm_dir, out)
    assert result.exit_code == 0 and "weights.hdf5" in result.output, result.output
    bilm = BiLM.from_hdf5(out / "options.json", out / "weights.hdf5")
    np.testing.assert_allclose(_vectors(bilm), _vectors(tiny_bilm), atol=1e-6)


def test_a_weights_file_is_taken_with_the_options_beside_it(
    hdf5_dir: Path, tiny_bilm: BiLM, tmp_path: Path
) -> None:
    plain = _run(hdf5_dir / "weights.hdf5", tmp_path / "plain")
    assert plain.exit_code == 0, plain.output
    for name in ("options.json", "weights.hdf5"):
        (hdf5_dir / name).rename(hdf5_dir / f"elmo_2x5_2_{name}")
    weights = hdf5_dir / "elmo_2x5_2_weights.hdf5"
    alike = _run(weights, tmp_path / "alike")
    assert alike.exit_code == 0, alike.output
    (hdf5_dir / "elmo_2x5_2_options.json").rename(tmp_path / "other.json")
    assert "EL003" in _run(weights, tmp_path / "none").output
    named = _run(weights, tmp_path / "named", "--options", tmp_path / "other.json")
    assert named.exit_code == 0, named.output
    for name in ("plain", "alike", "named"):
        assert np.array_equal(_vectors(BiLM.from_disk(tmp_path / name)), _vectors(tiny_bilm))


def test_an_official_name_becomes_safetensors(
    hdf5_dir: Path, tiny_bilm: BiLM, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    official = pretrained.Official("f", "elmo_f", tiny_bilm.options)
    monkeypatch.setitem(pretrained.OFFICIAL, "elmo-small", official)
    monkeypatch.setattr(pretrained, "CACHE", tmp_path / "cache")
    (tmp_path / "cache").mkdir()
    hdf5_dir.rename(tmp_path / "cache" / "elmo-small")
    result = _run("elmo-small", tmp_path / "out")
    assert result.exit_code == 0, result.output
    found = _vectors(BiLM.from_disk(tmp_path / "out"))
    np.testing.assert_allclose(found, _vectors(tiny_bilm), atol=1e-6)


@pytest.mark.parametrize("write", [BiLM.to_hdf5, BiLM.to_disk])
def test_half_writes_half_the_bytes_from_either(write: Any, make_bilm: Any, tmp_path: Path) -> None:
    bilm = make_bilm(dim=60, projection_dim=30)
    BiLM.to_hdf5(bilm, tmp_path / "hdf5")
    write(bilm, tmp_path / "in")
    sizes = []
    for name, source, options in (("full", "hdf5", []), ("half", "in", ["--half"])):
        assert _run(tmp_path / source, tmp_path / name, *options).exit_code == 0
        sizes.append((tmp_path / name / "weights.safetensors").stat().st_size)
    assert sizes[1] < 0.6 * sizes[0]
    np.testing.assert_allclose(
        _vectors(BiLM.from_disk(tmp_path / "half")), _vectors(bilm), atol=0.01
    )


def test_wrong_input_is_one_message_without_a_traceback(
    bilm_dir: Path, hdf5_dir: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    (tmp_path / "cut.hdf5").write_bytes((hdf5_dir / "weights.hdf5").read_bytes()[:3000])
    for args, code in (
        ([tmp_path / "none", out], "EL009"),
        ([tmp_path / "none.hdf5", out, "--options", hdf5_dir / "options.json"], "EL003"),
        ([tmp_path / "cut.hdf5", out, "--options", hdf5_dir / "options.json"], "EL00"),
        ([hdf5_dir, bilm_dir], "EL512"),
        ([hdf5_dir, hdf5_dir], "EL512"),
        ([hdf5_dir, out, "--options", hdf5_dir / "options.json"], "EL514"),
    ):
        result = _run(*args)
        assert result.exit_code == 1 and f"[{code}" in result.output, result.output
    assert not out.exists()


def test_help_shows_both_ways() -> None:
    output = " ".join(CliRunner().invoke(app, ["elmo", "convert", "--help"]).output.split())
    assert "HDF5 becomes safetensors" in output and "safetensors become HDF5" in output
