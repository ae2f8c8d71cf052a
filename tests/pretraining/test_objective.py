import math
from collections.abc import Callable

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from spacy_elmo_ner.elmo import BiLM
from spacy_elmo_ner.pretraining import cross_entropy
from spacy_elmo_ner.pretraining.cross_entropy import linear_cross_entropy
from spacy_elmo_ner.pretraining.objective import (
    SPECIAL,
    UNKNOWN,
    Batch,
    BatchMaker,
    LanguageModel,
    Vocabulary,
)

WORDS = [f"w{i}" for i in range(30)]
SENTENCES = [np.array(ids, dtype=np.int32) for ids in ([3, 1, 4, 1, 5], [9], [2, 6, 29])]


@pytest.fixture
def vocabulary() -> Vocabulary:
    return Vocabulary.most_frequent(WORDS, 25)


@pytest.fixture
def model(make_bilm: Callable[..., BiLM], vocabulary: Vocabulary) -> LanguageModel:
    torch.manual_seed(0)
    return LanguageModel(make_bilm(projection_dim=4), len(vocabulary), [5, 12])


@pytest.fixture
def batch(model: LanguageModel, vocabulary: Vocabulary) -> Batch:
    return BatchMaker(WORDS, vocabulary, model.bilm.options)(SENTENCES)


def test_a_vocabulary_holds_the_most_frequent_words_after_three_special_ones() -> None:
    vocabulary = Vocabulary.most_frequent(["the", UNKNOWN, "a", "<S>", "cat"], 5)
    assert vocabulary.words == [*SPECIAL, "the", "a"]
    assert vocabulary.ids(["a", "cat", "</S>", UNKNOWN]).tolist() == [4, 2, 1, 2]


def test_a_vocabulary_of_one_word_can_be_trained_on(make_bilm: Callable[..., BiLM]) -> None:
    vocabulary = Vocabulary.most_frequent(["word"], 60_000)
    model = LanguageModel(make_bilm(), len(vocabulary), [800, 5_000])
    make_batch = BatchMaker(["word"], vocabulary, model.bilm.options)
    forward, backward, *_ = model(make_batch([np.zeros(3, dtype=np.int32)]))
    (forward + backward).backward()
    assert math.isfinite(forward.item()) and math.isfinite(backward.item())


def test_a_batch_spells_each_distinct_word_once(batch: Batch) -> None:
    assert len(batch.char_ids) == 8 + 2  # words 1 2 3 4 5 6 9 29, and two marks
    assert batch.word_index.shape == (9 + 6,)
    assert batch.n_predictions == 9 + 3
    assert batch.is_first.nonzero().flatten().tolist() == [0, 7, 10]
    assert batch.is_last.nonzero().flatten().tolist() == [6, 9, 14]
    # w3 w1 w4 w1 w5 are ranks 6 4 7 4 8; w29 is not in the vocabulary.
    assert batch.targets.tolist() == [0, 6, 4, 7, 4, 8, 1, 0, 12, 1, 0, 5, 9, 2, 1]


def _reference(model: LanguageModel, batch: Batch) -> tuple[Tensor, Tensor]:
    """torch's own softmax module, over each position's neighbour taken one by one."""
    vectors = model.bilm.char_cnn(batch.char_ids, batch.lengths)
    layers, _ = model.bilm(vectors[batch.word_index], batch.packing)
    ahead, back = layers[-1].chunk(2, dim=1)
    losses = []
    for hidden, step, ends in ((ahead, 1, batch.is_last), (back, -1, batch.is_first)):
        rows = [i for i in range(len(hidden)) if not ends[i]]
        output = model.softmax(hidden[rows], batch.targets[[i + step for i in rows]])
        losses.append(-output.output.sum())
    return losses[0], losses[1]


def test_losses_and_gradients_equal_those_of_torchs_adaptive_softmax(
    model: LanguageModel, batch: Batch
) -> None:
    gradients = []
    for losses in (model(batch)[:2], _reference(model, batch)):
        model.zero_grad()
        (losses[0] + losses[1]).backward()
        gradients.append({name: grad.clone() for name, grad in _gradients(model)})
    found, expected = model(batch)[:2], _reference(model, batch)
    for a, b in zip(found, expected, strict=True):
        assert a.item() == pytest.approx(b.item(), abs=1e-4)
    assert gradients[0].keys() == gradients[1].keys()
    for name, gradient in gradients[0].items():
        assert torch.allclose(gradient, gradients[1][name], atol=1e-4), name


def _gradients(model: LanguageModel) -> list[tuple[str, Tensor]]:
    return [(name, p.grad) for name, p in model.named_parameters() if p.grad is not None]


def test_a_batch_without_rare_words_gives_their_clusters_no_gradient(
    model: LanguageModel, vocabulary: Vocabulary
) -> None:
    frequent = [np.array([0, 1, 0], dtype=np.int32)]  # ranks 3 and 4, below the first cutoff
    batch = BatchMaker(WORDS, vocabulary, model.bilm.options)(frequent)
    forward, backward, *_ = model(batch)
    (forward + backward).backward()
    expected = _reference(model, batch)
    assert forward.item() == pytest.approx(expected[0].item(), abs=1e-4)
    for name, gradient in _gradients(model):
        assert name.startswith("softmax.tail") == gradient.eq(0).all().item(), name


