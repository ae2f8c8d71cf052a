"""Provide what programs that build on spaCy need to use our pipelines."""
