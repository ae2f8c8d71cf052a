"""Cut text into words: spaCy's tokenizer of a language, or any other that is registered."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import spacy
from spacy.language import Language

from ..errors import Errors


@dataclass(frozen=True)
class TextLanguage:
    """Names what cuts text into words.

    lang: as spaCy names languages. tokenizer: a block such as {"@tokenizers":
    "spacy.zh.ChineseTokenizer", "segmenter": "char"}; None for the language's own.
    """

    lang: str = "en"
    tokenizer: Mapping[str, Any] | None = None

    def blank(self) -> Language:
        """Return a pipeline without pipes.

        Raises ValueError (EL657) for a language or tokenizer that spaCy does not have here.
        """
        own = {} if self.tokenizer is None else {"nlp": {"tokenizer": dict(self.tokenizer)}}
        try:
            return spacy.blank(self.lang, config=own)
        # Several languages need a package of their own for their tokenizer.
        except Exception as error:
            problem = str(error).strip().partition("\n")[0].rstrip(".") or repr(error)
            raise ValueError(Errors.EL657.format(lang=self.lang, problem=problem)) from error


ENGLISH = TextLanguage()
