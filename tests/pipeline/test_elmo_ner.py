"""Entities: valid, scored, and respectful of what other pipes and people have set."""

import numpy as np
import pytest
import spacy
from spacy.tokens import Doc, DocBin, Span
from spacy.training import Example

from spacy_elmo_ner.decoding import MISSING

from .conftest import annotation, make_examples


def test_it_learns_the_examples(make_nlp):
    nlp = make_nlp("elmo_ner", steps=120)
    scores = nlp.evaluate(make_examples(nlp))
    assert scores["ents_f"] == 1.0
    assert scores["ents_per_type"]["geo"]["f"] == 1.0


def test_a_span_has_its_probability_in_every_place(make_nlp):
    nlp = make_nlp("elmo_ner", steps=120)
    doc = nlp("Mary Smith left Paris")
    assert [(ent.text, ent.label_) for ent in doc.ents] == [("Mary Smith", "per"), ("Paris", "geo")]
    group = doc.spans["elmo_ner"]
    assert [(s.start, s.end, s.label_) for s in group] == [(0, 2, "per"), (3, 4, "geo")]
    for ent, score in zip(doc.ents, group.attrs["scores"], strict=True):
        assert ent._.confidence == pytest.approx(float(score)) and 0.5 < score <= 1.0


def test_alternatives_stand_behind_the_entities_with_their_probabilities(make_nlp):
    nlp = make_nlp("elmo_ner", steps=10)  # unsure of itself
    pipe = nlp.get_pipe("elmo_ner")
    pipe.alternatives = 0.02
    doc = nlp("Mary Smith left Paris")
    group, scores = doc.spans["elmo_ner"], doc.spans["elmo_ner"].attrs["scores"]
    assert len(group) == len(scores) > len(doc.ents)
    ours = [(s.start, s.end, s.label_) for s in group]
    assert ours[: len(doc.ents)] == [(e.start, e.end, e.label_) for e in doc.ents]
    assert len(set(ours)) == len(ours) and (scores[len(doc.ents) :] >= 0.02).all()
    for span, score in zip(group, scores, strict=True):
        assert span._.confidence == pytest.approx(float(score))
    pipe.alternatives = None
    assert len(nlp("Mary Smith left Paris").spans["elmo_ner"]) == len(doc.ents)


def test_the_threshold_drops_what_is_less_probable(make_nlp):
    nlp = make_nlp("elmo_ner", steps=120)
    doc = nlp("Mary Smith left Paris")
    lowest = min(ent._.confidence for ent in doc.ents)
    nlp.get_pipe("elmo_ner").threshold = lowest + 1e-6
    after = nlp("Mary Smith left Paris")
    assert len(after.ents) == len(doc.ents) - 1 > 0
    assert all(ent._.confidence > lowest for ent in after.ents)


def test_threshold_and_alternatives_can_be_changed_in_a_trained_pipelines_config(
    make_nlp, tmp_path
):
    nlp = make_nlp("elmo_ner", steps=120)
    nlp.get_pipe("elmo_ner").cfg["temperature"] = 1.7
    nlp.to_disk(tmp_path / "nlp")
    assert spacy.load(tmp_path / "nlp").get_pipe("elmo_ner").threshold == 0.0
    config = {"components": {"elmo_ner": {"threshold": 1.0, "alternatives": None}}}
    loaded = spacy.load(tmp_path / "nlp", config=config)
    assert loaded.get_pipe("elmo_ner").temperature == pytest.approx(1.7)
    doc = loaded("Mary Smith left Paris")
    assert not doc.ents and not doc.spans["elmo_ner"]


def test_n_best_gives_the_most_probable_readings(make_nlp):
    nlp = make_nlp("elmo_ner", steps=120)
    pipe = nlp.get_pipe("elmo_ner")
    doc, empty = nlp("Mary Smith left Paris"), nlp("")
    (readings, nothing) = pipe.n_best([doc, empty], n=4)
    assert [one.probability for one in nothing] == [1.0] and nothing[0].entities == []
    assert len(readings) == 4
    assert [one[:3] for one in readings[0].entities] == [(0, 2, "per"), (3, 4, "geo")]
    for one, ent in zip(readings[0].entities, doc.ents, strict=True):
        assert one.probability == pytest.approx(ent._.confidence)
    probabilities = [one.probability for one in readings]
    assert probabilities == sorted(probabilities, reverse=True)
    assert 0.5 < probabilities[0] < sum(probabilities) <= 1.0


