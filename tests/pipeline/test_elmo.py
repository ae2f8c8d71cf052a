"""The shared pipe: who listens, what is kept, and where gradients go."""

import gc

import numpy as np
import pytest
import spacy
from spacy.tokens import Doc, Span
from spacy.training import Example

from spacy_elmo_ner.layers.bilm_layer import bilm_shim

from .conftest import annotation, make_examples

ALL = ("elmo", "elmo_tagger", "elmo_ner")


def mixes(nlp):
    return [nlp.get_pipe(name).model.get_ref("tok2vec").layers[1] for name in ALL[1:]]


@pytest.mark.parametrize("listener", [False, True])
def test_later_pipes_listen_to_elmo(make_nlp, listener):
    nlp = make_nlp(*ALL, listener=listener)
    assert nlp.get_pipe("elmo").listening_components == ["elmo_tagger", "elmo_ner"]


def test_the_bilm_runs_once_for_all_pipes(make_nlp, monkeypatch):
    nlp = make_nlp(*ALL)
    calls = []
    shim = bilm_shim(nlp.get_pipe("elmo").model)
    compute = shim.bilm.iter_layers
    monkeypatch.setattr(
        shim.bilm,
        "iter_layers",
        lambda words, **kw: (calls.append(len(words)), compute(words, **kw))[1],
    )
    list(nlp.pipe(["Mary left .", "Nothing there"]))
    assert calls == [2]


def test_listening_changes_nothing_but_the_time(make_nlp):
    nlp = make_nlp(*ALL, steps=10)
    shared = annotation(nlp("Mary Smith met Reuters"))
    with nlp.select_pipes(disable=["elmo"]):
        assert annotation(nlp("Mary Smith met Reuters")) == shared
    nlp.remove_pipe("elmo")
    assert annotation(nlp("Mary Smith met Reuters")) == shared


def test_an_elmo_of_other_weights_is_not_listened_to(make_nlp, make_bilm, tmp_path):
    nlp = make_nlp("elmo_ner", steps=3)
    expected = annotation(nlp("Mary Smith left"))
    make_bilm(seed=7).to_disk(tmp_path / "other")
    nlp.add_pipe("elmo", first=True, config={"model": {"name": str(tmp_path / "other")}})
    assert nlp.get_pipe("elmo").listening_components == []
    assert annotation(nlp("Mary Smith left")) == expected


def test_a_listener_of_another_width_is_refused(make_nlp):
    nlp = make_nlp("elmo")
    tok2vec = {"@architectures": "spacy_elmo_ner.ElmoListener.v1", "width": 5}
    with pytest.raises(ValueError, match=r"EL104.*width 5.*width 4"):
        nlp.add_pipe("elmo_ner", config={"model": {"tok2vec": tok2vec}})


@pytest.mark.parametrize("version", [1, 2])
@pytest.mark.parametrize("n_layers", [2, 5, -1])
def test_a_listener_to_another_number_of_layers_is_refused(make_nlp, version, n_layers):
    nlp = make_nlp("elmo")
    name = f"spacy_elmo_ner.ElmoListener.v{version}"
    tok2vec = {"@architectures": name, "width": 4, "n_layers": n_layers}
    nlp.add_pipe("elmo_ner", config={"model": {"tok2vec": tok2vec}})
    doc = nlp.make_doc("Mary left")
    doc.set_ents([Span(doc, 0, 1, "PER")])
    with pytest.raises(ValueError, match=rf"EL129.*{n_layers} layers.*has 3"):
        nlp.initialize(lambda: [Example(doc, doc)])


def test_layers_go_when_all_have_read_them(make_nlp):
    nlp = make_nlp(*ALL)
    docs = list(nlp.pipe(["Mary left .", "Nothing there"]))
    assert len(docs) == 2 and not nlp.get_pipe("elmo")._kept


def test_layers_never_outlive_their_doc(make_nlp):
    nlp = make_nlp(*ALL)
    with nlp.select_pipes(disable=["elmo_ner"]):
        doc = nlp("Mary left .")
        assert len(nlp.get_pipe("elmo")._kept) == 1
        del doc
        gc.collect()
        assert not nlp.get_pipe("elmo")._kept


def test_layers_are_kept_on_the_doc_when_asked(make_nlp, tiny_bilm):
    nlp = make_nlp("elmo", keep_layers=True)
    doc = nlp("Mary left Paris")
    (expected,) = tiny_bilm.embed([["Mary", "left", "Paris"]])
    np.testing.assert_allclose(doc._.elmo, expected, atol=1e-6)
    assert make_nlp("elmo")("Mary left")._.elmo is None


def test_merged_tokens_are_embedded_again(make_nlp):
    nlp = make_nlp(*ALL, steps=3)
    nlp.add_pipe("merge_entities", after="elmo")
    ruler = nlp.add_pipe("entity_ruler", after="elmo")
    ruler.add_patterns([{"label": "per", "pattern": "Mary Smith"}])
    doc = nlp("Mary Smith left")
    assert [token.text for token in doc] == ["Mary Smith", "left"]


