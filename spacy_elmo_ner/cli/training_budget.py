"""Choose how many steps `elmo train` takes, and have the learning rate end with the last one."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from spacy.util import load_config

from ..corpus.small import EVALUATIONS, SMALL_CORPUS_TOKENS, epochs_for, steps_for
from ..errors import Errors, shown

# A config that asks for no more steps than these is meant for small corpora and keeps its budget.
MOST_STEPS_OF_SMALL_CORPORA = 1000

_MAX_STEPS = "training.max_steps"
_TOTAL_STEPS = "training.optimizer.learn_rate.total_steps"


def budget(path: Path, given: Mapping[str, Any], n_tokens: int) -> dict[str, Any]:
    """Return the settings that change, by their dotted names; what is given wins.

    path: of a complete config. n_tokens: of the training part. given: settings from the command
    line. Where the learning rate is as long as the training, other steps make it longer or
    shorter: steps beyond it would learn nothing, and with fewer the rate would stay high.
    Raises ValueError (EL507) for steps that are no whole number of at least 0.
    """
    others = {name: value for name, value in given.items() if name != _MAX_STEPS}
    training = load_config(path, others, interpolate=True)["training"]
    in_config = training.get("max_steps") or 0  # 0 is as many as max_epochs takes
    steps = given.get(_MAX_STEPS, in_config)
    if isinstance(steps, bool) or not isinstance(steps, int) or steps < 0:
        raise ValueError(Errors.EL507.format(name=_MAX_STEPS, value=shown(steps)))
    is_for_small_corpora = 0 < steps <= MOST_STEPS_OF_SMALL_CORPORA
    schedule = training.get("optimizer", {}).get("learn_rate")
    total_steps = schedule.get("total_steps") if isinstance(schedule, dict) else None
    changed: dict[str, Any] = {}
    if n_tokens < SMALL_CORPUS_TOKENS and not is_for_small_corpora:
        counts_passes = bool(in_config) and not total_steps and _MAX_STEPS not in given
        changed = _small_budget(n_tokens, in_config, counts_passes)
    steps = given.get(_MAX_STEPS, changed.get(_MAX_STEPS, 0))
    ours_are_fewer = _MAX_STEPS in changed and _MAX_STEPS not in given
    if steps and total_steps and (ours_are_fewer or total_steps == in_config):
        changed[_TOTAL_STEPS] = steps
    return {**changed, **given}


def _small_budget(n_tokens: int, steps: int, counts_passes: bool) -> dict[str, Any]:
    """Return the settings with which a small corpus is read often enough.

    steps: of the config, which are not exceeded; 0 for none. counts_passes: for a config such as
    spaCy's CNN, whose learning rate does not end with the steps. Its batches begin with 100 words,
    so passes are counted, and as many words are read as in the steps of others.
    """
    if counts_passes:
        return {"training.max_epochs": epochs_for(n_tokens), "training.eval_frequency": 100}
    enough = steps_for(n_tokens)
    steps = min(steps, enough) if steps else enough
    frequency = steps // EVALUATIONS
    return {"training.max_epochs": 0, _MAX_STEPS: steps, "training.eval_frequency": frequency}
