"""Both pipes with decoder = "crf": they learn whole sequences, and keep what they learn."""

from dataclasses import fields

import numpy as np
import pytest
import spacy
from spacy.tokens import Doc, Span
from spacy.training import Example
from thinc.api import Adam

from .conftest import annotation, make_examples

HEADS = [("elmo_ner", "full"), ("elmo_ner", "structured"), ("elmo_tagger", "full")]
PIPES = pytest.mark.parametrize(("name", "transitions"), HEADS)
TEXT = "Mary Smith met Reuters in Paris ."


def crf_node(pipe):
    return pipe.model.get_ref("crf")


def parameters_of(pipe):
    node = crf_node(pipe)
    return {name: node.get_param(name).copy() for name in node.param_names}


@PIPES
def test_it_learns_the_examples(make_nlp, name, transitions):
    nlp = make_nlp(name, decoder="crf", transitions=transitions, steps=100)
    scores = nlp.evaluate(make_examples(nlp))
    assert scores["ents_f" if name == "elmo_ner" else "tag_acc"] == 1.0
    for values in parameters_of(nlp.get_pipe(name)).values():
        assert values.any()


def test_transitions_that_bio_forbids_are_never_changed(make_nlp):
    pipe = make_nlp("elmo_ner", decoder="crf", transitions="full", steps=100).get_pipe("elmo_ner")
    learned, scheme = pipe.learned_transitions, pipe.scheme
    assert not learned.between[~scheme.allowed].any() and learned.between[scheme.allowed].any()
    assert not learned.start[~scheme.start_allowed].any()


@PIPES
def test_probabilities_are_those_of_the_sequence(make_nlp, name, transitions):
    nlp = make_nlp(name, decoder="crf", transitions=transitions, steps=100)
    doc = nlp("Mary Smith left Paris")
    if name == "elmo_ner":
        assert [(e.start, e.end, e.label_) for e in doc.ents] == [(0, 2, "per"), (3, 4, "geo")]
        found = [ent._.confidence for ent in doc.ents]
    else:
        assert [token.tag_ for token in doc] == ["NNP", "NNP", "VBD", "NNP"]
        found = [token._.tag_confidence for token in doc]
    assert all(0.5 < one <= 1.0 for one in found)


@PIPES
def test_the_transitions_are_saved_with_the_pipe(make_nlp, name, transitions, tmp_path):
    nlp = make_nlp(name, decoder="crf", transitions=transitions, steps=100)
    nlp.to_disk(tmp_path / "nlp")
    loaded = spacy.load(tmp_path / "nlp")
    saved, restored = (parameters_of(one.get_pipe(name)) for one in (nlp, loaded))
    np.testing.assert_equal(restored, saved)
    assert annotation(loaded(TEXT)) == annotation(nlp(TEXT))


@PIPES
def test_averages_reach_the_transitions(make_nlp, name, transitions):
    nlp = make_nlp(name, decoder="crf", transitions=transitions, steps=100)
    pipe = nlp.get_pipe(name)
    node, before = crf_node(pipe), pipe.learned_transitions
    averages = {(node.id, key): value + 1.0 for key, value in parameters_of(pipe).items()}
    with nlp.use_params(averages):
        averaged = pipe.learned_transitions
    for field in fields(before):
        values = getattr(before, field.name)
        np.testing.assert_allclose(getattr(averaged, field.name), values + 1.0, rtol=1e-6)
        np.testing.assert_array_equal(getattr(pipe.learned_transitions, field.name), values)


def test_an_optimizer_averages_the_transitions(make_nlp):
    nlp = make_nlp("elmo_ner", decoder="crf")
    optimizer = Adam(0.02, use_averages=True)
    for _ in range(3):
        nlp.update(make_examples(nlp), sgd=optimizer)
    node = crf_node(nlp.get_pipe("elmo_ner"))
    for key in node.param_names:
        assert optimizer.averages[node.id, key].any(), key


