"""What a pre-training run is told: a config file in spaCy's format, checked on reading."""

import configparser
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field, fields
from itertools import pairwise
from pathlib import Path
from typing import Any

from spacy.util import load_config_from_str
from thinc.api import Config

from ..elmo import BiLMOptions
from ..elmo.options import CharCNNOptions, LSTMOptions
from ..errors import Errors, shown
from .files import is_packed

# The shape of `small-en`: 4.7 M parameters, 4.7 MFLOP per token in the LSTMs.
_SMALL = BiLMOptions(
    char_cnn=CharCNNOptions(
        embedding_dim=16,
        filters=((1, 32), (2, 32), (3, 64), (4, 128), (5, 256), (6, 512)),
        n_highway=1,
    ),
    lstm=LSTMOptions(dim=512, projection_dim=128),
)

# References to values that hold references multiply: a few lines could ask for all memory.
_MOST_BYTES, _MOST_REFERENCES = 1 << 16, 24

# Numbers beyond this are a slip, and fit no array.
_MOST = 1 << 48

# Text that a model of this size is worth training on; less is read several times.
_WORDS_WANTED = 2_000_000

_STATES = ("sentence", "running")

# Settings that came after the first release.
_LATER = ("state", "decay_steps", "lower_case", "upper_case", "title_case", "silver_weight")

# The smallest value of each number; a vocabulary holds three marks and two words to tell apart.
_LEAST: dict[str, int | float] = {
    "n_vocabulary": 5,
    "n_held_out": 0,
    "seed": 0,
    "batch_tokens": 1,
    "max_epochs": 1,
    "max_steps": 0,
    "learning_rate": 0.0,
    "warmup_steps": 0,
    "decay_steps": 0,
    "lower_case": 0.0,
    "upper_case": 0.0,
    "title_case": 0.0,
    "silver_weight": 0.0,
    "weight_decay": 0.0,
    "max_gradient": 0.0,
    "evaluate_every": 1,
    "checkpoint_every": 1,
    "keep_checkpoints": 1,
}


@dataclass(frozen=True)
class TextConfig:
    """paths: text files, as `files` reads them, and folders of them; named twice counts twice.

    n_vocabulary: words that can be predicted. n_held_out: sentences at the end of each file
    that are kept for measuring and never trained on.
    """

    paths: tuple[str, ...] = ()
    n_vocabulary: int = 60_000
    n_held_out: int = 2_000


@dataclass(frozen=True)
class TrainingConfig:
    """batch_tokens: tokens of one step. max_steps: 0 for max_epochs passes over the text.

    learning_rate: of AdamW, reached after warmup_steps and brought to zero along a cosine. With
    decay_steps it stays where it is until those last steps and falls in them along a line
    (Hägele et al. 2024): until then a run can be resumed with another max_steps.
    lower_case, upper_case, title_case: shares of sentences that are spelled in another case; the
    words to predict stay as they are written. silver_weight: of the loss on the labels that a
    text has beside its words, see `silver`.
    state: where the LSTMs begin a sentence. "sentence": at zeros. "running": where they ended the
    sentence before it in the text, as ELMo's original did; gradients still end with the sentence.
    softmax_cutoffs: vocabulary ranks where the adaptive softmax starts a narrower cluster.
    bf16: matrix products in bfloat16, all else in float32. checkpoint_every: steps.
    """

    seed: int = 0
    batch_tokens: int = 4096
    max_epochs: int = 1
    max_steps: int = 0
    learning_rate: float = 2e-3
    warmup_steps: int = 500
    decay_steps: int = 0
    lower_case: float = 0.0
    upper_case: float = 0.0
    title_case: float = 0.0
    silver_weight: float = 0.0
    weight_decay: float = 0.01
    max_gradient: float = 5.0
    state: str = "sentence"
    softmax_cutoffs: tuple[int, ...] = (800, 5_000, 20_000)
    bf16: bool = True
    evaluate_every: int = 500
    checkpoint_every: int = 250
    keep_checkpoints: int = 2


