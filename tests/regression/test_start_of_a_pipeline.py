"""What a new process must not wait for before its first annotated word."""

import subprocess
import sys
from pathlib import Path

PIPELINE = Path(__file__).parents[2] / "assets/pipelines/en_elmo_gmb_sm"

PROGRAM = """
import sys

import spacy

spacy.blank("en")  # imports what other installed packages add to spaCy
before = set(sys.modules)
assert spacy.load(sys.argv[1])("Mary left Paris on Monday.").ents
print([name for name in ("torch._dynamo", "matplotlib") if name in set(sys.modules) - before])
"""


def test_neither_torchs_compiler_nor_plotting_is_imported() -> None:
    """An embedding on the "meta" device imported the former: a second, once in each process."""
    command = [sys.executable, "-c", PROGRAM, str(PIPELINE)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
