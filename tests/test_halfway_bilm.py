"""benchmarks/halfway_bilm.py: the biLM out of a checkpoint."""

from pathlib import Path

import numpy as np
import pytest
import torch

from benchmarks.halfway_bilm import halfway_bilm
from spacy_elmo_ner.elmo import BiLM
from spacy_elmo_ner.pretraining.checkpoint import Progress, save_checkpoint
from spacy_elmo_ner.pretraining.objective import LanguageModel


def test_it_is_the_biLM_that_was_saved(bilm_dir: Path, tmp_path: Path) -> None:
    bilm = BiLM.from_disk(bilm_dir)
    model = LanguageModel(bilm, 20, [5])
    optimizer = torch.optim.AdamW(model.parameters())
    config = {"bilm": bilm.options.to_dict()}
    save_checkpoint(tmp_path, model, optimizer, Progress(step=5), config, keep=1)
    found = halfway_bilm(tmp_path / "step-00000005")
    words = [["The", "cat"]]
    np.testing.assert_array_equal(found.embed(words)[0], bilm.embed(words)[0])


def test_a_folder_without_a_checkpoint_is_named(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"state\.json"):
        halfway_bilm(tmp_path)