@PIPES
def test_gradients_are_those_of_the_loss(make_nlp, name, transitions):
    """Those of the scores are returned, those of the transitions kept by the model's backprop."""
    nlp = make_nlp(name, decoder="crf", transitions=transitions, steps=100)
    pipe, examples = nlp.get_pipe(name), make_examples(nlp)
    node = crf_node(pipe)
    scores, backprop = pipe.model.begin_update([e.x for e in examples])
    pipe.get_loss(examples, scores)  # one more look at the loss changes no gradient
    _, gradient = pipe.get_loss(examples, scores)
    assert not any(node.has_grad(name) for name in node.param_names)
    backprop(gradient)
    kept = {name: node.get_grad(name).copy() for name in node.param_names}
    scores = [one.astype("float64") for one in scores]
    step = 1e-3

    def slope(values, index):
        losses = []
        for sign in (1, -1):
            values[index] += sign * step
            losses.append(pipe.get_loss(examples, scores)[0])
            values[index] -= sign * step
        return (losses[0] - losses[1]) / (2 * step)

    for index in [(0, 0), (3, 2), (6, 1)]:
        assert gradient[0][index] == pytest.approx(slope(scores[0], index), abs=1e-5)
    for parameter, gradients in kept.items():
        values = node.get_param(parameter)
        for index in [(0,) * values.ndim, (1,) * values.ndim, (*[0] * (values.ndim - 1), 1)]:
            expected = slope(values, index)
            assert gradients[index] == pytest.approx(expected, abs=1e-5), (parameter, index)


def test_tokens_without_annotation_are_summed_over(make_nlp):
    nlp = make_nlp("elmo_ner", decoder="crf")
    pipe = nlp.get_pipe("elmo_ner")
    words = ["Mary", "Smith", "left", "Paris"]
    unannotated = Example(Doc(nlp.vocab, words=words), Doc(nlp.vocab, words=words))
    loss, gradient = pipe.get_loss([unannotated], pipe.predict_scores([unannotated.x]))
    assert loss == 0.0 and not gradient[0].any()

    reference = Doc(nlp.vocab, words=words)
    reference.set_ents([Span(reference, 3, 4, "geo")], missing=[reference[0:3]])
    partial = Example(Doc(nlp.vocab, words=words), reference)
    optimizer = nlp.resume_training()
    optimizer.learn_rate = 0.02
    losses = [nlp.update([partial], sgd=optimizer)["elmo_ner"] for _ in range(30)]
    assert losses[-1] < 0.1 < losses[0]


@PIPES
def test_empty_docs_pass(make_nlp, name, transitions):
    nlp = make_nlp(name, decoder="crf", transitions=transitions)
    assert [len(doc) for doc in nlp.pipe(["", "Mary", ""])] == [0, 1, 0]
    empty = Example(Doc(nlp.vocab), Doc(nlp.vocab))
    full = make_examples(nlp)[0]
    assert nlp.update([empty, full], sgd=nlp.resume_training())[name] > 0


def test_a_tagger_does_not_take_the_decoder_of_entities():
    with pytest.raises(ValueError, match=r"EL109.*'elmo_tagger' is 'constrained'"):
        spacy.blank("en").add_pipe("elmo_tagger", config={"model": {"decoder": "constrained"}})


@pytest.mark.parametrize(("saved", "config"), [("crf", "constrained"), ("constrained", "crf")])
def test_a_pipe_is_not_loaded_with_a_decoder_it_was_not_trained_with(
    make_nlp, tmp_path, saved, config
):
    make_nlp("elmo_ner", decoder=saved).to_disk(tmp_path / "nlp")
    changed = {"components": {"elmo_ner": {"model": {"decoder": config}}}}
    with pytest.raises(ValueError, match=rf"EL110.*nlp/elmo_ner.*{saved}.*{config}"):
        spacy.load(tmp_path / "nlp", config=changed)


@pytest.mark.parametrize(("saved", "config"), [("full", "structured"), ("structured", "full")])
def test_a_pipe_is_not_loaded_with_transitions_it_was_not_trained_with(
    make_nlp, tmp_path, saved, config
):
    make_nlp("elmo_ner", decoder="crf", transitions=saved).to_disk(tmp_path / "nlp")
    changed = {"components": {"elmo_ner": {"model": {"transitions": config}}}}
    with pytest.raises(ValueError, match=rf"EL141.*nlp/elmo_ner.*'{saved}'.*'{config}'"):
        spacy.load(tmp_path / "nlp", config=changed)


def test_a_tagger_does_not_take_the_transitions_of_entities():
    model = {"decoder": "crf", "transitions": "structured"}
    with pytest.raises(ValueError, match=r"EL142.*'elmo_tagger' are 'structured'"):
        spacy.blank("en").add_pipe("elmo_tagger", config={"model": model})
