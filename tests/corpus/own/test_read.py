"""Whatever a file holds, reading it gives texts or one ValueError that names the file."""

import json
from pathlib import Path

import pytest
import spacy
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from spacy_elmo_ner.corpus.own.read import read_own

NLP = spacy.blank("en")
PIECES = st.sampled_from(
    [
        "Rome",
        " ",
        "\t",
        "\n",
        "\r\n",
        "|",
        "#",
        "B-LOC",
        "I-LOC",
        "O",
        "-",
        "-DOCSTART-",
        "\u00a0",
        "é",
    ]
)
LINES = st.lists(PIECES, max_size=30).map("".join)
NUMBERS = st.integers(-3, 9)
SPANS = st.lists(st.tuples(NUMBERS, NUMBERS, st.sampled_from(["PER", "LOC"])).map(list), max_size=4)
RECORDS = st.tuples(st.text("ab 🙂\n", max_size=8), SPANS)


def write(folder: Path, name: str, data: bytes) -> Path:
    (folder / name).write_bytes(data)
    return folder / name


@pytest.mark.filterwarnings("ignore:.*WL401")
@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    st.one_of(LINES.map(str.encode), st.binary(max_size=40)),
    st.sampled_from([".conll", ".json", ".jsonl"]),
)
@example(b"\xff\xfe", ".conll")
@example(b"[", ".json")
def test_any_bytes(tmp_path, data, suffix) -> None:
    path = write(tmp_path, f"x{suffix}", data)
    try:
        texts = read_own(path, NLP)
    except ValueError as error:
        assert str(path) in str(error)
    else:
        assert texts and all(text.words for text in texts)


@settings(max_examples=150, deadline=None)
@given(RECORDS)
def test_any_spans(tmp_path_factory, record) -> None:
    """Entities never overlap, and each span is kept, named as a problem, or the same as another."""
    text, spans = record
    path = tmp_path_factory.getbasetemp() / "spans.jsonl"
    line = json.dumps({"text": text, "label": spans})
    path.write_text(line + '\n{"text": "b", "label": []}')
    for found in read_own(path, NLP)[:-1]:
        assert len(found.entities) + len(found.problems) <= len({tuple(span) for span in spans})
        for ent in found.doc.ents:
            assert ent.text == ent.text.strip() != ""
