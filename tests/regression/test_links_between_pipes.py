"""What is done to pipes that listen to one another works, or is refused there and then."""

import copy
import gc
import pickle
import warnings

import numpy as np
import pytest
import spacy
import torch

from spacy_elmo_ner.elmo import BiLM
from spacy_elmo_ner.layers.bilm_layer import bilm_shim

from ..pipeline.conftest import annotation, make_examples

ALL = ("elmo", "elmo_tagger", "elmo_ner")
TEXT = "Mary Smith met Reuters in Paris"


@pytest.fixture(params=["listener", "elmo_tok2vec"])
def nlp(request, make_nlp):
    return make_nlp(*ALL, steps=10, listener=request.param == "listener")


@pytest.fixture
def concat_nlp(make_nlp):
    """Its listener is deeper in the config than [model.tok2vec]."""
    nlp = make_nlp("elmo")
    listener = {"@architectures": "spacy_elmo_ner.ElmoListener.v1", "width": 4}
    embed = {
        "@architectures": "spacy_elmo_ner.DistinctHashEmbed.v1",
        "width": 6,
        "attrs": ["NORM"],
        "rows": [50],
    }
    concat = {"@architectures": "spacy_elmo_ner.ElmoConcat.v1", "elmo": listener, "embed": embed}
    for name in ALL[1:]:
        model = {"tok2vec": concat, "encoder": {"units": 4}}
        nlp.add_pipe(name, config={"model": model})
    nlp.initialize(lambda: make_examples(nlp))
    return nlp


@pytest.mark.parametrize("way", [copy.deepcopy, lambda nlp: pickle.loads(pickle.dumps(nlp))])
def test_a_copy_answers_without_the_original(nlp, way):
    expected = annotation(nlp(TEXT))
    other = way(nlp)
    assert other.get_pipe("elmo").listening_components == list(ALL[1:])
    if way is copy.deepcopy:
        first, second = (bilm_shim(each.get_pipe("elmo").model) for each in (nlp, other))
        assert first.bilm is second.bilm
    del nlp
    gc.collect()
    assert annotation(other(TEXT)) == expected


def test_a_copy_of_a_pipeline_trains_apart_from_it(make_nlp):
    nlp = make_nlp(*ALL, listener=True, trainable=True)
    other = copy.deepcopy(nlp)
    before = annotation(nlp(TEXT))
    optimizer = other.resume_training()
    for _ in range(3):
        other.update(make_examples(other), sgd=optimizer)
    assert annotation(nlp(TEXT)) == before != annotation(other(TEXT))


@pytest.mark.parametrize("path", ["model.tok2vec", "model.tok2vec.elmo"])
def test_replaced_listeners_need_no_elmo_any_more(concat_nlp, path, tmp_path):
    nlp = concat_nlp
    expected = annotation(nlp(TEXT))
    for name in ALL[1:]:
        nlp.replace_listeners("elmo", name, [path])
    nlp.remove_pipe("elmo")
    assert annotation(nlp(TEXT)) == expected
    nlp.to_disk(tmp_path / "nlp")
    assert annotation(spacy.load(tmp_path / "nlp")(TEXT)) == expected


def test_a_path_that_does_not_say_which_listener_is_refused(make_nlp, tmp_path):
    nlp = make_nlp("elmo")
    listener = {"@architectures": "spacy_elmo_ner.ElmoListener.v1", "width": 4}
    two = {"@architectures": "spacy_elmo_ner.ElmoConcat.v1", "elmo": listener, "embed": listener}
    nlp.add_pipe("elmo_ner", config={"model": {"tok2vec": two, "encoder": {"units": 4}}})
    nlp.initialize(lambda: make_examples(nlp))
    expected, before = annotation(nlp(TEXT)), nlp.config.to_str()
    with pytest.raises(ValueError, match=r"EL122.*model\.tok2vec\.elmo, model\.tok2vec\.embed"):
        nlp.replace_listeners("elmo", "elmo_ner", ["model.tok2vec", "model.tok2vec"])
    assert nlp.config.to_str() == before
    # As the message says:
    nlp.replace_listeners("elmo", "elmo_ner", ["model.tok2vec.elmo", "model.tok2vec.embed"])
    nlp.remove_pipe("elmo")
    nlp.to_disk(tmp_path / "nlp")
    assert annotation(spacy.load(tmp_path / "nlp")(TEXT)) == expected


