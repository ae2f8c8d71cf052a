import pytest
import srsly

from spacy_elmo_ner.comparison.made_by import command_for

PROJECT = {
    "vars": {"config": "best"},
    "commands": [
        {"name": "assets", "help": "Fetch", "script": []},
        {"name": "train", "help": "Train", "outputs": ["training/${vars.config}/model-best"]},
        {"name": "audit", "help": "List errors", "outputs": ["a.tsv", "metrics/a.json"]},
    ],
}


@pytest.fixture
def project(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path / "project.yml"


def test_the_command_that_lists_it_among_its_outputs(project):
    srsly.write_yaml(project, PROJECT)
    said = "`python -m spacy project run train` (Train)"
    assert command_for("training/best/model-best") == said
    assert command_for("./training/best/model-best/") == said
    assert command_for("metrics/a.json") == "`python -m spacy project run audit` (List errors)"
    assert command_for("training/other/model-best") is None


@pytest.mark.parametrize("content", [None, "", "[1", "commands: 3", "commands:\n- name: x", "- a"])
def test_a_project_that_cannot_be_read_is_none(content, project):
    if content is not None:
        project.write_text(content, encoding="utf8")
    assert command_for("training/best/model-best") is None
