"""Check and complete a training config, before `elmo train` and `elmo audit` begin."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from spacy.cli.init_config import fill_config
from spacy.tokens import Doc
from spacy.util import load_config
from thinc.api import Config
from wasabi import msg

from ..corpus.docbin import layers_of
from ..errors import Errors

OUR_PIPES = ("elmo", "elmo_tagger", "elmo_ner")

# Factories -> the layer of annotation without which they find no labels.
LEARNS = {"elmo_ner": "entities", "ner": "entities", "elmo_tagger": "tags", "tagger": "tags"}

# spaCy asks for these before it fills in anything else (its E1015).
_NEEDED_BEFORE_FILLING = ("seed", "gpu_allocator")


def complete_config(path: Path, output: Path) -> Path:
    """Return the path of a config with every setting that training needs.

    The quickstart's base_config.cfg holds only the settings that were chosen there. A config like
    that is filled with spaCy's defaults, as by `spacy init fill-config`, and written to config.cfg
    in the output folder; a complete one is left where it is. Raises OSError or ValueError where it
    cannot be read.
    """
    config = load_config(path)
    training = config.get("training", {})
    if "paths" in config and all(key in training for key in _NEEDED_BEFORE_FILLING):
        return path
    filled = output / "config.cfg"
    output.mkdir(parents=True, exist_ok=True)
    fill_config(filled, path, silent=True)
    msg.info(f"{path} is no complete config: wrote it with spaCy's defaults to {filled}")
    return filled


def has_our_pipes(config: Config) -> bool:
    """Tell whether a pipe of this package is trained, for which freed memory is kept.

    A baseline's is left alone: kept, that of a fine-tuned transformer grew by the 47 MB gradient of
    its embeddings at every step, as glibc seldom finds room for an aligned block (memalign) where
    one was freed.
    """
    return any(factory in OUR_PIPES for factory in _factories(config).values())


def require_paths(config: Config, given: Mapping[str, Any]) -> None:
    """Raise ValueError (EL506) for a config that would read other texts than those of --corpus.

    given: overrides from the command line, which may name other texts on purpose.
    """
    for part in ("train", "dev"):
        reader, expected = config.get("corpora", {}).get(part, {}), f"${{paths.{part}}}"
        # A reader without a path makes its texts in another way.
        if reader.get("path", expected) != expected and f"corpora.{part}.path" not in given:
            problem = Errors.EL506.format(part=part, value=reader["path"], expected=expected)
            raise ValueError(problem)


def require_layers(config: Config, docs: Iterable[Doc], path: Path) -> None:
    """Raise ValueError (EL505) for a pipe whose layer of annotation no text of train has.

    spaCy would fail too, but only name the pipe (its E143). path is for the message.
    """
    for pipe, layer in _missing(config, docs):
        raise ValueError(Errors.EL505.format(path=path, layer=layer, pipe=pipe))


def warn_of_layers(config: Config, docs: Iterable[Doc], path: Path) -> None:
    """Print a line for each pipe that dev cannot measure, as no text of it has the layer."""
    for pipe, layer in _missing(config, docs):
        msg.warn(f"{path} holds no {layer}: {pipe} is trained, but neither scored nor calibrated")


def _missing(config: Config, docs: Iterable[Doc]) -> list[tuple[str, str]]:
    """Yield (pipe, layer) for each pipe that learns a layer which the Docs do not have."""
    layers = layers_of(docs)._asdict()
    learned = {name: LEARNS.get(factory) for name, factory in _factories(config).items()}
    return [(name, layer) for name, layer in learned.items() if layer and not layers[layer]]


def _factories(config: Config) -> dict[str, str]:
    """Map the pipes that are trained from scratch to their factories."""
    frozen = config.get("training", {}).get("frozen_components", ())
    components: dict[str, Any] = config.get("components", {})
    return {
        name: components[name]["factory"]
        for name in config.get("nlp", {}).get("pipeline", components)
        if name not in frozen and "factory" in components.get(name, {})
    }
