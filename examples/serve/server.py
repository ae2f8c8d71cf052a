"""Serve a pipeline over HTTP: POST /annotate, GET /health, and a page to try it at /.

python examples/serve/server.py --pipeline assets/pipelines/en_elmo_gmb_sm --port 8000
"""

import argparse
import asyncio
import gc
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import torch
import uvicorn
from batcher import Batcher, ClosedError, QueueFullError, loader
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import FileResponse, JSONResponse
from pydantic import BaseModel, ConfigDict, Field
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

LOG = logging.getLogger("serve")
PAGE = Path(__file__).parent / "page"
FILES = {"page.css": "text/css", "page.js": "text/javascript"}
# The page loads nothing but its own files, and no other page may frame it.
POLICY = (
    "default-src 'none'; img-src data:; style-src 'self'; script-src 'self'; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)

# Times the largest body that is read of one that is too large.
DISCARDED = 8


@dataclass(frozen=True)
class Limits:
    """What one request may hold; a larger one is answered with 413 or 422."""

    texts: int = 256
    chars: int = 100_000
    body_bytes: int = 2_000_000


class AnnotateRequest(BaseModel):
    """Texts, and the least probability of an entity that is returned."""

    model_config = ConfigDict(extra="forbid")

    texts: list[str] = Field(min_length=1)
    threshold: Annotated[float, Field(ge=0, le=1)] = 0.0
    tokens: bool = True


class LimitBody:
    """ASGI middleware: answers 413 to a larger body, before all of it is in memory."""

    def __init__(self, app: ASGIApp, most: int) -> None:
        self.app = app
        self.most = most

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        announced = dict(scope["headers"]).get(b"content-length", b"0")
        is_too_large = int(announced) > self.most if announced.isdigit() else False
        # Read here, because FastAPI turns any error within a body into "400 Bad Request".
        messages: list[Message] = []
        n_bytes, more = 0, True
        # Most clients read no answer before all is sent: some more is taken and thrown away.
        while more and n_bytes <= DISCARDED * self.most:
            message = await receive()
            n_bytes += len(message.get("body", b""))
            is_too_large = is_too_large or n_bytes > self.most
            messages = [] if is_too_large else [*messages, message]
            more = message["type"] == "http.request" and message.get("more_body", False)
        if is_too_large:
            text = f"The body has more than {self.most:,} bytes. Send fewer texts at once."
            await problem(413, text, {"Connection": "close"})(scope, receive, send)
            return

        async def replay() -> Message:
            return messages.pop(0) if messages else await receive()

        await self.app(scope, replay, send)


def problem(status: int, message: str, headers: dict[str, str] | None = None) -> JSONResponse:
    return JSONResponse({"error": message}, status, headers)


def make_app(make_batcher: Callable[[], Batcher], limits: Limits | None = None) -> FastAPI:
    """Return the application; the pipeline is loaded when the server starts."""
    limits = limits or Limits()

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        app.state.batcher = await asyncio.to_thread(make_batcher)
        # What has been loaded stays. Looking through it for garbage takes a quarter of a second.
        gc.collect()
        gc.freeze()
        yield
        # Requests have been answered by now; texts of clients that went away may be left.
        await asyncio.to_thread(app.state.batcher.close)
        gc.unfreeze()

    # No pages of documentation: they load scripts from elsewhere.
    app = FastAPI(title="spacy-elmo-ner", lifespan=lifespan, docs_url=None, redoc_url=None)
    app.add_middleware(LimitBody, most=limits.body_bytes)

    @app.exception_handler(RequestValidationError)
    async def invalid(request: Request, error: RequestValidationError) -> JSONResponse:
        return problem(422, "; ".join(map(_described, error.errors())))

    @app.exception_handler(HTTPException)
    async def refused(request: Request, error: HTTPException) -> JSONResponse:
        return problem(error.status_code, error.detail, dict(error.headers or {}))

    @app.middleware("http")
    async def headers(
        request: Request, call_next: Callable[[Request], Awaitable[Response]]
    ) -> Response:
        response = await call_next(request)
        response.headers["Content-Security-Policy"] = POLICY
        response.headers["X-Content-Type-Options"] = "nosniff"
        return response

    @app.post("/annotate")
    async def annotate(wanted: AnnotateRequest) -> Response:
        if len(wanted.texts) > limits.texts:
            message = f"{len(wanted.texts)} texts: at most {limits.texts} in one request."
            return problem(422, message)
        for i, text in enumerate(wanted.texts):
            if len(text) > limits.chars:
                message = f"texts.{i} has {len(text):,} characters: at most {limits.chars:,}."
                return problem(422, message)
        batcher: Batcher = app.state.batcher
        try:
            futures = batcher.submit(wanted.texts)
        except QueueFullError:
            message = "Too many texts are waiting. Try again in a second."
            return problem(503, message, {"Retry-After": "1"})
        except ClosedError:
            return problem(503, "The server is shutting down.", {"Retry-After": "5"})
        found = await asyncio.gather(*map(asyncio.wrap_future, futures), return_exceptions=True)
        return JSONResponse({"results": [_result(one, wanted) for one in found]})

    @app.get("/health")
    async def health() -> Response:
        batcher: Batcher = app.state.batcher
        status = 200 if batcher.is_healthy else 503
        answer = {
            "status": "ok" if status == 200 else "unavailable",
            "waiting": batcher.n_waiting,
            "labels": batcher.labels,
        }
        return JSONResponse(answer, status)

    @app.get("/")
    async def page() -> Response:
        return FileResponse(PAGE / "index.html", media_type="text/html; charset=utf-8")

    @app.get("/{name}")
    async def page_file(name: str) -> Response:
        if name not in FILES:
            return problem(404, f"There is nothing at /{name}.")
        return FileResponse(PAGE / name, media_type=FILES[name])

    return app


def _result(found: Any, wanted: AnnotateRequest) -> dict[str, Any]:
    if isinstance(found, BaseException):
        return {"error": str(found) or type(found).__name__}
    # An entity of another pipe has no probability, and stays.
    ents = [e for e in found["ents"] if e["score"] is None or e["score"] >= wanted.threshold]
    kept = found if wanted.tokens else {key: found[key] for key in ("ents", "sents")}
    return {**kept, "ents": ents}


def _described(error: dict[str, Any]) -> str:
    place = ".".join(str(step) for step in error["loc"] if step != "body")
    return f"{place or 'body'}: {error['msg']}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pipeline", default="en_elmo_gmb_sm", help="package or folder")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8000)
    parser.add_argument("--workers", type=int, default=1, help="threads that annotate")
    parser.add_argument("--torch-threads", type=int, default=None, help="of each worker")
    parser.add_argument("--wait-ms", type=float, default=5.0, help="for more texts of a batch")
    parser.add_argument("--max-waiting", type=int, default=2_000, help="texts in the queue")
    arguments = parser.parse_args()
    logging.basicConfig(level=logging.INFO)
    if arguments.torch_threads is not None:
        torch.set_num_threads(arguments.torch_threads)

    def make_batcher() -> Batcher:
        return Batcher(
            loader(arguments.pipeline),
            n_workers=arguments.workers,
            wait_ms=arguments.wait_ms,
            max_waiting=arguments.max_waiting,
        )

    uvicorn.run(
        make_app(make_batcher),
        host=arguments.host,
        port=arguments.port,
        access_log=False,
        # After SIGTERM, requests in work have this long to be answered.
        timeout_graceful_shutdown=30,
    )


if __name__ == "__main__":
    main()
