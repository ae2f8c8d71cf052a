"""One server for all tests of this folder: it takes some seconds to start."""

import signal
from collections.abc import Iterator

import pytest

from .serving import Server, serve


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    with serve("--max-waiting", "260") as started:
        yield started
        # uvicorn ends in order and then raises the signal again.
        assert started.stop() in (0, -signal.SIGTERM)
