"""Start examples/serve as its users do: another process, real HTTP."""

import json
import os
import re
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
PIPELINE = ROOT / "assets/pipelines/en_elmo_gmb_sm"


class Server:
    """A running server: its process, its address, and what it has logged so far."""

    def __init__(self, process: subprocess.Popen[str] | None, address: str) -> None:
        self.process = process
        self.address = address

    def ask(self, path: str, data: Any = None, *, raw: bytes | None = None) -> tuple[int, Any]:
        """Return the status and the JSON of an answer."""
        body = raw if raw is not None else None if data is None else json.dumps(data).encode()
        headers = {"Content-Type": "application/json"}
        request = urllib.request.Request(self.address + path, data=body, headers=headers)
        try:
            with urllib.request.urlopen(request, timeout=30) as response:
                return response.status, json.loads(response.read())
        except urllib.error.HTTPError as error:
            return error.code, json.loads(error.read())

    def stop(self) -> int:
        """Ask it to stop as a supervisor does, and return its exit status."""
        assert self.process is not None
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(timeout=60)


@contextmanager
def serve(*arguments: str) -> Iterator[Server]:
    command = [sys.executable, "examples/serve/server.py", "--port", "0"]
    command += ["--pipeline", str(PIPELINE), "--torch-threads", "1", *arguments]
    process = subprocess.Popen(
        command, cwd=ROOT, stderr=subprocess.PIPE, text=True, env={**os.environ}
    )
    try:
        assert process.stderr is not None
        said = []
        for line in process.stderr:
            said.append(line)
            found = re.search(r"running on (http://[\d.:]+)", line)
            if found:
                break
        else:
            raise AssertionError("".join(said))
        yield Server(process, found[1])
    finally:
        process.kill()
        process.wait()
        process.stderr.close()
