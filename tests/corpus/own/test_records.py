"""Texts with spans as spaCy, Prodigy, doccano and Label Studio write them."""

import json
from pathlib import Path

import pytest
import spacy

from spacy_elmo_ner.corpus.own.records import read_records
from spacy_elmo_ner.corpus.own.texts import OwnText

NLP = spacy.blank("en")
TEXT = "Ada lives in London."
ADA, LONDON = (0, 3, "PER"), (13, 19, "LOC")


def read(*records: object, name: str = "x.jsonl") -> list[OwnText]:
    return read_records(Path(name), "\n".join(map(json.dumps, records)), NLP)


def task(text: str, *spans: tuple[int, int, str], words: list[str] | None = None, **more) -> dict:
    """As Label Studio exports it."""
    result = [
        {
            "from_name": "label",
            "to_name": "text",
            "type": "labels",
            "value": {
                "start": start,
                "end": end,
                "labels": [label],
                "text": words[i] if words else text[start:end],
            },
        }
        for i, (start, end, label) in enumerate(spans)
    ]
    choice = {"type": "choices", "value": {"choices": ["news"]}}
    annotation = {"result": [*result, choice], "was_cancelled": False}
    return {"id": 1, "data": {"text": text}, "annotations": [annotation], **more}


@pytest.mark.parametrize(
    "record",
    [
        {"text": TEXT, "spans": [{"start": s, "end": e, "label": label}
                                 for s, e, label in (ADA, LONDON)]},
        {"text": TEXT, "spans": [{"start": 13, "end": 19, "label": "LOC", "token_start": 3},
                                 {"start": 0, "end": 3, "label": "PER"}], "answer": "accept"},
        {"id": 7, "text": TEXT, "label": [list(ADA), list(LONDON)]},
        {"text": TEXT, "entities": [{"start_offset": s, "end_offset": e, "label": label}
                                    for s, e, label in (ADA, LONDON)]},
        {"text": TEXT, "label": [{"start": s, "end": e, "labels": [label]}
                                 for s, e, label in (ADA, LONDON)]},
        task(TEXT, ADA, LONDON),
        {**task(TEXT, ADA, LONDON), "data": {"article": TEXT, "n": 3}},
    ],
    ids=["spacy", "prodigy", "doccano", "doccano relations", "label studio min", "label studio",
         "label studio, other key"],
)  # fmt: skip
def test_every_tool_gives_the_same_entities(record) -> None:
    for texts in (
        read(record),
        read_records(Path("x.json"), json.dumps([record], indent=1), NLP),
    ):
        (text,) = texts
        assert [(ent.text, ent.label_) for ent in text.doc.ents] == [
            ("Ada", "PER"),
            ("London", "LOC"),
        ]
        assert text.problems == []


def test_what_a_person_rejected_or_skipped_is_left_out() -> None:
    spans = {"text": TEXT, "label": [list(ADA)]}
    cancelled = task(TEXT, ADA)
    cancelled["annotations"][0]["was_cancelled"] = True
    texts = read(
        {**spans, "answer": "reject"},
        spans,
        {**spans, "answer": "ignore"},
        cancelled,
        {**task(TEXT), "annotations": []},
    )
    assert [text.place for text in texts] == ["line 2"]


