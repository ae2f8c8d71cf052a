"""Settings made on a trained pipe stay, and labels it does not know yet are learned or named."""

import pickle

import numpy as np
import pytest
import spacy
from spacy.tokens import Doc, Span
from spacy.training import Example
from thinc.api import Linear

from spacy_elmo_ner.decoding import MISSING

from ..pipeline.conftest import annotation, make_examples

TEXT = "Mary Smith left Paris"


# ---- settings ----------------------------------------------------------------------------


def set_both(nlp):
    pipe = nlp.get_pipe("elmo_ner")
    pipe.threshold, pipe.alternatives = 0.99, None
    return pipe


def both(nlp):
    pipe = nlp.get_pipe("elmo_ner")
    return pipe.threshold, pipe.alternatives


@pytest.fixture
def nlp(make_nlp):
    return make_nlp("elmo_ner", steps=5)


def test_what_is_set_on_a_pipe_is_saved_with_the_pipeline(nlp, tmp_path):
    set_both(nlp)
    assert nlp.config["components"]["elmo_ner"]["threshold"] == 0.99
    nlp.to_disk(tmp_path / "nlp")
    assert both(spacy.load(tmp_path / "nlp")) == (0.99, None)
    copy = spacy.blank("en").from_config(nlp.config).from_bytes(nlp.to_bytes())
    assert both(copy) == both(pickle.loads(pickle.dumps(nlp))) == (0.99, None)
    again = spacy.load(tmp_path / "nlp")
    again.get_pipe("elmo_ner").threshold = 0.5
    again.to_disk(tmp_path / "again")
    assert both(spacy.load(tmp_path / "again")) == (0.5, None)


@pytest.mark.parametrize("threshold", [0.0, 0.5, 0.99])
def test_a_config_given_at_loading_wins(nlp, tmp_path, threshold):
    set_both(nlp)
    nlp.to_disk(tmp_path / "nlp")
    config = {"components": {"elmo_ner": {"threshold": threshold, "alternatives": 0.1}}}
    loaded = spacy.load(tmp_path / "nlp", config=config)
    assert both(loaded) == (threshold, 0.1)
    assert loaded.config["components"]["elmo_ner"]["threshold"] == threshold


def test_a_pipe_alone_carries_its_settings(nlp, make_nlp, tmp_path):
    pipe = set_both(nlp)
    pipe.to_disk(tmp_path / "pipe")
    for load in (
        lambda other: other.from_disk(tmp_path / "pipe"),
        lambda other: other.from_bytes(pipe.to_bytes()),
    ):
        other = make_nlp("elmo_ner")
        load(other.get_pipe("elmo_ner"))
        assert both(other) == (0.99, None)
        assert other.config["components"]["elmo_ner"]["threshold"] == 0.99


def test_a_number_is_saved_to_its_last_digit(nlp, tmp_path):
    """The JSON of srsly makes it 0.9500000000000001."""
    nlp.get_pipe("elmo_ner").threshold = 0.95
    nlp.to_disk(tmp_path / "nlp")
    loaded = spacy.load(tmp_path / "nlp")
    assert loaded.get_pipe("elmo_ner").threshold == 0.95
    assert loaded.config["components"]["elmo_ner"]["threshold"] == 0.95


def test_a_pipeline_that_is_loaded_into_again_has_what_was_saved(nlp, tmp_path):
    nlp.to_disk(tmp_path / "first")
    loaded = spacy.load(tmp_path / "first", config={"components": {"elmo_ner": {"threshold": 0.7}}})
    loaded.get_pipe("elmo_ner").threshold = 0.75
    loaded.to_disk(tmp_path / "second")
    for value, folder in ((0.75, "second"), (0.0, "first"), (0.75, "second")):
        loaded.from_disk(tmp_path / folder)
        assert loaded.get_pipe("elmo_ner").threshold == value
        assert loaded.config["components"]["elmo_ner"]["threshold"] == value


def test_a_sourced_pipe_keeps_what_is_set_later(nlp, tmp_path):
    other = spacy.blank("en")
    other.add_pipe("elmo_ner", source=nlp)
    set_both(other)
    other.to_disk(tmp_path / "nlp")
    assert both(spacy.load(tmp_path / "nlp")) == (0.99, None)


def test_a_pipeline_without_saved_settings_takes_those_of_its_config(nlp, tmp_path):
    """As 0.1.0 saved them."""
    pipe = nlp.get_pipe("elmo_ner")
    for name in ("threshold", "alternatives", "configured"):
        pipe.cfg.pop(name)
    nlp.to_disk(tmp_path / "nlp")
    assert both(spacy.load(tmp_path / "nlp")) == (0.0, 0.1)


