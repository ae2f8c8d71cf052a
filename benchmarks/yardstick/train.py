"""Train one pipeline in this process and keep its best checkpoint in memory."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from spacy.language import Language
from spacy.schemas import ConfigSchemaTraining
from spacy.training.initialize import init_nlp
from spacy.training.loop import (
    create_evaluation_callback,
    create_train_batches,
    train_while_improving,
)
from spacy.util import registry, resolve_dot_names
from thinc.api import Config, fix_random_seed

from spacy_elmo_ner.elmo import BiLM
from spacy_elmo_ner.layers.bilm_layer import bilm_shim
from spacy_elmo_ner.pipeline.elmo import Elmo
from spacy_elmo_ner.pipeline.layers_cache import LayersCache

# Reports one evaluation: step and score.
Report = Callable[[int, float], None]


@dataclass(frozen=True)
class Trained:
    """The best checkpoint by dev, its step, and the CPU seconds of all threads for the training."""

    nlp: Language
    best_step: int
    steps: int
    seconds: float


class SharedLayers:
    """Layers of frozen biLMs for all pipelines that this process trains.

    They depend on the words alone, so that a second pipeline on the same corpus, or the same
    pipeline with another seed, need not compute them again. The biLMs stay in memory.
    """

    def __init__(self) -> None:
        self._caches: dict[BiLM, LayersCache] = {}

    def give(self, elmo: Elmo) -> None:
        """Replace the cache of an initialized pipe by the one that its biLM has already."""
        if elmo.layers_cache is not None:
            bilm = bilm_shim(elmo.model).bilm
            elmo.layers_cache = self._caches.setdefault(bilm, elmo.layers_cache)


def train(config: Config, shared: SharedLayers, report: Report) -> Trained:
    """Train as `spacy train` does, without writing to the disk.

    Returns the pipeline with the weights of its best evaluation on dev.
    """
    started = time.process_time()
    nlp = init_nlp(config)
    for _, pipe in nlp.pipeline:
        if isinstance(pipe, Elmo):
            shared.give(pipe)
    resolved = nlp.config.interpolate()
    fix_random_seed(resolved["training"]["seed"])
    T: Any = registry.resolve(resolved["training"], schema=ConfigSchemaTraining)
    train_corpus, dev_corpus = resolve_dot_names(resolved, [T["train_corpus"], T["dev_corpus"]])
    optimizer = T["optimizer"]
    best: dict[str, bytes] = {}
    best_step = step = 0
    steps = train_while_improving(
        nlp,
        optimizer,
        create_train_batches(nlp, train_corpus, T["batcher"], T["max_epochs"]),
        create_evaluation_callback(nlp, dev_corpus, T["score_weights"]),
        dropout=T["dropout"],
        accumulate_gradient=T["accumulate_gradient"],
        patience=T["patience"],
        max_steps=T["max_steps"],
        eval_frequency=T["eval_frequency"],
        exclude=T["frozen_components"],
        annotating_components=T["annotating_components"],
        before_update=T["before_update"],
    )
    for _, info, is_best in steps:
        step = info["step"]
        if is_best is not None:
            report(step, info["score"])
        if is_best:
            best_step = step
            with nlp.use_params(optimizer.averages):
                best = {name: pipe.to_bytes(exclude=["vocab"]) for name, pipe in _trained(nlp)}
    for name, pipe in _trained(nlp):
        pipe.from_bytes(best[name], exclude=["vocab"])
    return Trained(nlp, best_step, step, time.process_time() - started)


def _trained(nlp: Language) -> list[tuple[str, Any]]:
    """The pipes whose weights change; a frozen biLM's do not."""
    return [(name, pipe) for name, pipe in nlp.pipeline if not isinstance(pipe, Elmo)]
