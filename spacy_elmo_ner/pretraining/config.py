"""Read the settings of a pre-training run: a config file in spaCy's format, checked by pydantic."""

import configparser
import re
from collections.abc import Iterable, Mapping
from dataclasses import asdict, field, fields
from dataclasses import dataclass as plain_dataclass
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar, get_args

from pydantic import AfterValidator, ConfigDict, Field, ValidationError
from pydantic.dataclasses import dataclass
from spacy.util import load_config_from_str
from thinc.api import Config

from ..corpus.language import TextLanguage
from ..corpus.text_files import is_packed
from ..elmo import BiLMOptions
from ..elmo.options import CharCNNOptions, LSTMOptions
from ..errors import Errors, shown

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

# Larger numbers are a mistake, and fit no array.
_MOST = 1 << 48

# Text that a model of this size is worth training on; less is read several times.
_WORDS_WANTED = 2_000_000

# Settings that came after the first release.
_LATER = (
    "lang",
    "tokenizer",
    "state",
    "softmax_steps",
    "decay_steps",
    "lower_case",
    "upper_case",
    "title_case",
)

# A vocabulary holds three marks and two words to tell apart.
_VocabularySize = Annotated[int, Field(ge=5, le=_MOST)]
_Count = Annotated[int, Field(ge=0, le=_MOST)]
_AtLeastOne = Annotated[int, Field(ge=1, le=_MOST)]
_Number = Annotated[float, Field(ge=0, le=_MOST, allow_inf_nan=False)]
_Share = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]


def _rising(cutoffs: tuple[int, ...]) -> tuple[int, ...]:
    if any(low >= high for low, high in pairwise((0, *cutoffs))):
        raise ValueError("not rising")
    return cutoffs


# Lists of a config file become tuples; all else must have its type.
_Paths = Annotated[tuple[str, ...], Field(strict=False)]
_Cutoffs = Annotated[tuple[int, ...], Field(strict=False), AfterValidator(_rising)]
_CHECKED = ConfigDict(strict=True, extra="forbid")


@dataclass(frozen=True, config=_CHECKED)
class TextConfig:
    """Says what to read.

    paths: text files, as `files` reads them, and folders; a file named twice counts twice.

    n_vocabulary: words that can be predicted. n_held_out: sentences at the end of each file
    that are kept for measuring and never trained on.
    lang: of the text, as spaCy names it. tokenizer: a block [text.tokenizer] with "@tokenizers",
    instead of the language's own.
    """

    paths: _Paths = ()
    n_vocabulary: _VocabularySize = 60_000
    n_held_out: _Count = 2_000
    lang: str = "en"
    tokenizer: dict[str, Any] | None = None

    @property
    def language(self) -> TextLanguage:
        """Return what cuts the text into words."""
        return TextLanguage(self.lang, self.tokenizer)


@dataclass(frozen=True, config=_CHECKED)
class TrainingConfig:
    """Says how to train.

    batch_tokens: tokens per step. max_steps: 0 for max_epochs passes over the text.
    softmax_steps: the first steps, at most a third of all, in which a biLM that a run starts from
    does not learn, only what predicts words and labels from it: new, and at random, that would undo
    much of what it knows.
    learning_rate: of AdamW, reached after warmup_steps, then lowered to zero along a cosine. With
    decay_steps it is constant instead, and falls linearly to zero in the last decay_steps (Hägele
    et al. 2024): until then a run can be resumed with another max_steps.
    lower_case, upper_case, title_case: shares of sentences that are spelled in another case; the
    words to predict stay as they are written.
    state: where the LSTMs start a sentence. "sentence": at zeros. "running": where they ended the
    previous sentence of the text, as in the original ELMo; gradients still end with the sentence.
    softmax_cutoffs: vocabulary ranks where the adaptive softmax starts a narrower cluster.
    bf16: run matrix products in bfloat16 on CPUs that have them; everything else is float32.
    evaluate_every, checkpoint_every: steps.
    """

    seed: _Count = 0
    batch_tokens: _AtLeastOne = 4096
    max_epochs: _AtLeastOne = 1
    max_steps: _Count = 0
    softmax_steps: _Count = 200
    learning_rate: _Number = 2e-3
    warmup_steps: _Count = 500
    decay_steps: _Count = 0
    lower_case: _Share = 0.0
    upper_case: _Share = 0.0
    title_case: _Share = 0.0
    weight_decay: _Number = 0.01
    max_gradient: _Number = 5.0
    state: Literal["sentence", "running"] = "sentence"
    softmax_cutoffs: _Cutoffs = (800, 5_000, 20_000)
    bf16: bool = True
    evaluate_every: _AtLeastOne = 500
    checkpoint_every: _AtLeastOne = 250
    keep_checkpoints: _AtLeastOne = 2


