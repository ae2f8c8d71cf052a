"""Every public name of setup.cfg resolves and builds from its default config."""

from importlib.metadata import entry_points

import pytest
import spacy

OURS = [
    point
    for group in (
        "spacy_factories",
        "spacy_architectures",
        "spacy_readers",
        "spacy_augmenters",
        "spacy_callbacks",
        "spacy_vectors",
        "spacy_displacy_colors",
        "spacy_scorers",
        "spacy_cli",
    )
    for point in entry_points(group=group)
    if point.value.startswith("spacy_elmo_ner.")
]


def test_all_names_are_there():
    assert {point.name for point in OURS} == {
        "elmo",
        "elmo_tagger",
        "elmo_ner",
        "spacy_elmo_ner",
        "spacy_elmo_ner.ElmoConcat.v2",
        "spacy_elmo_ner.ElmoListener.v2",
        "spacy_elmo_ner.ElmoTok2Vec.v2",
        "spacy_elmo_ner.ElmoTagger.v2",
        *(
            f"spacy_elmo_ner.{name}.v1"
            for name in (
                "BiLM",
                "ElmoTok2Vec",
                "ElmoConcat",
                "DistinctHashEmbed",
                "ElmoListener",
                "ResidualBiLSTM",
                "WordVectors",
                "ElmoTagger",
                "GMBCorpus",
                "JoinedSentences",
                "AttrVectors",
                "case",
                "tag_noun_chunks",
                "tagger_scorer",
                "ner_scorer",
            )
        ),
    }


@pytest.mark.parametrize("point", OURS, ids=lambda point: f"{point.group}:{point.name}")
def test_an_entry_point_resolves(point):
    assert point.load() is not None


@pytest.mark.parametrize("factory", ["elmo", "elmo_tagger", "elmo_ner"])
def test_a_factory_builds_from_its_defaults(factory):
    nlp = spacy.blank("en")
    pipe = nlp.add_pipe(factory)
    assert pipe.is_trainable and nlp.get_pipe_meta(factory).factory == factory
    assert not nlp.analyze_pipes()["problems"][factory]
