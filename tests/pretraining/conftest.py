"""A text of 120 lines with something to learn in it, and a run over it that takes a second."""

import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import spacy

from spacy_elmo_ner.elmo import BiLMOptions
from spacy_elmo_ner.elmo.options import CharCNNOptions, LSTMOptions
from spacy_elmo_ner.pretraining.config import PretrainingConfig, TextConfig, TrainingConfig

OPTIONS = BiLMOptions(
    CharCNNOptions(4, ((1, 4), (3, 8)), n_highway=1), LSTMOptions(dim=12, projection_dim=8)
)

MakeConfig = Callable[..., PretrainingConfig]


@pytest.fixture
def ruler(tmp_path: Path) -> str:
    """A pipeline that calls Paris a place and tags nothing."""
    nlp = spacy.blank("en")
    nlp.add_pipe("entity_ruler").add_patterns([{"label": "GPE", "pattern": "Paris"}])
    nlp.to_disk(tmp_path / "ruler")
    return str(tmp_path / "ruler")


@pytest.fixture
def text_file(tmp_path: Path) -> Path:
    rng = random.Random(0)
    nouns, verbs = ["cat", "dog", "minister", "bank"], ["sees", "likes", "meets"]
    lines = [
        f"the {rng.choice(nouns)} {rng.choice(verbs)} the {rng.choice(nouns)}"
        + rng.choice([" .", " today .", " in London and Paris ."])
        for _ in range(120)
    ]
    path = tmp_path / "text.txt"
    path.write_text("\n".join(lines) + "\n", encoding="utf8")
    return path


@pytest.fixture
def make_config(text_file: Path) -> MakeConfig:
    """A config over text_file; the arguments are settings of [training] to change."""

    def make(*, paths: tuple[str, ...] = (str(text_file),), **training: Any) -> PretrainingConfig:
        settings: dict[str, Any] = {
            "batch_tokens": 150,
            "max_epochs": 2,
            "learning_rate": 0.02,
            "softmax_cutoffs": (5, 10),
            "bf16": False,
            "evaluate_every": 1000,
            "checkpoint_every": 1000,
            **training,
        }
        text = TextConfig(paths=paths, n_vocabulary=18, n_held_out=10)
        return PretrainingConfig(text, TrainingConfig(**settings), OPTIONS)

    return make
