"""Compute the bidirectional language model of ELMo (Peters et al. 2018) in plain PyTorch.

Nothing in here knows of spaCy or Thinc: words in, float32 arrays out.
"""

from .bilm import BiLM
from .options import BiLMOptions

__all__ = ["BiLM", "BiLMOptions"]
