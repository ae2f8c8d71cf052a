"""Hold the labels of a trainable pipe, which may grow, and save them with what it has learned."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from spacy.errors import Errors as SpacyErrors
from spacy.vocab import Vocab
from thinc.api import Model

from .head_file import named_if_replaced, read_head, write_head
from .listening import ListeningPipe


class LabelledPipe(ListeningPipe):
    """Has labels, each with its own scores in the model's output layer."""

    vocab: Vocab
    model: Model[Any, Any]
    cfg: dict[str, Any]

    @property
    def labels(self) -> tuple[str, ...]:
        """Return the labels in the order of the model's output."""
        return tuple(self.cfg["labels"])

    @property
    def label_data(self) -> tuple[str, ...]:
        """Return what `spacy init labels` saves."""
        return self.labels

    @property
    def n_classes(self) -> int:
        """Return how many scores each token gets; subclasses derive it from the labels."""
        raise NotImplementedError

    def add_label(self, label: str) -> int:
        """Add a label. Returns 1, or 0 if it was there already.

        A trained model grows: its old labels keep their scores; those of the new label start at 0
        and are learned in further training. Raises ValueError for a label that is not a str or
        cannot be one, or if the config fixes the number of labels.
        """
        if not isinstance(label, str):
            raise ValueError(SpacyErrors.E187)
        if label in self.labels:
            return 0
        output_layer = self.model.get_ref("output_layer")
        if output_layer.has_dim("nO") and not output_layer.has_param("W"):
            raise ValueError(SpacyErrors.E922.format(name=self.name, nO=output_layer.get_dim("nO")))
        self.cfg["labels"].append(label)
        try:
            n_classes = self.n_classes
        except ValueError:
            self.cfg["labels"].pop()
            raise
        self.vocab.strings.add(label)
        if output_layer.has_param("W"):
            self.set_output(n_classes)
        return 1

    # ---- saving ----------------------------------------------------------------------

    def to_disk(self, path: str | Path, *, exclude: Iterable[str] = ()) -> None:
        """Write the pipe to a folder; weights that float16 holds exactly take half the space."""
        super().to_disk(path, exclude=[*exclude, "model"])
        if "model" not in exclude:
            write_head(Path(path) / "model", self.model)

    def from_bytes(self, bytes_data: bytes, *, exclude: Iterable[str] = ()) -> "LabelledPipe":
        with named_if_replaced(self.name, self.model):
            super().from_bytes(bytes_data, exclude=exclude)
        self._add_strings()
        return self

    def from_disk(self, path: str | Path, *, exclude: Iterable[str] = ()) -> "LabelledPipe":
        super().from_disk(path, exclude=[*exclude, "model"])
        if "model" not in exclude:
            with named_if_replaced(self.name, self.model):
                read_head(Path(path) / "model", self.model)
        self._add_strings()
        return self

    def _add_strings(self) -> None:
        """Add the labels to the vocab, which may have been saved without them."""
        for label in self.labels:
            self.vocab.strings.add(label)
