"""The temperature: fitted on examples, kept, and the only thing that calibration changes."""

import math

import numpy as np
import pytest
import spacy
from spacy.tokens import Doc, Span
from spacy.training import Example

from spacy_elmo_ner.decoding import FullTransitions, log_softmax, viterbi
from spacy_elmo_ner.pipeline.temperature import ScoredBatch, calibrate, fit_temperature

from .conftest import annotation, make_examples


def wrong_examples(nlp):
    """What the pipe was trained on, half of it annotated otherwise: it can only be too sure."""
    examples = make_examples(nlp)
    for example in examples[::2]:
        reference = example.reference
        reference.set_ents([Span(reference, 0, 1, "org")], default="outside")
        for token in reference:
            token.tag_ = "NN"
    return examples


@pytest.mark.parametrize("name", ["elmo_ner", "elmo_tagger"])
@pytest.mark.parametrize("decoder", ["softmax", "crf"])
def test_a_pipe_that_is_too_sure_becomes_less_so_and_reads_the_same(make_nlp, name, decoder):
    nlp = make_nlp(name, decoder=decoder, steps=120)
    pipe = nlp.get_pipe(name)
    before = nlp("Mary Smith left Paris")
    found = pipe.calibrate(wrong_examples(nlp))
    assert found.temperature == pipe.temperature > 1.5
    assert found.after < found.before
    after = nlp("Mary Smith left Paris")
    assert [ent.label_ for ent in after.ents] == [ent.label_ for ent in before.ents]
    assert [token.tag_ for token in after] == [token.tag_ for token in before]
    if name == "elmo_ner":
        assert after.ents[0]._.confidence < before.ents[0]._.confidence
    else:
        assert after[0]._.tag_confidence < before[0]._.tag_confidence


def test_the_temperature_is_saved_and_training_anew_forgets_it(make_nlp, tmp_path):
    nlp = make_nlp("elmo_ner", steps=120)
    nlp.get_pipe("elmo_ner").calibrate(wrong_examples(nlp))
    nlp.to_disk(tmp_path / "nlp")
    loaded = spacy.load(tmp_path / "nlp")
    fitted = nlp.get_pipe("elmo_ner").temperature
    assert loaded.get_pipe("elmo_ner").temperature == pytest.approx(fitted)
    assert annotation(loaded("Mary left Paris")) == annotation(nlp("Mary left Paris"))
    fresh = make_nlp("elmo_ner")
    fresh.get_pipe("elmo_ner").cfg["temperature"] = 3.0
    fresh.initialize(lambda: make_examples(fresh))
    assert fresh.get_pipe("elmo_ner").temperature == 1.0


@pytest.mark.parametrize(
    "gold, temperature, problem",
    [("its own", 0.05, "always right"), ("never its own", 20.0, "no better than chance")],
)
def test_a_calibration_that_no_temperature_fits_says_so(make_nlp, gold, temperature, problem):
    nlp = make_nlp("elmo_tagger", decoder="softmax", steps=120)
    pipe = nlp.get_pipe("elmo_tagger")
    labels = list(pipe.labels)
    examples = make_examples(nlp)
    for example in examples:
        annotated = nlp(example.predicted.copy())
        for token, found in zip(example.reference, annotated, strict=True):
            at = labels.index(found.tag_) + (gold != "its own")
            token.tag_ = labels[at % len(labels)]
    with pytest.warns(UserWarning, match=f"WL104.*elmo_tagger.*{problem}"):
        found = pipe.calibrate(examples)
    assert found.temperature == pipe.temperature == pytest.approx(temperature, rel=0.01)


def test_sequences_drawn_at_a_temperature_give_it_back():
    """Gumbel noise on the scores of single labels draws from a chain without transitions."""
    rng = np.random.default_rng(0)
    emissions = rng.normal(0, 3, size=(30_000, 3)).astype(np.float32)
    noise = rng.gumbel(size=emissions.shape)
    gold, _ = viterbi(emissions / 2.0 + noise, [len(emissions)], FullTransitions.zeros(3))

    def without_transitions(temperature):
        return FullTransitions.zeros(3)

    batches = [
        ScoredBatch(part, [len(part)], labels)
        for part, labels in zip(np.split(emissions, 30), np.split(gold, 30), strict=True)
    ]
    assert calibrate(batches, without_transitions).temperature == pytest.approx(2.0, rel=0.05)
    assert calibrate(batches, None).temperature == pytest.approx(2.0, rel=0.05)


def test_examples_without_annotation_are_refused(make_nlp):
    nlp = make_nlp("elmo_ner")
    example = Example(Doc(nlp.vocab, words=["Mary"]), Doc(nlp.vocab, words=["Mary"]))
    with pytest.raises(ValueError, match=r"EL108. 'elmo_ner'"):
        nlp.get_pipe("elmo_ner").calibrate([example])


@pytest.mark.parametrize("lowest", [0.06, 0.5, 1.0, 3.0, 19.0])
def test_the_lowest_point_is_found_within_a_thousandth(lowest):
    calls = []

    def loss(temperature):
        calls.append(temperature)
        return (math.log(temperature) - math.log(lowest)) ** 2

    assert fit_temperature(loss) == pytest.approx(lowest, rel=1e-3)
    assert len(calls) == 21


def test_scores_that_are_too_sure_by_a_factor_give_that_factor():
    rng = np.random.default_rng(0)
    honest = rng.normal(0, 2, size=(20_000, 5))
    p = np.exp(log_softmax(honest))
    gold = (p.cumsum(axis=1) > rng.random((len(p), 1))).argmax(axis=1)

    def loss(temperature):
        return -log_softmax(1.6 * honest / temperature)[np.arange(len(gold)), gold].mean()

    assert fit_temperature(loss) == pytest.approx(1.6, rel=0.03)
