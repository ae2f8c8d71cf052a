import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from spacy_elmo_ner.elmo import BiLM, BiLMOptions

# What stands in the official options.json of elmo-small, unused entries included.
OFFICIAL: dict[str, Any] = {
    "lstm": {
        "use_skip_connections": True,
        "projection_dim": 128,
        "cell_clip": 3,
        "proj_clip": 3,
        "dim": 1024,
        "n_layers": 2,
    },
    "char_cnn": {
        "activation": "relu",
        "filters": [[1, 32], [2, 32], [3, 64], [4, 128], [5, 256], [6, 512], [7, 1024]],
        "n_highway": 1,
        "embedding": {"dim": 16},
        "n_characters": 262,
        "max_characters_per_token": 50,
    },
    "n_tokens_vocab": 793471,
}


def _changed(path: str, value: Any) -> dict[str, Any]:
    data = copy.deepcopy(OFFICIAL)
    *blocks, key = path.split(".")
    block = data
    for name in blocks:
        block = block[name]
    block[key] = value
    return data


def test_official_options_give_the_official_shape() -> None:
    options = BiLMOptions.from_dict(OFFICIAL)
    assert (options.width, options.n_layers, options.n_params) == (256, 3, 13_593_296)
    assert options.lstm.cell_clip == 3.0
    assert options.char_cnn.filters[-1] == (7, 1024)


def test_options_survive_a_round_trip_through_a_file(tmp_path: Path) -> None:
    options = BiLMOptions.from_dict(_changed("lstm.proj_clip", None))
    options.to_json(tmp_path / "options.json")
    assert BiLMOptions.from_json(tmp_path / "options.json") == options
    assert json.loads((tmp_path / "options.json").read_text())["char_cnn"]["n_characters"] == 262


@pytest.mark.parametrize(
    "lstm",
    [{}, {"n_layers": 1}, {"n_layers": 3}, {"dim": 2}, {"use_skip_connections": False}],
    ids=str,
)
def test_n_params_counts_what_the_module_holds(
    make_bilm: Callable[..., BiLM], lstm: dict[str, Any]
) -> None:
    bilm = make_bilm(**lstm)
    padding_row = bilm.options.char_cnn.embedding_dim
    held = sum(parameter.numel() for parameter in bilm.parameters())
    assert bilm.options.n_params == held - padding_row


def test_clips_of_null_and_0_leave_values_unbounded() -> None:
    for value in (None, 0, 0.0):
        assert BiLMOptions.from_dict(_changed("lstm.cell_clip", value)).lstm.cell_clip is None


@pytest.mark.parametrize(
    "path",
    [
        "lstm",
        "char_cnn",
        "lstm.dim",
        "lstm.projection_dim",
        "char_cnn.filters",
        "char_cnn.embedding",
        "char_cnn.embedding.dim",
        "char_cnn.n_highway",
    ],
)
def test_a_missing_entry_is_named_in_full(path: str) -> None:
    data = copy.deepcopy(OFFICIAL)
    *blocks, key = path.split(".")
    block = data
    for name in blocks:
        block = block[name]
    del block[key]
    with pytest.raises(ValueError, match=rf"EL001.*my\.json.*'{path}'"):
        BiLMOptions.from_dict(data, source="my.json")


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("lstm", []),
        ("char_cnn", None),
        ("char_cnn.embedding", 16),
        ("lstm.dim", "1024"),
        ("lstm.dim", 1024.5),
        ("lstm.dim", 0),
        ("lstm.dim", -4),
        ("lstm.dim", True),
        ("lstm.dim", 10**9),
        ("lstm.n_layers", 0),
        ("lstm.cell_clip", float("nan")),
        ("lstm.cell_clip", float("inf")),
        ("lstm.proj_clip", -3),
        ("lstm.proj_clip", "3"),
        ("lstm.proj_clip", True),
        ("lstm.use_skip_connections", "false"),
        ("char_cnn.filters", []),
        ("char_cnn.filters", {}),
        ("char_cnn.filters", [[1, 32, 5]]),
        ("char_cnn.filters", [1, 2]),
        ("char_cnn.filters", [[0, 32]]),
        ("char_cnn.filters", ["ab"]),
        ("char_cnn.filters", [[51, 1]]),
        ("char_cnn.n_highway", -1),
        ("char_cnn.n_highway", 1.5),
        ("char_cnn.activation", "gelu"),
        ("char_cnn.activation", ["relu"]),
        ("char_cnn.max_characters_per_token", 3),
    ],
    ids=lambda value: str(value),
)
def test_an_entry_of_the_wrong_kind_is_named_with_its_value(path: str, value: Any) -> None:
    name = "max_characters_per_token is 50" if value == [[51, 1]] else path
    with pytest.raises(ValueError, match=rf"EL002.*my\.json.*{name}"):
        BiLMOptions.from_dict(_changed(path, value), source="my.json")


def test_options_of_more_memory_than_any_biLM_needs_are_refused() -> None:
    data = _changed("lstm.dim", 60_000)
    data["lstm"]["projection_dim"] = 60_000
    with pytest.raises(ValueError, match=r"EL002.*parameters are more than"):
        BiLMOptions.from_dict(data)


def test_a_long_wrong_value_is_cut_short_in_the_message() -> None:
    with pytest.raises(ValueError, match="EL002") as caught:
        BiLMOptions.from_dict(_changed("lstm.dim", "x" * 10_000))
    assert len(str(caught.value)) < 400


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b"\x89HDF\r\n\x1a\n\xff",
        b"[" * 5_000,
        b"1" * 5_000,
        b" " * 70_000,
    ],
    ids=["empty", "cut", "list", "null", "binary", "nested", "huge number", "huge file"],
)
def test_a_file_that_is_no_options_file_is_named(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "options.json").write_bytes(content)
    with pytest.raises(ValueError, match=r"EL002.*options\.json"):
        BiLMOptions.from_json(tmp_path / "options.json")


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"EL003.*options\.json"):
        BiLMOptions.from_json(tmp_path / "options.json")
