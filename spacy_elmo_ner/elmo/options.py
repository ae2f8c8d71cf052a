"""The shape of a biLM, as ``options.json`` beside official ELMo weights describes it."""

import json
import math
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

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

_REQUIRED: Any = object()


@dataclass(frozen=True)
class CharCNNOptions:
    """Character convolutions (Kim et al. 2016; Jozefowicz et al. 2016).

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
        return sum(n for _, n in self.filters)


@dataclass(frozen=True)
class LSTMOptions:
    """Projected LSTM layers, the same in both directions (Sak et al. 2014).

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
        """False where cells are as wide as the output: official files then hold no W_P_0."""
        return self.dim != self.projection_dim


@dataclass(frozen=True)
class BiLMOptions:
    """Everything that decides the shape of a biLM's weights."""

    char_cnn: CharCNNOptions
    lstm: LSTMOptions

    @property
    def width(self) -> int:
        """Width of one layer's vectors: forward and backward side by side."""
        return 2 * self.lstm.projection_dim

    @property
    def n_layers(self) -> int:
        """Layers that `BiLM.embed` returns: the word's own vector and one per LSTM layer."""
        return self.lstm.n_layers + 1

    @property
    def shapes(self) -> dict[str, tuple[int, ...]]:
        """The name and shape of each parameter of `BiLM`."""
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
        """The name and shape of each LSTM state of n_rows sentences, see `states.py`."""
        widths = {"h": self.lstm.projection_dim, "c": self.lstm.dim}
        return {
            f"{direction}.{depth}.{part}": (n_rows, width)
            for direction in ("forward", "backward")
            for depth in range(self.lstm.n_layers)
            for part, width in widths.items()
        }

    @property
    def n_params(self) -> int:
        """Parameters, counted as official files store them (no padding row)."""
        return sum(map(math.prod, self.shapes.values())) - self.char_cnn.embedding_dim

    @classmethod
    def from_dict(cls, data: dict[str, Any], *, source: str = "options") -> "BiLMOptions":
        """Read the layout of official ``options.json``. source names the data in errors.

        Raises ValueError for a missing entry or one of the wrong kind.
        """
        try:
            cnn, lstm = _Entries(data, "").block("char_cnn"), _Entries(data, "").block("lstm")
            options = cls(
                char_cnn=CharCNNOptions(
                    embedding_dim=cnn.block("embedding").whole("dim"),
                    filters=cnn.filters("filters"),
                    n_highway=cnn.whole("n_highway", least=0, most=_MOST_LAYERS),
                    max_characters_per_token=cnn.whole(
                        "max_characters_per_token", 50, least=4, most=_MOST_SLOTS
                    ),
                    activation=cnn.get("activation", "relu"),
                ),
                lstm=LSTMOptions(
                    dim=lstm.whole("dim"),
                    projection_dim=lstm.whole("projection_dim"),
                    n_layers=lstm.whole("n_layers", 2, most=_MOST_LAYERS),
                    cell_clip=lstm.clip("cell_clip"),
                    proj_clip=lstm.clip("proj_clip"),
                    use_skip_connections=lstm.flag("use_skip_connections", False),
                ),
            )
            options._check()
        except KeyError as err:
            raise ValueError(Errors.EL001.format(source=source, key=err.args[0])) from err
        except ValueError as err:
            raise ValueError(Errors.EL002.format(source=source, problem=err)) from err
        return options

    def _check(self) -> None:
        cnn = self.char_cnn
        if cnn.activation not in ("relu", "tanh"):
            raise ValueError(f"char_cnn.activation is {shown(cnn.activation)}, not relu or tanh")
        widest = max(width for width, _ in cnn.filters)
        if widest > cnn.max_characters_per_token:
            raise ValueError(
                f"char_cnn.max_characters_per_token is {cnn.max_characters_per_token}, less than "
                f"the widest filter's {widest}"
            )
        if self.n_params > _MOST_PARAMS:
            raise ValueError(f"{self.n_params:,} parameters are more than {_MOST_PARAMS:,}")

    def to_dict(self) -> dict[str, Any]:
        """The layout of official ``options.json``; AllenNLP and bilm-tf read it."""
        cnn = asdict(self.char_cnn)
        return {
            "lstm": asdict(self.lstm),
            "char_cnn": {
                "embedding": {"dim": cnn.pop("embedding_dim")},
                "n_characters": N_CHARACTERS + 1,
                **cnn,
                "filters": [list(one) for one in self.char_cnn.filters],
            },
        }

    @classmethod
    def from_json(cls, path: str | Path, *, source: str | None = None) -> "BiLMOptions":
        """Read ``options.json``. Raises FileNotFoundError or ValueError, naming the file.

        source: the name in errors, where path is but a copy.
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
        Path(path).write_text(json.dumps(self.to_dict(), indent=2) + "\n", encoding="utf8")


class _Entries:
    """One block of ``options.json``: raises KeyError or ValueError naming the full entry."""

    def __init__(self, data: Any, path: str) -> None:
        if not isinstance(data, Mapping):
            raise ValueError(f"{path or 'the whole'} is {shown(data)}, not a block of entries")
        self.data, self.path = data, path

    def get(self, key: str, default: Any = _REQUIRED) -> Any:
        if key not in self.data and default is _REQUIRED:
            raise KeyError(self.name(key))
        return self.data.get(key, default)

    def name(self, key: str) -> str:
        return f"{self.path}.{key}" if self.path else key

    def block(self, key: str) -> "_Entries":
        return _Entries(self.get(key), self.name(key))

    def whole(
        self, key: str, default: Any = _REQUIRED, *, least: int = 1, most: int = _LARGEST
    ) -> int:
        return _whole(self.get(key, default), self.name(key), least, most)

    def filters(self, key: str) -> tuple[tuple[int, int], ...]:
        name, value = self.name(key), self.get(key)
        pairs = value if isinstance(value, (list, tuple)) else ()
        if not pairs or not all(isinstance(x, (list, tuple)) and len(x) == 2 for x in pairs):
            raise ValueError(f"{name} is {shown(value)}, not a list of [width, number]")
        if len(pairs) > _MOST_LAYERS:
            raise ValueError(f"{name} lists {len(pairs):,} filters, more than {_MOST_LAYERS}")
        return tuple((_whole(width, name), _whole(n, name)) for width, n in pairs)

    def clip(self, key: str) -> float | None:
        """A bound, or None for null and 0, which leave values unbounded."""
        value = self.get(key, None)
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value < 1e9:
            raise ValueError(f"{self.name(key)} is {shown(value)}, not null or a positive number")
        return float(value) or None

    def flag(self, key: str, default: bool) -> bool:
        value = self.get(key, default)
        if not isinstance(value, bool):
            raise ValueError(f"{self.name(key)} is {shown(value)}, not true or false")
        return value


def _whole(value: Any, name: str, least: int = 1, most: int = _LARGEST) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
        raise ValueError(f"{name} is {shown(value)}, not a whole number {least} to {most}")
    return value
