"""``spacy_elmo_ner.GMBCorpus.v1``: read a part of the corpus from its file, for training."""

from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Literal, get_args

from spacy.language import Language
from spacy.training import Example

from ..errors import Errors
from .docs import blank_doc, sentence_to_doc
from .gmb import GMBSentence, open_gmb
from .sample import read_sample
from .splits import PARTS, VARIANTS, Part, Split, SplitName, Variant, cut, split_gmb

CorpusName = Literal["seed", "clean", "sample"]


def create_gmb_reader(
    path: str | Path,
    split: CorpusName = "seed",
    part: Part = "train",
    variant: Variant = "full",
    limit: int = 0,
) -> Callable[[Language], Iterator[Example]]:
    """Make a reader of gold Examples, which reads the file at its first call and keeps it.

    path: ner_dataset.csv (plain, .xz or .zip), or for ``split = "sample"`` a folder of .conll
        files.
    split: "seed", the article's; "clean", with no sentence or document in two parts; or "sample".
    part: "train", "dev" or "test".
    variant: "full" for whole sentences, "fixed" for their first 50 words, "published" for their
        first 50 words under their last 50 labels, as the article scored them.
    limit: the most sentences to read; 0 for all.

    Pipelines get the corpus's own words as tokens: it has no raw text to tokenize. Raises
    ValueError for an unknown split, part or variant (EL215); reading raises what `open_gmb` or
    `read_sample` does.
    """
    choices = {
        "split": (split, get_args(CorpusName)),
        "part": (part, PARTS),
        "variant": (variant, VARIANTS),
    }
    for what, (value, known) in choices.items():
        if value not in known:
            message = Errors.EL215.format(what=what, value=value, known=", ".join(known))
            raise ValueError(message)

    @cache
    def sentences() -> list[GMBSentence]:
        chosen = read_split(Path(path), split).part(part)
        return [cut(sentence, variant) for sentence in chosen[: limit if limit > 0 else None]]

    def read(nlp: Language) -> Iterator[Example]:
        for sentence in sentences():
            reference = sentence_to_doc(sentence, nlp.vocab)
            yield Example(blank_doc(sentence.words, nlp.vocab), reference)

    return read


def read_split(path: Path, split: CorpusName) -> Split:
    """Read all three parts, from the CSV or from a folder of .conll files."""
    if split == "sample":
        return read_sample(path)
    name: SplitName = split
    return split_gmb(open_gmb(path), name)
