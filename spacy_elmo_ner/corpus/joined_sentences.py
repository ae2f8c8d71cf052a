"""``spacy_elmo_ner.JoinedSentences.v1``: join sentences to texts, for pipes that find sentences.

Corpora of single sentences show no sentence boundaries. This reader joins sentences that follow
each other in the file, and, where asked, also shows what running text has and news corpora lack:
line breaks, headlines without a full stop, quoted sentences, questions, and text in lower case.
"""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from random import Random
from typing import NamedTuple

from spacy.language import Language
from spacy.tokens import Doc
from spacy.training import Example

from ..errors import Errors
from .docbin import read_docs
from .docs import blank_doc

BREAKS = ("\n\n", "\n", " ")  # spaCy makes a token of a second space too
QUOTE = '"'

Reader = Callable[[Language], Iterator[Example]]


def create_joined_sentences_reader_v1(
    path: str | Path,
    max_sentences: int = 10,
    line_breaks: float = 0.0,
    headlines: float = 0.0,
    quotes: float = 0.0,
    questions: float = 0.0,
    lower: float = 0.0,
    limit: int = 0,
    seed: int = 0,
) -> Reader:
    """Make a reader of Examples whose gold Docs have sentence starts, and no other annotation.

    path: a .spacy file, or a folder of them, with one sentence per Doc.
    max_sentences: each text has between 1 and this many sentences, drawn evenly.
    line_breaks: share of sentences that a line break or a second space follows. It is a token of
        its own and belongs to the sentence before it, as in spaCy's trained pipelines.
    headlines: share of sentences that lose their final punctuation; a line break follows.
    quotes: share of sentences between quotation marks, the second after the full stop.
    questions: share of sentences that end in "?" or "!" instead of a full stop.
    lower: share of texts in lower case.
    limit: the most texts to read; 0 for all.
    seed: equal seeds give equal texts.

    Words are gold's own, because the corpus has no raw text. Raises ValueError for a share outside
    0 to 1 (EL691) and fewer than one sentence (EL690); reading raises what `read_docs` does.
    """
    changes = Changes(line_breaks, headlines, quotes, questions)
    for name, level in (*changes._asdict().items(), ("lower", lower)):
        if not 0 <= level <= 1:
            raise ValueError(Errors.EL691.format(name=name, level=level))
    if max_sentences < 1:
        raise ValueError(Errors.EL690.format(value=max_sentences))

    def read(nlp: Language) -> Iterator[Example]:
        random = Random(seed)
        sentences = [[token.text for token in doc] for doc in read_docs(Path(path), nlp.vocab)]
        sentences = [words for words in sentences if words]
        n_texts = start = 0
        while start < len(sentences) and not 0 < limit <= n_texts:
            end = start + random.randint(1, max_sentences)
            text = [changes.apply(words, random) for words in sentences[start:end]]
            if random.random() < lower:
                text = [[word.lower() for word in words] for words in text]
            reference = joined(text, nlp)
            yield Example(blank_doc([token.text for token in reference], nlp.vocab), reference)
            n_texts, start = n_texts + 1, end

    return read


class Changes(NamedTuple):
    """Hold the shares of sentences that are changed in one way; see the reader."""

    line_breaks: float
    headlines: float
    quotes: float
    questions: float

    def apply(self, words: Sequence[str], random: Random) -> list[str]:
        """Return the words of a sentence, changed in at most one way as to its punctuation."""
        result, draw = list(words), random.random()
        if draw < self.headlines:
            while len(result) > 1 and not any(map(str.isalnum, result[-1])):
                result.pop()
            return [*result, random.choice(BREAKS[:2])]
        draw -= self.headlines
        if draw < self.quotes:
            result = [QUOTE, *result, QUOTE]
        elif draw < self.quotes + self.questions and result[-1] == ".":
            result[-1] = random.choice("?!")
        return [*result, random.choice(BREAKS)] if random.random() < self.line_breaks else result


def joined(sentences: Sequence[Sequence[str]], nlp: Language) -> Doc:
    """Return a Doc of these sentences with the beginning of each marked."""
    words = [word or " " for words in sentences for word in words]
    starts: list[bool | int | None] = [i == 0 for words in sentences for i in range(len(words))]
    return Doc(nlp.vocab, words=words, sent_starts=starts)
