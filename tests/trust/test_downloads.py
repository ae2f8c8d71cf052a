"""Downloads go on where they broke off, and end as what was wanted or as nothing."""

import hashlib
import urllib.request
from pathlib import Path

import pytest

from spacy_elmo_ner.download import download
from tests.answers import URL, Response

CONTENT = bytes(range(256)) * 20


class Server:
    """Answers with CONTENT, or with what a Range asks for; the first answers break off."""

    def __init__(self, content: bytes = CONTENT, etag: str | None = '"1"', breaks: int = 0) -> None:
        self.content, self.etag, self.breaks = content, etag, breaks
        self.gives_parts = True
        self.asked: list[str | None] = []

    def __call__(self, request: str | urllib.request.Request, timeout: float) -> Response:
        wanted = None if isinstance(request, str) else request.get_header("Range")
        self.asked.append(wanted)
        start = int(wanted.removeprefix("bytes=").removesuffix("-")) if wanted else 0
        start = start if self.gives_parts else 0
        sent = self.content[start:]
        if self.breaks:
            self.breaks -= 1
            sent = sent[: len(sent) // 2]
        response = Response(sent, length=str(len(self.content) - start))
        if self.etag is not None:
            response.headers["ETag"] = self.etag
        if start:
            last = len(self.content) - 1
            response.headers["Content-Range"] = f"bytes {start}-{last}/{len(self.content)}"
        return response


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Server:
    server = Server()
    monkeypatch.setattr(urllib.request, "urlopen", server)
    return server


def fetch(path: Path, sha256: str | None = None) -> None:
    download(URL, path, len(CONTENT), sha256)


def test_a_broken_download_is_gone_on_with(server: Server, tmp_path: Path) -> None:
    server.breaks = 1
    with pytest.raises(OSError, match=r"ended after 2,560 of 5,120 bytes"):
        fetch(tmp_path / "file")
    assert not (tmp_path / "file").exists()
    fetch(tmp_path / "file", hashlib.sha256(CONTENT).hexdigest())
    assert (tmp_path / "file").read_bytes() == CONTENT
    assert server.asked[-1] == "bytes=2560-"
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_of_another_version_nothing_is_put_together(server: Server, tmp_path: Path) -> None:
    server.breaks = 1
    with pytest.raises(OSError, match="ended"):
        fetch(tmp_path / "file")
    server.content, server.etag = CONTENT[::-1], '"2"'
    fetch(tmp_path / "file")
    assert (tmp_path / "file").read_bytes() == CONTENT[::-1]


def test_a_server_that_gives_no_parts_is_asked_for_all(server: Server, tmp_path: Path) -> None:
    server.breaks, server.gives_parts = 1, False
    with pytest.raises(OSError, match="ended"):
        fetch(tmp_path / "file")
    fetch(tmp_path / "file")
    assert (tmp_path / "file").read_bytes() == CONTENT


@pytest.mark.parametrize("etag", ['"1"', None, 'W/"1"'])
def test_what_has_another_sha256_is_thrown_away(
    server: Server, tmp_path: Path, etag: str | None
) -> None:
    server.etag = etag
    with pytest.raises(ValueError, match=f"not {'0' * 64}"):
        fetch(tmp_path / "file", "0" * 64)
    assert list(tmp_path.iterdir()) == []


def test_more_than_the_limit_is_not_taken(server: Server, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="5,120 bytes, more than the 100"):
        download(URL, tmp_path / "file", 100)
    assert list(tmp_path.iterdir()) == []


def test_a_redirect_may_not_lead_away_from_https(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    response = Response(CONTENT, url="http://example.org/file")
    monkeypatch.setattr(urllib.request, "urlopen", lambda *args, **kwargs: response)
    with pytest.raises(ValueError, match=r"http://example\.org/file is not an https address"):
        fetch(tmp_path / "file")
    assert list(tmp_path.iterdir()) == []
