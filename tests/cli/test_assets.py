"""``python -m spacy elmo assets``: fetched, checked, or told how to go on without."""

import hashlib
import io
import urllib.error
import urllib.request
from email.message import Message
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from spacy_elmo_ner.cli import assets
from spacy_elmo_ner.cli.app import elmo_cli

CONTENT = b"an archive"


class Response(io.BytesIO):
    """What urlopen gives back for an address."""

    def __init__(self, url: str, content: bytes) -> None:
        super().__init__(content)
        self.url = url
        self.headers = Message()

    def geturl(self) -> str:
        return self.url


@pytest.fixture(autouse=True)
def workplace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An empty folder, no network, and an archive of our own for the published one."""
    workplace = tmp_path / "beside" / "workplace"
    workplace.mkdir(parents=True)
    monkeypatch.chdir(workplace)
    monkeypatch.delenv("SPACY_ELMO_NER_GMB", raising=False)
    monkeypatch.setattr(assets, "ARCHIVE_SHA256", hashlib.sha256(CONTENT).hexdigest())
    serve(monkeypatch, urllib.error.URLError("no network in tests"))


def serve(monkeypatch: pytest.MonkeyPatch, answer: bytes | Exception) -> list[str]:
    """Answer every address with these bytes or this error; returns the addresses asked for."""
    asked: list[str] = []

    def urlopen(url: str, *args: object, **kwargs: object) -> Response:
        asked.append(url)
        if isinstance(answer, Exception):
            raise answer
        return Response(url, answer)

    monkeypatch.setattr(urllib.request, "urlopen", urlopen)
    return asked


def run(*arguments: str) -> Result:
    return CliRunner().invoke(elmo_cli, ["assets", *arguments])


def test_the_archive_is_fetched_over_https_to_where_corpus_looks(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked = serve(monkeypatch, CONTENT)
    result = run()
    assert result.exit_code == 0, result.output
    archive = Path("assets/gmb/entity-annotated-corpus.zip")
    assert archive.read_bytes() == CONTENT
    assert asked == [assets.ARCHIVE_URL]
    assert asked[0].startswith("https://raw.githubusercontent.com/")
    assert assets.find_gmb() == archive
    assert list(archive.parent.iterdir()) == [archive]


def test_a_corpus_at_hand_is_not_fetched_again(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = serve(monkeypatch, CONTENT)
    run("folder")
    result = run("folder")
    assert result.exit_code == 0
    assert "already there: folder/entity-annotated-corpus.zip" in " ".join(result.output.split())
    assert len(asked) == 1


def test_without_a_network_it_says_how_to_go_on_and_succeeds() -> None:
    result = run("folder")
    assert result.exit_code == 0
    first, rest = result.output.split("\n", 1)
    assert "Could not download the corpus: the sample corpus will be used." in first
    assert "no network in tests" in rest
    assert "into folder by hand" in " ".join(rest.split())
    assert list(Path("folder").iterdir()) == []


def test_another_file_than_the_published_one_is_thrown_away(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    serve(monkeypatch, b"<html>please log in</html>")
    result = run("folder")
    assert result.exit_code == 1
    assert "EL231" in result.output
    assert list(Path("folder").iterdir()) == []


def test_a_download_without_end_is_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(assets, "ARCHIVE_BYTES", 4)
    serve(monkeypatch, CONTENT)
    result = run("folder")
    assert result.exit_code == 1
    assert "EL231" in result.output and "more than the 4 bytes" in " ".join(result.output.split())
    assert list(Path("folder").iterdir()) == []


def test_a_file_the_environment_names_must_be_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SPACY_ELMO_NER_GMB", "nowhere.csv")
    result = run()
    assert result.exit_code == 1
    assert "EL201" in result.output
