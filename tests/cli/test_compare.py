import itertools
import json
from pathlib import Path

import pytest
import spacy
import srsly
import typer
from spacy.tokens import Doc, DocBin
from spacy.vocab import Vocab
from typer.testing import CliRunner

from spacy_elmo_ner.audit.output import Audit, write
from spacy_elmo_ner.audit.rows import AuditRow
from spacy_elmo_ner.cli.compare import _with_path, compare_cli
from spacy_elmo_ner.comparison.run import TrainedOnShare
from spacy_elmo_ner.resources import resource

ROOT = Path(__file__).parents[2]

app = typer.Typer()
app.command("compare")(compare_cli)


@pytest.fixture
def pipeline(tmp_path: Path) -> Path:
    nlp = spacy.blank("en")
    ruler = nlp.add_pipe("entity_ruler")
    ruler.add_patterns([{"label": "geo", "pattern": "London"}])  # type: ignore[attr-defined]
    nlp.to_disk(tmp_path / "pipeline")
    return tmp_path / "pipeline"


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    doc = Doc(Vocab(), words=["In", "London", "."], ents=["O", "B-geo", "O"])
    path = tmp_path / "test.spacy"
    DocBin(docs=[doc]).to_disk(path)
    return path


def invoke(*arguments: object):
    return CliRunner().invoke(app, [str(each) for each in arguments])


def test_compare_prints_its_tables_and_writes_json_and_markdown(pipeline, corpus, tmp_path):
    output = tmp_path / "out"
    shown = ("--pipeline", f"ours={pipeline}", "--pipeline", "xx_no_such_package")
    run = invoke(*shown, "--corpus", corpus, "--output", output, "--repeats", 0)
    assert run.exit_code == 0, run.output
    assert "[London = geo]" in run.output
    assert "xx_no_such_package was skipped" in run.output
    data = json.loads((output / "results.json").read_text(encoding="utf8"))
    assert data["schema_version"] == 2
    assert data["corpora"][0]["systems"][0]["ner"]["seqeval_default"]["f1"] == 1.0
    assert data["pipelines"][0]["name"] == "ours"
    assert "| ours | 100.00 |" in (output / "results.md").read_text(encoding="utf8")
    assert sorted(path.name for path in output.iterdir()) == [
        "charts",
        "report.html",
        "results.json",
        "results.md",
        "texts.json",
    ]
    assert "[London" not in (output / "report.html").read_text(encoding="utf8")
    assert len(list((output / "charts").glob("*.png"))) == 2


def test_plain_text_shows_how_far_two_pipelines_agree(pipeline, tmp_path):
    text = tmp_path / "text.txt"
    text.write_text("In London.\n", encoding="utf8")
    shown = ("-p", f"a={pipeline}", "-p", f"b={pipeline}", "-c", text)
    run = invoke(*shown, "-o", tmp_path / "out", "--repeats", 0)
    assert run.exit_code == 0, run.output
    assert "text: 1 texts, 3 words, no gold" in run.output
    assert "a and b" in run.output
    assert "100.00" in run.output


def test_a_wrong_point_of_a_learning_curve_is_one_message(pipeline, corpus, tmp_path):
    run = invoke("-p", pipeline, "-c", corpus, "-o", tmp_path / "out", "--learning-curve", "x")
    assert run.exit_code == 1
    assert "EL318" in run.output


def test_probable_errors_are_shown_and_an_audit_that_is_not_there_is_one_line(
    pipeline, corpus, tmp_path
):
    row = AuditRow(0, 1, 2, "type", "London=org", "London=geo", 0.9, 0.05, 0.95, "In [[London]] .")
    write([Audit("elmo_ner", 1, 3, [], [row])], [Path("train.spacy")], tmp_path / "audit")
    output = tmp_path / "out"
    audits = ("--audit", tmp_path / "none.json", "--audit", tmp_path / "audit" / "errors.json")
    run = invoke("-p", pipeline, "-c", corpus, "-o", output, "--repeats", 0, *audits)
    assert run.exit_code == 0, run.output
    said = " ".join(run.output.split())
    assert "none.json: no probable annotation errors are shown" in said
    assert "python -m spacy elmo audit" in said
    data = json.loads((output / "results.json").read_text(encoding="utf8"))
    (found,) = data["probable_errors"]
    assert (found["n_found"], found["rows"][0]["suggested"]) == (1, "London=geo")
    assert "In **London** ." in (output / "results.md").read_text(encoding="utf8")
    assert "<mark>London</mark>" in (output / "report.html").read_text(encoding="utf8")


def test_an_audit_that_is_none_is_one_message(pipeline, corpus, tmp_path):
    audit = tmp_path / "errors.json"
    audit.write_text("{}", encoding="utf8")
    run = invoke("-p", pipeline, "-c", corpus, "-o", tmp_path / "out", "--audit", audit)
    assert run.exit_code == 1
    assert "EL321" in run.output
    assert not (tmp_path / "out").exists()


def test_everything_the_projects_comparison_reads_is_made_by_one_of_its_commands(monkeypatch):
    monkeypatch.chdir(ROOT)
    project = srsly.read_yaml("project.yml")
    (command,) = [each for each in project["commands"] if each["name"] == "compare"]
    (script,) = command["script"]
    for name, value in project["vars"].items():
        script = script.replace(f"${{vars.{name}}}", value)
    words = script.split()
    options = list(itertools.pairwise(words))
    folders = [value.partition("=")[2] for name, value in options if name == "--pipeline"]
    folders.remove(project["vars"]["baseline"])  # packages
    assert len(folders) == 4
    points = [TrainedOnShare.parse(value) for name, value in options if name == "--learning-curve"]
    assert {(each.system, each.percent) for each in points} == {
        (system, share) for system in ("ours", "spacy-cnn") for share in (2, 10, 50)
    }
    audits = [value for name, value in options if name == "--audit"]
    assert audits == ["metrics/audit/errors.json"]
    made = {
        output.replace("${vars.config}", project["vars"]["config"])
        for each in project["commands"]
        for output in each.get("outputs", ())
    }
    assert {*folders, *(each.source for each in points), *audits} <= made
    # What may be missing is no dependency, and only a command that never skips notices it.
    assert not {"training/transformer/model-best", *audits} & set(command["deps"])
    assert command["no_skip"]


def test_an_error_is_one_message_and_no_traceback(pipeline, tmp_path):
    run = invoke("-p", pipeline, "-c", tmp_path / "none.spacy", "-o", tmp_path / "out")
    assert run.exit_code == 1
    assert "EL304" in run.output
    assert "Traceback" not in run.output
    assert not (tmp_path / "out").exists()


def test_help_says_what_a_label_map_is():
    run = invoke("--help")
    assert run.exit_code == 0
    assert "--label-map" in run.output


def test_the_packages_own_label_maps_are_found_in_any_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    name = "assets/label_maps/ontonotes-gmb.json"
    assert _with_path(name) == str(resource(name))
    assert _with_path(f"other={name}") == f"other={resource(name)}"
    assert _with_path("other=mine.json") == "other=mine.json"
