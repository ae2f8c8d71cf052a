"""What docs/serving.md says of the load test."""

from typing import Any

from scripts.serve_page import serve_sections

RESULTS: dict[str, Any] = {
    "machine": {"cores": 2, "cpu": "Fast CPU"},
    "clients": 32,
    "workers": 1,
    "torch_threads": 2,
    "words_per_text": 109.6,
    "requests": 9_001,
    "words": 1_000_001,
    "wrong": 0,
    "refused": 3,
    "requests_per_second": 71.2,
    "words_per_second": 7_812,
    "p50_ms": 400.4,
    "p99_ms": 699.9,
    "most_ms": 1_203.0,
    "memory_mb": [600.4, *[601.6] * 9],
}


def test_every_figure_is_told() -> None:
    text = "\n\n".join(serve_sections(RESULTS))
    assert "9,001 requests of 110 words from 32 clients" in text and "all right" in text
    assert "| 7,812 | 71 | 400 | 700 | 1,203 |" in text and "3 refused" in text
    assert "2 cores (Fast CPU)" in text
    assert "| 600 | 602 |" in text and "| 10 % |" in text


def test_wrong_answers_are_not_hidden() -> None:
    assert "1,234 wrong" in next(serve_sections({**RESULTS, "wrong": 1_234}))
