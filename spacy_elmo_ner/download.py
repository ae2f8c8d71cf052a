"""Fetch one file over https, whole or not at all; a broken download is continued."""

import hashlib
import os
import urllib.request
from http.client import HTTPException, HTTPResponse
from pathlib import Path
from typing import BinaryIO

from tqdm import tqdm

from .files import atomic_file, sha256_of

_TIMEOUT_S = 30
_BLOCK = 1 << 20


def download(url: str, path: Path, limit: int, sha256: str | None = None) -> None:
    """Fetch one https address to a file of at most limit bytes, whole or not at all.

    If the server names the version it sends (ETag) and the connection ends too early, the part that
    has arrived stays beside the file, and the next call continues from there. sha256: of the whole.
    Raises OSError if the address cannot be reached, ValueError if the file is longer than limit or
    has another sha256, or if the address or the one it redirects to is not https.
    """
    _check_https(url)
    try:
        with _open(url) as response:
            total = _length(response, limit)
            etag = response.headers.get("ETag")
            if not total or not etag or etag.startswith("W/"):
                with atomic_file(path) as temporary:
                    with temporary.open("wb") as file:
                        _copy(response, file, total or limit, path.name)
                    if total and _size(temporary) != total:
                        raise OSError(_ended(_size(temporary), total))
                    _check_sha256(temporary, sha256)
                return
            partial = _partial(path, url, etag)
            if not 0 < _size(partial) <= total:
                with partial.open("wb") as file:
                    _copy(response, file, total, path.name)
                if _size(partial) != total:
                    raise OSError(_ended(_size(partial), total))
        if _size(partial) < total:
            _continue(url, etag, partial, total, path.name)
    except HTTPException as err:  # an answer that is no HTTP, or ends before it should
        raise OSError(repr(err)) from err
    try:
        _check_sha256(partial, sha256)
        os.replace(partial, path)
    finally:
        partial.unlink(missing_ok=True)


def _continue(url: str, etag: str, partial: Path, total: int, name: str) -> None:
    """Fetch what is missing at the end, or everything if the server does not send parts."""
    done = _size(partial)
    headers = {"Range": f"bytes={done}-", "If-Range": etag}
    with _open(urllib.request.Request(url, headers=headers)) as response:
        is_rest = (response.headers.get("Content-Range") or "").startswith(f"bytes {done}-")
        # Not appended: of two processes that fetch one file, each writes the same to each place.
        with partial.open("r+b") as file:
            file.seek(done if is_rest else 0)
            _copy(response, file, total, name)
            if file.tell() != total:
                raise OSError(_ended(file.tell(), total))


def _open(url: str | urllib.request.Request) -> HTTPResponse:
    response: HTTPResponse = urllib.request.urlopen(url, timeout=_TIMEOUT_S)
    _check_https(response.geturl())
    return response


def _length(response: HTTPResponse, limit: int) -> int:
    """Return how many bytes the answer claims to have; 0 if it does not say."""
    total = max(0, int(response.headers.get("Content-Length") or 0))
    if total > limit:
        raise ValueError(f"{total:,} bytes, more than the {limit:,} it may have")
    return total


def _copy(response: HTTPResponse, file: BinaryIO, most: int, name: str) -> None:
    """Write the response at the file's position, up to `most` bytes from its beginning."""
    with tqdm(total=most, initial=file.tell(), unit="B", unit_scale=True, desc=name) as bar:
        while block := response.read(_BLOCK):
            if file.tell() + len(block) > most:
                raise ValueError(f"more than the {most:,} bytes it may have")
            file.write(block)
            bar.update(len(block))
        file.flush()
        os.fsync(file.fileno())


def _ended(n_bytes: int, total: int) -> str:
    return f"connection ended after {n_bytes:,} of {total:,} bytes"


def _partial(path: Path, url: str, etag: str) -> Path:
    """Return where the beginning of this version of a file is kept."""
    version = hashlib.sha256(f"{url} {etag}".encode()).hexdigest()
    return path.with_name(f".{path.name}.{version[:16]}.part")


def _size(path: Path) -> int:
    return path.stat().st_size if path.is_file() else 0


def _check_sha256(path: Path, expected: str | None) -> None:
    if expected is not None and (sha256 := sha256_of(path)) != expected:
        raise ValueError(f"its sha256 is {sha256}, not {expected}")


def _check_https(url: str) -> None:
    if not url.startswith("https://"):
        raise ValueError(f"{url} is not an https address")
