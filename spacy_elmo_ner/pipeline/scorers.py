"""Register spaCy's own scores for our pipes, so that a config can name them."""

from collections.abc import Callable, Iterable
from typing import Any

from spacy.scorer import Scorer, get_ner_prf
from spacy.training import Example

ScorerFunction = Callable[..., dict[str, Any]]


def make_tagger_scorer() -> ScorerFunction:
    """Return the scorer of tag_acc: the share of annotated tokens with the right tag."""
    return score_tags


def make_ner_scorer() -> ScorerFunction:
    """Return the scorer of ents_p, ents_r and ents_f over exact spans, and by type."""
    return score_entities


# A pipe's whole cfg arrives as keyword arguments; neither score needs any of it.
def score_tags(examples: Iterable[Example], **cfg: Any) -> dict[str, Any]:
    """Compute tag_acc."""
    return Scorer.score_token_attr(examples, "tag")


def score_entities(examples: Iterable[Example], **cfg: Any) -> dict[str, Any]:
    """Compute ents_p, ents_r, ents_f and ents_per_type."""
    return get_ner_prf(examples)
