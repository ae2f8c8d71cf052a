"""Each format is read again by its own tool, and says the same as the row."""

import json
import sys
from pathlib import Path
from typing import Any

import pytest
import spacy
from spacy.language import Language
from spacy.tokens import Doc, DocBin, Span
from spacy.training.converters import conll_ner_to_docs
from spacy.vocab import Vocab

from spacy_elmo_ner.annotation.annotator import Annotator, Settings
from spacy_elmo_ner.annotation.exports import FORMATS
from spacy_elmo_ner.annotation.outputs import PipelineFacts
from spacy_elmo_ner.annotation.rows import failed
from spacy_elmo_ner.annotation.texts import Shard, Text

TEXTS = [
    Text("a", "President John Smith met Reuters in Paris ."),
    Text("b", None, error="[EL608] no text"),
    Text("c", "Ünï 😀 Mary Smith  left\nParis today"),
    Text("d", "x", error="broken"),
    Text("e", ""),
]


@Language.component("begins_with_blank")
def begins_with_blank(doc: Doc) -> Doc:
    for token in doc:
        token.is_sent_start = token.i == 0 or token.is_space
    return doc


@Language.component("two_neighbours")
def two_neighbours(doc: Doc) -> Doc:
    doc.set_ents([Span(doc, 0, 1, "per"), Span(doc, 1, 4, "per")])
    return doc


@pytest.fixture(scope="module")
def parts(scored: str) -> dict[str, bytes]:
    worker = Annotator(Settings(scored, formats=tuple(FORMATS)))
    return worker.annotate(Shard(0, TEXTS, 0)).files


@pytest.fixture(scope="module")
def rows(parts: dict[str, bytes]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in parts["jsonl"].decode().splitlines()]


def _spans(row: dict[str, Any]) -> list[tuple[str, str]]:
    return [(row["text"][ent["start"] : ent["end"]], ent["label"]) for ent in row.get("ents", [])]


def test_rows_are_all_there_in_order(rows: list[dict[str, Any]]) -> None:
    assert [row["id"] for row in rows] == list("abcde")
    assert [row.get("error") for row in rows] == [None, "[EL608] no text", None, "broken", None]
    assert len(_spans(rows[0])) > 1 and _spans(rows[2])


def test_spacy_converts_the_conll_columns(
    parts: dict[str, bytes], rows: list[dict[str, Any]]
) -> None:
    text = parts["conll"].decode()
    assert text.count("-DOCSTART- -X- O O\n\n") == len(TEXTS)
    docs = [*conll_ner_to_docs(text, no_print=True)]
    full = [row for row in rows if row.get("tokens")]
    assert len(docs) == len(full) == 2
    for doc, row in zip(docs, full, strict=True):
        found = [(" ".join(ent.text.split()), ent.label_) for ent in doc.ents]
        assert found == [(" ".join(text.split()), label) for text, label in _spans(row)]
    assert [token.tag_ for token in docs[0]] == [token["tag"] for token in full[0]["tokens"]]
    columns = [line.split(" ") for line in text.splitlines() if line and "DOCSTART" not in line]
    assert {len(column) for column in columns} == {4}
    scores = {float(column[2]) for column in columns if column[3] != "O"}
    assert scores == {ent["confidence"] for row in full for ent in row["ents"]}
    assert all(column[2] == "-" for column in columns if column[3] == "O")


def test_sentences_are_kept_in_the_columns(rules: str) -> None:
    worker = Annotator(Settings(rules, formats=("conll",)))
    shard = worker.annotate(Shard(0, [Text("a", "Ann saw Rome. It rains. New York")], 0))
    docs = [*conll_ner_to_docs(shard.files["conll"].decode(), no_print=True)]
    assert [sent.text for sent in docs[0].sents] == ["Ann saw Rome .", "It rains .", "New York"]
    assert "York - - I-geo" in shard.files["conll"].decode()


