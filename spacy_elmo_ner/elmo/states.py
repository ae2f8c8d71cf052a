"""Convert the states of the biLM's LSTM layers: to named tensors and to other rows.

The frozen state that ``initial_state = "warm"`` starts every sentence from: official biLMs were
trained with the LSTM state running on from sentence to sentence and almost never saw a state of
zeros. AllenNLP keeps that state between calls, so that the same text gets other vectors each time.
Here one fixed text is run once, sentence after sentence, and every sentence starts from the state
that it leaves, regardless of what was embedded before.
"""

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from .lstm import LSTMState
from .options import BiLMOptions

# Forward and backward states of each LSTM layer, one row per sentence.
BiLMStates = tuple[list[LSTMState], list[LSTMState]]

_DIRECTIONS = ("forward", "backward")

# Changing a word changes every vector made with "warm": the text is part of the format.
WARM_UP_TEXT = (
    "The council met on Monday to discuss the new budget .",
    "Officials said the talks would go on for another week .",
    "He was born in a small town near the coast in 1952 .",
    'The minister told reporters that the plan was " fair to all sides " .',
    "Heavy rain closed roads in the north of the country .",
    "She won the race by two seconds and thanked her team .",
    "The company did not say how many people would lose their jobs .",
    "Prices rose by 3.5 percent last year , the bank reported .",
    "Most of the visitors came from Europe and the United States .",
    "The court will hear the case again in June .",
)


def tensors_of_states(states: BiLMStates) -> dict[str, Tensor]:
    """Return each state by name, such as ``forward.0.h``."""
    return {
        f"{direction}.{depth}.{part}": value
        for direction, layers in zip(_DIRECTIONS, states, strict=True)
        for depth, state in enumerate(layers)
        for part, value in state._asdict().items()
    }


def states_of_tensors(tensors: Mapping[str, Tensor], options: BiLMOptions) -> BiLMStates:
    """Undo `tensors_of_states`. Raises KeyError for a missing name."""
    forward, backward = (
        [
            LSTMState(*(tensors[f"{direction}.{depth}.{part}"] for part in LSTMState._fields))
            for depth in range(options.lstm.n_layers)
        ]
        for direction in _DIRECTIONS
    )
    return forward, backward


def float_states(states: BiLMStates) -> BiLMStates:
    """Return the states as float32 without gradients."""
    forward, backward = (
        [LSTMState(s.h.detach().float(), s.c.detach().float()) for s in direction]
        for direction in states
    )
    return forward, backward


def repeated(states: BiLMStates, n_rows: int, device: torch.device) -> BiLMStates:
    """Return states of one row as states of n_rows rows, as views, on the device."""
    forward, backward = (
        [LSTMState(*(part.to(device).expand(n_rows, -1) for part in state)) for state in direction]
        for direction in states
    )
    return forward, backward


def reordered(states: Sequence[LSTMState], order: Tensor) -> list[LSTMState]:
    """Return the states of one direction with their rows in another order."""
    if len(order) == 1:
        return list(states)
    return [LSTMState(state.h[order], state.c[order]) for state in states]
