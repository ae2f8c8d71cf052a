"""On partly annotated gold every metric leaves the same predictions out as spaCy's Scorer."""

from pathlib import Path

import pytest
import spacy
from spacy.tokens import Doc, DocBin, Span

from spacy_elmo_ner.comparison.corpora import Annotation
from spacy_elmo_ner.comparison.metrics import SCORER, tag_scores
from spacy_elmo_ner.comparison.run import Comparison, compare

TEXT = "Peter Smith left Oslo in June ."
ENTITIES = {"Peter Smith": "per", "Oslo": "geo", "June": "geo"}
N_TEXTS = 12


@pytest.fixture
def pipeline(tmp_path: Path) -> Path:
    """Finds all three entities of the text."""
    nlp = spacy.blank("en")
    ruler = nlp.add_pipe("entity_ruler")
    ruler.add_patterns([{"label": label, "pattern": name} for name, label in ENTITIES.items()])
    nlp.to_disk(tmp_path / "rules")
    return tmp_path / "rules"


def corpus(path: Path, missing: list[tuple[int, int]], ents: list[tuple[int, int, str]]) -> Path:
    """The text, annotated with these entities but for the words of ``missing``."""
    vocab = spacy.blank("en").vocab
    docs = []
    for _ in range(N_TEXTS):
        doc = Doc(vocab, words=TEXT.split())
        doc.set_ents(
            [Span(doc, *ent) for ent in ents],
            missing=[Span(doc, *span) for span in missing],
            default="outside",
        )
        docs.append(doc)
    DocBin(docs=docs).to_disk(path)
    return path


def compared(pipeline: Path, path: Path):
    task = Comparison([("rules", str(pipeline))], [path], repeats=0, progress=False)
    return compare(task).results


def test_an_entity_on_words_that_nobody_annotated_is_no_error(pipeline: Path, tmp_path: Path):
    path = corpus(tmp_path / "part.spacy", [(3, 4)], [(0, 2, "per"), (5, 6, "geo")])
    results = compared(pipeline, path)
    (system,) = results.corpora[0].systems
    assert {mode: score.f1 for mode, score in system.ner.items()} == dict.fromkeys(system.ner, 1.0)
    assert all(score.support == 2 * N_TEXTS for score in system.ner.values())
    assert system.errors["right"] == 2 * N_TEXTS and system.errors["spurious"] == 0
    assert system.intervals["seqeval_default"].low == 1.0
    assert system.type_confusion == {"per": {"per": N_TEXTS}, "geo": {"geo": N_TEXTS}}
    assert {score.f1 for score in system.by_sentence_length.values() if score.support} == {1.0}
    (note,) = [note for note in results.pipelines[0].notes if "not scored" in note]
    assert note.startswith("on part: 12 predicted entities")


def test_a_missed_entity_beside_missing_words_still_counts(pipeline: Path, tmp_path: Path):
    # "Peter" alone is annotated, "Smith" is not known: the prediction reaches into it.
    path = corpus(tmp_path / "part.spacy", [(1, 2)], [(0, 1, "per"), (3, 4, "geo"), (5, 6, "geo")])
    (system,) = compared(pipeline, path).corpora[0].systems
    exact = {mode: score for mode, score in system.ner.items() if "partial" not in mode}
    assert {(s.precision, round(s.recall, 4)) for s in exact.values()} == {(1.0, 0.6667)}
    assert system.ner[SCORER].recall == pytest.approx(2 / 3)
    assert system.errors["missed"] == N_TEXTS


def test_whole_gold_is_scored_whole(pipeline: Path, tmp_path: Path):
    path = corpus(tmp_path / "whole.spacy", [], [(0, 2, "per"), (5, 6, "geo")])
    results = compared(pipeline, path)
    (system,) = results.corpora[0].systems
    assert {round(score.f1, 4) for score in system.ner.values()} == {0.8}
    assert not any("not scored" in note for note in results.pipelines[0].notes)


def test_a_word_without_a_gold_tag_is_right_in_no_tag_score():
    truth = Annotation(["He", "left", "Oslo"], None, ["PRP", "", "NNP"])
    guess = Annotation(["He", "left", "Oslo"], None, ["PRP", "VBD", "NNP"])
    scores = tag_scores([truth], [guess])
    assert {mode: score.f1 for mode, score in scores.items()} == dict.fromkeys(scores, 1.0)
