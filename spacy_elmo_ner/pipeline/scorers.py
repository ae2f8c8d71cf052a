"""spaCy's own scores for our pipes, registered so that a config can name them."""

from collections.abc import Callable, Iterable
from typing import Any

from spacy.scorer import Scorer, get_ner_prf
from spacy.training import Example

ScorerFunction = Callable[..., dict[str, Any]]


def make_tagger_scorer() -> ScorerFunction:
    """tag_acc: share of annotated tokens with the right tag."""
    return score_tags


def make_ner_scorer() -> ScorerFunction:
    """ents_p, ents_r, ents_f over exact spans, and the same by type."""
    return score_entities


# A pipe's whole cfg arrives as keyword arguments; neither score needs any of it.
def score_tags(examples: Iterable[Example], **cfg: Any) -> dict[str, Any]:
    return Scorer.score_token_attr(examples, "tag")


def score_entities(examples: Iterable[Example], **cfg: Any) -> dict[str, Any]:
    return get_ner_prf(examples)
