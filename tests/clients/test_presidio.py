"""presidio-analyzer finds our entities under its own names, each with its own probability."""

import pytest
import spacy
from spacy.language import Language

from .conftest import PIPELINE, TEXT

presidio = pytest.importorskip("presidio_analyzer")

from spacy_elmo_ner.clients.presidio import make_engine  # noqa: E402


@pytest.fixture(scope="module")
def analyzer():
    engine = make_engine(PIPELINE)
    return presidio.AnalyzerEngine(nlp_engine=engine, supported_languages=["en"])


def test_entities_have_presidios_names_and_our_probabilities(analyzer, nlp: Language) -> None:
    found = {TEXT[r.start : r.end]: (r.entity_type, r.score) for r in analyzer.analyze(TEXT, "en")}
    own = {ent.text: ent._.confidence for ent in nlp(TEXT).ents}
    assert found["Nairobi"] == ("LOCATION", pytest.approx(own["Nairobi"], abs=1e-5))
    assert found["Tuesday"] == ("DATE_TIME", pytest.approx(own["Tuesday"], abs=1e-5))
    assert found["Kenyan"] == ("NRP", pytest.approx(own["Kenyan"], abs=1e-5))
    assert found["United Nations"][0] == "ORGANIZATION"
    assert "PERSON" in {kind for kind, _ in found.values()}
    assert 0.85 not in {score for _, score in found.values()}


def test_a_threshold_leaves_out_what_is_uncertain(analyzer) -> None:
    scores = sorted(r.score for r in analyzer.analyze(TEXT, "en"))
    assert scores[0] < scores[-1]
    kept = analyzer.analyze(TEXT, "en", score_threshold=scores[-1])
    assert [r.score for r in kept] == [scores[-1]]


def test_context_words_are_compared_by_lemma(analyzer) -> None:
    def score(text: str) -> float:
        found = analyzer.analyze(text, "en", entities=["US_PASSPORT"])
        return max((r.score for r in found), default=0.0)

    # The recognizer lists "passport": the plural is raised too, and another word is not.
    assert score("Our passports: 912803456.") >= 0.4 > score("Our potatoes: 912803456.")


def test_batches_give_the_same(analyzer) -> None:
    texts = [TEXT, "", "Nobody came."]
    batches = dict(analyzer.nlp_engine.process_batch(texts, "en", batch_size=2))
    for text in texts:
        one = analyzer.nlp_engine.process_text(text, "en")
        assert batches[text].scores == pytest.approx(one.scores, abs=1e-5)
        assert [e.label_ for e in batches[text].entities] == [e.label_ for e in one.entities]


def test_the_configuration_can_be_changed() -> None:
    engine = make_engine(PIPELINE, labels_to_ignore=["geo", "art", "eve", "nat"])
    labels = {entity.label_ for entity in engine.process_text(TEXT, "en").entities}
    assert "LOCATION" not in labels and "PERSON" in labels


def test_entities_without_a_probability_get_the_default_score() -> None:
    engine = make_engine(PIPELINE, default_score=0.3)
    engine.nlp = {"en": spacy.blank("en")}
    engine.nlp["en"].add_pipe("entity_ruler").add_patterns([{"label": "per", "pattern": "Mary"}])
    assert engine.process_text("Mary left.", "en").scores == [0.3]
