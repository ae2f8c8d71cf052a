import sys

import pytest
from spacy.tokens import Doc
from spacy.vocab import Vocab

from spacy_elmo_ner.comparison.pipelines import load_pipeline
from spacy_elmo_ner.comparison.speed import measure_alone, text_slices, time_pipelines

from .conftest import gold_docs

VOCAB = Vocab()


def texts(n: int, words: int = 100) -> list[Doc]:
    return [Doc(VOCAB, words=["a"] * words) for _ in range(n)]


def test_a_large_corpus_gives_each_round_text_of_its_own():
    docs = texts(200)
    slices, fresh = text_slices(docs, 3, 5000)
    assert fresh
    assert [len(part) for part in slices] == [50, 50, 50]
    assert len({id(doc) for part in slices for doc in part}) == 150


def test_a_small_corpus_is_read_again_each_round():
    docs = texts(4)
    slices, fresh = text_slices(docs, 3, 5000)
    assert not fresh
    assert slices == [docs, docs, docs]


def test_max_words_bounds_a_round():
    slices, fresh = text_slices(texts(100), 2, 300)
    assert fresh
    assert [len(part) for part in slices] == [3, 3]


def test_one_long_text_is_read_again_each_round():
    docs = texts(1, words=20_000)
    slices, fresh = text_slices(docs, 4, 5000)
    assert not fresh
    assert slices == [docs] * 4


def test_runs_are_interleaved_after_one_warm_up_each(folder, monkeypatch):
    order: list[str] = []
    pipelines = [load_pipeline(name, str(folder / "rules")) for name in "AB"]
    for pipeline in pipelines:
        monkeypatch.setattr(
            pipeline.nlp,
            "pipe",
            lambda docs, name=pipeline.name: order.append(name) or iter(docs),
        )
    speeds = time_pipelines(pipelines, texts(4), 2, 1000, lambda: None)
    assert order == ["A", "B"] * 3
    assert [len(speeds[name].repeats) for name in "AB"] == [2, 2]


def test_memory_is_of_the_pipelines_own_process(folder):
    # More than a process takes that imports torch with all of CUDA.
    ballast = b"x" * 1_500_000_000
    found = measure_alone(str(folder / "rules"), ["entity_ruler"], gold_docs(), 10)
    assert len(ballast) == 1_500_000_000
    assert 0 < found.seconds < 120
    if sys.platform == "linux":
        assert found.peak_bytes is not None
        assert 20e6 < found.peak_bytes < 1_500_000_000


def test_a_process_that_fails_reports_its_last_line(tmp_path):
    with pytest.raises(RuntimeError, match="E050"):
        measure_alone(str(tmp_path / "none"), [], [], 10)
