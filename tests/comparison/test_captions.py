from pathlib import Path

import pytest
from spacy.tokens import Doc
from spacy.vocab import Vocab

from spacy_elmo_ner.audit.output import Audit, write
from spacy_elmo_ner.audit.rows import AuditRow, context
from spacy_elmo_ner.comparison.captions import (
    ERROR_HEADER,
    error_cells,
    errors_title,
    marked_words,
)
from spacy_elmo_ner.comparison.run import MAX_PROBABLE_ERRORS, _probable_errors

ROW = AuditRow(
    3, 1, 3, "type", "New York=org", "New York=geo", 0.8, 0.1, 0.925, "in [[New York]] ."
)
TAG = AuditRow(0, 0, 1, "tag", "NN", "VB", 0.5, 0.2, 0.7, "[[Run]] !")


def written(tmp_path, *audits):
    write(audits, [Path("corpus/train.spacy")], tmp_path)
    return tmp_path / "errors.json"


def test_the_first_rows_of_every_pipe_are_kept_those_of_entities_first(tmp_path):
    tags = Audit("elmo_tagger", 9, 100, [("NN", "VB", 60)], [TAG] * 60)
    path = written(tmp_path, tags, Audit("elmo_ner", 9, 100, [], [ROW]))
    entities, words = _probable_errors(path)
    assert (entities.pipe, entities.corpus, entities.n_docs) == ("elmo_ner", ["train.spacy"], 9)
    assert (entities.n_found, entities.rows) == (1, [ROW])
    assert (words.n_found, len(words.rows)) == (60, MAX_PROBABLE_ERRORS)
    assert errors_title(entities) == "elmo_ner on train.spacy: 1 in 9 texts"
    assert errors_title(words) == "elmo_tagger on train.spacy: 60 in 9 texts, the first 50"


def test_an_audit_that_found_nothing_is_said_too(tmp_path):
    (found,) = _probable_errors(written(tmp_path, Audit("elmo_ner", 9, 100, [], [])))
    assert errors_title(found) == "elmo_ner on train.spacy: 0 in 9 texts"


def test_cells_are_percent_and_a_missing_entity_is_a_dash():
    assert error_cells(ROW) == ["New York=org", "10.0", "New York=geo", "92.5"]
    missing = AuditRow(0, 0, 1, "missing", "", "Rome=geo", 0.9, 0.05, 0.9, "[[Rome]]")
    assert error_cells(missing)[0] == "-"
    assert len(error_cells(ROW)) == len(ERROR_HEADER) - 2


@pytest.mark.parametrize(("start", "end"), [(0, 1), (1, 3), (3, 4)])
def test_the_words_in_question_are_taken_from_the_audits_own_context(start, end):
    words = ["in", "New", "York", "."]
    found = marked_words(context(Doc(Vocab(), words=words), start, end))
    assert "".join(found) == "in New York ."
    assert found[1] == " ".join(words[start:end])
