"""Provide an NLP engine for Microsoft Presidio with the probability of each entity.

Presidio gives all entities of a spaCy pipeline the same score, 0.85. This engine gives each its
own, so that a `score_threshold` means something. Context words are compared
by lemma and need a pipeline with a lemmatizer, such as en_elmo_gmb_sm.
"""

from pathlib import Path
from typing import Any

import srsly
from presidio_analyzer.nlp_engine import NlpEngineProvider, SpacyNlpEngine
from spacy.tokens import Doc

from ..pipeline.confidence import confidence

CONFIGURATION = Path(__file__).parents[1] / "data/presidio.yaml"


class ElmoNlpEngine(SpacyNlpEngine):
    """Runs a spaCy pipeline as Presidio's engine does, with the scores of `elmo_ner`.

    Entities of another pipe, which have no probability, get the configuration's `default_score`.
    """

    engine_name = "elmo"

    def _get_scores_for_entities(self, doc: Doc) -> list[float]:
        default = float(self.ner_model_configuration.default_score or 0.0)
        found = [confidence(ent) for ent in doc.ents]
        return [default if score is None else score for score in found]


def make_engine(pipeline: str | Path = "en_elmo_gmb_sm", **configuration: Any) -> ElmoNlpEngine:
    """Load a pipeline as Presidio's NLP engine.

    pipeline: an installed package or a folder. configuration: keys of Presidio's
    `ner_model_configuration` that replace those of data/presidio.yaml, for instance
    labels_to_ignore=[].
    """
    settings = srsly.read_yaml(CONFIGURATION)
    assert isinstance(settings, dict)
    settings["models"] = [{"lang_code": "en", "model_name": str(pipeline)}]
    settings["ner_model_configuration"].update(configuration)
    provider = NlpEngineProvider(nlp_engines=(ElmoNlpEngine,), nlp_configuration=settings)
    engine = provider.create_engine()
    assert isinstance(engine, ElmoNlpEngine)
    return engine
