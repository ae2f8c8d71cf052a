"""Write what `spacy train` needs into one folder."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path

from spacy.tokens import DocBin
from thinc.api import Config

from ...errors import Errors
from ...files import atomic_folder, make_output_folder, readable_name, sha256_of
from ..folder import CORPUS_FILE, PartSize
from .report import Report
from .texts import OwnText, Problem

CONFIG_FILE = "config.cfg"
PROBLEMS_FILE = "problems.tsv"
# Anything else of a person's Docs could change what spaCy trains.
_ATTRS = ("ORTH", "TAG", "ENT_IOB", "ENT_TYPE")


def check_output(output: Path) -> None:
    """Check the output folder before the files are read.

    Raises FileExistsError (EL650) for a folder that holds something, ValueError (EL662) for one
    that config.cfg cannot name, OSError (EL425) for one that cannot be written.
    """
    shown = readable_name(output)
    if "$" in shown:
        problem = "$ begins the name of a setting in them"
        raise ValueError(Errors.EL662.format(path=shown, problem=problem))
    if shown != str(output):
        raise ValueError(Errors.EL662.format(path=shown, problem="its bytes are not UTF-8"))
    if output.is_file() or (output.is_dir() and any(output.iterdir())):
        raise FileExistsError(Errors.EL650.format(path=output))
    make_output_folder(output.absolute().parent)


def write_own(
    output: Path,
    parts: Mapping[str, Sequence[OwnText]],
    described: Report,
    config: Config,
    held_out: bool,
) -> None:
    """Write PART.spacy for each part, config.cfg, corpus.json and, if there are any, problems.tsv.

    held_out: dev was taken from the train files. The folder appears whole or not at all.
    """
    sources = sorted({text.path for texts in parts.values() for text in texts})
    sizes = {
        name: PartSize(part.texts, part.tokens, part.entities)
        for name, part in described.parts.items()
    }
    corpus = {
        "name": readable_name(output.absolute().name),
        "sources": [
            {"file": readable_name(path.name), "sha256": sha256_of(path)} for path in sources
        ],
        "held_out": held_out,
        "parts": {name: asdict(size) for name, size in sizes.items()},
    }
    with atomic_folder(output) as folder:
        for name, texts in parts.items():
            DocBin(attrs=_ATTRS, docs=[text.doc for text in texts]).to_disk(
                folder / f"{name}.spacy"
            )
        config.to_disk(folder / CONFIG_FILE, interpolate=False)
        text = json.dumps(corpus, indent=2, ensure_ascii=False) + "\n"
        (folder / CORPUS_FILE).write_text(text, encoding="utf8")
        if described.problems:
            (folder / PROBLEMS_FILE).write_text(_table(described.problems), encoding="utf8")


def _table(problems: Sequence[Problem]) -> str:
    rows = [
        ("kind", "file", "place", "what"),
        *((p.kind, readable_name(p.path), *p[2:]) for p in problems),
    ]
    cells = (" ".join(cell.split()) for row in rows for cell in row)
    return "".join("\t".join(row) + "\n" for row in zip(*[cells] * 4, strict=True))
