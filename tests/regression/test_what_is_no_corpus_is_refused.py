"""Every command that takes a corpus refuses what holds none, instead of working on no texts."""

from collections.abc import Callable
from pathlib import Path

import pytest
import spacy
from spacy.tokens import Doc, DocBin, Span
from spacy.vocab import Vocab
from typer.testing import CliRunner

from spacy_elmo_ner.cli.app import elmo_cli
from spacy_elmo_ner.corpus.docbin import read_docs, read_examples
from tests.pipeline.conftest import make_examples

COMMANDS = ("compact", "calibrate", "audit", "compare")


def conll(folder: Path) -> Path:
    path = folder / "test.conll"
    path.write_text("Paris\tNNP\tB-geo\n", encoding="utf8")
    return path


def damaged(folder: Path) -> Path:
    path = folder / "damaged.spacy"
    DocBin(docs=[Doc(Vocab(), words=["Paris"])]).to_disk(path)
    path.write_bytes(path.read_bytes()[:-7])
    return path


def without_suffix(folder: Path) -> Path:
    """spaCy's own Corpus finds no text in a .spacy file of another name."""
    path = folder / "test.docbin"
    DocBin(docs=[]).to_disk(path)
    return path


def empty(folder: Path) -> Path:
    path = folder / "empty.spacy"
    DocBin(docs=[Doc(Vocab())]).to_disk(path)
    return path


def folder_of_other_files(folder: Path) -> Path:
    (folder / "corpus").mkdir()
    conll(folder / "corpus")
    return folder / "corpus"


MAKERS = {
    conll: "EL322",
    damaged: "EL322",
    without_suffix: "EL323",
    empty: "EL323",
    folder_of_other_files: "EL322",
}


@pytest.fixture
def pipeline(make_nlp, tmp_path: Path) -> Path:
    make_nlp("elmo", "elmo_tagger", "elmo_ner", steps=5, listener=True).to_disk(tmp_path / "nlp")
    return tmp_path / "nlp"


def run(command: str, pipeline: Path, corpus: Path):
    out = str(pipeline.parent / "out")
    arguments = {
        "compact": [pipeline, out, "--test", corpus],
        "calibrate": [pipeline, "--dev", corpus],
        "audit": ["--pipeline", pipeline, "--corpus", corpus, "--output", out],
        "compare": ["-p", pipeline, "-c", corpus, "-o", out, "--repeats", 0],
    }[command]
    return CliRunner().invoke(elmo_cli, [command, *map(str, arguments)])


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("make", MAKERS, ids=lambda make: make.__name__)
def test_it_is_one_message_that_names_it(
    make: Callable[[Path], Path], command: str, pipeline: Path, tmp_path: Path
):
    path = make(tmp_path)
    result = run(command, pipeline, path)
    # A comparison and an audit take single files.
    code = {"compare": "EL304", "audit": "EL520"}.get(command) if path.is_dir() else None
    assert result.exit_code == 1 and isinstance(result.exception, SystemExit), result.output
    assert (code or MAKERS[make]) in result.output
    assert path.name in "".join(result.output.split())
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("command", ["compact", "calibrate", "audit"])
def test_texts_without_annotation_are_no_gold(command: str, pipeline: Path, tmp_path: Path):
    path = tmp_path / "plain.spacy"
    DocBin(docs=[Doc(Vocab(), words=["Paris", "fell"])]).to_disk(path)
    result = run(command, pipeline, path)
    assert result.exit_code == 1 and "EL324" in result.output and "plain.spacy" in result.output
    assert not (tmp_path / "out").exists()


def test_a_share_of_no_corpus_is_refused(tmp_path: Path):
    for part in ("train", "dev"):
        (tmp_path / f"{part}.spacy").write_text("Paris NNP B-geo", encoding="utf8")
    (tmp_path / "corpus.json").write_text('{"name": "ours"}', encoding="utf8")
    config = Path(__file__).parents[2] / "configs" / "tok2vec.cfg"
    for share in ("100", "10"):
        arguments = ["train", config, "--corpus", tmp_path, "--output", tmp_path / "out"]
        result = CliRunner().invoke(elmo_cli, [*map(str, arguments), "--share", share])
        assert result.exit_code == 1 and "EL322" in result.output, result.output


def test_a_folder_of_spacy_files_is_read_whole_and_in_order(tmp_path: Path):
    vocab = Vocab()
    for name in ("b", "a"):
        (tmp_path / name).mkdir()
        DocBin(docs=[Doc(vocab, words=[name])]).to_disk(tmp_path / name / "part.spacy")
    assert [doc.text.strip() for doc in read_docs(tmp_path, Vocab())] == ["a", "b"]


def test_examples_are_those_of_spacys_own_corpus(tmp_path: Path):
    nlp = spacy.blank("en")
    spaced = Doc(nlp.vocab, words=["Do", "n't", "!"], spaces=[False, False, False])
    spaced.set_ents([Span(spaced, 0, 1, "per")])
    docs = [one.reference for one in make_examples(nlp)] + [spaced, Doc(nlp.vocab)]
    DocBin(docs=docs).to_disk(tmp_path / "c.spacy")
    ours = read_examples(tmp_path / "c.spacy", nlp)
    theirs = spacy.training.Corpus(tmp_path / "c.spacy")(nlp)
    assert [one.to_dict() for one in ours] == [one.to_dict() for one in theirs]
