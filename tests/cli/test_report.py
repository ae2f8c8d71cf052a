import webbrowser
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from spacy_elmo_ner.cli.report import report_cli
from spacy_elmo_ner.comparison.results import CorpusResult, Results
from spacy_elmo_ner.comparison.texts import Texts

app = typer.Typer()
app.command("report")(report_cli)


@pytest.fixture
def results(tmp_path: Path) -> Path:
    corpus = CorpusResult("c/test.spacy", "sample", "test", 3, 30, 5, systems=[])
    path = tmp_path / "results.json"
    path.write_text(Results("2026-01-02", {}, [], [], [corpus]).to_json(), encoding="utf8")
    (tmp_path / "texts.json").write_text(Texts(["gold"], 3, []).to_json(), encoding="utf8")
    return path


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The addresses a browser was asked to open."""
    addresses: list[str] = []
    monkeypatch.setattr(webbrowser, "open", lambda address: not addresses.append(address))
    return addresses


def invoke(*arguments: object):
    return CliRunner().invoke(app, [str(each) for each in arguments])


def test_the_tables_are_printed_and_nothing_is_written(results, opened):
    run = invoke(results)
    assert run.exit_code == 0, run.output
    assert "sample, test: 3 texts" in run.output
    assert not results.with_name("report.html").exists()
    assert opened == []


def test_open_writes_a_missing_report_once_and_opens_it(results, opened):
    page = results.with_name("report.html")
    assert invoke(results, "--open").exit_code == 0
    assert page.is_file()
    page.write_text("mine", encoding="utf8")
    assert invoke(results, "--open").exit_code == 0
    assert page.read_text(encoding="utf8") == "mine"
    assert opened == [page.resolve().as_uri()] * 2


def test_html_writes_the_report_again(results):
    page = results.with_name("report.html")
    page.write_text("old", encoding="utf8")
    run = invoke(results, "--html")
    assert run.exit_code == 0, run.output
    assert "<h1>" in page.read_text(encoding="utf8")


def test_where_no_browser_opens_the_path_is_told(results, monkeypatch):
    monkeypatch.setattr(webbrowser, "open", lambda address: False)
    run = invoke(results, "--open")
    assert run.exit_code == 0
    assert "report.html" in run.output


@pytest.mark.parametrize(
    ("name", "content", "code"),
    [
        ("none.json", None, "EL502"),
        ("results.json", "{}", "EL301"),
        ("results.json", "[]", "EL302"),
        ("results.json", "{", "EL302"),
        ("results.json", "[" * 99_999, "EL302"),
        ("texts.json", "{}", "EL320"),
        ("texts.json", "[" * 99_999, "EL320"),
    ],
)
def test_what_cannot_be_shown_is_one_message(name, content, code, results):
    path = results.with_name(name)
    if content is not None:
        path.write_text(content, encoding="utf8")
    run = invoke(path if name != "texts.json" else results, "--html")
    assert run.exit_code == 1
    assert code in run.output
    assert name in run.output.replace("\n", "")
    assert "Traceback" not in run.output
