"""Test what pip installs, in fresh environments and without the checkout.

    nox -s tests-3.12            the newest versions on one Python; `tests` for all that are found
    nox -s lowest                the lowest version of every requirement
    nox -s pinned                those of constraints.txt
    nox -s core-3.13             what needs no torch, in a minute
    nox -s tests-3.12 -- tests/decoding -x

Each builds a source distribution, installs from it (which builds the wheel), and runs the tests
that are in it. On Linux, PyPI's torch brings gigabytes of CUDA: PIP_EXTRA_INDEX_URL or
PIP_FIND_LINKS may name a place with builds for CPUs.
"""

import configparser
import shutil
import tarfile
from pathlib import Path

import nox

ROOT = Path(__file__).parent
PYTHONS = ["3.10", "3.11", "3.12", "3.13"]
TESTING = ["pytest", "hypothesis", "setuptools"]
# Tests that need another extra are skipped.
TESTED_EXTRAS = ["project", "parquet"]
# Tests of what runs on numpy and spaCy alone, without the conftest that makes biLMs.
WITHOUT_TORCH = (
    [
        "--confcutdir=tests/decoding",
        "tests/decoding",
        "--ignore=tests/decoding/test_crf.py",
        "--ignore=tests/decoding/test_emissions.py",
    ],
    [
        "--confcutdir=tests/corpus",
        "tests/corpus/own",
        *(f"tests/corpus/test_{name}.py" for name in ("docs", "gmb", "sample", "splits")),
    ],
    ["--noconftest", "tests/trust/test_errors.py", "tests/test_files.py", "tests/test_imports.py"],
)

nox.options.sessions = ["tests", "lowest", "pinned"]
nox.options.error_on_missing_interpreters = False


def install(session: nox.Session, *constraints: str) -> None:
    """Install the source distribution with what its tests need, and go where they are."""
    source = unpack(session)
    session.install(*constraints, "torch")
    session.install(*constraints, f"{source}[{','.join(TESTED_EXTRAS)}]", *TESTING)
    # What is imported is what was installed.
    shutil.rmtree(source / "spacy_elmo_ner")
    session.chdir(source)


def unpack(session: nox.Session) -> Path:
    """Build a source distribution; return the folder it was unpacked to."""
    work = Path(session.create_tmp())
    shutil.rmtree(work, ignore_errors=True)
    session.install("build")
    session.run("python", "-m", "build", "--sdist", "--outdir", str(work), str(ROOT), silent=True)
    (archive,) = work.glob("*.tar.gz")
    with tarfile.open(archive) as file:
        file.extractall(work, filter="data")
    return work / archive.name.removesuffix(".tar.gz")


@nox.session(python=PYTHONS)
def tests(session: nox.Session) -> None:
    """Run the tests with the newest version of every requirement."""
    install(session)
    session.run("python", "-m", "pytest", "-q", *(session.posargs or ["tests"]))


@nox.session(python="3.11")
def lowest(session: nox.Session) -> None:
    """Run the tests with the lowest version of every requirement."""
    install(session, "-c", str(ROOT / "constraints-lowest.txt"))
    session.run("python", "-m", "pytest", "-q", *(session.posargs or ["tests"]))


@nox.session(python="3.11")
def pinned(session: nox.Session) -> None:
    """Run the tests with the versions of constraints.txt."""
    install(session, "-c", str(ROOT / "constraints.txt"))
    session.run("python", "-m", "pytest", "-q", *(session.posargs or ["tests"]))


@nox.session(python=PYTHONS)
def core(session: nox.Session) -> None:
    """Run what needs no torch: decoding, corpora, files and messages."""
    source = unpack(session)
    config = configparser.ConfigParser()
    config.read(ROOT / "setup.cfg")
    required = filter(None, config["options"]["install_requires"].splitlines())
    session.install(*(each for each in required if not each.startswith("torch")), *TESTING)
    # Were it installed, spaCy would import its pipes, which need torch.
    (entry_points,) = source.glob("*.egg-info")
    shutil.rmtree(entry_points)
    session.chdir(source)
    for selected in WITHOUT_TORCH:
        session.run(
            *("python", "-m", "pytest", "-q", "-W", "ignore", *selected),
            env={"PYTHONPATH": str(source)},
        )
