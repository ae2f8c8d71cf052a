"""Wheels hold configs, label maps and the sample corpus; source archives all tracked files."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.checkout import needs_checkout

ROOT = Path(__file__).parents[2]
FOLDERS = ("configs", "assets/label_maps", "assets/sample")
# Tracked, but no part of a source distribution: weights on trial, and what is about the repository.
LEFT_OUT = ("assets/bilms/", ".github/", ".gitignore")

CORPUS = ["-m", "spacy", "elmo", "corpus", "--split", "sample", "--output", "corpus"]
INIT = ["-m", "spacy", "elmo", "init", "own", "--train", "assets/sample/train.conll"]
RESOURCE = "from spacy_elmo_ner.resources import resource; print(resource('configs/ner.cfg'))"


def setup_py(*arguments: object) -> None:
    subprocess.run(
        [sys.executable, "setup.py", "-q", *map(str, arguments)],
        cwd=ROOT, check=True, capture_output=True,
    )  # fmt: skip


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The package as a wheel holds it, but for the compiled kernels."""
    base = tmp_path_factory.mktemp("built")
    setup_py("egg_info", "--egg-base", base, "build_py", "--build-lib", base / "lib")
    return base / "lib"


def installed(built: Path, workplace: Path, *arguments: str) -> str:
    """Run Python in an empty folder with the built package instead of the checkout."""
    environment = {**os.environ, "PYTHONPATH": str(built), "SPACY_ELMO_NER_GMB": ""}
    found = subprocess.run(
        [sys.executable, *arguments], cwd=workplace, env=environment, capture_output=True, text=True
    )
    assert found.returncode == 0, found.stderr
    return found.stdout.strip()


@needs_checkout
def test_the_checkouts_files_are_all_there_unchanged(built: Path) -> None:
    for folder in FOLDERS:
        ours = {
            path.name: path.read_bytes() for path in (ROOT / folder).iterdir() if path.is_file()
        }
        there = {
            path.name: path.read_bytes()
            for path in (built / "spacy_elmo_ner/data" / folder).iterdir()
        }
        assert there == ours and len(ours) > 3


@needs_checkout
def test_they_are_found_in_an_empty_folder(built: Path, tmp_path: Path) -> None:
    assert installed(built, tmp_path, "-c", RESOURCE) == str(
        built / "spacy_elmo_ner/data/configs/ner.cfg"
    )
    installed(built, tmp_path, *CORPUS)
    assert (tmp_path / "corpus/train.spacy").is_file()
    installed(built, tmp_path, *INIT)
    assert (tmp_path / "own/config.cfg").is_file()


@pytest.mark.skipif(not (ROOT / ".git").exists(), reason="not a checkout")
def test_everything_tracked_is_in_the_source_distribution(tmp_path: Path) -> None:
    setup_py("egg_info", "--egg-base", tmp_path)
    (listed,) = tmp_path.glob("*.egg-info/SOURCES.txt")
    tracked = subprocess.run(
        ["git", "ls-files"], cwd=ROOT, check=True, capture_output=True, text=True
    ).stdout.splitlines()
    wanted = {name for name in tracked if not name.startswith(LEFT_OUT) and (ROOT / name).is_file()}
    assert wanted - set(listed.read_text(encoding="utf8").splitlines()) == set()
