"""The same pipeline on a GPU: same layers, same annotation, training runs.

In a process of its own, because spaCy's choice of a device is for a whole process.
"""

import subprocess
import sys
from pathlib import Path

import pytest
import torch
from thinc.util import has_cupy_gpu

pytestmark = [
    pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device and its torch"),
    pytest.mark.skipif(not has_cupy_gpu, reason="needs cupy, which spaCy uses on a GPU"),
]

SCRIPT = """
import sys
import numpy as np
import spacy
from thinc.api import fix_random_seed
from tests.pipeline.conftest import make_examples

bilm, folder = sys.argv[1:]
SENTENCES = [["Mary", "Smith", "left", "Paris"], ["Nothing"], ["It", "fell", "."]]


def build():
    nlp = spacy.blank("en")
    nlp.add_pipe("elmo", config={"model": {"name": bilm}})
    encoder = {"units": 12, "dropout": 0.0, "recurrent_dropout": 0.0}
    for pipe in ("elmo_tagger", "elmo_ner"):
        tok2vec = {"@architectures": "spacy_elmo_ner.ElmoListener.v1", "width": 4}
        nlp.add_pipe(pipe, config={"model": {"tok2vec": tok2vec, "encoder": encoder}})
    return nlp


def layers(nlp):
    elmo = nlp.get_pipe("elmo")
    docs = [spacy.tokens.Doc(nlp.vocab, words=words) for words in SENTENCES]
    return [elmo.model.ops.to_numpy(one) for one in elmo.predict(docs)]


def scores(nlp):
    ner = nlp.get_pipe("elmo_ner")
    docs = [spacy.tokens.Doc(nlp.vocab, words=words) for words in SENTENCES]
    return [ner.model.ops.to_numpy(one) for one in ner.predict_scores(docs)]


spacy.require_cpu()
fix_random_seed(0)
on_cpu = build()
on_cpu.initialize(lambda: make_examples(on_cpu))
on_cpu.to_disk(folder)
expected = layers(on_cpu), scores(on_cpu)

spacy.require_gpu()
nlp = spacy.load(folder)
for found, wanted in zip((layers(nlp), scores(nlp)), expected):
    for one, other in zip(found, wanted):
        np.testing.assert_allclose(one, other, atol=1e-4)

nlp = build()
optimizer = nlp.initialize(lambda: make_examples(nlp))
optimizer.learn_rate = 0.02
losses = []
for _ in range(60):
    losses.append(nlp.update(make_examples(nlp), sgd=optimizer)["elmo_ner"])
assert losses[-1] < losses[0] / 4, losses
found = [(ent.text, ent.label_) for ent in nlp("Mary Smith left Paris").ents]
assert ("Paris", "geo") in found, found
"""


def test_a_gpu_gives_the_same_and_trains(bilm_dir: Path, tmp_path: Path) -> None:
    run = subprocess.run(
        [sys.executable, "-c", SCRIPT, str(bilm_dir), str(tmp_path / "pipeline")],
        cwd=Path(__file__).parents[1],
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert run.returncode == 0, run.stderr[-3000:]
