import http.client
from pathlib import Path

import pytest

from spacy_elmo_ner.download import download
from tests.answers import URL, Response, serve


def test_an_answer_that_breaks_off_leaves_no_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    response = Response(b"")

    def read(n: int = -1) -> bytes:
        raise http.client.IncompleteRead(b"")

    monkeypatch.setattr(response, "read", read)
    serve(monkeypatch, response)
    with pytest.raises(OSError, match="IncompleteRead"):
        download(URL, tmp_path / "file", 100)
    assert list(tmp_path.iterdir()) == []


def test_a_download_arrives_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    serve(monkeypatch, Response(b"content"))
    download(URL, tmp_path / "file", 7)
    assert (tmp_path / "file").read_bytes() == b"content"


@pytest.mark.parametrize("url", ["http://example.org/x", "file:///etc/hosts", "ftp://example.org"])
def test_only_https_is_fetched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    asked = serve(monkeypatch, Response(b""))
    with pytest.raises(ValueError, match="not an https address"):
        download(url, tmp_path / "file", 10)
    assert asked == []