def test_a_doc_is_embedded_the_same_in_any_batch_through_the_pipeline(make_nlp):
    nlp = make_nlp("elmo", keep_layers=True)
    texts = ["Mary left", "", "Nothing happened there today .", "a", "Paris \n\n is far"] * 13
    alone = [nlp(text)._.elmo for text in texts]
    for batch_size in (1, 7, 64):
        for doc, expected in zip(nlp.pipe(texts, batch_size=batch_size), alone, strict=True):
            np.testing.assert_allclose(doc._.elmo, expected, atol=1e-5)
    np.testing.assert_array_equal(nlp(texts[0])._.elmo, nlp(texts[0])._.elmo)


@pytest.mark.parametrize("version", [1, 2])
@pytest.mark.parametrize("listener", [False, True])
def test_replace_listeners_keeps_every_answer(make_nlp, listener, version, tmp_path):
    nlp = make_nlp(*ALL, steps=10, listener=listener, version=version)
    expected = annotation(nlp("Mary Smith met Reuters in Paris"))
    for name in ALL[1:]:
        nlp.replace_listeners("elmo", name, ["model.tok2vec"])
    assert nlp.get_pipe("elmo").listening_components == []
    assert annotation(nlp("Mary Smith met Reuters in Paris")) == expected
    nlp.to_disk(tmp_path / "replaced")
    loaded = spacy.load(tmp_path / "replaced", exclude=["elmo"])
    assert annotation(loaded("Mary Smith met Reuters in Paris")) == expected


@pytest.mark.parametrize("path", ["model.tok2vec.elmo", "model.tok2vec"])
@pytest.mark.parametrize(
    "listener",
    [
        {"@architectures": "spacy_elmo_ner.ElmoListener.v1", "width": 4},
        {"@architectures": "spacy_elmo_ner.ElmoListener.v2", "width": 4},
        {"@architectures": "spacy_elmo_ner.ElmoListener.v2", "width": 4, "combine": "mix"},
    ],
    ids=["v1", "v2", "v2, mix"],
)
def test_a_listener_inside_a_concat_is_replaced(make_nlp, listener, path, tmp_path):
    nlp = make_nlp("elmo")
    embed = {
        "@architectures": "spacy.MultiHashEmbed.v2",
        "width": 6,
        "attrs": ["NORM"],
        "rows": [50],
        "include_static_vectors": False,
    }
    concat = {"@architectures": "spacy_elmo_ner.ElmoConcat.v1", "elmo": listener, "embed": embed}
    nlp.add_pipe("elmo_ner", config={"model": {"tok2vec": concat, "encoder": {"units": 4}}})
    nlp.initialize(lambda: make_examples(nlp))
    expected = annotation(nlp("Mary Smith left Paris"))
    nlp.replace_listeners("elmo", "elmo_ner", [path])
    nlp.to_disk(tmp_path / "nlp")
    loaded = spacy.load(tmp_path / "nlp", exclude=["elmo"])
    assert annotation(loaded("Mary Smith left Paris")) == expected
    replaced = loaded.config["components"]["elmo_ner"]["model"]["tok2vec"]["elmo"]
    assert replaced["@architectures"] == listener["@architectures"].replace("Listener", "Tok2Vec")


def test_sourced_pipes_answer_as_at_home(make_nlp):
    nlp = make_nlp(*ALL, steps=10, listener=True)
    expected = annotation(nlp("Mary Smith left Paris"))
    other = spacy.blank("en")
    for name in ALL:
        other.add_pipe(name, source=nlp)
    assert annotation(other("Mary Smith left Paris")) == expected


def test_spacys_own_pipes_can_listen(make_nlp):
    nlp = make_nlp("elmo")
    listener = {"@architectures": "spacy_elmo_ner.ElmoListener.v1", "width": 4}
    nlp.add_pipe("tagger", config={"model": {"tok2vec": listener}})
    optimizer = nlp.initialize(lambda: make_examples(nlp))
    nlp.update(make_examples(nlp), sgd=optimizer)
    assert all(token.tag_ for token in nlp("Mary left Paris"))
    assert nlp.get_pipe("elmo").listening_components == ["tagger"]


# ---- training ----------------------------------------------------------------------------


def bilm_weights(nlp):
    shim = bilm_shim(nlp.get_pipe("elmo").model)
    return {name: value.clone() for name, value in shim.bilm.state_dict().items()}


def changed(before, after) -> bool:
    return any((before[name] != after[name]).any() for name in before)


