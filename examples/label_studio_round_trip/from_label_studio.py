"""Turn an export of Label Studio ("JSON") into a .spacy file to train on.

    python from_label_studio.py export.json corrected.spacy [--lang en]

Of several annotations of a task, the newest one that was not cancelled counts. A task without one
is left out: nobody has looked at it yet.
"""

import argparse
import json
from pathlib import Path
from typing import Any

import spacy
from spacy.language import Language
from spacy.tokens import Doc, DocBin
from spacy.util import filter_spans


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("export", type=Path)
    parser.add_argument("output", type=Path)
    parser.add_argument("--lang", default="en", help="whose tokenizer cuts the texts into words")
    options = parser.parse_args()
    nlp = spacy.blank(options.lang)
    tasks = json.loads(options.export.read_text(encoding="utf8"))
    docs = [doc for task in tasks if (doc := doc_of(nlp, task)) is not None]
    DocBin(docs=docs).to_disk(options.output)
    n_ents = sum(len(doc.ents) for doc in docs)
    print(f"{len(docs)} of {len(tasks)} texts with {n_ents} entities: {options.output}")


def doc_of(nlp: Language, task: dict[str, Any]) -> Doc | None:
    """Return a task's text with the entities of its newest annotation; None if it has none."""
    done = [one for one in task.get("annotations", []) if not one.get("was_cancelled")]
    if not done:
        return None
    newest = max(done, key=lambda one: one.get("updated_at") or one.get("created_at") or "")
    doc = nlp.make_doc(task["data"]["text"])
    spans = []
    for region in newest["result"]:
        if region["type"] != "labels":
            continue
        value = region["value"]
        label = value["labels"][0]
        # A span that ends inside a word takes all of the word.
        span = doc.char_span(value["start"], value["end"], label, alignment_mode="expand")
        if span is not None:
            spans.append(span)
    doc.set_ents(filter_spans(spans), default="outside")
    return doc


if __name__ == "__main__":
    main()