def test_spacy_reads_the_docbin(parts: dict[str, bytes], rows: list[dict[str, Any]]) -> None:
    docs = [*DocBin().from_bytes(parts["spacy"]).get_docs(Vocab())]
    assert [doc.user_data["id"] for doc in docs] == list("abcde")
    assert [doc.user_data.get("error") for doc in docs] == [row.get("error") for row in rows]
    for doc, row in zip(docs, rows, strict=True):
        assert doc.text == (row["text"] or "")
        if "error" in row:
            continue
        assert doc.user_data["certainty"] == row["certainty"]
        assert [(ent.text, ent.label_) for ent in doc.ents] == _spans(row)
        assert [round(ent._.confidence, 4) for ent in doc.ents] == [
            ent["confidence"] for ent in row["ents"]
        ]
    assert Span.has_extension("confidence")


def test_pyarrow_reads_the_table(
    parts: dict[str, bytes], rows: list[dict[str, Any]], tmp_path: Path
) -> None:
    parquet = pytest.importorskip("pyarrow.parquet")
    (tmp_path / "a.parquet").write_bytes(parts["parquet"])
    table = parquet.read_table(tmp_path / "a.parquet").to_pylist()
    for found, row in zip(table, rows, strict=True):
        assert {key: found[key] for key in ("id", "text", "error", "certainty")} == {
            key: row.get(key) for key in ("id", "text", "error", "certainty")
        }
        assert found["ents"] == row.get("ents")
        for token, plain in zip(found["tokens"] or [], row.get("tokens", []), strict=True):
            assert {key: token[key] for key in plain if key in token}.items() <= plain.items()
            assert token["tag"] == plain["tag"] and token["lemma"] is None


def test_label_studio_takes_the_tasks(parts: dict[str, bytes], rows: list[dict[str, Any]]) -> None:
    sdk = pytest.importorskip("label_studio_sdk.label_interface")
    from spacy_elmo_ner.annotation.exports import label_studio_config

    interface = sdk.LabelInterface(label_studio_config(["geo", "org", "per"]))
    tasks = json.loads(parts["label-studio"])
    assert [task["data"]["id"] for task in tasks] == list("abcde")
    for task, row in zip(tasks, rows, strict=True):
        if "error" in row:
            assert "predictions" not in task and task["data"]["error"] == row["error"]
            continue
        assert interface.validate_task({"data": task["data"]})
        (prediction,) = task["predictions"]
        assert interface.validate_prediction(prediction)
        assert prediction["model_version"].startswith("en_pipeline-")
        assert prediction["score"] == row["certainty"]
        assert [(one["value"]["text"], one["value"]["labels"]) for one in prediction["result"]] == [
            (text, [label]) for text, label in _spans(row)
        ]
        assert [one["score"] for one in prediction["result"]] == [
            ent["confidence"] for ent in row["ents"]
        ]


def test_doccano_finds_text_and_label(parts: dict[str, bytes], rows: list[dict[str, Any]]) -> None:
    """As its documentation has it: {"text": ..., "label": [[start, end, label], ...]}."""
    lines = parts["doccano"].decode().splitlines()
    for line, row in zip(lines, rows, strict=True):
        found = json.loads(line)
        assert isinstance(found["text"], str)
        assert [(found["text"][s:e], label) for s, e, label in found["label"]] == _spans(row)
        assert found["confidence"] == [ent["confidence"] for ent in row.get("ents", [])]
        assert found.get("error") == row.get("error") and found["id"] == row["id"]


def test_prodigy_finds_its_task_format(parts: dict[str, bytes], rows: list[dict[str, Any]]) -> None:
    """As its documentation has it: text, tokens with ws, spans with token_end included, meta."""
    for line, row in zip(parts["prodigy"].decode().splitlines(), rows, strict=True):
        task = json.loads(line)
        assert task["meta"]["id"] == row["id"] and task["meta"].get("error") == row.get("error")
        assert task["meta"].get("score") == row.get("certainty")
        tokens = task.get("tokens", [])
        if "error" not in row:
            assert "".join(one["text"] + " " * one["ws"] for one in tokens) == row["text"]
        assert [one["id"] for one in tokens] == list(range(len(tokens)))
        assert [
            (task["text"][one["start"] : one["end"]], one["label"]) for one in task["spans"]
        ] == (_spans(row))
        for one in task["spans"]:
            assert tokens[one["token_start"]]["start"] == one["start"]
            assert tokens[one["token_end"]]["end"] == one["end"]
            assert 0 < one["score"] <= 1


