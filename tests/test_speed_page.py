"""docs/speed.md is what the script writes from the committed results."""

import json
from pathlib import Path

import pytest

pytest.importorskip("matplotlib", reason="the picture needs the extra [project]")

from scripts import speed_page

PIPELINES = {
    "corpus": "dev.spacy",
    "machine": {"threads": 2},
    "reference": "peer",
    "throughput": [
        {"pipeline": "ours", "median": 9000.0, "ratio": 1.5},
        {"pipeline": "peer", "median": 6000.0, "ratio": 1.0},
    ],
    "compiled": False,
    "accuracy": {"ours": {"ents_f": 0.85, "tag_acc": 0.98}},
    "latency": [
        {"pipeline": name, "n": 200, "p50_ms": 4.0, "p99_ms": 9.5} for name in ("ours", "peer")
    ],
    "lengths": [{"words": 10, "median": 8000.0}, {"words": 100_000, "median": 9000.0}],
    "settings": [{"batch_size": 256, "threads": 2, "n_process": 1, "median": 9000.0}],
}


SHAPE = {"shape": "small", "n_sentences": 128, "compiled_warm_share_of_limit": 0.7}
SPEEDS = {"peer": 1000.0, "cold": 16000.0, "warm": 30000.0}
SPEEDS |= {"compiled_cold": 18000.0, "compiled_warm": 36000.0}
BILM = {
    "machine": {"threads": 2},
    "results": [
        {**SHAPE, **SPEEDS, **{f"{name}_ratio": rate / 1000 for name, rate in SPEEDS.items()}}
    ],
}
TRAINING = {
    "corpus": "train.spacy",
    "n_docs": 4000,
    "machine": {"threads": 2},
    "rows": [{"bilm": "elmo-small", "cached": True, "seconds": [60.0, 12.0, 11.96]}],
}


@pytest.fixture
def arguments(tmp_path: Path) -> list[str]:
    results = tmp_path / "results"
    results.mkdir()
    for name, data in (("pipelines", PIPELINES), ("training", TRAINING)):
        (results / f"{name}.json").write_text(json.dumps(data), encoding="utf8")
    return ["--results", str(results), "--output", str(tmp_path / "docs" / "speed.md")]


def test_the_page_has_the_figures_and_a_picture(arguments: list[str], tmp_path: Path) -> None:
    assert speed_page.main(arguments) == 0
    page = (tmp_path / "docs" / "speed.md").read_text(encoding="utf8")
    assert "| ours | 9,000 | 1.50x | 4.0 | 9.5 | 85.00 | 98.00 |" in page
    assert "| peer | 6,000 | 1.00x | 4.0 | 9.5 | - | - |" in page
    assert "From 10 to 100,000 words: 8,000 to 9,000." in page
    assert "AllenNLP" not in page  # its results are not there
    picture = tmp_path / "docs" / "pictures" / "speed-lengths.png"
    assert picture.read_bytes().startswith(b"\x89PNG")


def test_training_and_compiled_cells_have_their_tables(
    arguments: list[str], tmp_path: Path
) -> None:
    results = tmp_path / "results"
    (results / "bilm.json").write_text(json.dumps(BILM), encoding="utf8")
    (results / "pipelines-compiled.json").write_text(json.dumps(PIPELINES), encoding="utf8")
    speed_page.main(arguments)
    page = (tmp_path / "docs" / "speed.md").read_text(encoding="utf8")
    assert "| elmo-small | kept | 60.0 | 12.0 | 12.0 |" in page
    figures = "1,000 | 16,000 | 30,000 | 18,000 | 36,000 | 16.0x | 30.0x | 18.0x | 36.0x | 70%"
    assert f"| small | 128 | {figures} |" in page
    compiled = page.partition("## With the compiled cell")[2]
    assert "| words/s | 8,000 | 9,000 |" in compiled


def test_check_writes_nothing(arguments: list[str], tmp_path: Path) -> None:
    assert speed_page.main([*arguments, "--check"]) == 1
    assert not (tmp_path / "docs").exists()
    speed_page.main(arguments)
    assert speed_page.main([*arguments, "--check"]) == 0
