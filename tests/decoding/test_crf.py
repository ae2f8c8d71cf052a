from dataclasses import fields, replace
from itertools import pairwise

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from spacy_elmo_ner.decoding import (
    MISSING,
    BIOTransitions,
    FullTransitions,
    LabelScheme,
    crf_loss,
    crf_losses,
    viterbi,
)
from tests.decoding.brute_force import KINDS, Model, all_sequences, models

pytestmark = pytest.mark.filterwarnings("error")


@st.composite
def annotated(draw: st.DrawFn, kinds: list[str] = KINDS) -> tuple[Model, np.ndarray]:
    """A model and gold that its constraints allow, with some tokens not annotated."""
    model = draw(models(highest=5, kinds=kinds))
    shuffled = np.random.default_rng(draw(st.integers(0, 99))).normal(size=model.emissions.shape)
    # Some other model's best path is a valid sequence.
    gold, _ = viterbi(shuffled, model.lengths, model.transitions)
    is_missing = draw(st.lists(st.booleans(), min_size=len(gold), max_size=len(gold)))
    return model, np.where(np.asarray(is_missing, dtype=bool), MISSING, gold)


@settings(deadline=None, max_examples=50)
@given(annotated())
def test_the_loss_is_the_negative_log_likelihood_of_all_sequences_that_agree(example):
    model, gold = example
    result = crf_loss(model.emissions, model.lengths, gold, model.transitions)
    parts = np.split(gold, np.cumsum(model.lengths)[:-1])
    for doc, part, loss in zip(model.docs, parts, result.losses, strict=True):
        every = all_sequences(doc, model)
        agrees = ((every.ids == part) | (part == MISSING)).all(axis=1)
        expected = -np.log(every.probabilities[agrees].sum())
        np.testing.assert_allclose(loss, expected, rtol=1e-9, atol=1e-9)
    alone = crf_losses(model.emissions, model.lengths, gold, model.transitions)
    np.testing.assert_array_equal(alone, result.losses)


@settings(deadline=None, max_examples=40)
@given(annotated())
def test_gradients_equal_finite_differences(example):
    model, gold = example
    emissions = model.emissions.astype(np.float64)

    def loss(emissions, transitions):
        return crf_loss(emissions, model.lengths, gold, transitions).losses.sum()

    def changed(name, values):
        if name == "emissions":
            return loss(values, model.transitions)
        return loss(emissions, replace(model.transitions, **{name: values}))

    result = crf_loss(emissions, model.lengths, gold, model.transitions)
    gradients = {"emissions": result.d_emissions, **result.d_transitions}
    assert set(gradients) == {"emissions", *(one.name for one in fields(model.transitions))}
    step = 1e-4
    for name, gradient in gradients.items():
        values = emissions if name == "emissions" else getattr(model.transitions, name)
        assert gradient.shape == values.shape
        assert (gradient[values == -np.inf] == 0).all()
        for place in np.argwhere(np.isfinite(values)):
            at = tuple(place)
            losses = []
            for sign in (1, -1):
                moved = values.copy()
                moved[at] += sign * step
                losses.append(changed(name, moved))
            numeric = (losses[0] - losses[1]) / (2 * step)
            np.testing.assert_allclose(gradient[at], numeric, atol=1e-6, err_msg=f"{name} {at}")


@settings(deadline=None, max_examples=30)
@given(annotated(["full", "constrained"]))
def test_gradients_equal_autograd_of_the_brute_force_likelihood(example):
    model, gold = example
    learned = model.transitions
    emissions, transitions, start, end = (
        torch.tensor(np.asarray(values, dtype=np.float64), requires_grad=True)
        for values in (model.emissions, learned.between, learned.start, learned.end)
    )
    loss = torch.zeros((), dtype=torch.float64)
    offset = 0
    for doc in model.docs:
        scores, agrees = [], []
        for ids in all_sequences(doc, model).ids.tolist():
            if not ids:
                continue
            score = start[ids[0]] + end[ids[-1]]
            for t, label in enumerate(ids):
                score = score + emissions[offset + t, label]
            for before, after in pairwise(ids):
                score = score + transitions[before, after]
            if torch.isfinite(score):
                part = gold[offset : offset + len(ids)]
                scores.append(score)
                agrees.append(bool(((part == ids) | (part == MISSING)).all()))
        if scores:
            every = torch.stack(scores)
            loss = loss + every.logsumexp(0) - every[torch.tensor(agrees)].logsumexp(0)
        offset += len(doc)
    if loss.requires_grad:
        loss.backward()
    result = crf_loss(model.emissions, model.lengths, gold, model.transitions)
    np.testing.assert_allclose(result.losses.sum(), loss.item(), atol=1e-9)
    gradients = {"emissions": result.d_emissions, **result.d_transitions}
    parameters = {"emissions": emissions, "between": transitions, "start": start, "end": end}
    for name, values in parameters.items():
        expected = np.zeros(values.shape) if values.grad is None else values.grad.numpy()
        np.testing.assert_allclose(gradients[name], expected, atol=1e-9, err_msg=name)


