"""Find the code blocks of a page, and run them in order as its reader would.

A comment directly before a block says what is special about it:

    <!-- test: skip REASON -->            it is not run
    <!-- test: output -->                 it is what the block before it prints
    <!-- test: file NAME -->              it is the content of this file
    <!-- test: append ARGUMENTS -->       its `train` and `compare` commands get these too
    <!-- test: replace OLD => NEW -->     its text is run with this change
    <!-- test: dir FOLDER -->             it is run in this folder

A block of python or bash without one is run as it is, in one folder and one namespace per page. A
block of ini must be a config in which every registered name exists. Blocks of other kinds are for
reading.
"""

import contextlib
import io
import json
import os
import re
import shlex
import subprocess
import textwrap
from collections.abc import Iterator
from configparser import ConfigParser
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from spacy.cli._util import app
from spacy.util import registry
from typer.testing import CliRunner

_BLOCK = re.compile(
    r"(?:^(?P<marker_indent>[ ]*)<!-- test: (?P<marker>.*?) -->\n(?:[ ]*\n)*)?"
    r"^(?P<indent>[ ]*)```(?P<language>[\w-]*)[^\n]*\n(?P<code>.*?)^(?P=indent)```[ ]*$",
    re.DOTALL | re.MULTILINE,
)
_KINDS = ("skip", "output", "file", "append", "replace", "dir")
# Probabilities and other figures with decimals change with each training.
_DECIMAL = re.compile(r"\d+\.\d+")


@dataclass(frozen=True)
class Block:
    """A fenced block of a page; line is where its fence begins."""

    language: str
    code: str
    line: int
    kind: str = ""
    argument: str = ""


def blocks(page: str) -> list[Block]:
    """Return the blocks of a page in order. Raises ValueError for a comment of another kind."""
    found = []
    for match in _BLOCK.finditer(page):
        kind, _, argument = (match["marker"] or "").partition(" ")
        line = page.count("\n", 0, match.start("indent")) + 1
        if kind and kind not in _KINDS:
            raise ValueError(f"line {line}: there is no kind of block {kind!r}")
        code = textwrap.dedent(match["code"])
        found.append(Block(match["language"], code, line, kind, argument.strip()))
    return found


class Page:
    """Runs blocks in the current folder, which is left to the test."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.namespace: dict[str, Any] = {"__name__": name}
        self.printed = ""

    def run(self, block: Block) -> None:
        """Run a block; raises AssertionError, with the line of the page, if it does not do what
        the page says."""
        place = f"{self.name}, line {block.line}"
        if block.kind == "skip":
            assert block.argument, f"{place}: say why it is skipped"
        elif block.kind == "output":
            same = comparable(self.printed) == comparable(block.code)
            assert same, f"{place}: printed was\n{self.printed}"
        elif block.kind == "file":
            path = Path(block.argument)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(block.code, encoding="utf8")
        elif block.language in ("python", "bash"):
            folder = block.argument if block.kind == "dir" else "."
            with _chdir(folder):
                self._run(block, place)
        elif block.language == "ini":
            check_config(block.code, place)

    def _run(self, block: Block, place: str) -> None:
        code = block.code
        if block.kind == "replace":
            old, _, new = block.argument.partition(" => ")
            assert old in code, f"{place}: {old!r} is not in the block"
            code = code.replace(old, new)
        if block.language == "python":
            printed = io.StringIO()
            with contextlib.redirect_stdout(printed):
                exec(compile(code, place, "exec"), self.namespace)
            self.printed = printed.getvalue()
            return
        self.printed = ""
        for command in commands(code):
            # Only what trains or compares takes long.
            is_long = " train " in command or " compare " in command
            added = block.argument if block.kind == "append" and is_long else ""
            self.printed += run_command(f"{command} {added}", place)


def commands(code: str) -> Iterator[str]:
    """Yield the commands of a block of bash, without comments and with joined lines."""
    for line in code.replace("\\\n", " ").splitlines():
        if line.strip() and not line.lstrip().startswith("#"):
            yield line.strip()


def run_command(command: str, place: str) -> str:
    """Run one command and return what it prints. spaCy's own run in this process, which has
    imported everything already."""
    words = shlex.split(command)
    if words[:3] == ["python", "-m", "spacy"]:
        registry.cli.get_all()  # as spaCy does before it reads the command line
        result = CliRunner().invoke(app, words[3:])
        assert result.exit_code == 0, f"{place}: {command}\n{result.output}\n{result.exception!r}"
        return result.output
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, f"{place}: {command}\n{done.stdout}\n{done.stderr}"
    return done.stdout


def comparable(text: str) -> list[str]:
    """Return the lines of an output without spaces at the end, and with decimals left open."""
    return [_DECIMAL.sub("0.0", line.rstrip()) for line in text.strip().splitlines()]


def check_config(text: str, place: str) -> None:
    """Assert that a part of a config can be read, and that it names what is registered."""
    config = ConfigParser(interpolation=None)
    config.optionxform = str  # type: ignore[assignment,method-assign]
    config.read_string(text)
    for section in config.sections():
        for key, value in config[section].items():
            if key.startswith("@"):
                name = json.loads(value)
                assert registry.has(key[1:], name), f"{place}: {name!r} is in no {key[1:]}"
            elif not value.startswith("${"):
                json.loads(value)


@contextlib.contextmanager
def _chdir(folder: str) -> Iterator[None]:
    before = Path.cwd()
    os.chdir(folder)
    try:
        yield
    finally:
        os.chdir(before)