def test_replaced_listeners_keep_a_trained_bilm(make_nlp, tmp_path):
    nlp = make_nlp(*ALL, steps=5, listener=True, trainable=True)
    expected = annotation(nlp(TEXT))
    for name in ALL[1:]:
        nlp.replace_listeners("elmo", name, ["model.tok2vec"])
    nlp.remove_pipe("elmo")
    nlp.to_disk(tmp_path / "nlp")
    loaded = spacy.load(tmp_path / "nlp")
    assert annotation(loaded(TEXT)) == expected
    assert loaded.config["components"]["elmo_ner"]["model"]["tok2vec"]["trainable"]


def test_a_renamed_elmo_is_still_listened_to(nlp, tmp_path):
    expected = annotation(nlp(TEXT))
    nlp.rename_pipe("elmo", "embeddings")
    assert nlp.get_pipe("embeddings").listening_components == list(ALL[1:])
    nlp.to_disk(tmp_path / "nlp")
    loaded = spacy.load(tmp_path / "nlp")
    assert loaded.pipe_names[0] == "embeddings"
    assert annotation(loaded(TEXT)) == annotation(nlp(TEXT)) == expected


def test_a_renamed_listener_can_be_replaced(nlp, tmp_path):
    expected = annotation(nlp(TEXT))
    nlp.rename_pipe("elmo_ner", "entities")
    assert nlp.get_pipe("elmo").listening_components == ["elmo_tagger", "entities"]
    nlp.replace_listeners("elmo", "entities", ["model.tok2vec"])
    nlp.to_disk(tmp_path / "nlp")
    assert annotation(spacy.load(tmp_path / "nlp")(TEXT)) == expected


def test_a_listener_sourced_alone_is_refused(make_nlp):
    nlp = make_nlp(*ALL, steps=10, listener=True)
    with pytest.raises(ValueError, match=r"EL120.*'elmo_ner'.*'elmo'.*replace_listeners"):
        spacy.blank("en").add_pipe("elmo_ner", source=nlp)
    # As the message says:
    nlp.replace_listeners("elmo", "elmo_ner", ["model.tok2vec"])
    expected = annotation(nlp(TEXT))[0]
    other = spacy.blank("en")
    other.add_pipe("elmo_ner", source=nlp)
    assert annotation(other(TEXT))[0] == expected


def test_a_listener_sourced_to_another_bilm_is_refused(make_nlp, make_bilm, tmp_path):
    nlp = make_nlp(*ALL, steps=10, listener=True)
    make_bilm(seed=7).to_disk(tmp_path / "other")
    other = spacy.blank("en")
    other.add_pipe("elmo", config={"model": {"name": str(tmp_path / "other")}})
    with pytest.raises(ValueError, match=r"EL121.*'elmo_ner'.*bilm'.*other'"):
        other.add_pipe("elmo_ner", source=nlp)


@pytest.mark.parametrize("name", ["elmo", "embeddings"])
def test_sourced_together_they_are_saved_and_loaded(make_nlp, name, tmp_path):
    nlp = make_nlp(*ALL, steps=10, listener=True)
    expected = annotation(nlp(TEXT))
    other = spacy.blank("en")
    other.add_pipe("elmo", source=nlp, name=name)
    for pipe in ALL[1:]:
        other.add_pipe(pipe, source=nlp)
    other.to_disk(tmp_path / "nlp")
    assert annotation(other(TEXT)) == annotation(spacy.load(tmp_path / "nlp")(TEXT)) == expected


def test_an_elmo_of_the_same_bilm_serves_a_sourced_listener(make_nlp, bilm_dir):
    nlp = make_nlp(*ALL, steps=10, listener=True)
    bilm = {"@architectures": "spacy_elmo_ner.BiLM.v1", "name": str(bilm_dir)}
    other = spacy.blank("en")
    other.add_pipe("elmo", config={"model": bilm})
    other.add_pipe("elmo_ner", source=nlp)
    assert annotation(other(TEXT))[0] == annotation(nlp(TEXT))[0]


def test_removing_what_others_listen_to_is_said(make_nlp):
    nlp = make_nlp(*ALL, steps=10, listener=True)
    with pytest.warns(UserWarning, match=r"WL103.*'elmo_tagger'.*replace_listeners"):
        nlp.remove_pipe("elmo")
    fresh = make_nlp("elmo")
    fresh.add_pipe(
        "elmo_ner",
        config={
            "model": {"tok2vec": {"@architectures": "spacy_elmo_ner.ElmoListener.v1", "width": 4}}
        },
    )
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)
        fresh.remove_pipe("elmo")  # nothing has been learned yet


