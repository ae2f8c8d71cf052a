"""Give a pipeline's Docs vectors: ``doc.vector``, ``token.vector`` and ``similarity``."""

from collections.abc import Callable
from typing import Any

import numpy as np
from spacy.attrs import LOWER
from spacy.language import Language
from spacy.vectors import Vectors
from spacy.vocab import Vocab

from .shared import packaged_names, shared_table

# In [nlp.vectors] of a config.
ATTR_VECTORS = "spacy_elmo_ner.AttrVectors.v1"


class AttrVectors(Vectors):
    """Holds spaCy's Vectors, saved with the attribute of a token that they are found by.

    spaCy reads it when it loads vectors, but writes it for floret tables only: vectors of
    lower-cased words would be found by the word as written from then on.
    """

    def _get_cfg(self) -> dict[str, Any]:
        return {**super()._get_cfg(), "attr": self.attr}


def create_attr_vectors_v1() -> Callable[[Vocab], AttrVectors]:
    """Make the function that a config names to get an empty table for a vocabulary."""
    return lambda vocab: AttrVectors(strings=vocab.strings)


def add_vectors(nlp: Language, name: str = "glove-en") -> Language:
    """Put a table of static word vectors into ``nlp.vocab``, in place of any it has.

    name: as for `WordVectors`: a packaged table, or a folder with one. Vectors of packaged tables
    are found by the lower-cased word. In memory they take 4 bytes per number, 40 MB for glove-en,
    and a pipeline that is saved now brings them along.
    Raises ValueError if there is no table by this name (EL051) or it cannot be read.
    """
    table = shared_table(name)
    n_rows = int(table.rows.max()) + 1 if table.rows is not None else len(table.keys)
    data = table.values.take(np.arange(n_rows))
    # GloVe's words are in lower case, so that no word as written would be among them.
    attr = LOWER if name in packaged_names() else table.attr
    vectors = AttrVectors(shape=data.shape, name=name, attr=attr)
    vectors.data = data
    rows = np.arange(n_rows) if table.rows is None else table.rows
    for key, row in zip(table.keys.tolist(), rows.tolist(), strict=True):
        vectors.add(key, row=row)
    nlp.vocab.vectors = vectors
    nlp.config["nlp"]["vectors"] = {"@vectors": ATTR_VECTORS}
    return nlp
