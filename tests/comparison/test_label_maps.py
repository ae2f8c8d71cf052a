"""The shipped label maps, and what one label may mean in them."""

from pathlib import Path

import pytest
from spacy.tokens import Doc
from spacy.vocab import Vocab

from spacy_elmo_ner.comparison.annotation import Annotation
from spacy_elmo_ner.comparison.mapping import EITHER, LabelSets, entity_targets, translate
from spacy_elmo_ner.comparison.remarks import remarks
from spacy_elmo_ner.comparison.run import Comparison, compare
from spacy_elmo_ner.corpus.gmb import ENTITY_TYPES
from spacy_elmo_ner.corpus.label_map import LabelMap

SHIPPED = Path(__file__).parents[2] / "assets" / "label_maps"
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