@dataclass(frozen=True, config=_CHECKED)
class SilverConfig:
    """Says which labels the biLM predicts alongside words, see `silver`; none without a pipeline.

    pipeline: name or folder of a spaCy pipeline that gives entities or tags. n_words: number of
    words to label, in sentences drawn with seed. weight: of a label's mean loss against a word's.
    share: labelled sentences are repeated until they are this share of all sentences.
    """

    pipeline: str = ""
    n_words: _AtLeastOne = 20_000_000
    weight: _Number = 1.0
    share: Annotated[float, Field(ge=0, lt=1, allow_inf_nan=False)] = 0.35
    seed: _Count = 0


_Block = TypeVar("_Block", TextConfig, TrainingConfig, SilverConfig)


@plain_dataclass(frozen=True)
class PretrainingConfig:
    """Holds all settings of a run, and the shape of its biLM."""

    text: TextConfig = field(default_factory=TextConfig)
    training: TrainingConfig = field(default_factory=TrainingConfig)
    options: BiLMOptions = _SMALL
    silver: SilverConfig = field(default_factory=SilverConfig)

    @classmethod
    def from_cfg(
        cls, path: Path, overrides: Mapping[str, Any] | None = None
    ) -> "PretrainingConfig":
        """Read a config file with the blocks [text], [training], [silver] and [bilm].

        overrides: settings by their dotted names, such as {"training.max_steps": 100}. Raises
        FileNotFoundError, or ValueError (EL405) naming the block and key that is wrong.
        """
        if not path.is_file():
            raise FileNotFoundError(Errors.EL401.format(path=path))
        try:
            config = _read(path, dict(overrides or {}))
            if unknown := sorted(set(config) - {"text", "training", "silver", "bilm", "paths"}):
                raise ValueError(f"unknown block [{unknown[0]}]")
            text = _block(TextConfig, config.get("text", {}), "text")
            training = _block(TrainingConfig, config.get("training", {}), "training")
            silver = _block(SilverConfig, config.get("silver", {}), "silver")
            _check_names(config.get("bilm", {}), _SMALL.to_dict(), "bilm")
        # The last four are raised for a reference that leads nowhere or in a circle.
        except (ValueError, configparser.Error, LookupError, TypeError, RecursionError) as err:
            problem = str(err).strip() or repr(err)
            raise ValueError(Errors.EL405.format(path=path, problem=problem)) from err
        if "bilm" not in config:
            return cls(text, training, silver=silver)
        options = BiLMOptions.from_dict(config["bilm"], source=f"{path} [bilm]")
        return cls(text, training, options, silver)

    @classmethod
    def for_text(cls, paths: Iterable[Path], lang: str = "en") -> "PretrainingConfig":
        """Choose settings for plain text files by their size: more passes over less text.

        The same files always give the same settings, so that such a run can be resumed.
        Raises FileNotFoundError for a path that is no file.
        """
        paths = list(paths)
        for path in paths:
            if not path.is_file():
                raise FileNotFoundError(Errors.EL401.format(path=path))
        # English text has about 6 bytes per word; packed, a third to a quarter of that.
        n_words = sum(path.stat().st_size // (2 if is_packed(path) else 6) for path in paths)
        epochs = min(10, max(1, round(_WORDS_WANTED / max(1, n_words))))
        return cls(
            text=TextConfig(
                paths=tuple(map(str, paths)),
                n_vocabulary=min(60_000, max(1_000, n_words // 20)),
                lang=lang,
            ),
            training=TrainingConfig(
                max_epochs=epochs,
                batch_tokens=4096 if n_words >= _WORDS_WANTED else 1024,
            ),
        )

    def to_dict(self) -> dict[str, Any]:
        """Return the settings as a checkpoint keeps them."""
        return {
            "text": _settings(self.text),
            "training": _settings(self.training),
            "bilm": self.options.to_dict(),
            **({"silver": asdict(self.silver)} if self.silver.pipeline else {}),
        }


def _settings(block: TextConfig | TrainingConfig) -> dict[str, Any]:
    """Return a block's settings, without later ones that have their default.

    Checkpoints from before such a setting stay valid.
    """
    settings = asdict(block)
    for name in set(_LATER) & settings.keys():
        if settings[name] == getattr(type(block), name):
            del settings[name]
    return settings


def _read(path: Path, overrides: dict[str, Any]) -> Config:
    with path.open("rb") as file:
        data = file.read(_MOST_BYTES + 1)
    if len(data) > _MOST_BYTES or data.count(b"${") > _MOST_REFERENCES:
        raise ValueError(
            f"it has more than {_MOST_BYTES:,} bytes or {_MOST_REFERENCES} references ${{...}}"
        )
    text = data.decode("utf-8-sig")
    # A setting can be given for a block that the file leaves out, as all of them have defaults.
    named = {name.partition(".")[0] for name in overrides}
    for block in ("text", "training", "silver"):
        if block in named and not re.search(rf"^\[{block}\]", text, re.MULTILINE):
            text += f"\n[{block}]\n"
    return load_config_from_str(text, overrides=overrides, interpolate=True)


def _check_names(block: dict[str, Any], known: dict[str, Any], name: str) -> None:
    """Raise ValueError for an unknown name, which an options.json may hold and a config not."""
    for key, value in block.items():
        if key not in known:
            raise ValueError(f"[{name}] has no setting {key!r}; it has {', '.join(known)}")
        if isinstance(value, dict) and isinstance(known[key], dict):
            _check_names(value, known[key], f"{name}.{key}")


def _block(cls: type[_Block], values: dict[str, Any], name: str) -> _Block:
    """Return a block's values over the defaults. Raises ValueError for one that is wrong."""
    _check_names(values, {setting.name: None for setting in fields(cls)}, name)
    try:
        return cls(**values)
    except ValidationError as error:
        raise ValueError(f"[{name}] {_problem(error.errors()[0], values)}") from error


def _problem(error: Mapping[str, Any], values: dict[str, Any]) -> str:
    """Say what pydantic found wrong: the setting, its value, and what it should be."""
    key, kind = str(error["loc"][0]), error["type"]
    value, context = values[key], error.get("ctx", {})
    if key == "paths" and len(error["loc"]) > 1:
        return f"paths holds {shown(error['input'])}, which is no text"
    if key == "softmax_cutoffs" and kind != "tuple_type":
        return f"softmax_cutoffs is {shown(value)}, not rising whole numbers"
    expected = {
        "greater_than_equal": f"{context.get('ge')} or more",
        "less_than_equal": f"at most {context.get('le')}",
        "less_than": f"below {context.get('lt')}",
        "finite_number": "a finite number",
        "literal_error": f"one of {', '.join(get_args(TrainingConfig.__annotations__['state']))}",
        "tuple_type": "of type list",
    }.get(kind, f"of type {kind.removesuffix('_type')}")
    return f"{key} is {shown(value)}, not {expected}"