@dataclass(frozen=True)
class PretrainingConfig:
    text: TextConfig = field(default_factory=TextConfig)
    training: TrainingConfig = field(default_factory=TrainingConfig)
    options: BiLMOptions = _SMALL

    @classmethod
    def from_cfg(cls, path: Path) -> "PretrainingConfig":
        """Read a config file with the blocks [text], [training] and [bilm].

        Raises FileNotFoundError, or ValueError naming the block and key that is wrong.
        """
        if not path.is_file():
            raise FileNotFoundError(Errors.EL401.format(path=path))
        try:
            config = _read(path)
            if unknown := sorted(set(config) - {"text", "training", "bilm", "paths"}):
                raise ValueError(f"unknown block [{unknown[0]}]")
            text = _block(TextConfig, config.get("text", {}), "text")
            training = _block(TrainingConfig, config.get("training", {}), "training")
            _check_names(config.get("bilm", {}), _SMALL.to_dict(), "bilm")
        # Of a reference that leads nowhere or in a circle, the reader tells by the last four.
        except (ValueError, configparser.Error, LookupError, TypeError, RecursionError) as err:
            problem = str(err).strip() or repr(err)
            raise ValueError(Errors.EL405.format(path=path, problem=problem)) from err
        if "bilm" not in config:
            return cls(text, training)
        return cls(text, training, BiLMOptions.from_dict(config["bilm"], source=f"{path} [bilm]"))

    @classmethod
    def for_text(cls, paths: Iterable[Path]) -> "PretrainingConfig":
        """Settings for plain text files, from their size: more passes over less text.

        The same files always give the same settings, so that such a run can be resumed.
        Raises FileNotFoundError for a path that is no file.
        """
        paths = list(paths)
        for path in paths:
            if not path.is_file():
                raise FileNotFoundError(Errors.EL401.format(path=path))
        # English text has about 6 bytes a word; packed, a third to a quarter of that.
        n_words = sum(path.stat().st_size // (2 if is_packed(path) else 6) for path in paths)
        epochs = min(10, max(1, round(_WORDS_WANTED / max(1, n_words))))
        return cls(
            text=TextConfig(
                paths=tuple(map(str, paths)),
                n_vocabulary=min(60_000, max(1_000, n_words // 20)),
            ),
            training=TrainingConfig(
                max_epochs=epochs,
                batch_tokens=4096 if n_words >= _WORDS_WANTED else 1024,
            ),
        )

    def to_dict(self) -> dict[str, Any]:
        training = asdict(self.training)
        for name in _LATER:
            if training[name] == getattr(TrainingConfig, name):
                del training[name]  # checkpoints from before there was a choice go on
        return {
            "text": asdict(self.text),
            "training": training,
            "bilm": self.options.to_dict(),
        }


def _read(path: Path) -> Config:
    with path.open("rb") as file:
        data = file.read(_MOST_BYTES + 1)
    if len(data) > _MOST_BYTES or data.count(b"${") > _MOST_REFERENCES:
        raise ValueError(
            f"it has more than {_MOST_BYTES:,} bytes or {_MOST_REFERENCES} references ${{...}}"
        )
    return load_config_from_str(data.decode("utf-8-sig"), interpolate=True)


def _check_names(block: dict[str, Any], known: dict[str, Any], name: str) -> None:
    """Published options.json files hold entries we have no use for; in a config one is a slip."""
    for key, value in block.items():
        if key not in known:
            raise ValueError(f"[{name}] has no setting {key!r}; it has {', '.join(known)}")
        if isinstance(value, dict) and isinstance(known[key], dict):
            _check_names(value, known[key], f"{name}.{key}")


def _block(cls: type, values: dict[str, Any], name: str) -> Any:
    """A block's values over the defaults. Raises ValueError for a name or value that is wrong."""
    defaults = {f.name: getattr(cls(), f.name) for f in fields(cls)}
    _check_names(values, defaults, name)
    checked = {}
    for key, value in values.items():
        checked[key] = _value(value, type(defaults[key]), f"[{name}] {key}")
        least = _LEAST.get(key)
        if least is not None and not least <= checked[key] <= _MOST:
            wanted = f"{least} or more" if not checked[key] > _MOST else f"at most {_MOST}"
            raise ValueError(f"[{name}] {key} is {shown(value)}, not {wanted}")
        if key == "state" and checked[key] not in _STATES:
            raise ValueError(f"[{name}] {key} is {shown(value)}, not one of {', '.join(_STATES)}")
    _check_lists(checked, name)
    return cls(**checked)


def _value(value: Any, wanted: type, place: str) -> Any:
    if wanted is tuple and isinstance(value, list):
        return tuple(value)
    if wanted is float and type(value) is int:
        return float(value)
    if type(value) is not wanted:
        kind = "list" if wanted is tuple else wanted.__name__
        raise ValueError(f"{place} is {shown(value)}, not of type {kind}")
    return value


def _check_lists(values: dict[str, Any], name: str) -> None:
    for path in values.get("paths", ()):
        if not isinstance(path, str):
            raise ValueError(f"[{name}] paths holds {shown(path)}, which is no text")
    cutoffs = values.get("softmax_cutoffs", ())
    if not all(type(cutoff) is int for cutoff in cutoffs) or any(
        low >= high for low, high in pairwise((0, *cutoffs))
    ):
        raise ValueError(f"[{name}] softmax_cutoffs is {shown(cutoffs)}, not rising whole numbers")
