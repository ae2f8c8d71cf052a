"""Save a pipeline so that its folder holds either the old one or the new one, complete."""

from collections.abc import Mapping
from pathlib import Path

from spacy.language import Language

from ..errors import Errors
from ..files import atomic_folder, check_output_folder

# Factories whose pipes save all that they need themselves: spaCy's list of all strings seen in
# training, some megabytes of the training text's words, is of no use to them.
SELF_CONTAINED = frozenset(
    {"elmo", "elmo_tagger", "elmo_ner", "senter", "attribute_ruler", "lemmatizer"}
)


def save_pipeline(
    nlp: Language,
    folder: str | Path,
    *,
    texts: Mapping[str, str] | None = None,
) -> None:
    """Save like ``nlp.to_disk``, but as an `atomic_folder`, and without a vocab of no use.

    The old pipeline stays until all of the new one is on the disk. texts: more files of the folder,
    by name. Raises OSError if it cannot be written, or if the folder holds something else than a
    pipeline (EL529), which would be deleted; what was there before stays.
    """
    require_place(folder)
    with atomic_folder(folder) as staged:
        nlp.to_disk(staged, exclude=[] if needs_vocab(nlp) else ["vocab"])
        for name, text in (texts or {}).items():
            (staged / name).write_text(text, encoding="utf8", newline="\n")


def require_place(folder: str | Path) -> None:
    """Raise OSError for a file (EL425), or a folder that holds no pipeline but others (EL529)."""
    check_output_folder(folder)
    folder = Path(folder)
    if folder.is_dir() and not (folder / "meta.json").is_file():
        name = next((path.name for path in sorted(folder.iterdir())), None)
        if name is not None:
            raise FileExistsError(Errors.EL529.format(path=folder, name=name))


def needs_vocab(nlp: Language) -> bool:
    """Tell whether a pipeline must be saved with its vocabulary.

    It must if it has vectors, or pipes that are not known to do without.
    """
    factories = {nlp.get_pipe_meta(name).factory for name in nlp.component_names}
    return bool(len(nlp.vocab.vectors)) or not factories <= SELF_CONTAINED
