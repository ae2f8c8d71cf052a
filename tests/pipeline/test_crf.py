"""Both pipes with decoder = "crf": they learn whole sequences, and keep what they learn."""

import numpy as np
import pytest
import spacy
from spacy.tokens import Doc, Span
from spacy.training import Example
from thinc.api import Adam

from .conftest import annotation, make_examples

PIPES = ["elmo_ner", "elmo_tagger"]
TEXT = "Mary Smith met Reuters in Paris ."


def crf_node(pipe):
    return pipe.model.get_ref("crf")


@pytest.mark.parametrize("name", PIPES)
def test_it_learns_the_examples(make_nlp, name):
    nlp = make_nlp(name, decoder="crf", steps=100)
    scores = nlp.evaluate(make_examples(nlp))
    assert scores["ents_f" if name == "elmo_ner" else "tag_acc"] == 1.0
    for values in nlp.get_pipe(name).learned_transitions:
        assert values.any()


def test_transitions_that_bio_forbids_are_never_changed(make_nlp):
    pipe = make_nlp("elmo_ner", decoder="crf", steps=100).get_pipe("elmo_ner")
    learned, scheme = pipe.learned_transitions, pipe.scheme
    assert not learned.between[~scheme.allowed].any() and learned.between[scheme.allowed].any()
    assert not learned.start[~scheme.start_allowed].any()


@pytest.mark.parametrize("name", PIPES)
def test_probabilities_are_those_of_the_sequence(make_nlp, name):
    nlp = make_nlp(name, decoder="crf", steps=100)
    doc = nlp("Mary Smith left Paris")
    if name == "elmo_ner":
        assert [(e.start, e.end, e.label_) for e in doc.ents] == [(0, 2, "per"), (3, 4, "geo")]
        found = [ent._.confidence for ent in doc.ents]
    else:
        assert [token.tag_ for token in doc] == ["NNP", "NNP", "VBD", "NNP"]
        found = [token._.tag_confidence for token in doc]
    assert all(0.5 < one <= 1.0 for one in found)


@pytest.mark.parametrize("name", PIPES)
def test_the_transitions_are_saved_with_the_pipe(make_nlp, name, tmp_path):
    nlp = make_nlp(name, decoder="crf", steps=100)
    nlp.to_disk(tmp_path / "nlp")
    loaded = spacy.load(tmp_path / "nlp")
    saved, restored = (one.get_pipe(name).learned_transitions for one in (nlp, loaded))
    for before, after in zip(saved, restored, strict=True):
        np.testing.assert_array_equal(before, after)
    assert annotation(loaded(TEXT)) == annotation(nlp(TEXT))


@pytest.mark.parametrize("name", PIPES)
def test_averages_reach_the_transitions(make_nlp, name):
    nlp = make_nlp(name, decoder="crf", steps=100)
    node = crf_node(nlp.get_pipe(name))
    before = node.get_param("transitions").copy()
    averages = {(node.id, "transitions"): before + 1.0}
    with nlp.use_params(averages):
        np.testing.assert_array_equal(
            nlp.get_pipe(name).learned_transitions.between, averages[node.id, "transitions"]
        )
    np.testing.assert_array_equal(node.get_param("transitions"), before)


def test_an_optimizer_averages_the_transitions(make_nlp):
    nlp = make_nlp("elmo_ner", decoder="crf")
    optimizer = Adam(0.02, use_averages=True)
    for _ in range(3):
        nlp.update(make_examples(nlp), sgd=optimizer)
    node = crf_node(nlp.get_pipe("elmo_ner"))
    assert optimizer.averages[node.id, "transitions"].any()


@pytest.mark.parametrize("name", PIPES)
def test_gradients_are_those_of_the_loss(make_nlp, name):
    """Those of the scores are returned, those of the transitions kept for the optimizer."""
    nlp = make_nlp(name, decoder="crf", steps=100)
    pipe, examples = nlp.get_pipe(name), make_examples(nlp)
    node = crf_node(pipe)
    scores = [one.astype("float64") for one in pipe.predict_scores([e.x for e in examples])]
    _, gradient = pipe.get_loss(examples, scores)
    kept = {name: node.get_grad(name).copy() for name in ("transitions", "start", "end")}
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


@pytest.mark.parametrize("name", PIPES)
def test_empty_docs_pass(make_nlp, name):
    nlp = make_nlp(name, decoder="crf")
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
