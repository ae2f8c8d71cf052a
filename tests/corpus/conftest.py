"""Small CSVs that tests write themselves, and the published file where someone has put it."""

import os
from collections.abc import Callable, Iterable
from pathlib import Path

import pytest

from spacy_elmo_ner.cli.assets import ENVIRONMENT_VARIABLE
from spacy_elmo_ner.corpus.gmb import GMBFile, GMBSentence, open_gmb

HEADER = "Sentence #,Word,POS,Tag\r\n"
ROOT = Path(__file__).parents[2]
PLACES = (
    ROOT / "assets/gmb/ner_dataset.csv",
    ROOT / "assets/gmb/ner_dataset.csv.xz",
    ROOT / "assets/gmb/entity-annotated-corpus.zip",
)

WriteCsv = Callable[[str], Path]


@pytest.fixture
def write_csv(tmp_path: Path) -> WriteCsv:
    """Write rows below the header, Windows-1252."""

    def write(rows: str) -> Path:
        path = tmp_path / "ner_dataset.csv"
        path.write_bytes((HEADER + rows).encode("cp1252"))
        return path

    return write


@pytest.fixture(scope="session")
def published() -> GMBFile:
    """The published corpus; tests that need it are skipped where it is not at hand."""
    named = os.environ.get(ENVIRONMENT_VARIABLE)
    path = Path(named) if named else next((path for path in PLACES if path.is_file()), None)
    if path is None:
        pytest.skip(f"no published ner_dataset.csv: name one in {ENVIRONMENT_VARIABLE}")
    return open_gmb(path)


def sentence(number: int, words: Iterable[str], ents: Iterable[str] = ()) -> GMBSentence:
    """A sentence of nouns, without entities unless they are given."""
    words = tuple(words)
    return GMBSentence(number, words, ("NN",) * len(words), tuple(ents) or ("O",) * len(words))


def numbered(n: int) -> list[GMBSentence]:
    """n sentences that all differ."""
    return [sentence(number, ["Sentence", str(number)]) for number in range(1, n + 1)]