@pytest.mark.parametrize("value", [3, -0.1, float("nan"), "0.5", True, None])
def test_a_threshold_out_of_range_is_refused_where_it_is_set(nlp, value):
    pipe = nlp.get_pipe("elmo_ner")
    with pytest.raises(ValueError, match=r"EL169.*threshold"):
        pipe.threshold = value
    assert pipe.threshold == 0.0
    for refused in (0, 1.5):
        with pytest.raises(ValueError, match=r"EL169.*alternatives"):
            pipe.alternatives = refused


def test_a_threshold_out_of_range_is_refused_in_a_config(nlp, tmp_path):
    with pytest.raises(ValueError, match=r"EL169.*threshold is 3"):
        spacy.blank("en").add_pipe("elmo_ner", config={"threshold": 3})


@pytest.mark.parametrize("value", [np.float32(0.5), np.float64(0.5), np.int64(1), np.float16(1)])
def test_numbers_of_numpy_are_numbers(nlp, value, tmp_path):
    pipe = nlp.get_pipe("elmo_ner")
    pipe.threshold = pipe.alternatives = value
    assert both(nlp) == (value, value) and type(pipe.threshold) is float
    nlp.to_disk(tmp_path / "nlp")
    assert both(spacy.load(tmp_path / "nlp")) == (value, value)


# Every setting of a pipe that is no part of its model, with another value than by default.
SETTINGS = {
    "elmo": {"keep_layers": True, "training_cache": 0.5},
    "elmo_tagger": {"overwrite": False, "label_smoothing": 0.1, "neg_prefix": "?"},
    "elmo_ner": {"overwrite": True, "threshold": 0.25, "alternatives": None},
}


def values(nlp):
    return {
        pipe: {name: getattr(nlp.get_pipe(pipe), name) for name in names}
        for pipe, names in SETTINGS.items()
    }


@pytest.fixture
def set_nlp(make_nlp):
    nlp = make_nlp(*SETTINGS, steps=20)
    for pipe, names in SETTINGS.items():
        for name, value in names.items():
            setattr(nlp.get_pipe(pipe), name, value)
    return nlp


def test_every_setting_of_every_pipe_is_saved(set_nlp, tmp_path):
    set_nlp.to_disk(tmp_path / "nlp")
    assert values(spacy.load(tmp_path / "nlp")) == SETTINGS
    copy = spacy.blank("en").from_config(set_nlp.config).from_bytes(set_nlp.to_bytes())
    assert values(copy) == values(pickle.loads(pickle.dumps(set_nlp))) == SETTINGS
    config = {"components": {"elmo_ner": {"overwrite": False}, "elmo": {"training_cache": 2.0}}}
    given = values(spacy.load(tmp_path / "nlp", config=config))
    assert given["elmo_ner"] == {**SETTINGS["elmo_ner"], "overwrite": False}
    assert given["elmo"] == {"keep_layers": True, "training_cache": 2.0}


def test_settings_act_from_the_moment_they_are_set(set_nlp):
    assert set_nlp(TEXT)._.elmo.shape == (3, 4, 4)
    doc = set_nlp.make_doc(TEXT)
    doc[0].tag_ = "XX"
    doc.ents = [Span(doc, 0, 4, "all")]
    doc = set_nlp(doc)
    assert doc[0].tag_ == "XX" and doc[1].tag_ in set_nlp.get_pipe("elmo_tagger").labels
    assert "all" not in [ent.label_ for ent in doc.ents]


@pytest.mark.parametrize(
    ("pipe", "name", "value"),
    [
        ("elmo", "keep_layers", "yes"),
        ("elmo", "training_cache", -1),
        ("elmo_tagger", "overwrite", None),
        ("elmo_tagger", "neg_prefix", None),
        ("elmo_ner", "overwrite", 1),
    ],
)
def test_a_setting_of_another_type_is_refused_where_it_is_set(make_nlp, pipe, name, value):
    nlp = make_nlp(pipe)
    before = getattr(nlp.get_pipe(pipe), name)
    with pytest.raises(ValueError, match=f"EL127. {name} of '{pipe}' is"):
        setattr(nlp.get_pipe(pipe), name, value)
    assert getattr(nlp.get_pipe(pipe), name) == before


def test_a_subclass_keeps_the_settings_it_inherits(nlp):
    pipe = nlp.get_pipe("elmo_ner")

    class Mine(type(pipe)):
        pass

    mine = Mine(nlp.vocab, pipe.model, "mine", threshold=0.5)
    data = mine.to_bytes()
    assert Mine(nlp.vocab, pipe.model, "mine").from_bytes(data).threshold == 0.5


# ---- labels ------------------------------------------------------------------------------


