"""Label the tokens of a text with another pipeline, for the biLM to predict alongside words.

A linear layer over the forward and backward states of each LSTM layer predicts them. It is dropped
after the training, as the softmax over words is, but the layers below it have learned what tells
a person from a place.
"""

import json
import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import spacy
import torch
from numpy.typing import NDArray
from spacy.language import Language
from spacy.tokens import Doc
from tqdm import tqdm

from ..decoding import spans_to_bio
from ..errors import Errors, Warnings
from ..files import write_text
from .config import SilverConfig
from .objective import Batch
from .text import TokenizedText

LABELS_FILE, PROGRESS_FILE = "silver.json", "silver-progress.json"
MISSING = 255  # of a token without a label; so there are at most 255 labels of a kind
# Sentences labelled between two writes of the progress file.
_CHUNK = 8192
# Labels read eight times were learned by heart, three times was fine: see docs/pretraining.md.
_OFTEN = 4


@dataclass(frozen=True)
class SilverLabels:
    """Holds the labels of a text's tokens.

    labels: kind, "entities" or "tags" -> names of its labels. ids: kind -> (n_tokens,) uint8
    indices into them, `MISSING` where a token has none; tokens as in the `TokenizedText`.
    """

    labels: Mapping[str, Sequence[str]]
    ids: Mapping[str, NDArray[np.uint8]]

    @property
    def n_labels(self) -> dict[str, int]:
        """Return the number of labels of each kind."""
        return {kind: len(names) for kind, names in self.labels.items()}

    @classmethod
    def from_disk(cls, directory: Path, n_tokens: int) -> "SilverLabels":
        """Read the labels of a text of n_tokens; arrays are memory-mapped.

        Raises ValueError (EL421) for the labels of another text.
        """
        labels = json.loads((directory / LABELS_FILE).read_text(encoding="utf8"))
        ids = {}
        for kind in labels:
            path = _ids_file(directory, kind)
            array = np.load(path, mmap_mode="r", allow_pickle=False)
            if array.shape != (n_tokens,) or array.dtype != np.uint8:
                held = f"{array.size} {array.dtype}"
                raise ValueError(Errors.EL421.format(path=path, found=held, n_tokens=n_tokens))
            ids[kind] = array
        return cls(labels, ids)

    def labelled(self, text: TokenizedText, rows: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return those of the sentences `rows` that have labels."""
        first = text.offsets[rows]
        known = np.zeros(len(rows), dtype=bool)
        for ids in self.ids.values():
            known |= ids[first] != MISSING
        return rows[known]

    def add_to(self, batch: Batch, text: TokenizedText, rows: NDArray[np.int64]) -> Batch:
        """Add the labels of the sentences `rows` that a batch was made from."""
        inner = ~(batch.is_first | batch.is_last)
        silver = {}
        for kind, ids in self.ids.items():
            of_tokens = np.concatenate([ids[text.offsets[i] : text.offsets[i + 1]] for i in rows])
            labels = torch.full((len(batch.targets),), -1, dtype=torch.int64)
            labels[inner] = torch.from_numpy(
                np.where(of_tokens == MISSING, -1, of_tokens.astype(np.int64))
            )
            silver[kind] = labels
        return batch._replace(silver=silver)


def repeated(
    rows: NDArray[np.int64], labelled: NDArray[np.int64], share: float
) -> NDArray[np.int64]:
    """Repeat the sentences that have labels until they are this share of all; return all.

    Where their share is larger already, rows are returned as they are.
    """
    others = len(rows) - len(labelled)
    n_labelled = round(share * others / (1 - share))
    times = max(1, round(n_labelled / max(1, len(labelled))))
    return np.concatenate([rows, *[labelled] * (times - 1)])


def warn_of_repetition(
    text: TokenizedText, rows: NDArray[np.int64], read: NDArray[np.int64], epochs: float
) -> None:
    """Warn (WL405) where few labels are read often, though more of the text could have some.

    rows: sentences of the text; read: those of one epoch, as `repeated` returned them.
    """
    reads = np.bincount(read, minlength=text.n_sentences)[rows]
    times = reads.max() * epochs
    labelled = rows[reads == reads.max()]
    if reads.max() == reads.min() or times < _OFTEN:
        return
    lengths = np.diff(text.offsets)
    n_words = int(lengths[labelled].sum())
    wanted = min(round(n_words * times), int(lengths[rows].sum()))
    message = Warnings.WL405.format(n_words=n_words, times=times, wanted=wanted)
    warnings.warn(message, stacklevel=2)


def label_text(
    text: TokenizedText,
    rows: NDArray[np.int64],
    config: SilverConfig,
    directory: Path,
    *,
    progress_bar: bool = True,
) -> None:
    """Label sentences of `rows` in random order, and write the labels beside the text.

    After an interruption the next call continues; the pipeline is only loaded if there is something
    left to label. Raises OSError if it cannot be loaded, ValueError if it gives neither entities
    nor tags (EL428), or more kinds of them than can be kept (EL429).
    """
    order = np.random.default_rng(config.seed).permutation(rows)
    order = order[np.cumsum(np.diff(text.offsets)[order]) <= config.n_words]
    made_from = {
        "text": text.sha256(),
        "pipeline": config.pipeline,
        "seed": config.seed,
    }
    progress = _read_json(directory / PROGRESS_FILE)
    if progress.get("made_from") == made_from and progress["sentences"] >= len(order):
        return
    nlp = spacy.load(config.pipeline)
    labels = _labels_of(nlp)
    if not labels:
        raise ValueError(Errors.EL428.format(name=config.pipeline, pipes=nlp.pipe_names))
    for kind, names in labels.items():
        if len(names) > MISSING:
            message = Errors.EL429.format(
                name=config.pipeline, n=len(names), kind=kind, most=MISSING
            )
            raise ValueError(message)
    given = {pipe for pipe, kind in _givers(nlp)}
    # A pipe that others listen to gives no labels itself, and they none without it.
    unused = [
        name
        for name, pipe in nlp.pipeline
        if name not in given and not hasattr(pipe, "add_listener")
    ]
    done = 0
    if progress.get("made_from") == made_from and _read_json(directory / LABELS_FILE) == labels:
        done = progress["sentences"]
    if not done:
        _write_progress(directory, 0, made_from)  # first: what it says of other files is over
        _make_files(directory, labels, len(text.tokens))
    arrays = {
        kind: np.load(_ids_file(directory, kind), mmap_mode="r+", allow_pickle=False)
        for kind in labels
    }
    index = {kind: {name: i for i, name in enumerate(names)} for kind, names in labels.items()}
    with (
        nlp.select_pipes(disable=unused),
        tqdm(
            desc="Label",
            initial=done,
            total=len(order),
            unit=" sentences",
            disable=not progress_bar,
        ) as bar,
    ):
        for start in range(done, len(order), _CHUNK):
            part = order[start : start + _CHUNK]
            with nlp.memory_zone():
                for row, labelled in zip(part, _labelled(nlp, text, part), strict=True):
                    place = slice(text.offsets[row], text.offsets[row + 1])
                    for kind, array in arrays.items():
                        array[place] = [index[kind].get(name, MISSING) for name in labelled[kind]]
            for array in arrays.values():
                array.flush()
            _write_progress(directory, start + len(part), made_from)
            bar.update(len(part))
    _write_progress(directory, len(order), made_from)


def _labelled(
    nlp: Language, text: TokenizedText, rows: NDArray[np.int64]
) -> Iterator[dict[str, list[str]]]:
    """Yield the labels of each sentence by kind, one per word."""
    words = ([text.words[i] for i in text.sentence(row)] for row in rows)
    for doc in nlp.pipe(Doc(nlp.vocab, sentence) for sentence in words):
        spans = [(ent.start, ent.end, ent.label_) for ent in doc.ents]
        yield {"entities": spans_to_bio(len(doc), spans), "tags": [token.tag_ for token in doc]}


def _givers(nlp: Language) -> Iterator[tuple[str, str]]:
    """Yield the pipes that give labels, each with their kind."""
    for name in nlp.pipe_names:
        assigns = nlp.get_pipe_meta(name).assigns
        if "doc.ents" in assigns:
            yield name, "entities"
        if "token.tag" in assigns:
            yield name, "tags"


def _labels_of(nlp: Language) -> dict[str, list[str]]:
    """Return the names of the labels that a pipeline gives, by kind."""
    by_kind: dict[str, set[str]] = {}
    for name, kind in _givers(nlp):
        labels = getattr(nlp.get_pipe(name), "labels", ())
        bio = {f"{prefix}-{label}" for label in labels for prefix in "BI"} | {"O"}
        by_kind.setdefault(kind, set()).update(bio if kind == "entities" else labels)
    return {kind: sorted(labels) for kind, labels in by_kind.items() if labels}


def _make_files(directory: Path, labels: Mapping[str, Sequence[str]], n_tokens: int) -> None:
    """Write the names of the labels, and for each kind a file in which no token has one."""
    for kind in labels:
        ids = np.lib.format.open_memmap(
            _ids_file(directory, kind), mode="w+", dtype=np.uint8, shape=(n_tokens,)
        )
        ids[:] = MISSING
        ids.flush()
    write_text(directory / LABELS_FILE, json.dumps(labels))


def _read_json(path: Path) -> dict[str, Any]:
    """Return the object that a file holds; an empty one where there is no file."""
    return json.loads(path.read_text(encoding="utf8")) if path.is_file() else {}


def _write_progress(directory: Path, n_sentences: int, made_from: dict[str, Any]) -> None:
    progress = {"sentences": n_sentences, "made_from": made_from}
    write_text(directory / PROGRESS_FILE, json.dumps(progress))


def _ids_file(directory: Path, kind: str) -> Path:
    return directory / f"silver-{kind}.npy"
