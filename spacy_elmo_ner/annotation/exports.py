"""Write annotated texts for import into Label Studio, doccano and Prodigy.

Offsets count characters (code points), as spaCy does.
"""

import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any
from xml.sax.saxutils import quoteattr

from .outputs import Conll, Format, JsonLines, Parquet, SpacyDocs, json_line
from .rows import Annotated

# The names in Label Studio's labeling configuration that predictions refer to.
LABELS_TAG, TEXT_TAG = "label", "text"


class LabelStudio(Format):
    """Writes an array of tasks with predictions, each region with its score.

    The file label-studio-config.xml beside it is the labeling configuration they belong to.
    """

    stem = "label-studio"
    suffix = ".json"

    def record(self, one: Annotated) -> bytes:
        data = {key: one.row[key] for key in ("id", "text", "error") if key in one.row}
        task: dict[str, Any] = {"data": data}
        if one.error is None:
            prediction: dict[str, Any] = {
                "model_version": self.pipeline.name,
                "result": [
                    _region(number, ent, one.row["text"])
                    for number, ent in enumerate(one.row["ents"])
                ],
            }
            if one.certainty is not None:
                prediction["score"] = one.certainty
            task["predictions"] = [prediction]
        return json.dumps(task, ensure_ascii=False).encode()

    def join(self, records: Iterable[bytes]) -> bytes:
        return b"[\n" + b",\n".join(records) + b"\n]\n"


def _region(number: int, ent: dict[str, Any], text: str) -> dict[str, Any]:
    start, end = ent["start"], ent["end"]
    region = {
        "id": f"e{number}",
        "from_name": LABELS_TAG,
        "to_name": TEXT_TAG,
        "type": "labels",
        "value": {"start": start, "end": end, "text": text[start:end], "labels": [ent["label"]]},
    }
    if "confidence" in ent:
        region["score"] = ent["confidence"]
    return region


def label_studio_config(labels: Sequence[str]) -> str:
    """Return the labeling configuration (XML) for entities of these types."""
    choices = "".join(f"    <Label value={quoteattr(label)}/>\n" for label in labels)
    return (
        "<View>\n"
        f'  <Labels name="{LABELS_TAG}" toName="{TEXT_TAG}">\n{choices}  </Labels>\n'
        f'  <Text name="{TEXT_TAG}" value="$text"/>\n'
        "</View>\n"
    )


class Doccano(Format):
    """Writes JSONL for doccano's sequence labeling: "text" and "label" [[start, end, type], ...].

    doccano keeps the other fields as metadata of the text: id, certainty, confidence of each label.
    """

    stem = "doccano"
    suffix = ".jsonl"

    def record(self, one: Annotated) -> bytes:
        ents = one.row.get("ents", [])
        kept = ("id", "text", "certainty", "error")
        row: dict[str, Any] = {key: one.row[key] for key in kept if key in one.row}
        row["text"] = row["text"] or ""
        row["label"] = [[ent["start"], ent["end"], ent["label"]] for ent in ents]
        row["confidence"] = [ent.get("confidence") for ent in ents]
        return json_line(row)


class Prodigy(Format):
    """Writes Prodigy's task format: "text", "tokens", "spans" with scores, "meta"."""

    stem = "prodigy"
    suffix = ".jsonl"

    def record(self, one: Annotated) -> bytes:
        meta = {"id": one.row["id"]}
        if one.certainty is not None:
            meta["score"] = one.certainty
        if one.error is not None:
            meta["error"] = one.error
        row: dict[str, Any] = {"text": one.row["text"] or "", "meta": meta, "spans": []}
        if one.doc is not None:
            row["tokens"] = [
                {
                    "text": token.text,
                    "start": token.idx,
                    "end": token.idx + len(token),
                    "id": token.i,
                    "ws": bool(token.whitespace_),
                }
                for token in one.doc
            ]
            for ent, span in zip(one.row["ents"], one.doc.ents, strict=True):
                task = {
                    "start": ent["start"],
                    "end": ent["end"],
                    "token_start": span.start,
                    "token_end": span.end - 1,
                    "label": ent["label"],
                }
                if "confidence" in ent:
                    task["score"] = ent["confidence"]
                row["spans"].append(task)
        return json_line(row)


FORMATS: dict[str, type[Format]] = {
    "jsonl": JsonLines,
    "conll": Conll,
    "spacy": SpacyDocs,
    "parquet": Parquet,
    "label-studio": LabelStudio,
    "doccano": Doccano,
    "prodigy": Prodigy,
}


def is_written(path: Path) -> bool:
    """Tell whether a file's name is one that a run gives to what it writes."""
    return any(
        path.name.startswith(f"{form.stem}-")
        and path.suffix == form.suffix
        and path.stem.removeprefix(f"{form.stem}-").isdigit()
        for form in FORMATS.values()
    )
