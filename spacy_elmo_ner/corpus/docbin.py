"""Read annotated texts from .spacy files: every command that takes a corpus reads it here."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from spacy.language import Language
from spacy.tokens import Doc, DocBin
from spacy.training import Example
from spacy.vocab import Vocab

from ..errors import Errors
from .docs import blank_copy

SUFFIX = ".spacy"


class Layers(NamedTuple):
    """Says which layers of annotation at least one token of some Docs has."""

    entities: bool
    tags: bool


def layers_of(docs: Iterable[Doc]) -> Layers:
    """Find the annotated layers; stops at the first Doc with which both have been seen."""
    entities = tags = False
    for doc in docs:
        if not len(doc):  # which has_annotation() takes for annotated
            continue
        entities = entities or doc.has_annotation("ENT_IOB")
        tags = tags or doc.has_annotation("TAG")
        if entities and tags:
            break
    return Layers(entities, tags)


def read_docs(path: Path, vocab: Vocab) -> Iterator[Doc]:
    """Yield the Docs of a .spacy file, or of all below a folder, one after the other.

    spaCy's own Corpus takes a file with any other suffix, or a folder without .spacy files, as a
    corpus without texts; here it is an error. Raises FileNotFoundError (EL520) where there is
    nothing, ValueError for a file that is no DocBin (EL322) and where no text has a word (EL323).
    """
    n_words = 0
    for file in _files(path):
        for doc in docs_in(file, vocab):
            n_words += len(doc)
            yield doc
    if not n_words:
        raise ValueError(Errors.EL323.format(path=path))


def docs_in(file: Path, vocab: Vocab) -> Iterator[Doc]:
    """Yield the Docs of one .spacy file, which may be none. Raises like `read_docbin`."""
    docs = read_docbin(file).get_docs(vocab)
    while (doc := _next(docs, file)) is not None:
        yield doc


def read_docbin(file: Path) -> DocBin:
    """Load a .spacy file. Raises FileNotFoundError (EL520), or ValueError (EL322)."""
    if not file.is_file():
        raise FileNotFoundError(Errors.EL520.format(path=file))
    try:
        return DocBin().from_disk(file)
    # spaCy trusts the file, so damage can raise any error.
    except Exception as error:
        raise _unreadable(file, error) from error


def read_examples(path: Path, nlp: Language) -> Iterator[Example]:
    """Yield an Example for each text with words, predicted without annotation, as spaCy's Corpus.

    A text whose spaces are not known keeps the words of gold; any other is split by the pipeline's
    own tokenizer. Raises like `read_docs`.
    """
    for doc in read_docs(path, nlp.vocab):
        if len(doc):
            known = not doc.has_unknown_spaces
            yield Example(nlp.make_doc(doc.text) if known else blank_copy(doc, nlp.vocab), doc)


def _files(path: Path) -> list[Path]:
    if not path.is_dir():
        return [path]
    files = sorted(path.rglob(f"*{SUFFIX}"))
    if not files:
        problem = f"the folder holds no {SUFFIX} file"
        raise ValueError(Errors.EL322.format(path=path, problem=problem))
    return files


def _next(docs: Iterator[Doc], file: Path) -> Doc | None:
    try:
        return next(docs, None)
    except Exception as error:
        raise _unreadable(file, error) from error


def _unreadable(file: Path, error: Exception) -> ValueError:
    # Messages of spaCy and numpy run over many lines.
    problem = (str(error) or repr(error)).strip().partition("\n")[0].rstrip(".")
    return ValueError(Errors.EL322.format(path=file, problem=problem))
