"""assets/pipelines/en_elmo_gmb_sm: small, loads from the checkout, and says what it is."""

import json
import shutil
from pathlib import Path

import pytest
import spacy
import srsly
from spacy.tokens import Doc

import spacy_elmo_ner
from spacy_elmo_ner.elmo.pretrained import published_sha256

PIPELINE = Path(__file__).parents[1] / "assets/pipelines/en_elmo_gmb_sm"
VECTORS = Path(spacy_elmo_ner.__file__).parent / "data/glove-en"
# Of what users download beside the package's biLM.
LIMIT = 16_000_000


@pytest.fixture(scope="module")
def nlp() -> spacy.Language:
    return spacy.load(PIPELINE)


def test_it_annotates_news(nlp: spacy.Language) -> None:
    doc = nlp("Kenyan President Mwai Kibaki met United Nations officials in Nairobi on Tuesday.")
    found = {(ent.text, ent.label_) for ent in doc.ents}
    assert {("Nairobi", "geo"), ("Tuesday", "tim"), ("United Nations", "org")} <= found
    assert all(0.5 < ent._.confidence <= 1 for ent in doc.ents)
    tags = {token.text: token.tag_ for token in doc}
    assert (tags["met"], tags["Nairobi"], tags["officials"]) == ("VBD", "NNP", "NNS")


TEXT = """Dr. Smith didn't go to the U.S. in 1999. "He has seen mice," she said.

Headlines Have No Stop

Mr. Obama met the old officials in Berlin. What happened?"""


def test_it_has_sentences_coarse_tags_lemmas_and_noun_chunks(nlp: spacy.Language) -> None:
    doc = nlp(TEXT)
    assert [sent.text.strip() for sent in doc.sents] == [
        "Dr. Smith didn't go to the U.S. in 1999.",
        '"He has seen mice," she said.',
        "Headlines Have No Stop",
        "Mr. Obama met the old officials in Berlin.",
        "What happened?",
    ]
    assert all(token.pos_ and token.lemma_ for token in doc)
    found = {token.text: (token.pos_, token.lemma_) for token in doc}
    assert found["did"] == ("AUX", "do") and found["n't"] == ("PART", "not")
    assert found["seen"] == ("VERB", "see") and found["officials"] == ("NOUN", "official")
    assert found["\n\n"] == ("SPACE", "\n\n")
    chunks = [chunk.text for chunk in doc.noun_chunks]
    assert {"Dr. Smith", "the old officials", "Berlin", "she"} <= set(chunks)


def test_its_card_says_what_is_untested_and_whose_tables_it_has() -> None:
    meta = json.loads((PIPELINE / "meta.json").read_text(encoding="utf8"))
    assert meta["performance"]["sents_f"] > 0.97
    assert "None of them was scored" in meta["notes"]
    assert {"WordNet 3.0", "spacy-lookups-data"} <= {one["name"] for one in meta["sources"]}
    assert "Princeton University" in (PIPELINE / "LICENSES_SOURCES").read_text(encoding="utf8")


def test_it_is_small_and_leaves_its_biLM_to_the_package(nlp: spacy.Language) -> None:
    folders = (PIPELINE, VECTORS)
    size = sum(path.stat().st_size for folder in folders for path in folder.rglob("*"))
    assert size <= LIMIT
    (shim,) = nlp.get_pipe("elmo").model.shims  # type: ignore[attr-defined]
    assert srsly.msgpack_loads(shim.to_bytes()) == {
        "name": "small-en",
        "sha256": published_sha256("small-en"),
    }


def test_its_card_has_scores_of_the_test_part_and_where_it_comes_from() -> None:
    meta = json.loads((PIPELINE / "meta.json").read_text(encoding="utf8"))
    assert meta["performance"]["ents_f"] > 0.8 and meta["performance"]["tag_acc"] > 0.97
    assert "speed" not in meta["performance"]
    assert meta["sources"] and meta["license"] and meta["description"]


def test_another_biLM_is_refused(tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(PIPELINE, copy)
    model = copy / "elmo" / "model"
    ours = published_sha256("small-en")
    assert ours is not None
    model.write_bytes(model.read_bytes().replace(ours.encode(), b"0" * len(ours)))
    with pytest.raises(ValueError, match=rf"EL102.*sha256 {'0' * 64}.*{ours}"):
        spacy.load(copy)


def test_a_text_gives_the_same_wherever_it_stands(nlp: spacy.Language) -> None:
    texts = ["Mary left Paris.", "The U.N. met.", "", "He was born in 1990 in Addis Ababa."]

    def annotation(doc: Doc) -> list[tuple[str, str, str]]:
        return [(token.tag_, token.ent_iob_, token.ent_type_) for token in doc]

    alone = [annotation(nlp(text)) for text in texts]
    assert [annotation(doc) for doc in nlp.pipe(texts[::-1])][::-1] == alone
