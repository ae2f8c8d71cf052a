"""Progress: how far, how fast, how long still."""

import io
import time

import pytest

from spacy_elmo_ner.annotation import progress as progress_module
from spacy_elmo_ner.annotation.progress import Progress


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    now = [1_000.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    return now


def test_words_per_second_and_the_time_left(clock: list[float]) -> None:
    shown = Progress(io.StringIO())
    shown.begin(1_000_000, 0)
    clock[0] += 10
    shown.add(n_texts=500, n_words=12_000, n_errors=0, at_byte=100_000)
    assert shown.line() == (
        "500 texts, 12,000 words, 1,200 words/s, 10% of the input, 0:01:30 left"
    )


def test_what_an_earlier_run_did_does_not_count_as_speed(clock: list[float]) -> None:
    shown = Progress(io.StringIO())
    shown.begin(1_000_000, 500_000)
    clock[0] += 10
    shown.add(n_texts=1, n_words=10, n_errors=2, at_byte=600_000)
    assert shown.line().endswith("2 errors, 60% of the input, 0:00:40 left")


def test_without_a_size_there_is_no_estimate(clock: list[float]) -> None:
    shown = Progress(io.StringIO())
    shown.begin(0, 0)
    clock[0] += 2
    shown.add(n_texts=1, n_words=10, n_errors=0, at_byte=50)
    assert shown.line() == "1 texts, 10 words, 5 words/s"


def test_a_terminal_sees_one_line_and_a_file_few(clock: list[float]) -> None:
    terminal, file = Progress(Terminal()), Progress(io.StringIO())
    for shown in (terminal, file):
        shown.begin(100, 0)
    for _ in range(100):
        clock[0] += 1
        for shown in (terminal, file):
            shown.add(n_texts=1, n_words=10, n_errors=0, at_byte=1)
    for shown in (terminal, file):
        shown.end()
    assert terminal.stream.getvalue().count("\r") == 100 + 2  # type: ignore[attr-defined]
    assert "\n" not in terminal.stream.getvalue()  # type: ignore[attr-defined]
    lines = file.stream.getvalue().splitlines()  # type: ignore[attr-defined]
    assert len(lines) == 3 and progress_module._PERIOD == 30
    assert lines[0].startswith("30 texts")
