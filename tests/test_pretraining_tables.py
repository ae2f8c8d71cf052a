"""Pages say of pre-training what its results files say."""

import json
from pathlib import Path

import pytest

pytest.importorskip("matplotlib", reason="the picture needs the extra [project]")

from scripts import pretraining_tables

WORTH = {
    "rows": [
        {"experiment": "random, 2 %", "seeds": [0, 1], "ents_f": [0.50, 0.52]},
        {"experiment": "random, 100 %", "seeds": [0], "ents_f": [0.8]},
        {"experiment": "ours, 2 %", "seeds": [0, 1], "ents_f": [0.70, 0.72]},
    ]
}
SOURCE = {"file": "news.txt", "forward": 120.04, "backward": 118.0, "n_tokens": 1234, "oov": 0.012}
PERPLEXITY = {**SOURCE, "n_vocabulary": 60000, "sources": [SOURCE]}

MARKS = ("worth", "perplexity")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    results = tmp_path / "benchmarks/results"
    results.mkdir(parents=True)
    (results / "pretraining.json").write_text(json.dumps(WORTH), encoding="utf8")
    (results / "perplexity.json").write_text(json.dumps(PERPLEXITY), encoding="utf8")
    for page in (pretraining_tables.PAGE, pretraining_tables.CARD):
        path = tmp_path / page
        path.parent.mkdir(parents=True, exist_ok=True)
        marks = "".join(f"<!-- {name}:begin --><!-- {name}:end -->\n" for name in MARKS)
        path.write_text(f"Before\n{marks}After\n", "utf8")
    return tmp_path


def test_tables_and_the_picture_are_written(root: Path) -> None:
    assert pretraining_tables.main(["--root", str(root)]) == 0
    page = (root / pretraining_tables.PAGE).read_text(encoding="utf8")
    assert "| random | 51.00 ± 1.41 | 80.00 |" in page
    assert "| ours | 71.00 ± 1.41 | - |" in page
    assert "mean and standard deviation of 2 seeds" in page
    assert "A figure by itself is of one seed." in page
    assert "At 2 %: random 51.0; ours 71.0." in page
    card = (root / pretraining_tables.CARD).read_text(encoding="utf8")
    assert "| random | 51.00 ± 1.41 | 80.00 |" in card and "pictures/" not in card
    assert "| news.txt | 120.0 | 118.0 | 1,234 | 1.2% |" in card
    assert card.startswith("Before")
    assert card.endswith("After\n")
    picture = root / "docs/pictures/pretraining-worth.png"
    assert picture.read_bytes().startswith(b"\x89PNG")


def test_check_writes_nothing(root: Path) -> None:
    assert pretraining_tables.main(["--root", str(root), "--check"]) == 1
    assert "random" not in (root / pretraining_tables.PAGE).read_text(encoding="utf8")
    assert not (root / "docs/pictures").exists()
    pretraining_tables.main(["--root", str(root)])
    assert pretraining_tables.main(["--root", str(root), "--check"]) == 0


def test_pages_of_this_checkout_are_up_to_date() -> None:
    assert pretraining_tables.main(["--check"]) == 0
