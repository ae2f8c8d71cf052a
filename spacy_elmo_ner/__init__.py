"""Bring ELMo to spaCy: contextual word vectors on an ordinary CPU, and pipes on top of them."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .elmo import BiLM

__version__ = "0.2.0"
__all__ = ["BiLM", "__version__"]


def __getattr__(name: str) -> Any:
    """Import `BiLM` when it is first asked for: every `python -m spacy` imports this package."""
    if name == "BiLM":
        from .elmo import BiLM

        return BiLM
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
