"""Write corpora in the form that `corpus.sample` reads."""

from collections.abc import Iterable
from pathlib import Path

from spacy_elmo_ner.corpus.gmb import GMBSentence


def write_conll(path: str | Path, sentences: Iterable[GMBSentence], comment: str = "") -> None:
    """Write one file; comment lines go to the top after "# "."""
    blocks = [
        "".join(
            f"{word}\t{tag}\t{ent}\n"
            for word, tag, ent in zip(sentence.words, sentence.tags, sentence.ents, strict=True)
        )
        for sentence in sentences
    ]
    if comment:
        blocks.insert(0, "".join(f"# {line}\n" for line in comment.splitlines()))
    Path(path).write_text("\n".join(blocks), encoding="utf8", newline="\n")
