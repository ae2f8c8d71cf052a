"""Describe the shape of a biLM, as the ``options.json`` of official ELMo weights does."""

import json
import math
import os
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    Field,
    StrictBool,
    StrictFloat,
    StrictInt,
    ValidationError,
)

from ..errors import Errors, shown

# Rows of the character table that a word can reach: 256 bytes, begin/end of sentence,
# begin/end of word, padding inside a word. Our module puts one zero row in front of them.
N_CHARACTERS = 261

# Ten times the largest published biLM; keeps a hostile file from asking for all memory.
_MOST_PARAMS = 1 << 30
_LARGEST = 1 << 16  # of any single size
# A layer costs memory however narrow it is, and a word one number per slot. Published biLMs have
# 2 layers, 2 highways, 7 filters and 50 slots.
_MOST_LAYERS = 64
_MOST_SLOTS = 1024
MOST_BYTES = 1 << 16  # official files take less than 1 KB


@dataclass(frozen=True)
class CharCNNOptions:
    """Describe the character convolutions (Kim et al. 2016; Jozefowicz et al. 2016).

    embedding_dim: width of one character's vector.
    filters: (width in characters, number of filters) of each convolution.
    n_highway: highway layers after the convolutions.
    max_characters_per_token: slots of one word, its two boundary marks included.
    activation: "relu" or "tanh", applied after the maximum over the word's slots.
    """

    embedding_dim: int
    filters: tuple[tuple[int, int], ...]
    n_highway: int
    max_characters_per_token: int = 50
    activation: str = "relu"

    @property
    def n_filters(self) -> int:
        """Return the number of filters of all convolutions."""
        return sum(n for _, n in self.filters)


@dataclass(frozen=True)
class LSTMOptions:
    """Describe the projected LSTM layers, equal in both directions (Sak et al. 2014).

    dim: cells of one layer. projection_dim: width of its output, and of a word's vector.
    cell_clip, proj_clip: bounds of cell and output; None leaves them unbounded.
    use_skip_connections: add each layer's input to its output, from the second layer on.
    """

    dim: int
    projection_dim: int
    n_layers: int = 2
    cell_clip: float | None = 3.0
    proj_clip: float | None = 3.0
    use_skip_connections: bool = True

    @property
    def has_projection(self) -> bool:
        """Tell whether official files hold a W_P_0: not if cells are as wide as the output."""
        return self.dim != self.projection_dim