def test_the_nearest_elmo_serves_where_the_named_one_is_missing(make_nlp, bilm_dir):
    bilm = {"@architectures": "spacy_elmo_ner.BiLM.v1", "name": str(bilm_dir)}
    nlp = spacy.blank("en")
    for name in ("first", "second", "third"):
        nlp.add_pipe("elmo", name=name, config={"model": bilm})
    for name, upstream in (("of_first", "first"), ("of_none", "none"), ("of_any", "*")):
        tok2vec = {
            "@architectures": "spacy_elmo_ner.ElmoListener.v1",
            "width": 4,
            "upstream": upstream,
        }
        nlp.add_pipe("elmo_ner", name=name, config={"model": {"tok2vec": tok2vec}})
    found = {name: nlp.get_pipe(name).listening_components for name in ("first", "second", "third")}
    assert found == {"first": ["of_first"], "second": [], "third": ["of_none", "of_any"]}


def test_elmo_tok2vec_is_initialized_without_data(bilm_dir):
    from spacy_elmo_ner.layers.bilm_layer import build_bilm_v1
    from spacy_elmo_ner.layers.elmo_tok2vec import build_elmo_tok2vec_v1

    model = build_elmo_tok2vec_v1(build_bilm_v1(str(bilm_dir)))
    model.initialize()
    doc = spacy.blank("en")("Mary left")
    (found,) = model.predict([doc])
    assert found.shape == (2, 4) and np.isfinite(found).all()


@pytest.mark.parametrize("pipe", ALL[1:])
def test_a_pipe_that_is_enabled_later_finds_its_elmo(nlp, pipe, tmp_path):
    expected = annotation(nlp(TEXT))
    nlp.to_disk(tmp_path / "nlp")
    at_loading = spacy.load(tmp_path / "nlp", disable=[pipe])
    at_loading.enable_pipe(pipe)
    assert annotation(at_loading(TEXT)) == expected
    with nlp.select_pipes(disable=[pipe]):
        nlp.add_pipe("sentencizer")
        nlp(TEXT)
        nlp.to_disk(tmp_path / "disabled")
    assert annotation(nlp(TEXT)) == expected
    saved_disabled = spacy.load(tmp_path / "disabled")
    saved_disabled.enable_pipe(pipe)
    assert annotation(saved_disabled(TEXT)) == expected


def test_a_pipeline_goes_on_after_another_took_its_elmo(nlp):
    expected = annotation(nlp(TEXT))
    other = spacy.blank("en")
    other.add_pipe("elmo", source=nlp)
    other.add_pipe("elmo_ner", source=nlp)
    assert annotation(nlp(TEXT)) == expected
    assert annotation(other(TEXT))[0] == expected[0]


def test_a_pipe_with_its_own_weights_does_not_listen_to_others_of_their_name(
    make_nlp, bilm_dir, tmp_path
):
    nlp = make_nlp(*ALL, steps=10)
    nlp.to_disk(tmp_path / "nlp")
    expected = annotation(nlp(TEXT))
    bilm = BiLM.from_disk(bilm_dir)
    with torch.no_grad():
        bilm.char_cnn.projection.bias += 1
    bilm.to_disk(bilm_dir)
    loaded = spacy.load(tmp_path / "nlp", exclude=["elmo"])
    block = {"@architectures": "spacy_elmo_ner.BiLM.v1", "name": str(bilm_dir)}
    loaded.add_pipe("elmo", first=True, config={"model": block})
    assert loaded.get_pipe("elmo").listening_components == []
    assert annotation(loaded(TEXT)) == expected


def test_layers_from_before_other_weights_are_not_read(make_nlp):
    nlp = make_nlp(*ALL, steps=10, listener=True)
    expected = annotation(nlp(TEXT))
    data = nlp.get_pipe("elmo").to_bytes()
    doc = nlp.get_pipe("elmo")(nlp.make_doc(TEXT))
    nlp.get_pipe("elmo").from_bytes(data)
    assert nlp.get_pipe("elmo")._kept.of(doc) is None
    for name in ALL[1:]:
        doc = nlp.get_pipe(name)(doc)
    assert annotation(doc) == expected
