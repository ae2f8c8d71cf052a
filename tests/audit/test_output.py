"""errors.json is read as strictly as it is written."""

import json
from pathlib import Path

import pytest

from spacy_elmo_ner.audit.output import Audit, read_audit, write
from spacy_elmo_ner.audit.rows import AuditRow

ROW = AuditRow(
    3, 1, 3, "type", "New York=org", "New York=geo", 0.8, 0.1, 0.925, "in [[New York]] ."
)


def written(tmp_path, *audits):
    write(audits, [Path("corpus/train.spacy")], tmp_path)
    return tmp_path / "errors.json"


def test_an_audit_survives_its_file(tmp_path):
    audit = Audit("elmo_ner", 9, 100, [("O", "B-geo", 3)], [ROW])
    assert read_audit(written(tmp_path, audit)) == (["train.spacy"], [audit])


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        ("{", "JSONDecodeError"),
        ("[]", "TypeError"),
        ('{"schema_version": 1, "corpus": []}', "KeyError"),
        ('{"schema_version": 7}', "schema version 7, not 1"),
        ('{"schema_version": 1, "corpus": [], "pipes": [{"pipe": 3}]}', "0.pipe"),
    ],
)
def test_what_is_no_audit_is_refused(content, problem, tmp_path):
    path = tmp_path / "errors.json"
    path.write_text(content, encoding="utf8")
    with pytest.raises(ValueError, match=r"EL321.*errors\.json") as caught:
        read_audit(path)
    assert problem in str(caught.value)


def test_an_unknown_kind_of_error_is_refused(tmp_path):
    path = written(tmp_path, Audit("elmo_ner", 9, 100, [], [ROW]))
    data = json.loads(path.read_text(encoding="utf8"))
    data["pipes"][0]["rows"][0]["kind"] = "taste"
    path.write_text(json.dumps(data), encoding="utf8")
    with pytest.raises(ValueError, match=r"EL321.*rows\.0\.kind"):
        read_audit(path)
