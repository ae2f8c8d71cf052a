import json
from dataclasses import replace

import pytest

from spacy_elmo_ner.comparison.render import render_markdown, render_terminal
from spacy_elmo_ner.comparison.results import (
    CorpusResult,
    Example,
    PipelineInfo,
    PublishedFigures,
    Results,
    Score,
    Skipped,
    Speed,
    SystemScores,
    results_from_json,
)

SCORE = Score(0.5, 0.25, 1 / 3, 4, {"geo": Score(1.0, 0.5, 2 / 3, 4)})


@pytest.fixture
def results() -> Results:
    speed = Speed(1234.5, 1000.0, 2000.0, [1000.0, 1234.5, 2000.0], 500, True)
    ours = PipelineInfo(
        "ours",
        "x",
        "en_x",
        "1.0",
        ["elmo", "ner"],
        ["parser"],
        2_500_000,
        {"small-en": 15_900_000},
        "m.json",
        0.5,
        speed,
    )
    tags = PipelineInfo("tags", "y", "en_y", "1.0", ["tagger"], [], 10, notes=["no NER scores"])
    ner = {"seqeval_default": SCORE, "seqeval_strict_iob2": SCORE, "spacy_scorer_ents": SCORE}
    accuracy = Score(0.97, 0.97, 0.97, 9)
    corpus = CorpusResult(
        path="corpus/test.spacy",
        corpus="gmb-seed",
        part="test",
        n_docs=2,
        n_words=1234,
        n_entities=4,
        systems=[
            SystemScores("ours", ner, {}, {"CARDINAL": 7, "MONEY": 1}, {"XX": 2}),
            SystemScores("tags", {}, {"accuracy_real_tokens": accuracy}),
        ],
        published=[
            PublishedFigures(
                "the article", "printed", "seqeval_default", 81.2, {"geo": 85}, "other", 97.1
            )
        ],
    )
    example = Example("One", ["a|b", "*London*", "x"], {"gold": [(0, 2, "geo")], "ours": []})
    return Results(
        created="2026-01-02T03:04:05+00:00",
        environment={"machine": "x86_64", "torch_threads": "2"},
        pipelines=[ours, tags],
        skipped=[Skipped("sm", "[EL307] sm is not installed.")],
        corpora=[corpus],
        examples=[example],
    )


def test_results_survive_json(results):
    assert results_from_json(json.loads(results.to_json())) == results


def test_results_of_another_schema_are_refused(results):
    with pytest.raises(ValueError, match=r"EL301.*99"):
        results_from_json({**json.loads(results.to_json()), "schema_version": 99})


@pytest.mark.parametrize("key", ["corpora", "pipelines", "created"])
def test_incomplete_results_are_refused(results, key):
    data = json.loads(results.to_json())
    del data[key]
    with pytest.raises(ValueError, match=f"EL302.*{key}"):
        results_from_json(data)


def test_markdown_and_terminal_show_every_figure(results):
    for text in (render_markdown(results), render_terminal(results, 200)):
        for shown in (
            "50.00",
            "25.00",
            "33.33",
            "66.67",
            "97.00",
            "1,234",
            "2.5 MB + small-en 15.9 MB",
            "0.5 s",
        ):
            assert shown in text
        assert "81.2" in text
        assert "the article (published)" in text
        assert "8 predicted entities have no counterpart" in text
        assert "CARDINAL 7, MONEY 1" in text
        assert "2 predicted tags" in text
        assert "sm was skipped. [EL307]" in text
        assert "tags: no NER scores." in text
        assert "median of 3 interleaved runs" in text


def test_markdown_tables_are_whole(results):
    rows = [line for line in render_markdown(results).splitlines() if line.startswith("|")]
    widths = [line.replace("\\|", "").count("|") for line in rows]
    assert "| ours | 50.00 | 25.00 | 33.33 | 33.33 | 33.33 | - |" in rows
    assert "| tags | - | - | - | - | - | 97.00 |" in rows
    assert "| the article (published) | - | - | 81.2 | - | - | - |" in rows
    assert "| gold | **a\\|b \\*London\\*** `geo` x |" in rows
    assert min(widths) >= 3


def test_the_terminal_marks_entities_in_place(results):
    assert "gold  [a|b *London* = geo] x" in render_terminal(results, 100)


def test_without_timing_nothing_is_said_about_speed(results):
    untimed = replace(results, pipelines=[replace(results.pipelines[0], speed=None)])
    assert "words/s: median" not in render_markdown(untimed)