def test_entities_of_others_stay_in_every_reading(make_nlp):
    nlp = make_nlp("elmo_ner", steps=120)
    doc = nlp("Mary Smith left Paris")
    doc.ents = [Span(doc, 0, 2, "org"), doc.ents[1]]
    (readings,) = nlp.get_pipe("elmo_ner").n_best([doc], n=20)
    assert all(one.start >= 2 for reading in readings for one in reading.entities)
    assert any(one[:3] == (3, 4, "geo") for one in readings[0].entities)


def test_confidence_is_none_for_entities_of_others(make_nlp):
    nlp = make_nlp("elmo_ner", steps=120)
    doc = nlp("Mary Smith left Paris")
    _, second = doc.ents
    doc.ents = [Span(doc, 0, 2, "org"), second]
    assert doc.ents[0]._.confidence is None and doc.ents[1]._.confidence is not None
    blank = spacy.blank("en")("Mary Smith")
    assert Span(blank, 0, 2, "per")._.confidence is None


def test_confidence_travels_with_the_doc(make_nlp):
    nlp = make_nlp("elmo_ner", steps=120)
    doc = nlp("Mary Smith left Paris")
    stored = DocBin(docs=[doc], store_user_data=True).to_bytes()
    (loaded,) = DocBin().from_bytes(stored).get_docs(nlp.vocab)
    assert annotation(loaded)[0] == annotation(doc)[0] != []


def test_entities_never_begin_or_end_on_whitespace(make_nlp):
    nlp = make_nlp("elmo_ner", steps=120)
    texts = [" Mary \n Smith left \n\n Paris \n", "\n", "  Paris", "Mary  \t Smith"]
    for doc in nlp.pipe(texts):
        for ent in doc.ents:
            assert not ent[0].is_space and not ent[-1].is_space


def test_entities_set_before_stay_unless_overwrite(make_nlp):
    nlp = make_nlp("elmo_ner", steps=120)
    ruler = nlp.add_pipe("entity_ruler", first=True)
    ruler.add_patterns([{"label": "org", "pattern": "Mary Smith"}])
    found = [(ent.text, ent.label_) for ent in nlp("Mary Smith left Paris").ents]
    assert found == [("Mary Smith", "org"), ("Paris", "geo")]
    nlp.get_pipe("elmo_ner").cfg["overwrite"] = True
    found = [(ent.text, ent.label_) for ent in nlp("Mary Smith left Paris").ents]
    assert found == [("Mary Smith", "per"), ("Paris", "geo")]


def test_missing_annotation_adds_nothing_to_the_loss(make_nlp):
    nlp = make_nlp("elmo_ner")
    pipe = nlp.get_pipe("elmo_ner")
    words = ["Mary", "Smith", "left", "Paris"]
    unannotated = Example(Doc(nlp.vocab, words=words), Doc(nlp.vocab, words=words))
    assert (pipe.gold_classes(unannotated) == MISSING).all()
    scores = pipe.predict_scores([unannotated.predicted])
    loss, gradient = pipe.get_loss([unannotated], scores)
    assert loss == 0.0 and not gradient[0].any()


def test_partial_annotation_counts_where_it_stands(make_nlp):
    nlp = make_nlp("elmo_ner")
    pipe = nlp.get_pipe("elmo_ner")
    words = ["Mary", "Smith", "left", "Paris"]
    reference = Doc(nlp.vocab, words=words)
    reference.set_ents([Span(reference, 3, 4, "geo")], missing=[reference[0:2]], default="outside")
    gold = pipe.gold_classes(Example(Doc(nlp.vocab, words=words), reference))
    b_geo = pipe.scheme.labels.index("B-geo")
    assert gold.tolist() == [MISSING, MISSING, 0, b_geo]


def test_gold_on_other_tokens_is_aligned(make_nlp):
    nlp = make_nlp("elmo_ner")
    pipe = nlp.get_pipe("elmo_ner")
    reference = Doc(nlp.vocab, words=["Mary", "Smith", "left"])
    reference.set_ents([Span(reference, 0, 2, "per")], default="outside")
    predicted = Doc(
        nlp.vocab, words=["Mary", "Sm", "ith", "left"], spaces=[True, False, True, True]
    )
    labels = [pipe.scheme.labels[i] for i in pipe.gold_classes(Example(predicted, reference))]
    assert labels == ["B-per", "I-per", "I-per", "O"]


