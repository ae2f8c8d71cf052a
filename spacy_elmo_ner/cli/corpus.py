"""``python -m spacy elmo corpus``: write gold Docs for training and evaluation."""

from enum import Enum
from pathlib import Path
from typing import Annotated

import typer
from wasabi import msg

from ..corpus.folder import SourceFile, write_corpus
from ..corpus.gmb import CSV_NAME, CSV_SHA256, open_gmb
from ..corpus.sample import read_sample, sample_path
from ..corpus.splits import PARTS, Split, SplitName, split_gmb
from ..files import sha256_of
from ..resources import find
from .assets import ASSETS, ENVIRONMENT_VARIABLE, find_gmb


class SplitChoice(str, Enum):
    """Names the splits that the command line offers."""

    seed = "seed"
    clean = "clean"
    sample = "sample"


def corpus_cli(
    output: Annotated[Path, typer.Option("--output", "-o", help="Folder for the .spacy files.")],
    csv: Annotated[
        Path | None,
        typer.Option(
            help=f"{CSV_NAME}, plain or packed (.xz, .zip). Default: the file that "
            f"{ENVIRONMENT_VARIABLE} names, else the one in {ASSETS}."
        ),
    ] = None,
    split: Annotated[
        SplitChoice,
        typer.Option(
            help="seed: the article's, sentence for sentence. clean: no document in two parts. "
            "sample: the corpus in --sample-dir."
        ),
    ] = SplitChoice.seed,
    sample_dir: Annotated[
        Path, typer.Option(help="Folder of train.conll, dev.conll and test.conll.")
    ] = Path("assets/sample"),
) -> None:
    """Write train.spacy, dev.spacy, test.spacy and variants of test, and corpus.json about them.

    test.spacy holds whole sentences, test_fixed.spacy their first 50 words, test_published.spacy
    (seed only) the first 50 words under the last 50 labels, as the article scored them. Where
    ner_dataset.csv cannot be found, the sample corpus is used, and the command says so.
    """
    try:
        name, parts, sources = _read(csv, split, find(sample_dir))
        sizes = write_corpus(parts, name, sources, output)
    except (OSError, ValueError) as err:
        msg.fail(str(err), exits=1)
    rows = [(part, s.sentences, s.tokens, s.entities) for part, s in sizes.items()]
    header = ("part", "sentences", "tokens", "entities")
    msg.table(rows, header=header, divider=True, aligns=("l", "r", "r", "r"))
    msg.good(f"Wrote the corpus and corpus.json to {output}")


def _read(
    csv: Path | None, split: SplitChoice, sample_dir: Path
) -> tuple[str, Split, list[SourceFile]]:
    """Return the name of the split, its parts, and the files it was made from."""
    if split is SplitChoice.sample:
        msg.info(f"Using the sample corpus in {sample_dir}")
        return _read_sample(sample_dir)
    path = find_gmb(csv)
    if path is None:
        msg.warn(
            f"No {CSV_NAME} found: using the sample corpus in {sample_dir} instead.",
            '"python -m spacy elmo assets" fetches the real one.',
        )
        return _read_sample(sample_dir)
    gmb = open_gmb(path)
    name: SplitName = "clean" if split is SplitChoice.clean else "seed"
    msg.info(f"Using {path} (read as {gmb.encoding}), {name} split")
    if not gmb.is_published:
        msg.warn(
            f"{path} is not the published {CSV_NAME}.",
            f"Its sha256 is {gmb.sha256}, not {CSV_SHA256}. Figures made from it cannot be "
            "compared with published ones.",
        )
    return name, split_gmb(gmb, name), [SourceFile(path.name, gmb.sha256)]


def _read_sample(folder: Path) -> tuple[str, Split, list[SourceFile]]:
    parts = read_sample(folder)
    files = [sample_path(folder, part) for part in PARTS]
    return "sample", parts, [SourceFile(path.name, sha256_of(path)) for path in files]
