"""ELMo for spaCy: contextual word representations on an ordinary CPU, and pipes on top of them."""

from .elmo import BiLM

__version__ = "0.1.0"
__all__ = ["BiLM", "__version__"]
