"""What was made to take all memory is refused by a code, before it is taken."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from .hostile import CASES, NOT_MADE

pytestmark = pytest.mark.skipif(
    sys.platform != "linux", reason="memory is limited and measured in Linux's way"
)

# A CSV is read up to 64 MB, twice over while its pieces are put together.
MOST_MEGABYTES = {"a_zip_that_unpacks_to_much": 160, "an_xz_that_unpacks_to_much": 160}


@pytest.fixture(scope="module")
def refused(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[str, float]]:
    """What one process, held to half a gigabyte more than it began with, said to each file."""
    folder = tmp_path_factory.mktemp("hostile")
    command = [sys.executable, "-m", "tests.trust.hostile", str(folder)]
    root = Path(__file__).parents[2]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=root)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.parametrize(("name", "code"), [(make.__name__, code) for make, code in CASES.items()])
def test_it_is_refused_by_its_code_and_costs_no_memory(
    refused: dict[str, tuple[str, float]], name: str, code: str
) -> None:
    said, megabytes = refused[name]
    if said.startswith(NOT_MADE):
        pytest.skip(said)
    assert f"[{code}] " in said, said
    assert megabytes <= MOST_MEGABYTES.get(name, 4)