@pytest.mark.parametrize("decoder", ["softmax", "constrained"])
def test_one_decoder_of_tokens_takes_the_others_place(make_nlp, decoder, tmp_path):
    nlp = make_nlp("elmo_ner", decoder="constrained")
    nlp.to_disk(tmp_path / "nlp")
    config = {"components": {"elmo_ner": {"model": {"decoder": decoder}}}}
    loaded = spacy.load(tmp_path / "nlp", config=config)
    assert loaded.get_pipe("elmo_ner").model.attrs["decoding"].decoder == decoder
    doc = loaded("Mary Smith met Reuters in Paris and left again for London .")
    assert all(0 <= ent._.confidence <= 1 for ent in doc.ents)


def test_labels_come_from_examples_or_are_given(make_nlp):
    nlp = make_nlp("elmo_ner")
    pipe = nlp.get_pipe("elmo_ner")
    assert pipe.labels == pipe.label_data == ("geo", "org", "per")
    other = spacy.blank("en")
    given = other.add_pipe("elmo_ner")
    assert given.add_label("art") == 1 and given.add_label("art") == 0
    given.initialize(lambda: make_examples(other), nlp=other, labels=["per", "geo"])
    assert given.labels == ("art", "per", "geo")
    with pytest.raises(ValueError, match="E187"):
        given.add_label(3)


def test_without_labels_initialization_says_so(make_nlp):
    nlp = spacy.blank("en")
    nlp.add_pipe("elmo_ner")
    words = ["Nothing"]
    example = Example(Doc(nlp.vocab, words=words), Doc(nlp.vocab, words=words))
    with pytest.raises(ValueError, match="E143"):
        nlp.initialize(lambda: [example])


def test_a_score_that_is_not_finite_is_an_error_not_a_bad_model(make_nlp):
    nlp = make_nlp("elmo_ner")
    pipe = nlp.get_pipe("elmo_ner")
    examples = make_examples(nlp)
    scores = pipe.predict_scores([example.predicted for example in examples])
    scores[0][0, 0] = np.nan
    with pytest.raises(ValueError, match="E940"):
        pipe.get_loss(examples, scores)


def test_the_gradient_is_that_of_the_mean_cross_entropy(make_nlp):
    nlp = make_nlp("elmo_ner")
    pipe = nlp.get_pipe("elmo_ner")
    examples = make_examples(nlp)
    scores = [one.astype("float64") for one in pipe.predict_scores([e.x for e in examples])]
    _, gradient = pipe.get_loss(examples, scores)
    step = 1e-5
    for index in [(0, 0), (3, 2), (7, 1)]:
        values = []
        for sign in (1, -1):
            scores[0][index] += sign * step
            values.append(pipe.get_loss(examples, scores)[0])
            scores[0][index] -= sign * step
        slope = (values[0] - values[1]) / (2 * step)
        assert gradient[0][index] == pytest.approx(slope, abs=1e-6)


def test_update_without_tokens_passes(make_nlp):
    nlp = make_nlp("elmo_ner")
    empty = Example(Doc(nlp.vocab), Doc(nlp.vocab))
    losses = nlp.update([empty], sgd=nlp.resume_training())
    assert losses["elmo_ner"] == 0.0


@pytest.mark.parametrize("seed", range(20))
def test_gold_read_as_it_stands_is_what_alignment_gives(make_nlp, monkeypatch, seed):
    nlp = make_nlp("elmo_ner")
    pipe, random = nlp.get_pipe("elmo_ner"), np.random.default_rng(seed)
    words = random.choice(["Mary", "left", "Paris", "\n"][: 3 + seed % 2], 30).tolist()
    reference = Doc(nlp.vocab, words=words)
    cuts = sorted(random.choice(len(words) + 1, 12, replace=False).tolist())
    kinds: dict[str, list[Span]] = {"per": [], "geo": [], "other": [], "missing": [], "blocked": []}
    for start, end in zip(cuts[::2], cuts[1::2], strict=True):
        kind = str(random.choice(list(kinds)))
        kinds[kind].append(Span(reference, start, end, kind))
    reference.set_ents(
        kinds["per"] + kinds["geo"] + kinds["other"],
        missing=kinds["missing"],
        blocked=kinds["blocked"],
        default="outside",
    )
    example = Example(Doc(nlp.vocab, words=words), reference)
    found = pipe.gold_classes(example)
    monkeypatch.setattr("spacy_elmo_ner.pipeline.gold.same_tokens", lambda example: False)
    np.testing.assert_array_equal(found, pipe.gold_classes(example))
