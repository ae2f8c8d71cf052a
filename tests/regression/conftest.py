"""Fixtures that regression tests share with those of pipes and comparisons."""

from tests.pipeline.conftest import make_nlp  # noqa: F401
