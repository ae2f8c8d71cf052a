"""Labels of tokens that another model has given, for the biLM to predict beside words.

A linear layer over the forward and backward states of each LSTM layer predicts them and is thrown
away after the training, as the softmax over words is. What it leaves behind are layers that know
what decides between a person and a place.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from ..errors import Errors
from .objective import Batch
from .text import TokenizedText

LABELS_FILE = "silver.json"
MISSING = 255


@dataclass(frozen=True)
class SilverLabels:
    """labels: kind, such as "ner" -> names of its labels. ids: kind -> (n_tokens,) uint8 indices
    into them, `MISSING` where a token has none; tokens as in the `TokenizedText`."""

    labels: Mapping[str, Sequence[str]]
    ids: Mapping[str, NDArray[np.uint8]]

    @property
    def n_labels(self) -> dict[str, int]:
        return {kind: len(names) for kind, names in self.labels.items()}

    @classmethod
    def from_disk(cls, directory: Path, n_tokens: int) -> "SilverLabels":
        """Read the labels of a text of n_tokens, arrays mapped. Raises ValueError (EL421) for
        those of another text."""
        labels = json.loads((directory / LABELS_FILE).read_text(encoding="utf8"))
        ids = {
            kind: np.load(directory / f"silver-{kind}.npy", mmap_mode="r", allow_pickle=False)
            for kind in labels
        }
        for kind, array in ids.items():
            if array.shape != (n_tokens,) or array.dtype != np.uint8:
                path = directory / f"silver-{kind}.npy"
                found = f"{array.size} {array.dtype}"
                raise ValueError(Errors.EL421.format(path=path, found=found, n_tokens=n_tokens))
        return cls(labels, ids)

    def add_to(self, batch: Batch, text: TokenizedText, rows: NDArray[np.int64]) -> Batch:
        """Add the labels of the sentences `rows` that a batch was made from."""
        inner = ~(batch.is_first | batch.is_last)
        silver = {}
        for kind, ids in self.ids.items():
            found = np.concatenate([ids[text.offsets[i] : text.offsets[i + 1]] for i in rows])
            labels = torch.full((len(batch.targets),), -1, dtype=torch.int64)
            labels[inner] = torch.from_numpy(np.where(found == MISSING, -1, found.astype(np.int64)))
            silver[kind] = labels
        return batch._replace(silver=silver)
