"""Micro-batches: texts of requests that arrive within some milliseconds are annotated together."""

import logging
import queue
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from pathlib import Path
from typing import Any

import spacy
from spacy.language import Language
from spacy.tokens import Doc

LOG = logging.getLogger("serve")
# The lemmatizer keeps every word it has seen; a server sees new ones as long as it runs.
MOST_LEMMAS = 50_000

Annotation = dict[str, Any]


class QueueFullError(Exception):
    """Raised for a text that would have to wait behind too many others."""


class ClosedError(Exception):
    """Raised for a text that comes after `Batcher.close`."""


class Batcher:
    """Annotates texts in worker threads, in batches of what is waiting.

    Each worker has a pipeline of its own: spaCy's memory zones, which free a batch's strings when
    its results are out, are not made for threads that share a vocabulary. The frozen biLM and the
    table of vectors are in memory once for all.
    """

    def __init__(
        self,
        load: Callable[[], Language],
        *,
        n_workers: int = 1,
        wait_ms: float = 5.0,
        max_batch_chars: int = 50_000,
        max_waiting: int = 2_000,
    ) -> None:
        """Load the pipelines and start the workers.

        wait_ms: how long the first text of a batch waits for others. max_batch_chars: a batch is
        full at this many characters. max_waiting: the most texts in the queue.
        """
        self.wait = wait_ms / 1000
        self.max_batch_chars = max_batch_chars
        self._queue: queue.Queue[tuple[str, Future[Annotation]] | None] = queue.Queue()
        self._max_waiting = max_waiting
        self._closed = False
        self._lock = threading.Lock()
        pipelines = [load() for _ in range(n_workers)]
        self.labels = sorted({label for one in pipelines[0].pipe_labels.values() for label in one})
        self._workers = [
            threading.Thread(target=self._work, args=(nlp,), name=f"worker-{i}", daemon=True)
            for i, nlp in enumerate(pipelines)
        ]
        for worker in self._workers:
            worker.start()

    @property
    def n_waiting(self) -> int:
        return self._queue.qsize()

    @property
    def is_healthy(self) -> bool:
        return not self._closed and all(worker.is_alive() for worker in self._workers)

    def submit(self, texts: Sequence[str]) -> list[Future[Annotation]]:
        """Put texts into the queue: all of them or none.

        Raises QueueFullError or ClosedError. The error of a text that cannot be annotated is in its
        own Future.
        """
        with self._lock:
            if self._closed:
                raise ClosedError
            if self.n_waiting + len(texts) > self._max_waiting:
                raise QueueFullError
            futures: list[Future[Annotation]] = [Future() for _ in texts]
            for item in zip(texts, futures, strict=True):
                self._queue.put(item)
        return futures

    def close(self) -> None:
        """Take no more texts, finish those in the queue and stop the workers."""
        with self._lock:
            if self._closed:
                return
            self._closed = True
            for _ in self._workers:
                self._queue.put(None)
        for worker in self._workers:
            worker.join()

    # ---- in the workers ----------------------------------------------------------------

    def _work(self, nlp: Language) -> None:
        is_open = True
        while is_open:
            batch, is_open = self._next_batch()
            # A client that has gone away has cancelled its Futures.
            batch = [
                (text, future) for text, future in batch if future.set_running_or_notify_cancel()
            ]
            if batch:
                self._annotate(nlp, batch)
            _forget_lemmas(nlp)

    def _next_batch(self) -> tuple[list[tuple[str, Future[Annotation]]], bool]:
        """Return what is waiting, and whether there is more to come."""
        item = self._queue.get()
        if item is None:
            return [], False
        batch, n_chars = [item], len(item[0])
        deadline = time.monotonic() + self.wait
        while n_chars < self.max_batch_chars:
            try:
                item = self._queue.get(timeout=max(0.0, deadline - time.monotonic()))
            except queue.Empty:
                break
            if item is None:
                return batch, False
            batch.append(item)
            n_chars += len(item[0])
        return batch, True

    def _annotate(self, nlp: Language, batch: list[tuple[str, Future[Annotation]]]) -> None:
        results: list[Annotation | Exception]
        try:
            with nlp.memory_zone():
                # Whatever leaves the zone must be plain data: its Docs end with it.
                results = [annotation(doc) for doc in nlp.pipe(text for text, _ in batch)]
            if len(results) < len(batch):
                raise ValueError("A pipe's error handler has left texts out.")
        except Exception:  # one text must not take the others with it
            results = [_alone(nlp, text) for text, _ in batch]
        for (_, future), result in zip(batch, results, strict=True):
            if isinstance(result, Exception):
                future.set_exception(result)
            else:
                future.set_result(result)


def annotation(doc: Doc) -> Annotation:
    """Return a Doc as plain data; start and end count characters, scores are probabilities."""
    ents = [
        {
            "start": ent.start_char,
            "end": ent.end_char,
            "text": ent.text,
            "label": ent.label_,
            "score": ent._.confidence,
        }
        for ent in doc.ents
    ]
    tokens = [
        {
            "start": token.idx,
            "end": token.idx + len(token),
            "tag": token.tag_,
            "pos": token.pos_,
            "lemma": token.lemma_,
            "score": token._.tag_confidence,
        }
        for token in doc
    ]
    has_sentences = doc.has_annotation("SENT_START")
    sents = [[sent.start_char, sent.end_char] for sent in doc.sents] if has_sentences else []
    return {"ents": ents, "tokens": tokens, "sents": sents}


def _alone(nlp: Language, text: str) -> Annotation | Exception:
    try:
        with nlp.memory_zone():
            return annotation(nlp(text))
    except Exception as error:
        LOG.warning("A text of %d characters failed: %r", len(text), error)
        return error


def _forget_lemmas(nlp: Language) -> None:
    if nlp.has_pipe("lemmatizer"):
        cache = nlp.get_pipe("lemmatizer").cache  # type: ignore[attr-defined]
        if len(cache) > MOST_LEMMAS:
            cache.clear()


def loader(pipeline: str | Path) -> Callable[[], Language]:
    """Return a function that loads a pipeline and warms it up for the first text."""

    def load() -> Language:
        nlp = spacy.load(pipeline)
        nlp("Ready.")
        return nlp

    return load
