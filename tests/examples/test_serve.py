"""examples/serve: right answers, limits with clear errors, and an end without lost requests."""

import gc
import importlib
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from types import ModuleType

import pytest
import spacy
from spacy.language import Language
from spacy.tokens import Doc

from .serving import PIPELINE, ROOT, Server

pytest.importorskip("fastapi")
pytest.importorskip("uvicorn")

TEXTS = [
    "Kenyan President Mwai Kibaki met officials in Nairobi on Tuesday.",
    "Mary left Paris 😀 for Addis Ababa.",
    "",
    " \n",
    "Nobody came.",
]


@pytest.fixture(scope="module")
def nlp() -> Language:
    return spacy.load(PIPELINE)


def expected(nlp: Language, text: str) -> list[tuple]:
    return [
        (e.start_char, e.end_char, e.label_, pytest.approx(e._.confidence, abs=1e-5))
        for e in nlp(text).ents
    ]


def found(result: dict) -> list[tuple]:
    return [(e["start"], e["end"], e["label"], e["score"]) for e in result["ents"]]


def test_answers_are_those_of_the_pipeline(server: Server, nlp: Language) -> None:
    status, answer = server.ask("/annotate", {"texts": TEXTS})
    assert status == 200
    for text, result in zip(TEXTS, answer["results"], strict=True):
        doc = nlp(text)
        assert found(result) == expected(nlp, text)
        assert [e["text"] for e in result["ents"]] == [
            text[e["start"] : e["end"]] for e in result["ents"]
        ]
        assert [(t["tag"], t["pos"], t["lemma"]) for t in result["tokens"]] == [
            (t.tag_, t.pos_, t.lemma_) for t in doc
        ]
        assert result["sents"] == [[s.start_char, s.end_char] for s in doc.sents]


def test_many_clients_get_their_own_answers(server: Server, nlp: Language) -> None:
    texts = [f"Mary Smith met Reuters in {place}." for place in ("Paris", "Rome", "Oslo")] * 10
    with ThreadPoolExecutor(8) as clients:
        answers = list(clients.map(lambda text: server.ask("/annotate", {"texts": [text]}), texts))
    for text, (status, answer) in zip(texts, answers, strict=True):
        assert status == 200 and found(answer["results"][0]) == expected(nlp, text)


def test_a_threshold_and_fewer_fields(server: Server) -> None:
    wanted = {"texts": TEXTS[:1], "threshold": 1.0, "tokens": False}
    assert server.ask("/annotate", wanted)[1]["results"][0]["ents"] == []
    _, answer = server.ask("/annotate", {"texts": TEXTS[:1], "tokens": False})
    assert "tokens" not in answer["results"][0] and len(answer["results"][0]["ents"]) == 4


@pytest.mark.parametrize(
    ("data", "status", "message"),
    [
        ({"texts": []}, 422, "texts: List should have at least 1 item"),
        ({"texts": ["a"] * 257}, 422, "257 texts: at most 256"),
        ({"texts": ["a", "b" * 100_001]}, 422, "texts.1 has 100,001 characters: at most 100,000"),
        ({"texts": ["a", 1]}, 422, "texts.1: Input should be a valid string"),
        ({"texts": ["a"], "threshold": 2}, 422, "threshold: Input should be less than or equal"),
        ({"text": "a"}, 422, "texts: Field required; text: Extra inputs"),
        ({"texts": ["a"], "x": "b" * 2_000_000}, 413, "more than 2,000,000 bytes"),
    ],
)
def test_what_is_too_much_or_wrong_is_said(
    server: Server, data: dict, status: int, message: str
) -> None:
    found, answer = server.ask("/annotate", data)
    assert found == status
    assert message in answer["error"]


def test_a_body_that_is_no_json_is_said(server: Server) -> None:
    status, answer = server.ask("/annotate", raw=b'{"texts": [')
    assert status == 422 and "JSON" in answer["error"]


def test_whatever_is_refused_is_said_in_the_same_way(server: Server) -> None:
    nested = b"[" * 100_000
    assert server.ask("/annotate", raw=nested) == (
        400,
        {"error": "There was an error parsing the body"},
    )
    assert server.ask("/health", {}) == (405, {"error": "Method Not Allowed"})


def test_a_full_queue_is_said(server: Server) -> None:
    many = {"texts": ["Mary left Paris for Rome on Tuesday. " * 3] * 200, "tokens": False}
    # So many that some wait however late their threads begin.
    with ThreadPoolExecutor(8) as clients:
        answers = list(clients.map(lambda _: server.ask("/annotate", many), range(8)))
    statuses = [status for status, _ in answers]
    assert 200 in statuses and 503 in statuses
    refused = next(answer for status, answer in answers if status == 503)
    assert "Too many texts are waiting" in refused["error"]
    assert server.ask("/annotate", {"texts": ["Mary left Paris."]})[0] == 200


