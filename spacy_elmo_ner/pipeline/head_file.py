"""Write and read the file that holds what a head has learned."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import srsly
from thinc.api import Model

from ..elmo.pretrained import is_published
from ..errors import Errors
from ..layers.bilm_layer import BiLMShim
from ..layers.crf import NAMES
from ..layers.elmo_tagger import Decoding
from ..layers.half import narrowed, widened
from ..layers.word_vectors import VectorsShim
from ..vectors.shared import packaged_names


def write_head(path: Path, model: Model[Any, Any]) -> None:
    """Write the model; weights that float16 holds exactly take half the space."""
    path.write_bytes(narrowed(model.to_bytes()))


def read_head(path: Path, model: Model[Any, Any]) -> None:
    """Load what `write_head` wrote into a model that was built from its config.

    Raises ValueError where the file belongs to another config.
    """
    saved = widened(path.read_bytes())
    decoding: Decoding = model.attrs["decoding"]
    try:
        model.from_bytes(saved)
    except ValueError:
        _require_same_decoder(saved, decoding, path)
        raise
    node = model.maybe_get_ref("crf")
    # Thinc does not check the saved layer's name and parameters.
    if node is not None and node.name != NAMES[decoding.transitions]:
        kind = next(kind for kind, name in NAMES.items() if name == node.name)
        raise ValueError(
            Errors.EL141.format(path=path.parent, saved=kind, config=decoding.transitions)
        )


@contextmanager
def named_if_replaced(pipe: str, model: Model[Any, Any]) -> Iterator[None]:
    """Name the folders that the model's config mentions where its saved weights do not fit.

    A model is built in the shape of the biLM and the word vectors that its config names, before the
    weights that were saved with it are read. Raises ValueError (EL130).
    """
    try:
        yield
    except ValueError as error:
        folders = _folders(model)
        if not folders or not str(error).startswith("Attempt to change dimension"):
            raise
        names = " or ".join(folders)
        raise ValueError(Errors.EL130.format(pipe=pipe, problem=error, names=names)) from error


def _folders(model: Model[Any, Any]) -> list[str]:
    """Return the folders that the model was built from, whose files may have changed since."""
    found: set[str] = set()
    for shim in (shim for node in model.walk() for shim in node.shims):
        if isinstance(shim, BiLMShim) and not is_published(shim.name):
            found.add(shim.name)
        elif isinstance(shim, VectorsShim) and shim.name not in (None, *packaged_names()):
            found.add(str(shim.name))
    return sorted(found)


def _require_same_decoder(saved: bytes, decoding: Decoding, path: Path) -> None:
    """Say what Thinc calls "mismatched structure": a CRF is one more layer."""
    layers = {node["name"] for node in srsly.msgpack_loads(saved)["nodes"]}
    has_crf = not layers.isdisjoint(NAMES.values())
    if has_crf == (decoding.decoder == "crf"):
        return
    trained_with = '"crf"' if has_crf else '"softmax" or "constrained"'
    raise ValueError(
        Errors.EL110.format(path=path.parent, wanted=trained_with, decoder=decoding.decoder)
    )
