import subprocess
import sys

import pytest

from spacy_elmo_ner.cli import memory

# Takes and frees 200 MB ten times; prints how many pages the system had to give out.
_WORK = """
import resource, sys
import spacy, torch  # as in every command; what lies on the heap decides where blocks fit
from spacy_elmo_ner.cli.memory import keep_freed_memory
if sys.argv[1] == "keep":
    assert keep_freed_memory()
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(10):
    torch.ones(50_000_000)
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


def _page_faults(mode: str) -> int:
    done = subprocess.run(
        [sys.executable, "-c", _WORK, mode], check=True, capture_output=True, text=True
    )
    return int(done.stdout)


@pytest.mark.skipif(sys.platform != "linux", reason="glibc's allocator is meant")
def test_freed_memory_is_used_again() -> None:
    assert _page_faults("keep") < _page_faults("default") / 2


def test_elsewhere_nothing_is_done(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory.sys, "platform", "win32")
    assert not memory.keep_freed_memory()