@dataclass(frozen=True)
class BiLMOptions:
    """Hold everything that decides the shape of a biLM's weights."""

    char_cnn: CharCNNOptions
    lstm: LSTMOptions

    @property
    def width(self) -> int:
        """Return the width of one layer's vectors, forward and backward side by side."""
        return 2 * self.lstm.projection_dim

    @property
    def n_layers(self) -> int:
        """Return how many layers `BiLM.embed` gives: the word's own vector and each LSTM layer."""
        return self.lstm.n_layers + 1

    @property
    def shapes(self) -> dict[str, tuple[int, ...]]:
        """Return the name and shape of each parameter of `BiLM`."""
        cnn, lstm = self.char_cnn, self.lstm
        n, out = cnn.n_filters, lstm.projection_dim
        # Row 0, "no character", is in front of the rows that words reach.
        shapes: dict[str, tuple[int, ...]] = {
            "char_cnn.embedding.weight": (N_CHARACTERS + 1, cnn.embedding_dim)
        }
        for i, (width, n_own) in enumerate(cnn.filters):
            shapes[f"char_cnn.convolutions.{i}.weight"] = (n_own, cnn.embedding_dim, width)
            shapes[f"char_cnn.convolutions.{i}.bias"] = (n_own,)
        for i in range(cnn.n_highway):
            for gate in ("transform", "carry"):
                shapes[f"char_cnn.highways.{i}.{gate}.weight"] = (n, n)
                shapes[f"char_cnn.highways.{i}.{gate}.bias"] = (n,)
        shapes["char_cnn.projection.weight"] = (out, n)
        shapes["char_cnn.projection.bias"] = (out,)
        for direction in ("forward_lstm", "backward_lstm"):
            for i in range(lstm.n_layers):
                shapes[f"{direction}.layers.{i}.weight"] = (4 * lstm.dim, 2 * out)
                shapes[f"{direction}.layers.{i}.bias"] = (4 * lstm.dim,)
                if lstm.has_projection:
                    shapes[f"{direction}.layers.{i}.projection"] = (out, lstm.dim)
        return shapes

    def shapes_of_states(self, n_rows: int) -> dict[str, tuple[int, int]]:
        """Return the name and shape of each LSTM state of n_rows sentences, see `states.py`."""
        widths = {"h": self.lstm.projection_dim, "c": self.lstm.dim}
        return {
            f"{direction}.{depth}.{part}": (n_rows, width)
            for direction in ("forward", "backward")
            for depth in range(self.lstm.n_layers)
            for part, width in widths.items()
        }

    @property
    def n_params(self) -> int:
        """Return the number of parameters as official files store them (no padding row)."""
        return sum(map(math.prod, self.shapes.values())) - self.char_cnn.embedding_dim

    @classmethod
    def from_dict(cls, data: dict[str, Any], *, source: str = "options") -> "BiLMOptions":
        """Read the layout of official ``options.json``. source names the data in errors.

        Raises ValueError for a missing entry or one of the wrong kind.
        """
        try:
            file = _File.model_validate(data)
            cnn = file.char_cnn.model_dump(exclude={"embedding"})
            options = cls(
                CharCNNOptions(embedding_dim=file.char_cnn.embedding.dim, **cnn),
                LSTMOptions(**file.lstm.model_dump()),
            )
            options._check()
        except ValidationError as err:
            first = err.errors(include_url=False)[0]
            place = ".".join(map(str, first["loc"]))
            if first["type"] == "missing":
                raise ValueError(Errors.EL001.format(source=source, key=place)) from err
            problem = f"{place or 'the whole'} is {shown(first['input'])}: {first['msg']}"
            raise ValueError(Errors.EL002.format(source=source, problem=problem)) from err
        except ValueError as err:
            raise ValueError(Errors.EL002.format(source=source, problem=err)) from err
        return options

    def _check(self) -> None:
        cnn = self.char_cnn
        widest = max(width for width, _ in cnn.filters)
        if widest > cnn.max_characters_per_token:
            raise ValueError(
                f"char_cnn.max_characters_per_token is {cnn.max_characters_per_token}, less than "
                f"the widest filter's {widest}"
            )
        if self.n_params > _MOST_PARAMS:
            raise ValueError(f"{self.n_params:,} parameters are more than {_MOST_PARAMS:,}")

    def to_dict(self) -> dict[str, Any]:
        """Return the layout of official ``options.json``, which AllenNLP and bilm-tf read."""
        cnn = asdict(self.char_cnn)
        return {
            "lstm": asdict(self.lstm),
            "char_cnn": {
                "embedding": {"dim": cnn.pop("embedding_dim")},
                "n_characters": N_CHARACTERS + 1,
                **cnn,
                "filters": [list(width_and_number) for width_and_number in self.char_cnn.filters],
            },
        }

    @classmethod
    def from_json(cls, path: str | Path, *, source: str | None = None) -> "BiLMOptions":
        """Read ``options.json``. Raises FileNotFoundError or ValueError, naming the file.

        source: the name in errors, if path is only a copy.
        """
        path = Path(os.path.expanduser(path))
        if not path.is_file():
            raise FileNotFoundError(Errors.EL003.format(path=path, what="options.json"))
        try:
            if path.stat().st_size > MOST_BYTES:
                raise ValueError(f"it has more than {MOST_BYTES:,} bytes")
            data = json.loads(path.read_text(encoding="utf-8-sig"))  # editors may add a BOM
        except (ValueError, RecursionError) as err:
            raise ValueError(Errors.EL002.format(source=source or path, problem=err)) from err
        return cls.from_dict(data, source=source or str(path))

    def to_json(self, path: str | Path) -> None:
        """Write ``options.json``."""
        Path(path).write_text(json.dumps(self.to_dict(), indent=2) + "\n", encoding="utf8")


# ---- the layout of options.json, with the defaults of official files ---------------------

_Size = Annotated[StrictInt, Field(ge=1, le=_LARGEST)]
# null and 0 leave values unbounded.
_Clip = Annotated[
    Annotated[StrictFloat, Field(ge=0, lt=1e9, allow_inf_nan=False)] | None,
    AfterValidator(lambda value: value or None),
]


class _Embedding(BaseModel):
    dim: _Size


class _CharCNN(BaseModel):
    embedding: _Embedding
    filters: Annotated[
        tuple[tuple[_Size, _Size], ...], Field(min_length=1, max_length=_MOST_LAYERS)
    ]
    n_highway: Annotated[StrictInt, Field(ge=0, le=_MOST_LAYERS)]
    max_characters_per_token: Annotated[StrictInt, Field(ge=4, le=_MOST_SLOTS)] = 50
    activation: Literal["relu", "tanh"] = "relu"


class _LSTM(BaseModel):
    dim: _Size
    projection_dim: _Size
    n_layers: Annotated[StrictInt, Field(ge=1, le=_MOST_LAYERS)] = 2
    cell_clip: _Clip = None
    proj_clip: _Clip = None
    use_skip_connections: StrictBool = False


class _File(BaseModel):
    char_cnn: _CharCNN
    lstm: _LSTM
