import json

import pytest

from spacy_elmo_ner.comparison import texts as texts_module
from spacy_elmo_ner.comparison.corpora import Annotation, from_doc, read_corpus
from spacy_elmo_ner.comparison.texts import collect_texts, read_texts

from .conftest import gold_docs


@pytest.fixture
def gold(write_corpus):
    return read_corpus(write_corpus(), gold_docs)


@pytest.fixture
def texts(gold):
    right = [from_doc(doc) for doc in gold.docs]
    nothing = [Annotation(each.words, [], None) for each in right]
    no_ner = [Annotation(each.words, None, []) for each in right]
    return collect_texts(gold, {"right": right, "nothing": nothing, "tags": no_ner})


def test_readings_survive_json(texts, tmp_path):
    path = tmp_path / "texts.json"
    path.write_text(texts.to_json(), encoding="utf8")
    assert read_texts(path) == texts


def test_a_reading_like_the_first_takes_one_character(texts):
    data = json.loads(texts.to_json())
    assert data["systems"] == ["gold", "right", "nothing"]
    assert data["texts"][3]["r"] == [[0, 1, 0, 2, 3, 0], 0, []]


def test_the_largest_disagreements_come_before_texts_drawn_at_random(texts):
    titles = [title for title, _ in texts.chosen]
    assert titles == ["A large disagreement"] * 3 + ["Drawn at random"]
    assert texts.examples()[0].title == "A large disagreement (text 1)"
    assert len({index for _, index in texts.chosen}) == 4


def test_of_a_large_corpus_those_texts_are_kept_that_are_read_most_differently(gold, monkeypatch):
    monkeypatch.setattr(texts_module, "MAX_WORDS", 14)
    nothing = [Annotation(each.words, [], None) for each in gold.annotations]
    kept = collect_texts(gold, {"nothing": nothing})
    assert kept.total == 4
    assert [text.number for text in kept.texts] == [0, 1]


def test_without_gold_the_first_pipeline_leads(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text("x", encoding="utf8")
    corpus = read_corpus(path, lambda line: gold_docs()[2].copy())
    unannotated = type(corpus)(
        path, None, corpus.docs, [Annotation(corpus.annotations[0].words, None, None)]
    )
    reading = [Annotation(corpus.annotations[0].words, [(0, 1, "x")], None)]
    found = collect_texts(unannotated, {"one": reading})
    assert found.systems == ["one"]
    assert not found.has_gold


@pytest.mark.parametrize("content", ["", "{}", '{"schema_version": 99}', None])
def test_what_is_no_texts_file_is_refused(content, tmp_path):
    path = tmp_path / "texts.json"
    if content is not None:
        path.write_text(content, encoding="utf8")
    with pytest.raises(ValueError, match=r"EL320.*texts\.json"):
        read_texts(path)


@pytest.mark.parametrize(
    "changed", [{"chosen": [["Title", 99]]}, {"total": "many"}, {"chosen": [["Title", -1]]}]
)
def test_texts_that_do_not_fit_together_are_refused(texts, tmp_path, changed):
    path = tmp_path / "texts.json"
    path.write_text(json.dumps(json.loads(texts.to_json()) | changed), encoding="utf8")
    with pytest.raises(ValueError, match=r"EL320.*texts\.json"):
        read_texts(path)
