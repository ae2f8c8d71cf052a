"""Answers of a network that tests never reach."""

import io
import urllib.request
from email.message import Message
from typing import Any

import pytest

URL = "https://example.org/file"


class Response(io.BytesIO):
    """What urlopen gives back: content, the address it came from, and how long it claims to be."""

    def __init__(self, content: bytes, *, url: str = URL, length: str | None = None) -> None:
        super().__init__(content)
        self.url = url
        self.headers = Message()
        if length is not None:
            self.headers["Content-Length"] = length

    def geturl(self) -> str:
        return self.url


def serve(monkeypatch: pytest.MonkeyPatch, answer: Any) -> list[str]:
    """Answer every request with this response, error, or function of the address; the addresses."""
    asked: list[str] = []

    def urlopen(url: str, timeout: float) -> Response:
        asked.append(url)
        if isinstance(answer, Exception):
            raise answer
        return answer(url) if callable(answer) else answer

    monkeypatch.setattr(urllib.request, "urlopen", urlopen)
    return asked
