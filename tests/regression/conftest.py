"""The small pipelines of tests/pipeline serve here too."""

from ..pipeline.conftest import make_nlp

__all__ = ["make_nlp"]
