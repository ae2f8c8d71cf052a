"""Words per second of several pipelines, measured so that none gets the quieter minute.

Repeats are interleaved (A B C A B C ...), each after a warm-up, on Docs that carry only words. The
repeats run over different parts of the text where there is enough of it: a pipeline that keeps the
vectors of words it has seen would otherwise be timed on its memory.
"""

import gc
import time
from collections.abc import Callable, Sequence
from statistics import median

from spacy.tokens import Doc

from ..corpus.docs import blank_copy
from .pipelines import LoadedPipeline
from .results import Speed

# Fewer words than this a repeat say more about the clock than about the pipeline.
MIN_WORDS_PER_REPEAT = 2000


def time_pipelines(
    pipelines: Sequence[LoadedPipeline],
    docs: Sequence[Doc],
    repeats: int,
    max_words: int,
    step: Callable[[], object],
) -> dict[str, Speed]:
    """Time every pipeline ``repeats`` times on at most ``max_words`` words a repeat.

    ``step`` is called after each timed run and each warm-up: (repeats + 1) * len(pipelines) times.
    """
    slices, fresh = text_slices(docs, repeats + 1, max_words)
    rates: dict[str, list[float]] = {pipeline.name: [] for pipeline in pipelines}
    for repeat, part in enumerate(slices):
        n_words = sum(len(doc) for doc in part)
        for pipeline in pipelines:
            seconds = _run(pipeline, part)
            if repeat > 0:  # the first round is the warm-up
                rates[pipeline.name].append(n_words / seconds)
            step()
    timed_words = [sum(len(doc) for doc in part) for part in slices[1:]]
    words_per_repeat = round(sum(timed_words) / len(timed_words))
    return {
        name: Speed(median(values), min(values), max(values), values, words_per_repeat, fresh)
        for name, values in rates.items()
    }


def text_slices(docs: Sequence[Doc], n: int, max_words: int) -> tuple[list[list[Doc]], bool]:
    """Cut the start of the text into n parts of at most about max_words words each.

    Where the parts would be too small to time, each is the same text from the start; the flag
    says which it was (True: different text in each part).
    """
    total = sum(len(doc) for doc in docs)
    size = min(max_words, total // n)
    fresh = size >= min(MIN_WORDS_PER_REPEAT, max_words)
    slices: list[list[Doc]] = []
    start = 0
    for _ in range(n):
        words, end = 0, start
        while end < len(docs) and (words < size if fresh else words < max_words):
            words += len(docs[end])
            end += 1
        slices.append(list(docs[start:end]))
        start = end if fresh else 0
    # Long Docs may use up the text early; a part without words cannot be timed.
    if not all(any(len(doc) for doc in part) for part in slices):
        return [slices[0]] * n, False
    return slices, fresh


def _run(pipeline: LoadedPipeline, docs: Sequence[Doc]) -> float:
    copies = [blank_copy(doc, pipeline.nlp.vocab) for doc in docs]
    with pipeline.nlp.select_pipes(enable=pipeline.components):
        gc.collect()
        start = time.perf_counter()
        for _ in pipeline.nlp.pipe(copies):
            pass
        return time.perf_counter() - start
