import math

import numpy as np
import pytest

from spacy_elmo_ner.decoding import log_softmax
from spacy_elmo_ner.decoding.temperature import fit_temperature


@pytest.mark.parametrize("lowest", [0.06, 0.5, 1.0, 3.0, 19.0])
def test_the_lowest_point_is_found_within_a_thousandth(lowest):
    calls = []

    def loss(temperature):
        calls.append(temperature)
        return (math.log(temperature) - math.log(lowest)) ** 2

    assert fit_temperature(loss) == pytest.approx(lowest, rel=1e-3)
    assert len(calls) == 21


def test_scores_that_are_too_sure_by_a_factor_give_that_factor():
    rng = np.random.default_rng(0)
    honest = rng.normal(0, 2, size=(20_000, 5))
    p = np.exp(log_softmax(honest))
    gold = (p.cumsum(axis=1) > rng.random((len(p), 1))).argmax(axis=1)

    def loss(temperature):
        return -log_softmax(1.6 * honest / temperature)[np.arange(len(gold)), gold].mean()

    assert fit_temperature(loss) == pytest.approx(1.6, rel=0.03)
