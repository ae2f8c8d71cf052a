"""scripts/pages.py writes what the results say, between its marks, and notices what is stale."""

import json
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("matplotlib", reason="the pictures need the extra [project]")

from scripts import pages
from scripts.readme_table import readme_table
from spacy_elmo_ner.comparison.results import (
    CorpusResult,
    PipelineInfo,
    Results,
    Score,
    SystemScores,
)
from tests.checkout import needs_checkout

ACCURACY = {
    "released-test": {
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
    },
    "ablation": {
        "title": "Choices",
        "rows": [
            {"experiment": "as it is", "seeds": [0, 1], "ents_f": [0.86, 0.88], "minutes": [9, 9]},
            {"experiment": "crf", "seeds": [0], "ents_f": [0.85], "minutes": [12]},
        ],
    },
}

PIPELINES = {
    "corpus": "dev.spacy",
    "machine": {"threads": 2, "cpu": "Fast CPU avx2"},
    "reference": "peer",
    "throughput": [
        {"pipeline": "ours", "median": 9000.0, "ratio": 1.5},
        {"pipeline": "peer", "median": 6000.0, "ratio": 1.0},
    ],
    "accuracy": {"ours": {"ents_f": 0.85, "tag_acc": 0.98}},
    "latency": [
        {"pipeline": name, "n": 200, "p50_ms": 4.0, "p99_ms": 9.5} for name in ("ours", "peer")
    ],
    "lengths": [{"words": 10, "median": 8000.0}, {"words": 100_000, "median": 9000.0}],
    "settings": [{"batch_size": 256, "threads": 2, "n_process": 1, "median": 9000.0}],
}
RATES = {"peer": 1000.0, "cold": 16000.0, "warm": 30000.0}
RATES |= {"compiled_cold": 18000.0, "compiled_warm": 36000.0}
SHAPE = {"shape": "small", "n_sentences": 128, "compiled_warm_share_of_limit": 0.7}
SHAPE |= RATES | {f"{name}_ratio": rate / 1000 for name, rate in RATES.items()}
SPEED = {
    "bilm": {"machine": {"threads": 2}, "results": [SHAPE]},
    "pipelines": PIPELINES,
    "pipelines-compiled": PIPELINES,
    "training": {
        "corpus": "train.spacy",
        "n_docs": 4000,
        "machine": {"threads": 2},
        "rows": [{"bilm": "elmo-small", "cached": True, "seconds": [60.0, 12.0, 11.96]}],
    },
}

SOURCE = {"file": "news.txt", "forward": 120.04, "backward": 118.0, "n_tokens": 1234, "oov": 0.012}
PRETRAINING = {
    "pretraining": {
        "rows": [
            {"experiment": "random, 2 %", "seeds": [0, 1], "ents_f": [0.50, 0.52]},
            {"experiment": "random, 100 %", "seeds": [0], "ents_f": [0.8]},
            {"experiment": "ours, 2 %", "seeds": [0, 1], "ents_f": [0.70, 0.72]},
        ]
    },
    "perplexity": {**SOURCE, "n_vocabulary": 60000, "sources": [SOURCE]},
}


def comparison() -> dict[str, Any]:
    score = Score(0.5, 0.5, 0.5, 4, {"geo": Score(0.5, 0.5, 0.5, 4)})
    info = PipelineInfo("ours", "x", "en_x", "1.0", ["ner"], [], 10)
    systems = [SystemScores("ours", {"seqeval_default": score})]
    corpus = CorpusResult("c/test.spacy", "sample", "test", 3, 30, 5, systems)
    return json.loads(Results("2026-01-02", {}, [info], [], [corpus]).to_json())