def new_examples(nlp):
    """An entity type and a tag that were not in training."""
    words = ["Mary", "won", "Wimbledon"]
    reference = Doc(nlp.vocab, words=words, tags=["NNP", "WON", "NNP"])
    reference.set_ents(
        [Span(reference, 0, 1, "per"), Span(reference, 2, 3, "eve")], default="outside"
    )
    return [Example(Doc(nlp.vocab, words=words), reference)]


@pytest.mark.parametrize(
    ("name", "decoder", "label"),
    [
        ("elmo_ner", "crf", "eve"),
        ("elmo_ner", "constrained", "eve"),
        ("elmo_tagger", "softmax", "WON"),
        ("elmo_tagger", "crf", "WON"),
    ],
)
def test_a_trained_pipe_learns_new_labels_and_keeps_its_scores(
    make_nlp, name, decoder, label, tmp_path
):
    nlp = make_nlp(name, decoder=decoder, steps=30)
    pipe = nlp.get_pipe(name)
    docs = [nlp.make_doc(TEXT), nlp.make_doc("")]
    n_old = pipe.n_classes
    optimizer = nlp.resume_training()
    nlp.update(make_examples(nlp), sgd=optimizer)  # the optimizer has state of the old size
    before, _ = pipe.predict_scores(docs)
    transitions = crf_parameters(pipe)
    assert pipe.add_label(label) == 1 and pipe.add_label(label) == 0
    after, _ = pipe.predict_scores(docs)
    np.testing.assert_allclose(after[:, :n_old], before, atol=1e-6)
    assert after.shape[1] == pipe.n_classes > n_old and not after[:, n_old:].any()
    for key, now in crf_parameters(pipe).items():
        old = tuple(slice(size) for size in transitions[key].shape)
        np.testing.assert_array_equal(now[old], transitions[key])
        now[old] = 0
        assert not now.any()
    for _ in range(60):
        nlp.update([*make_examples(nlp), *new_examples(nlp)], sgd=optimizer)
    assert label in str(annotation(nlp("Mary won Wimbledon")))
    nlp.to_disk(tmp_path / "nlp")
    loaded = spacy.load(tmp_path / "nlp")
    assert annotation(loaded("Mary won Wimbledon")) == annotation(nlp("Mary won Wimbledon"))


def crf_parameters(pipe):
    node = pipe.model.maybe_get_ref("crf")
    return {} if node is None else {name: node.get_param(name).copy() for name in node.param_names}


@pytest.mark.parametrize("name", ["elmo_ner", "elmo_tagger"])
def test_a_sourced_pipe_learns_labels_it_finds_in_the_examples(make_nlp, name):
    other = spacy.blank("en")
    other.add_pipe(name, source=make_nlp(name, steps=30))
    optimizer = other.resume_training()
    losses = {}
    other.update(new_examples(other), sgd=optimizer, losses=losses)
    assert losses[name] > 0.1
    new = {"elmo_ner": "eve", "elmo_tagger": "WON"}[name]
    assert new in other.get_pipe(name).labels


def test_labels_given_at_initialization_are_all(make_nlp):
    other = spacy.blank("en")
    model = make_nlp("elmo_ner").config["components"]["elmo_ner"]["model"]
    config = {"model": {"tok2vec": model["tok2vec"]}}
    given = other.add_pipe("elmo_ner", config=config)
    given.initialize(lambda: make_examples(other), nlp=other, labels=["per"])
    other.update(make_examples(other), sgd=other.resume_training())
    assert given.labels == ("per",)


def test_a_number_of_labels_fixed_by_the_config_is_kept(make_nlp):
    nlp = spacy.blank("en")
    pipe = nlp.add_pipe("elmo_ner", config={"model": {"nO": 3}})
    with pytest.raises(ValueError, match="E922"):
        pipe.add_label("per")


def test_bytes_without_the_vocab_can_be_used(make_nlp):
    nlp = make_nlp("elmo_tagger", "elmo_ner", steps=30)
    data = nlp.to_bytes(exclude=["vocab"])
    other = spacy.blank("en").from_config(nlp.config).from_bytes(data, exclude=["vocab"])
    assert annotation(other(TEXT)) == annotation(nlp(TEXT))


# ---- rehearsal, smoothing, negative tags -------------------------------------------------


