"""What cannot be written leaves what was there, and says so."""

import os
import random
from pathlib import Path

import pytest
import torch
from spacy.language import Language
from torch import nn

from spacy_elmo_ner.comparison.pipelines import PipelineUnavailableError, load_pipeline
from spacy_elmo_ner.pipeline.save import save_pipeline
from spacy_elmo_ner.pretraining.checkpoint import Progress, save_checkpoint
from tests.conftest import random_bilm
from tests.fuzz.writers import LOSS, make_writers

posix = pytest.mark.skipif(os.name != "posix", reason="faults are injected in POSIX's ways")


@posix
@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")  # of fork with threads
def test_no_fault_loses_what_was_there(tmp_path: Path) -> None:
    from tests.fuzz.faults import AT_A_STEP, FAULTS, inject

    rng = random.Random(0)
    found = {
        (name, fault): inject(writer, fault, 1, tmp_path / "folder", rng)
        for name, writer in make_writers(tmp_path).items()
        for fault in (FAULTS if name == "checkpoint" else AT_A_STEP)
    }
    assert len(found) == 6 * len(AT_A_STEP) + len(FAULTS)
    assert [where for where, left in found.items() if LOSS in left] == []


@posix
@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")
def test_pre_training_that_was_killed_ends_as_if_it_never_was(tmp_path: Path) -> None:
    from tests.fuzz.faults import interrupt_pretraining

    left = interrupt_pretraining(tmp_path / "run", "kill", 1, random.Random(0))
    assert list(left) == ["as if never stopped"]


def test_a_biLM_is_not_half_replaced_by_one_of_another_shape(tmp_path: Path) -> None:
    random_bilm().to_disk(tmp_path)
    before = (tmp_path / "weights.safetensors").read_bytes()
    with pytest.raises(FileExistsError, match=r"EL018.*another folder"):
        random_bilm(dim=6).to_disk(tmp_path)
    assert (tmp_path / "weights.safetensors").read_bytes() == before


def test_a_checkpoint_that_finds_no_room_says_what_is_left(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = nn.Linear(2, 2)
    optimizer = torch.optim.AdamW(model.parameters())
    save_checkpoint(tmp_path, model, optimizer, Progress(step=1), {}, keep=2)

    def full(*args: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("spacy_elmo_ner.pretraining.checkpoint.save_file", full)
    with pytest.raises(OSError, match=r"EL414.*step-00000002.*No space left"):
        save_checkpoint(tmp_path, model, optimizer, Progress(step=2), {}, keep=2)
    assert [path.name for path in tmp_path.iterdir()] == ["step-00000001"]


def test_a_pipeline_is_replaced_whole_or_not_at_all(
    nlp: Language, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "model"
    save_pipeline(nlp, folder)
    before = (folder / "elmo_ner" / "model").read_bytes()

    def full(path: Path, **kwargs: object) -> None:
        path.mkdir(exist_ok=True)  # as nlp.to_disk does
        (path / "config.cfg").write_text("half")
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as context:
        context.setattr(nlp, "to_disk", full)
        with pytest.raises(OSError, match="No space left"):
            save_pipeline(nlp, folder)
    assert (folder / "elmo_ner" / "model").read_bytes() == before
    save_pipeline(nlp, folder)
    assert [path.name for path in tmp_path.iterdir()] == ["model"]


def test_a_pipeline_that_was_never_trained_is_named() -> None:
    with pytest.raises(PipelineUnavailableError, match=r"EL308.*training/none.*Train it first"):
        load_pipeline("ours", "training/none")
