"""What a pre-training run is told: a config file in spaCy's format, checked on reading."""

from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

from spacy.util import load_config

from ..elmo import BiLMOptions
from ..elmo.options import CharCNNOptions, LSTMOptions
from ..errors import Errors

# The shape of `small-en`: 3.7 M parameters, 4.7 MFLOP per token in the LSTMs.
_SMALL = BiLMOptions(
    char_cnn=CharCNNOptions(
        embedding_dim=16,
        filters=((1, 32), (2, 32), (3, 64), (4, 128), (5, 256), (6, 256)),
        n_highway=1,
    ),
    lstm=LSTMOptions(dim=512, projection_dim=128),
)


@dataclass(frozen=True)
class TextConfig:
    """paths: text files, one sentence or paragraph a line; named twice counts twice.

    n_vocabulary: words that can be predicted. n_held_out: sentences at the end of each file
    that are kept for measuring and never trained on.
    """

    paths: tuple[str, ...] = ()
    n_vocabulary: int = 60_000
    n_held_out: int = 2_000


@dataclass(frozen=True)
class TrainingConfig:
    """batch_tokens: tokens of one step. max_steps: 0 for max_epochs passes over the text.

    learning_rate: of AdamW, reached after warmup_steps and brought to zero along a cosine.
    softmax_cutoffs: vocabulary ranks where the adaptive softmax starts a narrower cluster.
    bf16: matrix products in bfloat16, all else in float32. checkpoint_every: steps.
    """

    seed: int = 0
    batch_tokens: int = 4096
    max_epochs: int = 1
    max_steps: int = 0
    learning_rate: float = 2e-3
    warmup_steps: int = 500
    weight_decay: float = 0.01
    max_gradient: float = 5.0
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
            config = load_config(path, interpolate=True)
        except ValueError as err:
            raise ValueError(Errors.EL405.format(path=path, problem=err)) from err
        known = {"text", "training", "bilm", "paths"}
        if unknown := sorted(set(config) - known):
            problem = f"unknown block [{unknown[0]}]"
            raise ValueError(Errors.EL405.format(path=path, problem=problem))
        return cls(
            text=_block(TextConfig, config.get("text", {}), path, "text"),
            training=_block(TrainingConfig, config.get("training", {}), path, "training"),
            options=(
                BiLMOptions.from_dict(config["bilm"], source=f"{path} [bilm]")
                if "bilm" in config
                else _SMALL
            ),
        )

    def to_dict(self) -> dict[str, Any]:
        return {
            "text": asdict(self.text),
            "training": asdict(self.training),
            "bilm": self.options.to_dict(),
        }


def _block(cls: type, values: dict[str, Any], path: Path, name: str) -> Any:
    defaults = {f.name: getattr(cls(), f.name) for f in fields(cls)}
    for key, value in values.items():
        if key not in defaults:
            problem = f"[{name}] has no setting {key!r}; it has {', '.join(defaults)}"
            raise ValueError(Errors.EL405.format(path=path, problem=problem))
        wanted = type(defaults[key])
        if wanted is tuple and isinstance(value, list):
            values = {**values, key: tuple(value)}
        elif wanted is float and type(value) is int:
            values = {**values, key: float(value)}
        elif type(value) is not wanted:
            problem = f"[{name}] {key} is {value!r}, not of type {wanted.__name__}"
            raise ValueError(Errors.EL405.format(path=path, problem=problem))
    return cls(**values)