def test_a_document_without_annotation_adds_nothing():
    rng = np.random.default_rng(0)
    transitions = FullTransitions(rng.normal(size=(3, 3)), rng.normal(size=3))
    transitions = LabelScheme(["geo"]).constrain(transitions)
    result = crf_loss(rng.normal(size=(4, 3)), [4], [MISSING] * 4, transitions)
    assert result.losses.tolist() == [0] and not result.d_emissions.any()
    assert not any(gradient.any() for gradient in result.d_transitions.values())


@pytest.mark.parametrize("nothing", [FullTransitions.zeros(5), BIOTransitions.zeros(2)])
def test_gradient_descent_learns_the_gold_labels(nothing):
    scheme = LabelScheme(["geo", "per"])
    gold = np.asarray([0, 1, 2, 0, 3, 3, 4])
    emissions, learned = np.zeros((7, 5)), nothing
    losses = []
    for _ in range(100):
        result = crf_loss(emissions, [4, 3], gold, scheme.constrain(learned))
        losses.append(result.losses.sum())
        emissions -= result.d_emissions
        steps = {name: getattr(learned, name) - d for name, d in result.d_transitions.items()}
        learned = replace(learned, **steps)
    assert losses[-1] < 0.05 < losses[0]
    ids, _ = viterbi(emissions, [4, 3], scheme.constrain(learned))
    assert ids.tolist() == gold.tolist()


def test_a_document_has_the_same_loss_and_gradient_alone_and_in_any_batch():
    rng = np.random.default_rng(0)
    transitions = FullTransitions(rng.normal(size=(5, 5)), np.zeros(5))
    transitions = LabelScheme(["geo", "per"]).constrain(transitions)
    docs = [rng.normal(size=(n, 5)).astype(np.float32) for n in (3, 0, 9, 1, 9, 4)]
    golds = [rng.integers(0, 2, size=len(doc)) for doc in docs]
    lengths = [len(doc) for doc in docs]
    together = crf_loss(np.concatenate(docs), lengths, np.concatenate(golds), transitions)
    gradients = np.split(together.d_emissions, np.cumsum(lengths)[:-1])
    for i, (doc, gold) in enumerate(zip(docs, golds, strict=True)):
        alone = crf_loss(doc, [len(doc)], gold, transitions)
        assert alone.losses[0] == together.losses[i]
        np.testing.assert_array_equal(alone.d_emissions, gradients[i])


def test_extreme_scores_give_finite_losses_and_gradients():
    emissions = np.random.default_rng(0).choice([-1e4, 1e4], size=(200, 3))
    result = crf_loss(emissions, [200], [0] * 200, LabelScheme(["geo"]).constrain())
    for values in (result.losses, result.d_emissions, *result.d_transitions.values()):
        assert np.isfinite(values).all()


@pytest.mark.parametrize("gold", [[0], [0, 3], [0, -2], [[0, 0]]])
def test_gold_that_is_no_label_is_refused(gold):
    with pytest.raises(ValueError, match="EL162"):
        crf_loss(np.zeros((2, 3)), [2], gold, LabelScheme(["geo"]).constrain())


def test_gold_that_breaks_the_constraints_is_named():
    with pytest.raises(ValueError, match=r"EL163.*document 1 "):
        crf_loss(np.zeros((3, 3)), [1, 2], [1, 0, 2], LabelScheme(["geo"]).constrain())


def test_a_document_without_possible_sequence_is_named():
    with pytest.raises(ValueError, match=r"EL158.*Document 0 "):
        crf_loss([[-np.inf, -np.inf]], [1], [0], FullTransitions.zeros(2))
