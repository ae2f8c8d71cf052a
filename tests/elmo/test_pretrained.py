import http.client
import json
import shutil
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

import pytest
import spacy

from spacy_elmo_ner.elmo import BiLM, pretrained
from spacy_elmo_ner.elmo.pretrained import (
    OFFICIAL,
    Official,
    installed_names,
    is_published,
    published_sha256,
    read_options,
    read_pretrained,
)
from spacy_elmo_ner.elmo.shared import shared_bilm, shared_from_bytes
from spacy_elmo_ner.files import sha256_of
from tests.answers import Response, serve


@pytest.fixture
def tiny_official(
    tiny_bilm: BiLM, hdf5_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Path:
    """elmo-small has the shape of the tiny biLM, and an empty cache; its files lie in hdf5_dir."""
    monkeypatch.setitem(OFFICIAL, "elmo-small", Official("f", "elmo_f", tiny_bilm.options))
    monkeypatch.setattr(pretrained, "CACHE", tmp_path / "cache")
    return tmp_path / "cache" / "elmo-small"


def _serve_files(monkeypatch: pytest.MonkeyPatch, folder: Path) -> list[str]:
    def answer(url: str) -> Response:
        data = (folder / url.rpartition("_")[2]).read_bytes()
        return Response(data, url=url, length=str(len(data)))

    return serve(monkeypatch, answer)


def test_official_shapes_have_the_published_numbers_of_parameters() -> None:
    assert {name: official.options.n_params for name, official in OFFICIAL.items()} == {
        "elmo-small": 13_593_296,
        "elmo-medium": 28_027_728,
        "elmo-original": 93_600_848,
        "elmo-original-5.5B": 93_600_848,
    }
    widths = [official.options.width for official in OFFICIAL.values()]
    assert widths == [256, 512, 1024, 1024]


def test_official_addresses_are_those_of_allennlp() -> None:
    assert OFFICIAL["elmo-original-5.5B"].url("options.json") == (
        "https://s3-us-west-2.amazonaws.com/allennlp/models/elmo/2x4096_512_2048cnn_2xhighway_5.5B/"
        "elmo_2x4096_512_2048cnn_2xhighway_5.5B_options.json"
    )


def test_the_packaged_biLM_loads_by_name_without_network(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = serve(monkeypatch, OSError("no network"))
    bilm = BiLM.from_pretrained("small-en")
    assert read_options("small-en") == bilm.options
    assert is_published("small-en") and asked == []
    path = pretrained.PACKAGED / "small-en" / "weights.safetensors"
    assert published_sha256("small-en") == sha256_of(path)
    assert path.stat().st_size <= 16 * 1024 * 1024


def test_a_folder_is_a_name_whatever_its_format(
    bilm_dir: Path, hdf5_dir: Path, tiny_bilm: BiLM
) -> None:
    nlpl = hdf5_dir.with_name("nlpl")
    shutil.copytree(hdf5_dir, nlpl)
    (nlpl / "weights.hdf5").rename(nlpl / "model.hdf5")
    for folder in (bilm_dir, hdf5_dir, nlpl):
        assert read_pretrained(str(folder)).options == tiny_bilm.options
        assert read_options(str(folder)) == tiny_bilm.options
        assert not is_published(str(folder)) and published_sha256(str(folder)) is None


def test_another_package_may_bring_a_biLM_by_name(
    bilm_dir: Path, tiny_bilm: BiLM, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    site = tmp_path / "site"
    info = site / "tiny_de-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: tiny-de\nVersion: 1.0\n")
    group = "[spacy_elmo_ner_bilms]\ntiny-de = tiny_de_package:FOLDER\n"
    (info / "entry_points.txt").write_text(group)
    (site / "tiny_de_package.py").write_text(f"FOLDER = {str(bilm_dir)!r}\n")
    with pytest.raises(ValueError, match=r"EL009.*'tiny-de'"):
        BiLM.from_pretrained("tiny-de")
    with monkeypatch.context() as installed:
        installed.syspath_prepend(site)
        assert installed_names() == ["tiny-de"]
        assert read_options("tiny-de") == tiny_bilm.options
        assert not is_published("tiny-de")
        with pytest.raises(ValueError, match=r"EL009.*small-en.*tiny-de.*elmo-small"):
            BiLM.from_pretrained("tiny-fr")
        nlp = spacy.blank("en")
        nlp.add_pipe("elmo", config={"keep_layers": True, "model": {"name": "tiny-de"}})
        nlp.initialize()
        layers = nlp("Hi there")._.elmo
        nlp.to_disk(tmp_path / "saved")
    assert read_options("tiny-de") is None
    saved = spacy.load(tmp_path / "saved")
    assert (saved("Hi there")._.elmo == layers).all()
    assert (layers == tiny_bilm.embed([["Hi", "there"]])[0]).all()


def test_an_unknown_name_lists_the_known_ones(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"EL009.*'small-fr'.*small-en.*elmo-small"):
        BiLM.from_pretrained("small-fr")
    with pytest.raises(ValueError, match="EL009"):
        BiLM.from_pretrained(str(tmp_path))
    assert read_options("small-fr") is None


def test_an_official_biLM_is_fetched_once_and_checked_at_each_load(
    tiny_official: Path, hdf5_dir: Path, tiny_bilm: BiLM, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = _serve_files(monkeypatch, hdf5_dir)
    first = BiLM.from_pretrained("elmo-small")
    assert [url.rpartition("_")[2] for url in asked] == ["options.json", "weights.hdf5"]
    second = BiLM.from_pretrained("elmo-small")
    assert len(asked) == 2
    expected = tiny_bilm.embed([["Hi"]])[0]
    assert (first.embed([["Hi"]])[0] == expected).all()
    assert (second.embed([["Hi"]])[0] == expected).all()
    record = json.loads((tiny_official / "sha256.json").read_text())
    assert record == {"sha256": sha256_of(hdf5_dir / "weights.hdf5")}
    assert published_sha256("elmo-small") == record["sha256"]
    assert read_options("elmo-small") == tiny_bilm.options


def test_files_put_by_hand_need_no_network(
    tiny_official: Path, hdf5_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = serve(monkeypatch, OSError("no network"))
    shutil.copytree(hdf5_dir, tiny_official)
    assert BiLM.from_pretrained("elmo-small").options.width == 4
    assert read_pretrained("elmo-small", cache=tiny_official.parent).options.width == 4
    assert asked == []


def test_weights_that_changed_since_their_first_load_are_refused(
    tiny_official: Path, hdf5_dir: Path, make_bilm: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    _serve_files(monkeypatch, hdf5_dir)
    BiLM.from_pretrained("elmo-small")
    make_bilm(seed=7).to_hdf5(tiny_official)
    with pytest.raises(ValueError, match=r"EL011.*weights\.hdf5.*delete .*sha256\.json"):
        BiLM.from_pretrained("elmo-small")
    (tiny_official / "sha256.json").unlink()
    assert BiLM.from_pretrained("elmo-small").options.width == 4


def test_a_damaged_file_is_never_recorded_as_the_right_one(
    tiny_official: Path, hdf5_dir: Path
) -> None:
    shutil.copytree(hdf5_dir, tiny_official)
    weights = tiny_official / "weights.hdf5"
    weights.write_bytes(weights.read_bytes()[:-100])
    with pytest.raises(ValueError, match="EL00"):
        BiLM.from_pretrained("elmo-small")
    shutil.copy(hdf5_dir / "weights.hdf5", weights)
    assert BiLM.from_pretrained("elmo-small").options.width == 4


@pytest.mark.parametrize("content", ["", "{}", "[]", "\x00", '"abc"'])
def test_a_damaged_record_is_named(tiny_official: Path, hdf5_dir: Path, content: str) -> None:
    shutil.copytree(hdf5_dir, tiny_official)
    (tiny_official / "sha256.json").write_text(content)
    with pytest.raises(ValueError, match=r"EL017.*sha256\.json"):
        BiLM.from_pretrained("elmo-small")


def test_a_read_only_folder_loads_with_a_warning(
    tiny_official: Path, hdf5_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(hdf5_dir, tiny_official)

    def refuse(*args: Any, **kwargs: Any) -> None:
        raise PermissionError("Permission denied")

    monkeypatch.setattr(Path, "write_text", refuse)
    with pytest.warns(UserWarning, match=r"WL001.*sha256\.json"):
        assert BiLM.from_pretrained("elmo-small").options.width == 4


def test_options_of_another_size_are_refused(
    tiny_official: Path, hdf5_dir: Path, make_bilm: Any
) -> None:
    make_bilm(dim=6).to_hdf5(tiny_official)
    with pytest.raises(ValueError, match=r"EL010.*options\.json.*elmo-small has 1,486"):
        BiLM.from_pretrained("elmo-small")


@pytest.mark.parametrize(
    ("answer", "problem"),
    [
        (urllib.error.URLError("unreachable"), "unreachable"),
        (TimeoutError("timed out"), "timed out"),
        (http.client.BadStatusLine("no http"), "no http"),
        (Response(b"x" * 70_000), "more than the 65,536 bytes"),
        (Response(b"", length="70000"), "70,000 bytes, more than the 65,536"),
        (Response(b"half", length="8"), "ended after 4 of 8 bytes"),
        (Response(b"half", length="many"), "many"),
        (Response(b"", url="http://example.org/file"), "not an https address"),
    ],
    ids=["unreachable", "slow", "no http", "long", "says long", "cut", "no length", "redirect"],
)
def test_a_failed_download_says_where_to_put_the_files_and_leaves_none(
    tiny_official: Path, monkeypatch: pytest.MonkeyPatch, answer: Any, problem: str
) -> None:
    serve(monkeypatch, answer)
    with pytest.raises(OSError, match=rf"EL014.*options\.json.*{problem}.*cache"):
        BiLM.from_pretrained("elmo-small")
    assert list(tiny_official.iterdir()) == []


def test_two_who_share_a_biLM_hold_one_frozen_object(bilm_dir: Path) -> None:
    first = shared_bilm(str(bilm_dir))
    assert shared_bilm(str(bilm_dir / ".." / bilm_dir.name)) is first
    assert not any(parameter.requires_grad for parameter in first.parameters())


def test_weights_written_anew_are_not_mistaken_for_the_shared_ones(
    bilm_dir: Path, make_bilm: Any
) -> None:
    first = shared_bilm(str(bilm_dir))
    make_bilm(seed=3).to_disk(bilm_dir)
    second = shared_bilm(str(bilm_dir))
    assert second is not first
    assert shared_bilm(str(bilm_dir)) is second


def test_biLMs_saved_with_equal_bytes_are_shared(tiny_bilm: BiLM, make_bilm: Any) -> None:
    options = tiny_bilm.options.to_dict()
    first = shared_from_bytes(options, tiny_bilm.to_bytes())
    assert shared_from_bytes(options, tiny_bilm.to_bytes()) is first
    assert shared_from_bytes(options, make_bilm(seed=3).to_bytes()) is not first
    assert not any(parameter.requires_grad for parameter in first.parameters())
    with pytest.raises(ValueError, match=r"EL004.*the saved pipeline"):
        shared_from_bytes(options, b"")
