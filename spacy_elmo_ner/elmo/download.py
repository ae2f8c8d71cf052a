"""One file over https, whole or not at all."""

import urllib.request
from http.client import HTTPException
from pathlib import Path

from tqdm import tqdm

from .storage import replace_when_written

_TIMEOUT_S = 30
_BLOCK = 1 << 20


def download(url: str, path: Path, limit: int) -> None:
    """Fetch one https address to a file of at most limit bytes, whole or not at all.

    Raises OSError if it cannot be reached, ValueError if it is longer than limit or not https,
    also where it redirects to.
    """
    _check_https(url)
    try:
        _download(url, path, limit)
    except HTTPException as err:  # an answer that is no HTTP, or ends before it should
        raise OSError(repr(err)) from err


def _download(url: str, path: Path, limit: int) -> None:
    with urllib.request.urlopen(url, timeout=_TIMEOUT_S) as response:
        _check_https(response.geturl())
        total = int(response.headers.get("Content-Length") or 0)
        if total > limit:
            raise ValueError(f"{total:,} bytes, more than the {limit:,} it may have")
        with (
            replace_when_written(path) as temporary,
            temporary.open("wb") as file,
            tqdm(total=total or None, unit="B", unit_scale=True, desc=path.name) as bar,
        ):
            while block := response.read(_BLOCK):
                file.write(block)
                bar.update(len(block))
                if file.tell() > limit:
                    raise ValueError(f"more than the {limit:,} bytes it may have")
            if total and file.tell() != total:
                raise OSError(f"connection ended after {file.tell():,} of {total:,} bytes")


def _check_https(url: str) -> None:
    if not url.startswith("https://"):
        raise ValueError(f"{url} is not an https address")