def test_neither_direction_can_see_the_word_it_predicts(
    model: LanguageModel, vocabulary: Vocabulary
) -> None:
    """Changing one word may change a prediction only where that word has been read."""
    make_batch = BatchMaker(WORDS, vocabulary, model.bilm.options)
    changed = 2
    hidden = []
    for word in (4, 7):
        ids = np.array([3, 1, word, 1, 5], dtype=np.int32)
        batch = make_batch([ids])
        vectors = model.bilm.char_cnn(batch.char_ids, batch.lengths)
        layers, _ = model.bilm(vectors[batch.word_index], batch.packing)
        hidden.append(layers[-1].chunk(2, dim=1))
    place = changed + 1  # behind the begin mark
    for direction, reads in ((0, range(place, 7)), (1, range(place + 1))):
        moved = (hidden[0][direction] - hidden[1][direction]).abs().amax(dim=1) > 1e-7
        assert moved.nonzero().flatten().tolist() == list(reads)


def test_the_neighbour_is_the_target_in_both_directions(
    model: LanguageModel, batch: Batch, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[list[int]] = []

    def keep(hidden: Tensor, targets: Tensor) -> Tensor:
        asked.append(targets.tolist())
        return hidden.sum()

    monkeypatch.setattr(model, "_loss", keep)
    model(batch)
    packing = batch.packing
    in_sentences = []
    for targets, read, ends in zip(
        asked, (packing.forward, packing.backward), (batch.is_last, batch.is_first), strict=True
    ):
        positions = [i for i in read.tolist() if not ends[i]]
        in_sentences.append([target for _, target in sorted(zip(positions, targets, strict=True))])
    assert in_sentences == [
        [6, 4, 7, 4, 8, 1, 12, 1, 5, 9, 2, 1],  # each next word, then the end mark
        [0, 6, 4, 7, 4, 8, 0, 12, 0, 5, 9, 2],  # the begin mark, then each word before
    ]


@pytest.mark.parametrize("block", [1, 64, 1 << 21])
def test_cross_entropy_by_blocks_equals_the_plain_one(
    monkeypatch: pytest.MonkeyPatch, block: int
) -> None:
    monkeypatch.setattr(cross_entropy, "_LOGITS_PER_BLOCK", block)
    generator = torch.Generator().manual_seed(0)
    hidden, weight = (torch.randn(n, 6, generator=generator) for n in (11, 20))
    targets = torch.randint(20, (11,), generator=generator)
    results = []
    for function in (
        linear_cross_entropy,
        lambda h, w, t: F.cross_entropy(h @ w.T, t, reduction="sum"),
    ):
        h, w = hidden.clone().requires_grad_(), weight.clone().requires_grad_()
        loss = function(h, w, targets)
        (2 * loss).backward()
        results.append((loss, h.grad, w.grad))
    for found, expected in zip(*results, strict=True):
        assert torch.allclose(found, expected, atol=1e-4)


def test_cross_entropy_in_bfloat16_stays_close(model: LanguageModel, batch: Batch) -> None:
    expected = [loss.item() for loss in model(batch)[:2]]
    with torch.autocast("cpu", dtype=torch.bfloat16):
        found = model(batch)[:2]
    (found[0] + found[1]).backward()
    for a, b in zip(found, expected, strict=True):
        assert a.dtype == torch.float32
        assert a.item() == pytest.approx(b, rel=0.02)
    assert all(gradient.isfinite().all() for _, gradient in _gradients(model))


def test_a_batch_goes_on_where_the_one_before_ended(
    model: LanguageModel, vocabulary: Vocabulary
) -> None:
    """Two sentences in a row, with the states between them, are one sequence to the LSTMs."""
    make_batch = BatchMaker(WORDS, vocabulary, model.bilm.options)
    rows = [np.array(ids, dtype=np.int32) for ids in ([1, 2, 3], [4, 5], [6], [7, 8])]
    first, second = make_batch(rows[:2]), make_batch(rows[2:])
    *_, states = model(first)
    assert not any(part.requires_grad for layers in states for state in layers for part in state)
    losses = model(second, states)[:2]
    fresh = model(second)[:2]
    for found, without in zip(losses, fresh, strict=True):
        assert found.item() != pytest.approx(without.item(), abs=1e-6)
    for stream in (0, 1):
        batches = [make_batch([row]) for row in (rows[stream], rows[stream + 2])]
        *_, alone = model(batches[0])
        for layers, expected in zip(states, alone, strict=True):
            for state, one in zip(layers, expected, strict=True):
                assert torch.allclose(state.h[stream], one.h[0], atol=1e-6)
                assert torch.allclose(state.c[stream], one.c[0], atol=1e-6)
    sums = [
        sum(model(make_batch([rows[i + 2]]), model(make_batch([rows[i]]))[-1])[j] for i in (0, 1))
        for j in (0, 1)
    ]
    for found, expected in zip(losses, sums, strict=True):
        assert found.item() == pytest.approx(torch.as_tensor(expected).item(), abs=1e-4)
