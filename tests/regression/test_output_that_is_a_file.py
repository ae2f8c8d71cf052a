"""An --output that is a file is named as one, before any work and by every command here."""

from pathlib import Path

import pytest
import spacy
from spacy.tokens import Doc, DocBin
from spacy.vocab import Vocab
from typer.testing import CliRunner

from spacy_elmo_ner.cli.app import elmo_cli

TEXT = "The cat sees the dog .\n" * 50


def outcome(*arguments: str) -> tuple[int, str]:
    result = CliRunner().invoke(elmo_cli, [*arguments], env={"COLUMNS": "500"})
    return result.exit_code, " ".join(result.output.split())


@pytest.fixture
def inputs(tmp_path: Path, bilm_dir: Path) -> dict[str, list[str]]:
    (tmp_path / "text.txt").write_text(TEXT)
    sample = tmp_path / "sample"
    sample.mkdir()
    for part in ("train", "dev", "test"):
        (sample / f"{part}.conll").write_text("Rome\tNNP\tB-geo\n")
    empty, gold = tmp_path / "pipeline", tmp_path / "gold.spacy"
    spacy.blank("en").to_disk(empty)
    DocBin(docs=[Doc(Vocab(), words=["Rome"], ents=["B-geo"])]).to_disk(gold)
    return {
        "pretrain": ["pretrain", str(tmp_path / "text.txt"), "--output"],
        "corpus": ["corpus", "--split", "sample", "--sample-dir", str(sample), "--output"],
        "convert": ["convert", str(bilm_dir)],
        "assets": ["assets"],
        "compare": ["compare", "--pipeline", str(empty), "--corpus", str(gold), "--output"],
        "audit": ["audit", "--pipeline", str(empty), "--corpus", str(gold), "--output"],
    }


@pytest.mark.parametrize("command", ["pretrain", "corpus", "convert", "assets", "compare", "audit"])
@pytest.mark.parametrize("below", ["", "deep"])
def test_a_file_in_place_of_the_output_folder_is_named(
    tmp_path: Path,
    inputs: dict[str, list[str]],
    command: str,
    below: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("SPACY_ELMO_NER_GMB", raising=False)
    (tmp_path / "taken").write_text("mine")
    code, output = outcome(*inputs[command], str(tmp_path / "taken" / below))
    assert code == 1
    assert "[EL425]" in output and "taken" in output
    assert "room" not in output and "Traceback" not in output
    assert (tmp_path / "taken").read_text() == "mine"


def test_a_full_disk_is_not_taken_for_a_folder_that_may_not_be_written(tmp_path: Path) -> None:
    from spacy_elmo_ner.pretraining.log import named_if_not_written

    for number, code in ((28, "EL418"), (13, "EL426")):
        expected = pytest.raises(OSError, match=rf"{code}.*log\.jsonl")
        with expected, named_if_not_written(tmp_path / "log.jsonl"):
            raise OSError(number, "the reason")
