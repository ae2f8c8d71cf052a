"""docs/accuracy.md is what the script writes from the committed results."""

import json
from pathlib import Path

import pytest

from scripts import accuracy_page

RELEASED = {
    "title": "t",
    "parts": [
        {
            "corpus": "gmb-seed",
            "part": "test_fixed",
            "n_docs": 4768,
            "n_words": 104844,
            "n_entities": 11140,
            "systems": [
                {
                    "name": "ours",
                    "seeds": [0, 1],
                    "ner": {"seqeval_default": [0.85, 0.86]},
                    "per_type": {"geo": [0.88, 0.89]},
                    "tags": {"accuracy_real_tokens": [0.986, 0.987]},
                    "calibration_error": {"ner": [0.01, 0.02]},
                },
                {
                    "name": "peer",
                    "seeds": [0],
                    "ner": {"seqeval_default": [0.84]},
                    "per_type": {"geo": [0.87], "art": [0.1]},
                    "tags": {},
                    "calibration_error": {},
                },
            ],
            "agreement": [{"first": "ours", "second": "peer", "entities": 0.91}],
            "unanimous": {
                "found": 9000,
                "right": 8550,
                "other_label": 200,
                "other_bounds": 150,
                "nothing": 100,
            },
        }
    ],
}
ABLATION = {
    "title": "Choices",
    "rows": [
        {"experiment": "as it is", "seeds": [0, 1], "ents_f": [0.86, 0.88], "minutes": [9, 9]},
        {"experiment": "crf", "seeds": [0], "ents_f": [0.85], "minutes": [12]},
    ],
}


@pytest.fixture
def arguments(tmp_path: Path) -> list[str]:
    results = tmp_path / "results"
    results.mkdir()
    for name, data in (("released-test", RELEASED), ("ablation", ABLATION)):
        (results / f"{name}.json").write_text(json.dumps(data), encoding="utf8")
    return ["--results", str(results), "--output", str(tmp_path / "accuracy.md")]


def test_the_page_has_means_and_spreads(arguments: list[str], tmp_path: Path) -> None:
    assert accuracy_page.main(arguments) == 0
    page = (tmp_path / "accuracy.md").read_text(encoding="utf8")
    assert "4,768 texts, 104,844 words, 11,140 entities." in page
    assert "| ours | 2 | 85.50 ± 0.71 | 98.65 ± 0.07 | 1.50 ± 0.71 | - |" in page
    assert "| peer | 1 | 84.00 | - | - | - |" in page
    assert "| ours | - | 88.50 ± 0.71 |" in page  # art, geo
    assert "| ours and peer | 91.00 |" in page
    assert "agree on 9,000 entities. Gold has not 450 of them (5.0%): 200 with" in page
    assert "| crf | 1 | 85.00 | -2.00 | 12 |" in page


def test_check_writes_nothing(arguments: list[str], tmp_path: Path) -> None:
    assert accuracy_page.main([*arguments, "--check"]) == 1
    assert not (tmp_path / "accuracy.md").exists()
    accuracy_page.main(arguments)
    assert accuracy_page.main([*arguments, "--check"]) == 0


def test_what_was_not_measured_has_no_section(arguments: list[str], tmp_path: Path) -> None:
    (tmp_path / "results" / "released-test.json").unlink()
    accuracy_page.main(arguments)
    page = (tmp_path / "accuracy.md").read_text(encoding="utf8")
    assert "gmb-seed" not in page and "## Choices" in page
