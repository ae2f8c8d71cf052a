"""Register the extension attributes of our pipes beside those of other code."""

import warnings
from collections.abc import Callable
from typing import Any, NamedTuple, cast

from spacy.tokens import Doc
from thinc.types import Floats3d

from ..errors import Warnings


class Extension(NamedTuple):
    """Describes an extension attribute, with a second name in case the first is taken."""

    owner: Any  # Span, Token or Doc
    name: str
    second_name: str
    getter: Callable[[Any], Any]

    @property
    def key(self) -> str:
        """Return the name under which values are stored."""
        return self.second_name if self._is_taken else self.name

    def register(self) -> None:
        """Register the extension; warn if the name is taken and use the second name."""
        if not self.owner.has_extension(self.name):
            self.owner.set_extension(self.name, getter=self.getter)
        if not self._is_taken:
            return
        if not self._is_ours(self.second_name):
            self.owner.set_extension(self.second_name, getter=self.getter, force=True)
        message = Warnings.WL102.format(
            owner=self.owner.__name__, name=self.name, second=self.second_name
        )
        warnings.warn(message, stacklevel=2)

    @property
    def _is_taken(self) -> bool:
        return self.owner.has_extension(self.name) and not self._is_ours(self.name)

    def _is_ours(self, name: str) -> bool:
        if not self.owner.has_extension(name):
            return False
        getter = self.owner.get_extension(name)[2]
        # By name: another process has another object of the same function.
        return getter is not None and (
            (getter.__module__, getter.__name__) == (self.getter.__module__, self.getter.__name__)
        )


def data_of(doc: Doc) -> dict[Any, Any]:
    """Return doc.user_data, whose keys are tuples too, whatever the stubs say."""
    return cast(dict[Any, Any], doc.user_data)


# ---- layers ------------------------------------------------------------------------------


def layers(doc: Doc) -> Any:
    """Return the layers that an `elmo` pipe kept for these very tokens; None if it kept none.

    Once tokens are merged or split, the layers belong to tokens that are no longer there.
    """
    stored = data_of(doc).get(("._.", LAYERS.key, None, None))
    if not isinstance(stored, list | tuple):
        return stored  # set by a person
    words, doc_layers = stored
    return doc_layers if list(words) == doc.to_array("ORTH").tolist() else None


def give_layers(doc: Doc, doc_layers: Floats3d) -> None:
    """Store a Doc's layers, (n_layers, n_tokens, width)."""
    words = doc.to_array("ORTH").tolist()
    data_of(doc)["._.", LAYERS.key, None, None] = words, doc_layers


LAYERS = Extension(Doc, "elmo", "elmo_layers", layers)