def test_labels_of_any_name_make_a_valid_configuration() -> None:
    from xml.etree import ElementTree

    from spacy_elmo_ner.annotation.exports import label_studio_config

    names = ['a "b"', "<c&d>", "日本"]
    found = ElementTree.fromstring(label_studio_config(names)).iter("Label")
    assert [one.get("value") for one in found] == names


@pytest.mark.parametrize("name", FORMATS)
def test_joined_records_are_the_part(name: str, scored: str, parts: dict[str, bytes]) -> None:
    worker = Annotator(Settings(scored, formats=(name,)))
    with worker.nlp.memory_zone():
        done = worker._annotated(TEXTS)
        form = worker.formats[name]
        joined = form.join([form.record(one) for one in done])
    if name == "spacy":  # strings are sorted by text there, which msgpack may pack otherwise
        docs = [[*DocBin().from_bytes(data).get_docs(Vocab())] for data in (joined, parts[name])]
        assert [doc.to_json() for doc in docs[0]] == [doc.to_json() for doc in docs[1]]
    else:
        assert joined == parts[name]


@pytest.mark.parametrize("name", FORMATS)
def test_a_file_of_nothing_and_one_of_errors_alone_can_be_written(name: str) -> None:
    form = FORMATS[name](PipelineFacts("x", ()))
    assert isinstance(form.part([]), bytes)
    one = failed(Text("a", None), "broken")
    assert (b"broken" in form.part([one])) or name in ("conll", "parquet", "spacy")
    assert form.file_name(7).startswith(form.stem + "-00007")


def test_parquet_needs_pyarrow(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(ModuleNotFoundError, match=r"EL606.*writing"):
        FORMATS["parquet"](PipelineFacts("x", ())).part([])


def test_facts_are_the_pipelines() -> None:
    nlp = spacy.blank("en", meta={"name": "mine", "version": "1.2"})
    nlp.add_pipe("entity_ruler").add_patterns([{"label": "b", "pattern": "x"}])  # type: ignore
    assert PipelineFacts.of(nlp) == PipelineFacts("en_mine-1.2", ("b",))


def test_a_sentence_that_begins_with_a_blank_begins_in_the_columns(rules: str) -> None:
    text = Text(
        "a",
        "Ann left.  Rome slept.",
        ["Ann", "left", ".", " ", "Rome", "slept", "."],
        [True, False, True, False, True, False, False],
    )
    nlp = spacy.load(rules)
    nlp.add_pipe("begins_with_blank", last=True)
    worker = Annotator(Settings(rules, formats=("conll",)))
    worker.nlp = nlp
    lines = worker.annotate(Shard(0, [text], 0)).files["conll"].decode().splitlines()
    assert " ".join(line.split()[0] for line in lines[2:] if line) == "Ann left . Rome slept ."
    assert lines[5] == "" and lines[6].startswith("Rome")


def test_an_entity_that_begins_with_a_blank_is_one_of_its_own(rules: str) -> None:
    nlp = spacy.load(rules)
    nlp.add_pipe("two_neighbours", last=True)
    worker = Annotator(Settings(rules, formats=("conll",)))
    worker.nlp = nlp
    text = Text("a", "Ann  Bob Ray", ["Ann", " ", "Bob", "Ray"], [True, False, True, False])
    lines = worker.annotate(Shard(0, [text], 0)).files["conll"].decode().split("\n")
    assert [line.split()[-1] for line in lines[2:] if line] == ["B-per", "B-per", "I-per"]
