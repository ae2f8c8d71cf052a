"""Train a pipeline for each fold of a corpus, to judge texts it was not trained on."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from zlib import crc32

import spacy
from spacy.cli.train import train
from spacy.tokens import Doc, DocBin

from ..errors import Errors
from ..files import atomic_folder, sha256_of
from ..pipeline.calibration import calibrate_folder
from .audit import Judged, judge

# The share of a fold's training texts that chooses the best step and fits the temperature.
DEV_SHARE = 0.05


def cross_validate(
    corpus: Sequence[Path],
    docs: Sequence[Doc],
    config: Path,
    output: Path,
    n_folds: int,
    overrides: dict[str, Any],
) -> list[dict[str, Judged]]:
    """Train a pipeline without each fold in turn, and let it judge that fold.

    corpus: the files that docs come from. overrides: settings of the config to change.
    A complete fold in ``output`` that was made from the same corpus and settings is not trained
    again. Raises ValueError (EL523) for fewer than 2 folds, or too few texts.
    """
    fold_of = [crc32(doc.text.encode("utf8")) for doc in docs]
    # Identical texts share a fold: a model that has seen one wrong copy would defend the other.
    names = sorted(set(fold_of))
    if n_folds < 2 or len(names) < 2 * n_folds:
        raise ValueError(Errors.EL523.format(n=len(names), folds=n_folds))
    place = {name: place % n_folds for place, name in enumerate(names)}
    made_from = {
        "corpus": [sha256_of(path) for path in corpus],
        "config": sha256_of(config),
        "folds": n_folds,
        "overrides": overrides,
    }
    judged = []
    for fold in range(n_folds):
        held_out = [(i, doc) for i, doc in enumerate(docs) if place[fold_of[i]] == fold]
        others = [(fold_of[i], doc) for i, doc in enumerate(docs) if place[fold_of[i]] != fold]
        folder = output / f"fold-{fold}"
        if _made_from(folder) != made_from:
            _train(others, config, folder, overrides, made_from)
        judged.append(judge(spacy.load(folder / "model-best"), held_out))
    return judged


def _train(
    docs: Sequence[tuple[int, Doc]],
    config: Path,
    folder: Path,
    overrides: dict[str, Any],
    made_from: dict[str, Any],
) -> None:
    """Train as an `atomic_folder`, so that a fold with its own name is complete."""
    names = sorted({name for name, _ in docs})
    # Chosen by hash, so that each kind of text has its share.
    dev_names = set(names[:: round(1 / DEV_SHARE)])
    with atomic_folder(folder) as staged:
        paths = {part: staged / f"{part}.spacy" for part in ("train", "dev")}
        for part, path in paths.items():
            chosen = [doc for name, doc in docs if (name in dev_names) == (part == "dev")]
            DocBin(docs=chosen).to_disk(path)
        of_corpus = {f"paths.{part}": str(path) for part, path in paths.items()}
        train(config, staged, overrides=of_corpus | overrides)
        calibrate_folder(staged / "model-best", paths["dev"])
        (staged / "made_from.json").write_text(json.dumps(made_from, indent=2), encoding="utf8")


def _made_from(folder: Path) -> dict[str, Any] | None:
    """Return what a pipeline was made from; None where it is to be trained, or trained again."""
    try:
        return json.loads((folder / "made_from.json").read_text(encoding="utf8"))
    except (FileNotFoundError, ValueError, RecursionError):
        return None
