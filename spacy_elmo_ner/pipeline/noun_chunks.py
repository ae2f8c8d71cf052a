"""Find ``doc.noun_chunks`` by tags, for pipelines without a parser.

spaCy finds base noun phrases in a dependency parse and raises an error (E029) where there is none.
Here they are runs of tags: determiners and modifiers up to the last noun, or a pronoun. A parse
that a later pipe sets is used instead.
"""

import re
from collections.abc import Callable, Iterator
from typing import Any, cast

from spacy.language import Language
from spacy.symbols import PRON
from spacy.tokens import Doc, Span, Token

Chunk = tuple[int, int, int]

# One letter per token, so that a phrase is a match of a regular expression.
_LETTERS = {
    **dict.fromkeys(("DT", "PDT", "PRP$", "WP$"), "D"),
    **dict.fromkeys(("JJ", "JJR", "JJS", "CD", "$", "#"), "J"),
    **dict.fromkeys(("VBN", "VBG"), "V"),
    **dict.fromkeys(("RB", "RBR", "RBS"), "R"),
    **dict.fromkeys(("NN", "NNS", "NNP", "NNPS"), "N"),
    **dict.fromkeys(("PRP", "WP", "WDT"), "P"),
    "POS": "S",
}
_PRONOUNS = ("DT", "NN")
# A participle modifies a noun only after a determiner or another modifier: "the selected
# officials", but "killing officials". An adverb modifies an adjective: "a very old man".
_PHRASE = re.compile(r"D*(?:R?J|(?<=[DJ])R?V|NS|N)*N|P")


def create_tag_noun_chunks_v1() -> Callable[[Language], Language]:
    """Make a callback for [nlp.after_pipeline_creation] that turns them on in a pipeline."""
    return use_tag_noun_chunks


def use_tag_noun_chunks(nlp: Language) -> Language:
    """Let ``doc.noun_chunks`` of new Docs fall back on tags where there is no parse."""
    parsed = nlp.Defaults.syntax_iterators.get("noun_chunks")
    # Its type says Spans, but Doc makes these of what an iterator yields.
    nlp.vocab.get_noun_chunks = cast(Any, NounChunks(parsed))
    return nlp


class NounChunks:
    """Yields chunks of a Doc or Span as (start, end, label hash), like spaCy's own iterators.

    A class, because a closure could not be sent to another process.
    """

    def __init__(self, parsed: Callable[[Doc | Span], Iterator[Chunk]] | None) -> None:
        self.parsed = parsed

    def __call__(self, doclike: Doc | Span) -> Iterator[Chunk]:
        doc = doclike.doc
        if self.parsed is not None and doc.has_annotation("DEP"):
            yield from self.parsed(doclike)
            return
        label = doc.vocab.strings.add("NP")
        tokens = list(doclike)
        letters = "".join(_letter(token) for token in tokens)
        first = tokens[0].i if tokens else 0
        for match in _PHRASE.finditer(letters):
            yield first + match.start(), first + match.end(), label


def _letter(token: Token) -> str:
    # Determiners too may stand for a noun: "those are theirs".
    if token.pos == PRON and token.tag_ in _PRONOUNS:
        return "P"
    return _LETTERS.get(token.tag_, "x")
