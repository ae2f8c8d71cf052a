"""Write and read the file that holds what a head has learned."""

from pathlib import Path
from typing import Any

import srsly
from thinc.api import Model

from ..errors import Errors
from ..layers.crf import NAMES
from ..layers.elmo_tagger import Decoding
from ..layers.half import narrowed, widened


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