@pytest.mark.parametrize(("name", "decoder"), [("elmo_ner", "crf"), ("elmo_tagger", "softmax")])
def test_rehearsal_brings_scores_back(make_nlp, name, decoder):
    nlp = make_nlp(name, decoder=decoder, steps=30)
    pipe = nlp.get_pipe(name)
    with pytest.raises(ValueError, match=r"EL126.*resume_training"):
        nlp.rehearse(make_examples(nlp))
    optimizer = nlp.resume_training()
    optimizer.learn_rate = 0.02
    text = nlp.make_doc("President John Smith met Reuters in Paris .")
    (before,) = pipe.predict_scores([text])
    for _ in range(10):
        nlp.update(new_examples(nlp), sgd=optimizer)
    (moved,) = pipe.predict_scores([text])
    examples = [Example(text.copy(), Doc(nlp.vocab, words=[t.text for t in text]))]
    losses = [nlp.rehearse(examples, sgd=optimizer, losses={})[name] for _ in range(40)]
    (after,) = pipe.predict_scores([text])
    n = before.shape[1]
    assert losses[-1] < losses[0]
    assert distance(after[:, :n], before) < 0.3 * distance(moved[:, :n], before)


def distance(a, b):
    """Of probabilities, as rehearsal measures it."""
    p, q = (np.exp(x) / np.exp(x).sum(axis=1, keepdims=True) for x in (a, b))
    return np.abs(p - q).sum()


def gradient(pipe, nlp, tags):
    words = [f"w{i}" for i in range(len(tags))]
    reference = Doc(nlp.vocab, words=words, tags=tags)
    example = Example(Doc(nlp.vocab, words=words), reference)
    scores = pipe.predict_scores([example.predicted])
    loss, (d_scores,) = pipe.get_loss([example], scores)
    return loss, d_scores, np.exp(scores[0]) / np.exp(scores[0]).sum(axis=1, keepdims=True)


def test_a_smoothed_tag_gives_its_share_to_the_others(make_nlp):
    nlp = make_nlp("elmo_tagger", steps=1)
    pipe = nlp.get_pipe("elmo_tagger")
    pipe.label_smoothing = 0.1
    _, found, p = gradient(pipe, nlp, ["NNP"])
    target = np.full(pipe.n_classes, 0.1 / (pipe.n_classes - 1))
    target[pipe.labels.index("NNP")] = 0.9
    np.testing.assert_allclose(found[0], p[0] - target, atol=1e-6)


def test_a_negative_tag_lowers_its_own_probability_alone(make_nlp):
    nlp = make_nlp("elmo_tagger", steps=1)
    pipe = nlp.get_pipe("elmo_tagger")
    loss, found, p = gradient(pipe, nlp, ["!NNP", ""])
    own = pipe.labels.index("NNP")
    assert loss == pytest.approx(-np.log(1 - p[0, own]), abs=1e-5)
    expected = -p[0] * p[0, own] / (1 - p[0, own])
    expected[own] = p[0, own]
    np.testing.assert_allclose(found[0], expected, atol=1e-6)
    assert not found[1].any() and "!NNP" not in pipe.labels
    nlp.update(make_examples(nlp), sgd=nlp.resume_training())
    assert "!NNP" not in pipe.labels


def test_negative_tags_are_no_labels_and_not_for_a_crf(make_nlp):
    nlp = make_nlp("elmo_tagger", decoder="crf", steps=1)
    pipe = nlp.get_pipe("elmo_tagger")
    with pytest.raises(ValueError, match=r"EL125.*'!NNP'"):
        gradient(pipe, nlp, ["!NNP"])
    examples = make_examples(nlp)
    examples[0].reference[0].tag_ = "!VBD"
    assert "!VBD" not in set(pipe.example_labels(examples[0]))
    assert pipe.gold_classes(examples[0])[0] == MISSING


@pytest.mark.parametrize(("decoder", "value"), [("softmax", 1.0), ("softmax", -0.1), ("crf", 0.1)])
def test_a_label_smoothing_out_of_range_is_refused(decoder, value):
    config = {"label_smoothing": value, "model": {"decoder": decoder}}
    with pytest.raises(ValueError, match=r"EL124.*label_smoothing"):
        spacy.blank("en").add_pipe("elmo_tagger", config=config)


def test_resizing_replaces_layers_by_new_ones(make_nlp):
    pipe = make_nlp("elmo_ner", steps=1).get_pipe("elmo_ner")
    old = pipe.model.get_ref("output_layer")
    pipe.add_label("eve")
    new = pipe.model.get_ref("output_layer")
    assert new.id != old.id and new.name == old.name and isinstance(new, type(Linear(1, 1)))
    assert pipe.model.get_dim("nO") == pipe.n_classes == new.get_dim("nO")


def test_a_label_that_cannot_be_one_leaves_the_pipe_as_it_was(make_nlp):
    nlp = make_nlp("elmo_ner")
    pipe = nlp.get_pipe("elmo_ner")
    labels, expected = pipe.labels, annotation(nlp(TEXT))
    with pytest.raises(ValueError, match="EL151"):
        pipe.add_label("")
    assert pipe.labels == labels
    assert annotation(nlp(TEXT)) == expected
