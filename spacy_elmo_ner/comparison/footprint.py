"""Time to load and peak memory of one pipeline, in a process of its own."""

import json
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass

from spacy.tokens import Doc

TIMEOUT = 600  # seconds

# Linux starts ru_maxrss at what the parent held when it forked; VmHWM is of this process alone.
_ALONE = """
import json, sys, time
import spacy
from spacy.tokens import Doc
start = time.perf_counter()
nlp = spacy.load(sys.argv[1])
with nlp.select_pipes(enable=sys.argv[2:]):
    nlp("word")
    seconds = time.perf_counter() - start
    for _ in nlp.pipe(Doc(nlp.vocab, words=words) for words in json.load(sys.stdin)):
        pass
peak = None
if sys.platform == "linux":
    with open("/proc/self/status") as lines:
        (peak,) = [int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM")]
elif sys.platform == "darwin":
    import resource
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
print(json.dumps([seconds, peak]))
"""


@dataclass(frozen=True)
class Footprint:
    """Seconds to a first annotated word; the most bytes held, None on Windows."""

    load_seconds: float
    peak_bytes: int | None


def footprint(
    source: str, components: Sequence[str], docs: Sequence[Doc], max_words: int
) -> Footprint:
    """Load the pipeline, annotate one word, then the start of the text: about ``max_words`` words.

    In a fresh process, because imports and weights already in memory would favour whichever
    pipeline is loaded later; to the first word, because some weights are read only then. Raises
    RuntimeError with the process's last line when it fails.
    """
    texts: list[list[str]] = []
    n_words = 0
    for doc in docs:
        if n_words >= max_words:
            break
        texts.append([token.text for token in doc])
        n_words += len(doc)
    run = subprocess.run(
        [sys.executable, "-c", _ALONE, source, *components],
        input=json.dumps(texts),
        capture_output=True,
        text=True,
        timeout=TIMEOUT,
        check=False,
    )
    if run.returncode != 0:
        raise RuntimeError((run.stderr.strip().splitlines() or ["no message"])[-1])
    seconds, peak = json.loads(run.stdout.strip().splitlines()[-1])
    return Footprint(seconds, peak)