def test_a_frozen_bilm_is_not_changed_by_training_and_every_mix_learns(make_nlp):
    nlp = make_nlp(*ALL, listener=True)
    before = bilm_weights(nlp)
    mixes_before = [mix.get_param("weights").copy() for mix in mixes(nlp)]
    nlp.update(make_examples(nlp), sgd=nlp.resume_training())
    assert not changed(before, bilm_weights(nlp))
    for mix, old in zip(mixes(nlp), mixes_before, strict=True):
        assert (mix.get_param("weights") != old).any()


@pytest.mark.parametrize("disabled", [[], ["elmo_ner"], ["elmo_tagger"]])
def test_a_trainable_bilm_learns_from_whichever_pipes_are_enabled(make_nlp, disabled):
    nlp = make_nlp(*ALL, listener=True, trainable=True)
    before = bilm_weights(nlp)
    optimizer = nlp.resume_training()
    with nlp.select_pipes(disable=disabled):
        losses = {}
        nlp.update(make_examples(nlp), sgd=False, losses=losses)
        for _, pipe in nlp.pipeline:
            pipe.finish_update(optimizer)
    assert changed(before, bilm_weights(nlp)) and losses["elmo"] == 0.0


def test_gradients_of_all_listeners_add_up(make_nlp):
    nlp = make_nlp(*ALL, listener=True, trainable=True)
    elmo = nlp.get_pipe("elmo")

    def gradient(disable):
        with nlp.select_pipes(disable=disable):
            nlp.update(make_examples(nlp), sgd=False)
        elmo._backpropagate()
        bilm = bilm_shim(elmo.model).bilm
        found = bilm.char_cnn.projection.weight.grad.clone()
        bilm.zero_grad()
        return found.numpy()

    together = gradient([])
    np.testing.assert_allclose(
        together, gradient(["elmo_ner"]) + gradient(["elmo_tagger"]), rtol=2e-2, atol=1e-5
    )


def test_updates_with_an_optimizer_reach_the_bilm_by_the_next_one(make_nlp):
    nlp = make_nlp(*ALL, listener=True, trainable=True)
    before = bilm_weights(nlp)
    optimizer = nlp.resume_training()
    for _ in range(2):
        nlp.update(make_examples(nlp), sgd=optimizer)
    assert changed(before, bilm_weights(nlp))


def test_a_bilm_trained_further_is_saved_with_the_pipeline(make_nlp, tmp_path):
    nlp = make_nlp(*ALL, steps=5, trainable=True, listener=True)
    expected = annotation(nlp("Mary Smith left Paris"))
    nlp.to_disk(tmp_path / "tuned")
    loaded = spacy.load(tmp_path / "tuned")
    assert annotation(loaded("Mary Smith left Paris")) == expected


def test_averaged_weights_are_used_between_updates_of_a_trainable_bilm(make_nlp):
    nlp = make_nlp(*ALL, listener=True, trainable=True)
    optimizer = nlp.resume_training()
    optimizer.averages = {}
    examples, text = make_examples(nlp), "Mary Smith left Paris"
    for _ in range(3):
        nlp.update(examples, sgd=optimizer)
        own = annotation(nlp(text))
        with nlp.use_params(optimizer.averages):
            averaged = annotation(nlp(text))
        assert annotation(nlp(text)) == own
    assert averaged != own


def test_a_frozen_component_and_an_annotating_one_train_on(make_nlp):
    nlp = make_nlp(*ALL, listener=True)
    before = [mix.get_param("weights").copy() for mix in mixes(nlp)]
    optimizer = nlp.resume_training()
    examples = make_examples(nlp)
    nlp.update(examples, sgd=optimizer, exclude=["elmo", "elmo_tagger"], annotates=["elmo"])
    after = [mix.get_param("weights") for mix in mixes(nlp)]
    assert (after[0] == before[0]).all() and (after[1] != before[1]).any()


def test_elmo_has_no_labels(make_nlp):
    with pytest.raises(NotImplementedError, match="EL105"):
        make_nlp("elmo").get_pipe("elmo").add_label("per")


def test_no_docs_and_empty_docs_pass(make_nlp):
    nlp = make_nlp(*ALL)
    assert list(nlp.pipe([])) == []
    assert len(nlp("")) == 0 and len(nlp(Doc(nlp.vocab))) == 0


def test_layers_from_before_a_step_of_training_are_not_read(make_nlp):
    nlp = make_nlp("elmo", "elmo_ner", steps=3, listener=True, trainable=True)
    doc = nlp.get_pipe("elmo")(nlp.make_doc("Mary Smith left Paris"))
    nlp.update(make_examples(nlp), sgd=nlp.resume_training())
    nlp.update(make_examples(nlp), sgd=nlp.resume_training())
    scores = nlp.get_pipe("elmo_ner").predict_scores([doc])[0]
    fresh = nlp.get_pipe("elmo_ner").predict_scores([nlp.make_doc("Mary Smith left Paris")])[0]
    np.testing.assert_array_equal(scores, fresh)
