"""Annotate shards: in this process, in one of several, or as an actor of Ray Data."""

from collections.abc import Iterator, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from typing import TYPE_CHECKING

import spacy
import torch
from spacy.language import Language
from spacy.pipeline import Lemmatizer
from spacy.tokens import Doc

from ..errors import Errors
from ..pipeline.elmo_ner import ElmoNER
from .exports import FORMATS
from .outputs import AnnotatedShard, PipelineFacts
from .rows import Annotated, annotated, failed
from .sorting import run_of
from .texts import Shard, Text

if TYPE_CHECKING:
    import pyarrow as pa

_MOST_ERRORS = 5
# spaCy's lemmatizer keeps the lemma of every word it has seen.
_MOST_LEMMAS = 50_000


@dataclass(frozen=True)
class Settings:
    """Says what decides about the annotation and its form.

    pipeline: a folder or an installed package. formats: names in FORMATS. threshold: of the
    pipeline's elmo_ner; None keeps its own. batch_size: texts per batch; None for the pipeline's.
    is_sorted: the texts are wanted by certainty, so shards are kept as records, not as files.
    """

    pipeline: str
    formats: tuple[str, ...] = ("jsonl",)
    threshold: float | None = None
    batch_size: int | None = None
    is_sorted: bool = False


class Annotator:
    """Loads the pipeline once and annotates shards, or rows for `map_batches` of Ray Data.

    threads: how many torch may use; None leaves them. A text that cannot be annotated gets a row
    with an error. Raises OSError or ValueError (EL612, EL613) where the pipeline does not load or
    has no threshold; ValueError (EL624) where a format cannot hold what the pipeline sets.
    """

    def __init__(self, settings: Settings, threads: int | None = None) -> None:
        if threads is not None:
            torch.set_num_threads(threads)
        self.settings = settings
        self.nlp = load_pipeline(settings)
        self.batch_size = settings.batch_size or self.nlp.batch_size
        facts = PipelineFacts.of(self.nlp)
        self.labels = facts.labels
        self._is_new = True
        self.formats = {name: FORMATS[name](facts) for name in settings.formats}

    def annotate(self, shard: Shard) -> AnnotatedShard:
        """Annotate the texts of a shard in order."""
        # Words of the first shard stay, as they are the common ones: the tokenizer knows them from
        # then on. Those of later shards are forgotten.
        zone = nullcontext() if self._is_new else self.nlp.memory_zone()
        self._is_new = False
        self._forget_lemmas()
        with zone:
            done = [one for batch in self._batches(shard.texts) for one in self._annotated(batch)]
            errors = [(one.row["id"], one.error) for one in done if one.error is not None]
            files, run = {}, b""
            if self.settings.is_sorted:
                run = run_of(shard.number, done, self.formats)
            else:
                files = {name: self._part(name, done) for name in self.formats}
            return AnnotatedShard(
                number=shard.number,
                n_bytes_read=shard.n_bytes_read,
                digest=shard.digest(),
                n_texts=len(done),
                n_words=sum(len(one.doc) for one in done if one.doc is not None),
                n_errors=len(errors),
                n_scored=sum(one.certainty is not None for one in done),
                files=files,
                run=run,
                labels=self.labels,
                errors=errors[:_MOST_ERRORS],
            )

    def __call__(self, batch: "pa.Table") -> "pa.Table":
        """Annotate a batch of Ray Data: a column "shard" of bytes gives a column "annotated"."""
        import pyarrow as pa

        shards = map(Shard.from_bytes, batch["shard"].to_pylist())
        done = [self.annotate(shard).to_bytes() for shard in shards]
        return pa.table({"annotated": pa.array(done, pa.binary())})

    def _forget_lemmas(self) -> None:
        for _, pipe in self.nlp.pipeline:
            if isinstance(pipe, Lemmatizer) and len(pipe.cache) > _MOST_LEMMAS:
                pipe.cache.clear()

    def _part(self, name: str, texts: Sequence[Annotated]) -> bytes:
        try:
            return self.formats[name].part(texts)
        except (TypeError, ValueError) as error:
            raise ValueError(Errors.EL624.format(name=name, problem=_message(error))) from error

    def _batches(self, texts: Sequence[Text]) -> Iterator[Sequence[Text]]:
        for start in range(0, len(texts), self.batch_size):
            yield texts[start : start + self.batch_size]

    def _annotated(self, texts: Sequence[Text]) -> list[Annotated]:
        """Annotate a batch; texts that cannot be annotated are left out of it."""
        given: list[int] = []
        found: dict[int, Annotated] = {}
        for number, text in enumerate(texts):
            problem = text.error or self._problem(text)
            if problem is not None or text.text is None:
                found[number] = failed(text, problem or "")
            else:
                given.append(number)
        results = self._docs([texts[number] for number in given])
        for number, result in zip(given, results, strict=True):
            found[number] = self._row(texts[number], result)
        return [found[number] for number in range(len(texts))]

    def _row(self, text: Text, result: Doc | Exception) -> Annotated:
        try:
            if isinstance(result, Doc):
                return annotated(text, result)
        except Exception as error:  # what other code stored in the Doc, or its extensions do
            result = error
        return failed(text, _message(result))

    def _problem(self, text: Text) -> str | None:
        n, limit = len(text.text or ""), self.nlp.max_length
        return Errors.EL614.format(n=n, limit=limit) if n > limit else None

    def _given(self, text: Text) -> Doc | str:
        if text.words is None:
            return text.text or ""
        return Doc(self.nlp.vocab, words=text.words, spaces=text.spaces)

    def _docs(self, texts: Sequence[Text]) -> list[Doc | Exception]:
        """Return the Doc of each text, or the error that it raises alone."""
        if not texts:
            return []
        try:
            # Anew in each attempt: pipes change the Docs they are given.
            given = [self._given(text) for text in texts]
            docs = [*self.nlp.pipe(given, batch_size=self.batch_size)]
            if len(docs) == len(texts):
                return [*docs]
            problem: Exception = ValueError(Errors.EL634.format(n=len(docs), wanted=len(texts)))
        except Exception as error:
            problem = error
        if len(texts) == 1:
            return [problem]
        # One of them is at fault: halves find it in few steps.
        half = len(texts) // 2
        return self._docs(texts[:half]) + self._docs(texts[half:])


def load_pipeline(settings: Settings) -> Language:
    """Load the pipeline with the threshold of the settings; see `Annotator` for errors."""
    try:
        nlp = spacy.load(settings.pipeline)
    except Exception as error:  # spaCy trusts the files, so damage can raise any
        problem = str(error).strip().partition("\n")[0].rstrip(".")
        raise ValueError(
            Errors.EL612.format(pipeline=settings.pipeline, problem=problem)
        ) from error
    if settings.threshold is not None:
        pipes = [pipe for _, pipe in nlp.pipeline if isinstance(pipe, ElmoNER)]
        if not pipes:
            raise ValueError(Errors.EL613.format(pipeline=settings.pipeline, pipes=nlp.pipe_names))
        for pipe in pipes:
            pipe.threshold = settings.threshold
    return nlp


def _message(error: Exception) -> str:
    """Return the first line of an error's message, with its kind."""
    return f"{type(error).__name__}: {str(error).strip().partition(chr(10))[0]}"