ALL = {"gmb-seed": comparison(), **ACCURACY, **SPEED, **PRETRAINING}
MARKED = {
    "README.md": ("results",),
    "docs/pretraining.md": ("worth",),
    "docs/speed.md": ("speed",),
    pages.CARD: ("perplexity",),
}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A checkout with pages that have their marks, and no results yet."""
    for page, marks in MARKED.items():
        path = tmp_path / page
        path.parent.mkdir(parents=True, exist_ok=True)
        between = "".join(f"<!-- {mark}:begin -->stale<!-- {mark}:end -->\n" for mark in marks)
        path.write_text(f"Before\n{between}After\n", encoding="utf8")
    (tmp_path / pages.RESULTS).mkdir(parents=True)
    (tmp_path / "setup.cfg").write_bytes((pages.ROOT / "setup.cfg").read_bytes())
    return tmp_path


def give(root: Path, results: dict[str, Any]) -> None:
    for name, data in results.items():
        (root / pages.RESULTS / f"{name}.json").write_text(json.dumps(data), encoding="utf8")


def run(root: Path, *arguments: str) -> int:
    return pages.main(["--root", str(root), *arguments])


def page(root: Path, name: str) -> str:
    return (root / name).read_text(encoding="utf8")


def test_check_writes_nothing_and_fails_until_the_pages_are_written(root, capsys):
    give(root, ALL)
    before = {path: path.read_bytes() for path in root.rglob("*") if path.is_file()}
    assert run(root, "--check") == 1
    assert "README.md is out of date. Run: python scripts/pages.py" in capsys.readouterr().out
    assert {path: path.read_bytes() for path in root.rglob("*") if path.is_file()} == before
    assert run(root) == 0
    assert run(root, "--check") == 0


@pytest.mark.parametrize("name", ["gmb-seed", "ablation", "pipelines", "perplexity"])
def test_check_fails_when_results_change(name, root, capsys):
    give(root, ALL)
    run(root)
    text = json.dumps(ALL[name]).replace("0.5", "0.25").replace("1234", "4321")
    text = text.replace("9000.0", "9500.0").replace("0.85", "0.75")
    (root / pages.RESULTS / f"{name}.json").write_text(text, encoding="utf8")
    assert run(root, "--check") == 1


def test_check_fails_when_a_page_is_edited_or_a_picture_is_gone(root, capsys):
    give(root, ALL)
    run(root)
    speed = page(root, "docs/speed.md")
    (root / "docs/speed.md").write_text(speed.replace("9,000", "19,000"), encoding="utf8")
    assert run(root, "--check") == 1 and "speed.md" in capsys.readouterr().out
    run(root)
    (root / pages.PICTURES / "types.png").unlink()
    assert run(root, "--check") == 1 and "types.png" in capsys.readouterr().out


def test_text_outside_of_the_marks_is_never_touched(root):
    give(root, ALL)
    run(root)
    for name in MARKED:
        text = page(root, name)
        assert text.startswith("Before\n<!--") and text.endswith("-->\nAfter\n")
        assert "stale" not in text


def test_without_results_only_the_pages_of_the_code_are_written(root, capsys):
    assert run(root, "--check") == 1
    stale = capsys.readouterr().out
    assert "docs/config.md" in stale and "docs/commands.md" in stale and "README.md" not in stale
    assert run(root) == 0
    assert run(root, "--check") == 0
    assert not (root / "docs/accuracy.md").exists()
    assert "stale" in page(root, "README.md")


@pytest.mark.parametrize("text", ["nothing here", None])
def test_a_page_without_marks_or_none_at_all_is_an_error(text, root, capsys):
    give(root, {"gmb-seed": ALL["gmb-seed"]})
    readme = root / "README.md"
    readme.unlink()
    if text is not None:
        readme.write_text(text, encoding="utf8")
    assert run(root) == 2
    assert ("EL316" if text else "README.md") in capsys.readouterr().err


@pytest.mark.parametrize("content", ["{", '{"schema_version": 99}'])
def test_results_that_cannot_be_read_are_an_error(content, root, capsys):
    (root / pages.RESULTS / "gmb-seed.json").write_text(content, encoding="utf8")
    assert run(root, "--check") == 2
    assert capsys.readouterr().err


def test_the_comparison_and_its_charts_have_a_page(root):
    give(root, {"gmb-seed": ALL["gmb-seed"]})
    run(root)
    text = page(root, "docs/results/comparison.md")
    assert "## sample, test: 3 texts" in text
    assert "](../pictures/types.png)" in text
    assert (root / "docs/pictures/types.png").read_bytes().startswith(b"\x89PNG")


def test_what_was_not_run_is_named_on_the_page_without_our_error_messages(root):
    compared = comparison()
    compared["skipped"] = [{"name": "peer at 2 %", "reason": "[EL308] There is no folder x. Do y."}]
    give(root, {"gmb-seed": compared})
    run(root)
    text = page(root, "docs/results/comparison.md")
    assert "- Not part of this run: peer at 2 %." in text
    assert "EL308" not in text and "There is no folder" not in text


YARDSTICK = {
    "rows": [
        {"corpus": corpus, "system": system, "seed": 0, "bilm": bilm, "scores": scores}
        for corpus, system, bilm, scores in (
            ("politics", "head + both", "small-en", {"clean": 0.7, "lower": 0.2}),
            ("science", "head + both", "small-en", {"clean": 0.6, "lower": 0.3}),
            ("science", "head + both", "base-en", {"clean": 0.9, "lower": 0.8}),
            ("politics", "head + both, any case", "small-en", {"clean": 0.65, "lower": 0.5}),
            ("politics", "spaCy CNN", None, {"clean": 0.5, "lower": 0.1}),
            ("science", "spaCy CNN", None, {"clean": 0.4, "lower": 0.2}),
            ("politics", "spaCy CNN + vectors", None, {"clean": 0.55, "lower": 0.1}),
        )
    ]
}


def test_the_readme_has_one_table_of_the_figures_there_are():
    table = readme_table(comparison(), PIPELINES, YARDSTICK)
    assert len(table.rows) <= 7
    rows = {row[0]: row[1:] for row in table.rows}
    assert rows["GMB, entity F1"] == ["50.0", "-", "-", "-"]
    # Of several heads, the first that was run on all of the fields; of the biLM that ships.
    assert rows["politics, science, entity F1"] == ["65.0", "45.0", "-", "-"]
    assert rows["politics, science in lower case, entity F1"] == ["25.0", "15.0", "-", "-"]
    assert rows["one sentence, ms"] == ["4.0", "-", "-", "-"]
    assert rows["words per second"] == ["9,000", "-", "-", "-"]
    assert "GMB, tag accuracy" not in rows  # nothing has tags
    assert readme_table(None, None, None).rows == []
    systems = [{"pipeline": "ours", "p50": 6.5, "words_per_second": 22_358.3}]
    blocks = {
        "single": [{"words": 12, "systems": systems}],
        "batches": [{"batch": 256, "systems": systems}],
    }
    rows = readme_table(None, None, None, {"cases": {"2 threads": blocks}}).rows
    assert [row[:2] for row in rows] == [
        ["one sentence, ms", "6.5"],
        ["words per second", "22,358"],
    ]


def test_the_readme_table_says_what_it_was_measured_on(root):
    give(root, {"gmb-seed": comparison(), "pipelines": PIPELINES})
    run(root)
    text = " ".join(page(root, "README.md").split())
    assert "GMB: the 3 test sentences" in text and "2026-01-02" in text
    assert "2 threads, Fast CPU." in text


SCORES = ("clean", "precision", "recall", "seen", "unseen", "lower", "upper", "title")
WHOLE_YARDSTICK = {
    "corpora": ["politics", "science"],
    "systems": ["head + both"],
    "cpu": "Fast CPU",
    "rows": [
        {
            "corpus": corpus,
            "system": "head + both",
            "seed": 0,
            "bilm": None,
            "scores": {**dict.fromkeys(SCORES, 0.5), "n_seen": 1, "n_unseen": 2},
            "train_seconds": 9.0,
        }
        for corpus in ("politics", "science")
    ],
}


def test_the_readme_prefers_test_parts_and_compiled_pipelines_of_today(root):
    throughput = [{**row, "median": 5000.0} for row in PIPELINES["throughput"]]
    old: dict[str, Any] = {**PIPELINES, "throughput": throughput}
    give(root, {"pipelines": PIPELINES, "pipelines-compiled": old, "yardstick": WHOLE_YARDSTICK})
    run(root)
    assert "| words per second | 9,000 |" in page(root, "README.md")
    assert "Politics, science: dev part" in page(root, "README.md")
    old["machine"] = {**PIPELINES["machine"], "spacy-elmo-ner": "0.2.0"}
    give(root, {"pipelines-compiled": old, "yardstick-test": WHOLE_YARDSTICK})
    run(root)
    assert "| words per second | 5,000 |" in page(root, "README.md")
    assert "Politics, science: test part" in page(root, "README.md")


def test_accuracy_has_means_and_spreads(root):
    give(root, ACCURACY)
    run(root)
    text = page(root, "docs/accuracy.md")
    assert "4,768 texts, 104,844 words, 11,140 entities." in text
    assert "| ours | 2 | 85.50 ± 0.71 | 98.65 ± 0.07 | 1.50 ± 0.71 | - |" in text
    assert "| peer | 1 | 84.00 | - | - | - |" in text
    assert "| ours | - | 88.50 ± 0.71 |" in text  # art, geo
    assert "| ours and peer | 91.00 |" in text
    assert "agree on 9,000 entities. 450 of them (5.0%) differ from the gold annotation: " in text
    assert "200 have another label" in text
    assert "| crf | 1 | 85.00 | -2.00 | 12 |" in text


def test_results_that_are_not_there_have_no_section(root):
    give(root, {"ablation": ACCURACY["ablation"], "training": SPEED["training"]})
    run(root)
    assert "gmb-seed" not in page(root, "docs/accuracy.md")
    assert "## Choices" in page(root, "docs/accuracy.md")
    assert "AllenNLP" not in page(root, "docs/speed.md")
    assert not (root / "docs/pictures/speed-lengths.png").exists()


def test_speed_has_its_figures_and_a_picture(root):
    give(root, SPEED)
    run(root)
    text = page(root, "docs/speed.md")
    assert "| ours | 9,000 | 1.50x | 4.0 | 9.5 | 85.00 | 98.00 |" in text
    assert "| peer | 6,000 | 1.00x | 4.0 | 9.5 | - | - |" in text
    assert "| elmo-small | kept | 60.0 | 12.0 | 12.0 |" in text
    figures = "1,000 | 16,000 | 30,000 | 18,000 | 36,000 | 16.0x | 30.0x | 18.0x | 36.0x | 70%"
    assert f"| small | 128 | {figures} |" in text
    assert "| words/s | 8,000 | 9,000 |" in text.partition("## Pipelines with the compiled cell")[2]
    assert "From 10 to 100,000 words: 8,000 to 9,000." in text
    assert (root / "docs/pictures/speed-lengths.png").read_bytes().startswith(b"\x89PNG")


def test_pretraining_is_in_the_docs_and_perplexity_in_the_model_card(root):
    give(root, PRETRAINING)
    run(root)
    text, card = page(root, "docs/pretraining.md"), page(root, pages.CARD)
    assert "| random | 51.00 ± 1.41 | 80.00 |" in text
    assert "| ours | 71.00 ± 1.41 | - |" in text
    assert "mean and standard deviation of 2 seeds" in text
    assert "A figure without deviation is of one seed." in text
    assert "At 2 %: random 51.0; ours 71.0." in text
    assert "pictures/" not in card
    assert "| news.txt | 120.0 | 118.0 | 1,234 | 1.2% |" in card
    assert (root / "docs/pictures/pretraining-worth.png").read_bytes().startswith(b"\x89PNG")


def test_what_more_cells_cost_is_on_the_page_of_pretraining(root):
    path = root / "docs/pretraining.md"
    mark = "more-cells-speed"
    path.write_text(f"<!-- {mark}:begin --><!-- {mark}:end -->", encoding="utf8")
    systems = [
        {"pipeline": name, "p50": of_one, "p99": of_one, "words_per_second": rate}
        for name, of_one, rate in (("1,024 cells", 6.0, 5000.0), ("small-en", 4.0, 10000.0))
    ]
    blocks = {
        "single": [{"words": 12, "systems": systems}],
        "batches": [{"batch": 256, "systems": systems}],
    }
    speed = {"machine": {"cpu": "Fast CPU"}, "cases": {"1 thread": blocks}}
    give(root, {"latency-more-cells": speed})
    run(root)
    text = page(root, "docs/pretraining.md")
    assert "on 1,024 cells against one on small-en, in turns (Fast CPU)" in text
    assert "| 1 thread | 12 | 6.0 | 1.50x | 6.0 | 1.50x |" in text
    assert "| 1 thread | 5,000 (0.50x) |" in text


@needs_checkout
def test_pages_of_this_checkout_are_up_to_date():
    assert pages.main(["--check"]) == 0


@pytest.mark.parametrize("text", ["", "<!-- a:begin -->", "<!-- a:end --><!-- a:begin -->"])
def test_marks_must_be_there_once_and_in_order(text, tmp_path):
    with pytest.raises(ValueError, match=r"EL316.*page\.md"):
        pages.between_marks(text, "x", tmp_path / "page.md", "a")
