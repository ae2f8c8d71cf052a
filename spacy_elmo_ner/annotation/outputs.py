"""Write annotated texts as JSON lines, CoNLL columns, a DocBin or parquet.

A format makes a record of each text, and joins records to the content of a file. Records can
therefore be put into another order, by --sort, before they are joined.
"""

import io
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import srsly
from spacy.language import Language
from spacy.tokens import Doc, DocBin
from spacy.vocab import Vocab

from ..errors import Errors
from .rows import Annotated


@dataclass(frozen=True)
class PipelineFacts:
    """Holds what a format says of the pipeline: its name with version, and its entity types."""

    name: str
    labels: tuple[str, ...]

    @classmethod
    def of(cls, nlp: Language) -> "PipelineFacts":
        """Read the facts from a pipeline."""
        meta = nlp.meta
        labels = {
            label
            for name in nlp.pipe_names
            if "doc.ents" in nlp.get_pipe_meta(name).assigns
            for label in nlp.pipe_labels.get(name, ())
        }
        name = f"{meta['lang']}_{meta['name']}-{meta['version']}"
        return cls(name, tuple(sorted(labels)))


class Format:
    """Describes a file format; the base of all. stem and suffix: of the files' names."""

    stem = "annotations"
    suffix = ""

    def __init__(self, pipeline: PipelineFacts) -> None:
        self.pipeline = pipeline

    def record(self, one: Annotated) -> bytes:
        """Return one text's part of a file."""
        raise NotImplementedError

    def join(self, records: Iterable[bytes]) -> bytes:
        """Return a file's content."""
        return b"".join(records)

    def part(self, texts: Iterable[Annotated]) -> bytes:
        """Return the content of a file with these texts."""
        return self.join(map(self.record, texts))

    def file_name(self, number: int) -> str:
        """Return the name of a shard's file."""
        return f"{self.stem}-{number:05d}{self.suffix}"


class JsonLines(Format):
    """Writes one row as JSON per line: spaCy's fields, "id", "certainty", and "confidence"."""

    suffix = ".jsonl"

    def record(self, one: Annotated) -> bytes:
        return json_line(one.row)


class Conll(Format):
    """Writes CoNLL-2003's four columns: word, tag, confidence of the entity (- for none), BIO.

    Each text follows a line -DOCSTART-, in order, also one with an error; that has no words.
    Blank tokens are left out.
    """

    suffix = ".conll"

    def record(self, one: Annotated) -> bytes:
        lines = ["-DOCSTART- -X- O O", ""]
        if one.doc is not None:
            scores = _confidence_of_tokens(one.row, one.doc)
            begins = opens = False  # a sentence, an entity, perhaps with a blank token
            for number, token in enumerate(one.doc):
                begins = begins or bool(token.is_sent_start)
                opens = bool(token.ent_type_) and (opens or token.ent_iob_ == "B")
                if token.is_space or not token.text.strip():
                    continue
                if begins and lines[-1]:
                    lines.append("")
                label = f"{'B' if opens else 'I'}-{token.ent_type_}" if token.ent_type_ else "O"
                begins = opens = False
                columns = (token.text, token.tag_ or "-", scores.get(number, "-"), label)
                lines.append(" ".join("_".join(column.split()) for column in columns))
            lines.append("")
        return ("\n".join(lines) + "\n").encode()


def _confidence_of_tokens(row: dict[str, Any], doc: Doc) -> dict[int, str]:
    return {
        i: str(ent["confidence"])
        for ent, span in zip(row["ents"], doc.ents, strict=True)
        if "confidence" in ent
        for i in range(span.start, span.end)
    }


class SpacyDocs(Format):
    """Writes a DocBin with user data: ents keep ._.confidence; "id", "certainty" and "error" too.

    A text with an error is one token that holds all of it.
    """

    suffix = ".spacy"

    def record(self, one: Annotated) -> bytes:
        return self.part([one])

    def part(self, texts: Iterable[Annotated]) -> bytes:
        return DocBin(store_user_data=True, docs=map(self._doc, texts)).to_bytes()

    def join(self, records: Iterable[bytes]) -> bytes:
        joined = DocBin(store_user_data=True)
        for record in records:
            joined.merge(DocBin(store_user_data=True).from_bytes(record))
        return joined.to_bytes()

    def _doc(self, one: Annotated) -> Doc:
        text = one.row["text"]
        doc = one.doc
        if doc is None:
            doc = Doc(Vocab(), words=[text] if text else [], spaces=[False] if text else [])
        for key in ("id", "certainty", "error"):
            if key in one.row:
                doc.user_data[key] = one.row[key]
        return doc


class Parquet(Format):
    """Writes a table: id, text, error, certainty, and ents, tokens and sents as lists."""

    suffix = ".parquet"

    def record(self, one: Annotated) -> bytes:
        return json_line(one.row)

    def join(self, records: Iterable[bytes]) -> bytes:
        try:
            import pyarrow as pa
            from pyarrow.parquet import write_table
        except ModuleNotFoundError as error:
            raise ModuleNotFoundError(Errors.EL606.format(what="writing")) from error
        place = [("start", pa.int64()), ("end", pa.int64())]
        names = [(name, pa.string()) for name in ("tag", "pos", "morph", "lemma", "dep")]
        ent = [*place, ("label", pa.string()), ("confidence", pa.float64())]
        token = [*place, *names, ("head", pa.int64()), ("tag_confidence", pa.float64())]
        schema = pa.schema(
            [
                ("id", pa.string()),
                ("text", pa.string()),
                ("error", pa.string()),
                ("certainty", pa.float64()),
                ("ents", pa.list_(pa.struct(ent))),
                ("tokens", pa.list_(pa.struct(token))),
                ("sents", pa.list_(pa.struct(place))),
            ]
        )
        buffer = io.BytesIO()
        write_table(pa.Table.from_pylist([json.loads(one) for one in records], schema), buffer)
        return buffer.getvalue()


def json_line(value: Any) -> bytes:
    """Return one line of JSON in UTF-8."""
    return (json.dumps(value, ensure_ascii=False) + "\n").encode()


@dataclass(frozen=True)
class AnnotatedShard:
    """Holds a shard's output.

    number, n_bytes_read, digest: the shard's own. files: content by format, or empty if the texts
    are to be sorted; then run holds their records. labels: the pipeline's entity types.
    errors: id and message of the first texts with an error.
    """

    number: int
    n_bytes_read: int
    digest: str
    n_texts: int
    n_words: int
    n_errors: int
    n_scored: int
    files: dict[str, bytes]
    run: bytes
    labels: tuple[str, ...]
    errors: Sequence[tuple[str, str]]

    def to_bytes(self) -> bytes:
        """Return what another process reads with `from_bytes`."""
        return srsly.msgpack_dumps(vars(self))

    @classmethod
    def from_bytes(cls, data: bytes) -> "AnnotatedShard":
        """Return the shard that `to_bytes` wrote."""
        fields = srsly.msgpack_loads(data)
        errors = [(one, message) for one, message in fields.pop("errors")]
        return cls(**{**fields, "labels": tuple(fields["labels"])}, errors=errors)
