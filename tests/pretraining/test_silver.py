"""Labels beside the words: each LSTM layer learns to tell them, and leaves nothing else behind."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from spacy_elmo_ner.elmo import BiLM
from spacy_elmo_ner.pretraining.objective import BatchMaker, LanguageModel, Vocabulary
from spacy_elmo_ner.pretraining.silver import MISSING, SilverLabels
from spacy_elmo_ner.pretraining.text import TokenizedText

WORDS = ["the", "cat", "in", "Paris", "sat"]
SENTENCES = [[0, 1, 4], [2, 3], [0, 1, 4, 2, 3]]


def _text() -> TokenizedText:
    tokens = np.concatenate(SENTENCES).astype(np.int32)
    return TokenizedText(
        words=WORDS,
        counts=np.bincount(tokens),
        tokens=tokens,
        offsets=np.cumsum([0, *map(len, SENTENCES)]),
        source=np.zeros(len(SENTENCES), dtype=np.int32),
        sources=["text"],
    )


def _silver(folder: Path) -> SilverLabels:
    ids = np.asarray([0, 0, 0, 0, 1, MISSING, MISSING, MISSING, MISSING, MISSING], dtype=np.uint8)
    np.save(folder / "silver-ner.npy", ids)
    (folder / "silver.json").write_text(json.dumps({"ner": ["O", "B-GPE"]}))
    return SilverLabels.from_disk(folder, len(ids))


def _model(bilm: BiLM, silver: dict[str, int]) -> tuple[LanguageModel, BatchMaker]:
    vocabulary = Vocabulary.most_frequent(WORDS, 60)
    model = LanguageModel(bilm, len(vocabulary), [5], silver)
    return model, BatchMaker(WORDS, vocabulary, bilm.options)


def test_labels_stand_at_their_words_and_nowhere_else(make_bilm, tmp_path: Path) -> None:
    silver, text = _silver(tmp_path), _text()
    _, make_batch = _model(make_bilm(), silver.n_labels)
    rows = np.asarray([1, 2, 0])
    batch = silver.add_to(make_batch([text.sentence(i) for i in rows]), text, rows)
    expected = [-1, 0, 1, -1] + [-1] * 7 + [-1, 0, 0, 0, -1]
    assert batch.silver["ner"].tolist() == expected


def test_the_loss_is_that_of_both_directions_of_each_layer_together(make_bilm, tmp_path) -> None:
    silver, text = _silver(tmp_path), _text()
    bilm = make_bilm()
    model, make_batch = _model(bilm, silver.n_labels)
    rows = np.asarray([0, 1, 2])
    batch = silver.add_to(make_batch([text.sentence(i) for i in rows]), text, rows)
    *_, found, _ = model(batch)
    layers, _ = bilm.run([[WORDS[i] for i in sentence] for sentence in SENTENCES])
    states = torch.cat(layers, dim=1)[:, :5]  # the first two sentences have labels
    gold = torch.tensor([0, 0, 0, 0, 1])
    losses = [
        torch.nn.functional.cross_entropy(model.silver[f"ner-{depth}"](states[depth]), gold)
        for depth in range(1, len(states))
    ]
    assert found.item() == pytest.approx(torch.stack(losses).mean().item(), abs=1e-5)
    found.backward()
    assert bilm.forward_lstm.state_dict() and all(
        parameter.grad is not None and parameter.grad.abs().sum() > 0
        for parameter in (*bilm.forward_lstm.parameters(), *bilm.backward_lstm.parameters())
    )


def test_without_labels_the_loss_is_that_of_the_words_alone(make_bilm) -> None:
    text = _text()
    model, make_batch = _model(make_bilm(), {})
    forward, backward, silver, _ = model(make_batch([text.sentence(i) for i in range(3)]))
    assert silver.item() == 0 and forward.item() > 0 and backward.item() > 0


def test_labels_of_another_text_are_refused(tmp_path: Path) -> None:
    _silver(tmp_path)
    with pytest.raises(ValueError, match=r"EL421.*silver-ner\.npy.*10.*7"):
        SilverLabels.from_disk(tmp_path, 7)