def test_health_and_unknown_addresses(server: Server) -> None:
    status, answer = server.ask("/health")
    assert status == 200 and answer["status"] == "ok" and "geo" in answer["labels"]
    assert server.ask("/..%2fserver.py")[0] == 404
    assert server.ask("/docs")[0] == 404


# ---- within this process, on pipelines that are quick to make --------------------------------


@pytest.fixture
def batcher(monkeypatch: pytest.MonkeyPatch) -> Iterator[ModuleType]:
    monkeypatch.syspath_prepend(str(ROOT / "examples/serve"))
    yield importlib.import_module("batcher")
    for name in ("batcher", "server"):
        sys.modules.pop(name, None)


class Slow:
    """A pipe that takes its time, and fails for a text that says so."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds

    def __call__(self, doc: Doc) -> Doc:
        time.sleep(self.seconds)
        if "bad" in doc.text:
            raise RuntimeError("no good")
        return doc


@Language.factory("slow_pipe", default_config={"seconds": 0.0})
def make_slow(nlp: Language, name: str, seconds: float) -> Slow:
    return Slow(seconds)


def slow_pipeline(seconds: float) -> Language:
    nlp = spacy.load(PIPELINE, exclude=["senter", "attribute_ruler", "lemmatizer"])
    nlp.add_pipe("slow_pipe", config={"seconds": seconds})
    return nlp


def test_requests_in_work_are_answered_before_it_stops(batcher: ModuleType, nlp: Language) -> None:
    server = importlib.import_module("server")
    uvicorn = pytest.importorskip("uvicorn")
    app = server.make_app(lambda: batcher.Batcher(lambda: slow_pipeline(0.05), n_workers=2))
    running = uvicorn.Server(uvicorn.Config(app, port=0, log_level="warning"))
    thread = threading.Thread(target=running.run)
    thread.start()
    while not running.started:
        time.sleep(0.01)
    # No request waits while Python looks for garbage in all that was loaded.
    assert gc.get_freeze_count() > 100_000
    port = running.servers[0].sockets[0].getsockname()[1]
    client = Server(None, f"http://127.0.0.1:{port}")
    with ThreadPoolExecutor(4) as clients:
        texts = [f"Mary left Paris for Rome {i} times." for i in range(4)]
        asked = [clients.submit(client.ask, "/annotate", {"texts": [text] * 5}) for text in texts]
        while client.ask("/health")[1]["waiting"] == 0 and not any(one.done() for one in asked):
            time.sleep(0.01)
        running.should_exit = True  # as uvicorn does when it gets SIGTERM
        answers = [one.result(30) for one in asked]
    thread.join(30)
    assert not thread.is_alive()
    assert gc.get_freeze_count() < 1000
    for text, (status, answer) in zip(texts, answers, strict=True):
        assert status == 200
        assert len(answer["results"]) == 5
        assert all(found(result) == expected(nlp, text) for result in answer["results"])
    with pytest.raises(OSError):
        client.ask("/health")


def test_a_text_that_fails_takes_no_other_with_it(batcher: ModuleType) -> None:
    batches = batcher.Batcher(lambda: slow_pipeline(0.0), wait_ms=20)
    futures = batches.submit(["Mary left Paris.", "bad", "Nobody came."])
    assert [e["text"] for e in futures[0].result(10)["ents"]] == ["Mary", "Paris"]
    assert futures[2].result(10)["ents"] == []
    with pytest.raises(RuntimeError, match="no good"):
        futures[1].result(10)
    assert batches.is_healthy
    batches.close()
    assert not batches.is_healthy
    with pytest.raises(batcher.ClosedError):
        batches.submit(["Late."])


def test_texts_that_come_together_are_one_batch(batcher: ModuleType) -> None:
    sizes = []

    def load() -> Language:
        nlp = slow_pipeline(0.0)
        pipe = nlp.pipe
        nlp.pipe = lambda texts: pipe(sizes.append(len(one := list(texts))) or one)
        return nlp

    batches = batcher.Batcher(load, wait_ms=200, max_batch_chars=40)
    for text in ("One.", "Two.", "Three."):
        batches.submit([text])
    batches.submit(["x" * 40, "Late."])
    batches.close()
    # The long text fills the first batch; the last waits for the next.
    assert sizes == [4, 1]


def test_the_lemmatizer_forgets(batcher: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batcher, "MOST_LEMMAS", 2)
    nlp = spacy.load(PIPELINE)
    batches = batcher.Batcher(lambda: nlp)
    batches.submit(["The mice have seen the old officials."])[0].result(10)
    batches.close()
    assert len(nlp.get_pipe("lemmatizer").cache) == 0
