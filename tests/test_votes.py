"""benchmarks/votes.py: what trained systems find together."""

from benchmarks.votes import majority_vote, unanimous
from spacy_elmo_ner.comparison.corpora import Annotation
from spacy_elmo_ner.comparison.results import LabeledSpan

WORDS = ["Mary", "Smith", "left", "New", "York"]


def _reading(*entities: LabeledSpan, tags: str = "A B C D E") -> Annotation:
    return Annotation(WORDS, list(entities), tags.split())


def test_what_most_find_is_the_vote() -> None:
    systems = [
        [_reading((0, 2, "per"), (3, 5, "geo"))],
        [_reading((0, 2, "per"), (4, 5, "geo"), tags="A B X Y E")],
        [_reading((3, 5, "geo"), tags="A B X D E")],
        [_reading((0, 2, "per"))],
    ]
    (vote,) = majority_vote(systems)
    assert vote.entities == [(0, 2, "per")]  # half is not most
    assert vote.tags == ["A", "B", "C", "D", "E"]  # of equally common tags the first


def test_who_does_not_look_for_entities_has_no_vote() -> None:
    tags_only = [Annotation(WORDS, None, ["A"] * 5)]
    (vote,) = majority_vote([[_reading((0, 2, "per"))], tags_only, tags_only])
    assert vote.entities == [(0, 2, "per")] and vote.tags == ["A"] * 5
    (vote,) = majority_vote([tags_only])
    assert vote.entities is None
    (vote,) = majority_vote([[Annotation([], [], [])]])
    assert vote.entities == [] and vote.tags == []


def test_what_all_find_is_held_against_gold() -> None:
    gold = [_reading((0, 2, "per"), (3, 5, "geo")), _reading((3, 5, "org"), (0, 1, "per"))]
    both = [_reading((0, 2, "per"), (2, 3, "tim"), (3, 5, "geo")), _reading((0, 2, "per"))]
    systems = [both, [both[0], _reading((0, 2, "per"), (3, 5, "org"))]]
    assert unanimous(gold, systems) == {
        "found": 4,
        "right": 2,
        "other_label": 0,
        "other_bounds": 1,
        "nothing": 1,
    }
    gold[0] = _reading((0, 2, "per"), (3, 5, "gpe"))
    assert unanimous(gold, systems)["other_label"] == 1
