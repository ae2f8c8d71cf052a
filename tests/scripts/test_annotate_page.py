"""What docs/annotate.md says of speed, memory and killed runs."""

from typing import Any

from scripts.annotate_page import annotate_sections

RESULTS: dict[str, Any] = {
    "pipeline": "mine",
    "machine": {"cpu": "Fast CPU avx2"},
    "speed": {
        "words_per_second": {"annotate": 8_000, "loop_all": 7_900, "loop_ents": 8_200},
        "ratio_of_loop_all": {"median": 1.012},
        "ratio_of_loop_ents": {"median": 0.98},
    },
    "processes": {"words_per_second": {"1": 5_000, "2": 9_000}, "ratio": {"median": 1.8}},
    "ray": {"words_per_second": {"actor": 4_900, "process": 5_000}, "ratio": {"median": 0.98}},
    "memory": {
        name: {"words": 5_000_000, "megabytes": [[i, 400 + i] for i in range(10)]}
        for name in ("rules", "pipeline")
    },
    "kills": {
        "killed": 10,
        "texts": 5_000,
        "same_as_undisturbed": True,
        "rows_missing": 0,
        "rows_twice": 0,
    },
}


def test_every_figure_is_told() -> None:
    text = "\n\n".join(annotate_sections(RESULTS))
    for told in (
        "1.01x",
        "0.98x",
        "1.80x",
        "8,000 and 8,200",
        "9,000 and 5,000",
        "4,900 and 5,000",
        "one thread per process, Fast CPU;",
    ):
        assert told in text
    assert "| 5.0 million words, this pipeline | 400 | 401 | 403 | 405 | 407 | 409 |" in text
    assert "Killed 10 times" in text and "the same rows" in text


def test_a_run_that_lost_rows_is_not_hidden() -> None:
    kills = {**RESULTS["kills"], "same_as_undisturbed": False, "rows_missing": 3}
    text = "\n\n".join(annotate_sections({**RESULTS, "kills": kills}))
    assert "OTHER ROWS" in text and "3 missing" in text


def test_parts_that_were_not_measured_are_left_out() -> None:
    measured = {name: RESULTS[name] for name in ("pipeline", "machine", "kills")}
    text = "\n\n".join(annotate_sections(measured))
    assert "Killed" in text and "MB" not in text
