"""What is saved answers as before, holds no more than it must, and runs in other processes."""

import pytest
import spacy
from spacy.tokens import Doc

from .conftest import annotation

ALL = ("elmo", "elmo_tagger", "elmo_ner")
TEXT = "Mary Smith met Reuters in Paris ."


@pytest.mark.parametrize("pipes", [ALL, ("elmo_ner",), ("elmo_tagger", "elmo_ner")])
def test_a_pipeline_survives_bytes(make_nlp, pipes):
    nlp = make_nlp(*pipes, steps=5)
    data = nlp.to_bytes()
    other = spacy.blank("en").from_config(nlp.config).from_bytes(data)
    assert annotation(other(TEXT)) == annotation(nlp(TEXT))
    assert len(other.to_bytes()) == len(data)


@pytest.mark.parametrize("pipes", [ALL, ("elmo_ner",)])
def test_a_pipeline_survives_disk(make_nlp, pipes, tmp_path):
    nlp = make_nlp(*pipes, steps=5)
    nlp.to_disk(tmp_path / "nlp")
    assert annotation(spacy.load(tmp_path / "nlp")(TEXT)) == annotation(nlp(TEXT))


def test_a_pipeline_on_packaged_weights_is_small(tmp_path):
    nlp = spacy.blank("en")
    nlp.add_pipe("elmo")
    nlp.add_pipe("elmo_ner", config={"model": {"encoder": {"units": 4}}}).add_label("per")
    nlp.initialize()
    nlp.to_disk(tmp_path / "nlp")
    size = sum(path.stat().st_size for path in (tmp_path / "nlp").rglob("*") if path.is_file())
    assert size < 300_000
    assert spacy.load(tmp_path / "nlp")("Mary").ents is not None


def test_two_processes_give_what_one_gives(make_nlp):
    nlp = make_nlp(*ALL, steps=20)
    texts = [TEXT, "", "Nothing happened .", "\n", "Mary left"] * 3
    expected = [annotation(doc) for doc in nlp.pipe(texts)]
    found = [annotation(doc) for doc in nlp.pipe(texts, n_process=2, batch_size=4)]
    assert found == expected


def test_the_same_text_is_annotated_the_same_in_any_order(make_nlp):
    nlp = make_nlp(*ALL, steps=20)
    texts = [TEXT, "Mary left Paris", "Nothing happened there"]
    first = {doc.text: [doc.ents, [t.tag_ for t in doc]] for doc in nlp.pipe(texts)}
    again = {doc.text: [doc.ents, [t.tag_ for t in doc]] for doc in nlp.pipe(texts[::-1])}
    for text in texts:
        assert [str(x) for x in first[text]] == [str(x) for x in again[text]]


def test_training_goes_on_after_loading(make_nlp, tmp_path):
    from .conftest import make_examples

    nlp = make_nlp(*ALL, steps=5)
    nlp.to_disk(tmp_path / "nlp")
    loaded = spacy.load(tmp_path / "nlp")
    optimizer = loaded.resume_training()
    losses = [sum(loaded.update(make_examples(loaded), sgd=optimizer).values()) for _ in range(20)]
    assert losses[-1] < losses[0]


def test_odd_tokens_pass(make_nlp):
    nlp = make_nlp(*ALL)
    words = [
        "\N{GRINNING FACE}",
        "e\u0301",
        "\u05e9\u05dc\u05d5\u05dd",
        "x" * 10_000,
        "\x00",
        "<S>",
    ]
    doc = nlp(Doc(nlp.vocab, words=words))
    assert len(doc) == len(words) and all(token.tag_ for token in doc)