def test_offsets_of_a_browser_are_counted_in_its_units() -> None:
    text = "🙂🙂 Ada met 🙂ob in London"
    at = {word: len(text[: text.index(word)].encode("utf-16-le")) // 2 for word in ("Ada", "🙂ob")}
    spans = [(at["Ada"], at["Ada"] + 3, "PER"), (at["🙂ob"], at["🙂ob"] + 4, "PER")]
    (found,) = read(task(text, *spans, words=["Ada", "🙂ob"]))
    assert [ent.text for ent in found.doc.ents] == ["Ada", "🙂ob"] and found.problems == []


def test_words_that_are_elsewhere_are_a_problem() -> None:
    (found,) = read(task(TEXT, (0, 3, "PER"), words=["London"]))
    (problem,) = found.problems
    assert problem.what == "'London' (PER) is not what the text has from 0 to 3, 'Ada'"
    assert not found.doc.ents


@pytest.mark.parametrize(
    ("spans", "kept", "what"),
    [
        ([(0, 2, "PER")], [], "'Ad' (PER) from 0 to 2 does not fit the tokens 'Ada'"),
        ([(0, 99, "PER")], [], "'PER' from 0 to 99 is no part of the text, which has 20"),
        ([(5, 3, "PER")], [], "'PER' from 5 to 3 is no part"),
        ([(-4, 3, "PER")], [], "'PER' from -4 to 3 is no part"),
        ([(3, 4, "PER")], [], "'PER' from 3 to 4 holds no word"),
        ([(0, 9, "X"), ADA], [(0, 2, "X")], "'Ada' (PER) from 0 to 3 overlaps 'Ada lives' (X)"),
        ([(0, 4, "PER")], [(0, 1, "PER")], None),
        ([ADA, ADA], [(0, 1, "PER")], None),
    ],
)
def test_spans_that_do_not_fit_are_named_and_the_others_kept(spans, kept, what) -> None:
    (found,) = read({"text": "", "label": []}, {"text": TEXT, "label": [*spans, list(LONDON)]})[1:]
    assert found.entities == [*kept, (3, 4, "LOC")]
    assert [problem.what.startswith(what) for problem in found.problems] == ([True] if what else [])
    assert all(problem[:3] == ("span", Path("x.jsonl"), "line 2") for problem in found.problems)


def test_nothing_is_learned_from_words_that_a_span_cuts() -> None:
    (found,) = read({"text": TEXT, "label": [[1, 9, "PER"], list(LONDON)]})
    assert [token.ent_iob_ for token in found.doc] == ["", "", "O", "B", "O"]


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ('{"text": "a"', "no valid JSON"),
        ("[" * 100_000, "no JSON that can be read"),
        ("3", "3 is no object"),
        ('{"label": []}', 'its "text" is None'),
        ('{"text": "a", "spans": "b"}', "its \"spans\" is 'b', no list"),
        ('{"text": "a", "spans": [[0, 1]]}', "is no span"),
        ('{"text": "a", "spans": [[0, true, "X"]]}', "is no span"),
        ('{"text": "a", "spans": [{"start": 0, "end": 1, "label": ""}]}', "is no span"),
        ('{"text": "a", "label": ["positive"]}', "is no span"),
        ('{"text": "\\ud83d", "spans": []}', r"U\+D83D"),
        ('{"data": {"text": "a"}}', 'no list of "annotations"'),
        ('{"data": {"a": "a", "b": "b"}, "annotations": []}', 'the "text" of its "data" is None'),
        ('{"data": {"text": "a"}, "annotations": [{"result": 3}]}', 'no list of "result"'),
    ],
)
def test_a_line_that_cannot_be_read_is_named(line, problem) -> None:
    with pytest.raises(ValueError, match=f"EL654.*x.jsonl, line 2: .*{problem}"):
        read_records(Path("x.jsonl"), '{"text": "a", "spans": []}\n' + line, NLP)


def test_items_of_a_list_have_their_number_and_line() -> None:
    text = '[{"text": "a", "spans": []},\n{"text": "b"} {}]'
    with pytest.raises(ValueError, match=r"EL654.*after item 2: no comma"):
        read_records(Path("x.json"), text, NLP)
    with pytest.raises(ValueError, match=r"EL654.*item 2 \(line 2\): 3 is no object"):
        read_records(Path("x.json"), '[{"text": "a", "spans": []},\n 3]', NLP)
    with pytest.raises(ValueError, match=r"EL654.*item 1 \(line 1\): no valid JSON"):
        read_records(Path("x.json"), "[", NLP)


def test_plain_texts_are_no_annotation() -> None:
    with pytest.raises(ValueError, match="EL656"):
        read({"text": "a"}, {"text": "b"})


def test_the_first_list_of_spans_that_is_one_counts() -> None:
    spans = [{"start": 0, "end": 3, "label": "PER"}]
    (text,) = read({"text": TEXT, "spans": None, "entities": spans})
    assert text.entities == [(0, 1, "PER")]
    (text,) = read({"text": TEXT, "spans": None, "entities": None})
    assert text.entities == []


@pytest.mark.parametrize("rest", ['[{"text": "b", "spans": []}]', "x", ","])
def test_what_follows_a_list_is_not_left_out_without_a_word(rest: str) -> None:
    content = f'[{{"text": "a", "spans": []}}]\n{rest}\n'
    with pytest.raises(ValueError, match=r"EL654.*x\.json.*after item 1.*the list ends there"):
        read_records(Path("x.json"), content, NLP)


def test_a_text_that_is_too_long_is_named() -> None:
    record = {"text": "a " * (NLP.max_length // 2 + 1), "spans": []}
    with pytest.raises(ValueError, match=r"EL654.*line 2.*more than 1,000,000 characters"):
        read({"text": TEXT, "spans": []}, record)


def test_a_text_that_does_not_say_which_spans_it_has_is_reported() -> None:
    given = {"text": TEXT, "label": [list(LONDON)]}
    _, without, answered = read(given, {"text": TEXT}, {"text": TEXT, "answer": "accept"})
    assert [problem.what for problem in without.problems] == [
        "it does not say which spans it has, and counts as a text without any"
    ]
    assert (without.place, without.problems[0].place) == ("line 2", "line 2")
    assert without.entities == answered.entities == [] == answered.problems


def test_an_empty_list_of_spans_does_not_hide_another() -> None:
    (found,) = read({"text": TEXT, "spans": [], "label": [list(LONDON)]})
    assert found.entities == [(3, 4, "LOC")]
