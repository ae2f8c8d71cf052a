"""Time and memory of decoding and of a CRF's loss grow with the number of entity types, not with
its square: 200 types once ran at 163 words/s where 8 ran at 4,921."""

import tracemalloc

import numpy as np
import pytest
import spacy

from spacy_elmo_ner.decoding import (
    BIOTransitions,
    Decoder,
    FullTransitions,
    LabelScheme,
    best_readings,
    crf_loss,
    decode_entities,
)


def use_of(n_types: int, task: str, full: bool = False) -> int:
    """Bytes in use at the peak."""
    scheme = LabelScheme([f"type{i}" for i in range(n_types)])
    learned = FullTransitions.zeros(scheme.n_labels) if full else BIOTransitions.zeros(n_types)
    decoder = Decoder(scheme, "crf", learned)
    rng = np.random.default_rng(0)
    docs = [rng.normal(size=(6, scheme.n_labels)) for _ in range(8)]
    tracemalloc.start()
    try:
        if task == "loss":
            crf_loss(np.concatenate(docs), [6] * 8, [0] * 48, decoder.constrained)
        elif task == "readings":
            best_readings(docs, decoder, 3)
        else:
            decode_entities(docs, decoder, alternatives=0.1)
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("task", ["entities", "readings", "loss"])
def test_four_times_as_many_types_take_about_four_times_the_memory(task):
    assert use_of(200, task) < 5 * use_of(50, task)
    # Full transitions do not, so this test would notice.
    assert use_of(200, task, full=True) > 8 * use_of(50, task, full=True)


def test_entity_recognizers_learn_structured_transitions_by_default():
    pipe = spacy.blank("en").add_pipe("elmo_ner")
    for i in range(200):
        pipe.add_label(f"type{i}")
    node = pipe.model.get_ref("crf")
    node.set_dim("nO", pipe.n_classes)
    node.initialize()
    assert sum(node.get_param(name).size for name in node.param_names) < 2500
