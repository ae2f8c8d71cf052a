"""The frozen state that ``initial_state = "warm"`` starts every sentence from.

Official biLMs were trained with the LSTM state running on from sentence to sentence, and
never saw a state of zeros but once. AllenNLP keeps that state between calls, so the same text
gets other vectors each time. Here one fixed text is run once, sentence after sentence; what it
leaves behind is where every sentence starts, whatever was embedded before.
"""

from typing import TYPE_CHECKING

import torch

from .lstm import LSTMState

if TYPE_CHECKING:
    from .bilm import BiLM, BiLMStates

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


def warm_states(bilm: "BiLM") -> "BiLMStates":
    """States of one row that `WARM_UP_TEXT` leaves behind, float32, without gradients."""
    first, *others = (sentence.split() for sentence in WARM_UP_TEXT)
    with torch.no_grad():
        _, states = bilm.run([first])
        for sentence in others:
            _, states = bilm.run([sentence], states)
    forward, backward = (
        [LSTMState(s.h.float(), s.c.float()) for s in direction] for direction in states
    )
    return forward, backward
