"""Load examples/serve with real HTTP: 32 clients, each answer checked against the pipeline.

    python benchmarks/serve_load.py corpus/dev.spacy

Each client keeps one connection and sends the next request when it has the answer to the last, as
browsers and services do. Texts are several sentences of the corpus, joined, with every tenth word
replaced by one that was never there before. Reported: requests and words per second, latency in
milliseconds (p50, p99, largest) and the server's memory, first after a warm-up of a tenth of the
requests and then during the rest.
"""

import argparse
import http.client
import json
import os
import queue
import random
import re
import subprocess
import sys
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlparse

import numpy as np
import spacy
from invented import invented_word
from output import machine, write

from spacy_elmo_ner.corpus.docbin import read_docs

ROOT = Path(__file__).parents[1]
SERVER = ROOT / "examples/serve/server.py"
# Entities are the same in any batch; probabilities, to rounding.
TOLERANCE = 1e-4
NEW_WORDS = 0.1


@dataclass
class Log:
    """What the clients saw, of all together."""

    latencies: list[float] = field(default_factory=list)  # seconds
    wrong: list[str] = field(default_factory=list)
    n_words: int = 0
    refused: int = 0


def make_texts(path: Path, n_words: int, per_text: int) -> list[str]:
    """Join sentences of a corpus to texts, and repeat them, with new words, until n_words."""
    sentences = [doc.text.strip() for doc in read_docs(path, spacy.blank("en").vocab)]
    joined = (" ".join(sentences[i : i + per_text]) for i in range(0, len(sentences), per_text))
    once = [text.split() for text in joined]
    rng = random.Random(0)
    texts: list[str] = []
    total = 0
    while total < n_words:
        words = once[len(texts) % len(once)]
        # No cache may answer for the server, nor hide what it keeps.
        words = [invented_word(rng) if rng.random() < NEW_WORDS else word for word in words]
        texts.append(" ".join(words))
        total += len(words)
    return texts


def expected(pipeline: str, texts: list[str]) -> dict[str, list[dict[str, Any]]]:
    nlp = spacy.load(pipeline)
    found = {}
    with nlp.memory_zone():
        for doc in nlp.pipe(texts, disable=["senter", "attribute_ruler", "lemmatizer"]):
            found[doc.text] = [
                {
                    "start": e.start_char,
                    "end": e.end_char,
                    "label": e.label_,
                    "score": e._.confidence,
                }
                for e in doc.ents
            ]
    return found


class Server:
    """The example in a process of its own."""

    def __init__(self, arguments: list[str]) -> None:
        command = [sys.executable, str(SERVER), "--port", "0", *arguments]
        self.process = subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE, text=True)
        assert self.process.stderr is not None
        for line in self.process.stderr:
            found = re.search(r"running on (http://\S+)", line)
            if found:
                self.address = found[1]
                break
        else:
            raise SystemExit("The server did not start.")
        # Whatever it logs must not fill the pipe.
        threading.Thread(target=self.process.stderr.read, daemon=True).start()

    @property
    def memory(self) -> int:
        """Resident bytes."""
        pages = Path(f"/proc/{self.process.pid}/statm").read_text().split()[1]
        return int(pages) * os.sysconf("SC_PAGE_SIZE")

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait(timeout=60)


def run_clients(
    address: str, texts: list[str], answers: dict[str, list[dict[str, Any]]], n_clients: int
) -> Log:
    waiting: queue.SimpleQueue[str] = queue.SimpleQueue()
    for text in texts:
        waiting.put(text)
    log, lock = Log(), threading.Lock()

    def client() -> None:
        connection = http.client.HTTPConnection(urlparse(address).netloc, timeout=300)
        while True:
            try:
                text = waiting.get_nowait()
            except queue.Empty:
                return
            began = time.perf_counter()
            status, answer = ask(connection, text)
            took = time.perf_counter() - began
            right = status == 200 and same(answer["results"][0]["ents"], answers[text])
            with lock:
                log.latencies.append(took)
                log.refused += status == 503
                log.n_words += len(text.split())
                if not right and status != 503:
                    log.wrong.append(f"{status} {text[:100]!r}: {answer}"[:400])

    threads = [threading.Thread(target=client) for _ in range(n_clients)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return log


def ask(connection: http.client.HTTPConnection, text: str) -> tuple[int, Any]:
    body = json.dumps({"texts": [text], "tokens": False})
    connection.request("POST", "/annotate", body, {"Content-Type": "application/json"})
    response = connection.getresponse()
    return response.status, json.loads(response.read())


def same(found: list[dict[str, Any]], wanted: list[dict[str, Any]]) -> bool:
    places = ("start", "end", "label")
    return len(found) == len(wanted) and all(
        all(a[key] == b[key] for key in places) and abs(a["score"] - b["score"]) < TOLERANCE
        for a, b in zip(found, wanted, strict=True)
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("corpus", type=Path, help=".spacy file")
    parser.add_argument("--pipeline", default=str(ROOT / "assets/pipelines/en_elmo_gmb_sm"))
    parser.add_argument("--words", type=int, default=1_000_000)
    parser.add_argument("--sentences", type=int, default=5, help="in each text")
    parser.add_argument("--clients", type=int, default=32)
    parser.add_argument("--workers", type=int, default=1, help="of the server")
    parser.add_argument("--torch-threads", type=int, default=2, help="of each worker")
    parser.add_argument("--output", type=Path, default=ROOT / "benchmarks/results/serve.json")
    arguments = parser.parse_args()

    texts = make_texts(arguments.corpus, arguments.words, arguments.sentences)
    answers = expected(arguments.pipeline, texts)
    threads = ["--workers", str(arguments.workers), "--torch-threads", str(arguments.torch_threads)]
    server = Server(["--pipeline", arguments.pipeline, *threads])
    try:
        n_warm = max(1, len(texts) // 10)
        run_clients(server.address, texts[:n_warm], answers, arguments.clients)
        memory = [server.memory]
        began, log, tenth = time.perf_counter(), Log(), max(1, len(texts) // 10)
        for start in range(n_warm, len(texts), tenth):
            part = run_clients(
                server.address, texts[start : start + tenth], answers, arguments.clients
            )
            log.latencies += part.latencies
            log.wrong += part.wrong
            log.n_words += part.n_words
            log.refused += part.refused
            memory.append(server.memory)
        seconds = time.perf_counter() - began
    finally:
        server.stop()
    p50, p99, most = np.percentile(1000 * np.array(log.latencies), [50, 99, 100])
    result = {
        "clients": arguments.clients,
        "workers": arguments.workers,
        "torch_threads": arguments.torch_threads,
        "words_per_text": round(log.n_words / len(log.latencies), 1),
        "requests": len(log.latencies),
        "words": log.n_words,
        "share_of_new_words": NEW_WORDS,
        "wrong": len(log.wrong),
        "refused": log.refused,
        "requests_per_second": round(len(log.latencies) / seconds, 1),
        "words_per_second": round(log.n_words / seconds),
        "p50_ms": round(float(p50), 1),
        "p99_ms": round(float(p99), 1),
        "most_ms": round(float(most), 1),
        "memory_mb": [round(n / 1e6, 1) for n in memory],
    }
    for name, value in result.items():
        print(f"{name:20} {value}")
    for one in log.wrong[:5]:
        print("wrong:", one)
    n_threads = arguments.workers * arguments.torch_threads
    write(arguments.output, {"machine": machine(n_threads), **result})
    raise SystemExit(1 if log.wrong else 0)


if __name__ == "__main__":
    main()
