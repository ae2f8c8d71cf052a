"""The shape of a biLM, as ``options.json`` beside official ELMo weights describes it."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from ..errors import Errors

# Rows of the character table that a word can reach: 256 bytes, begin/end of sentence,
# begin/end of word, padding inside a word. Our module puts one zero row in front of them.
N_CHARACTERS = 261


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
    def n_params(self) -> int:
        """Parameters, counted as official files store them (no padding row)."""
        cnn, lstm = self.char_cnn, self.lstm
        n_chars = N_CHARACTERS * cnn.embedding_dim
        n_convolutions = sum(n * (width * cnn.embedding_dim + 1) for width, n in cnn.filters)
        n_highways = cnn.n_highway * 2 * cnn.n_filters * (cnn.n_filters + 1)
        n_projection = (cnn.n_filters + 1) * lstm.projection_dim
        n_cell = 4 * lstm.dim * (2 * lstm.projection_dim + 1)
        if lstm.has_projection:
            n_cell += lstm.dim * lstm.projection_dim
        return n_chars + n_convolutions + n_highways + n_projection + 2 * lstm.n_layers * n_cell

    @classmethod
    def from_dict(cls, data: dict[str, Any], *, source: str = "options") -> "BiLMOptions":
        """Read the layout of official ``options.json``. source names the data in errors.

        Raises ValueError for a missing entry or one of the wrong kind.
        """
        try:
            cnn, lstm = data["char_cnn"], data["lstm"]
            options = cls(
                char_cnn=CharCNNOptions(
                    embedding_dim=_positive(cnn["embedding"]["dim"], "char_cnn.embedding.dim"),
                    filters=tuple(
                        (_positive(w, "char_cnn.filters"), _positive(n, "char_cnn.filters"))
                        for w, n in cnn["filters"]
                    ),
                    n_highway=int(cnn["n_highway"]),
                    max_characters_per_token=_positive(
                        cnn.get("max_characters_per_token", 50), "char_cnn.max_characters_per_token"
                    ),
                    activation=str(cnn.get("activation", "relu")),
                ),
                lstm=LSTMOptions(
                    dim=_positive(lstm["dim"], "lstm.dim"),
                    projection_dim=_positive(lstm["projection_dim"], "lstm.projection_dim"),
                    n_layers=_positive(lstm.get("n_layers", 2), "lstm.n_layers"),
                    cell_clip=_clip(lstm.get("cell_clip")),
                    proj_clip=_clip(lstm.get("proj_clip")),
                    use_skip_connections=bool(lstm.get("use_skip_connections", False)),
                ),
            )
        except KeyError as err:
            raise ValueError(Errors.EL001.format(source=source, key=err.args[0])) from err
        except (TypeError, ValueError, AttributeError) as err:
            raise ValueError(Errors.EL002.format(source=source, problem=err)) from err
        if options.char_cnn.activation not in ("relu", "tanh"):
            problem = f"char_cnn.activation is {options.char_cnn.activation!r}, not relu or tanh"
            raise ValueError(Errors.EL002.format(source=source, problem=problem))
        if not options.char_cnn.filters:
            raise ValueError(
                Errors.EL002.format(source=source, problem="char_cnn.filters is empty")
            )
        widest = max(width for width, _ in options.char_cnn.filters)
        if max(widest, 4) > options.char_cnn.max_characters_per_token:
            problem = "char_cnn.max_characters_per_token is smaller than the widest filter"
            raise ValueError(Errors.EL002.format(source=source, problem=problem))
        return options

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
    def from_json(cls, path: str | Path) -> "BiLMOptions":
        """Read ``options.json``. Raises FileNotFoundError or ValueError, naming the file."""
        path = Path(path)
        if not path.is_file():
            raise FileNotFoundError(Errors.EL003.format(path=path, what="options.json"))
        try:
            data = json.loads(path.read_text(encoding="utf8"))
        except (UnicodeDecodeError, json.JSONDecodeError) as err:
            raise ValueError(Errors.EL002.format(source=path, problem=err)) from err
        return cls.from_dict(data, source=str(path))

    def to_json(self, path: str | Path) -> None:
        Path(path).write_text(json.dumps(self.to_dict(), indent=2) + "\n", encoding="utf8")


# Larger than any published biLM; keeps a hostile options file from asking for all memory.
_LARGEST = 1 << 16


def _positive(value: Any, name: str) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 < value <= _LARGEST:
        raise ValueError(f"{name} is {value!r}, not a whole number from 1 to {_LARGEST}")
    return value


def _clip(value: Any) -> float | None:
    return None if value is None or float(value) <= 0 else float(value)
