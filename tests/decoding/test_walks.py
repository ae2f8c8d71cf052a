"""The compiled walks against numpy's, and built with sanitizers."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from spacy_elmo_ner.decoding import BIOTransitions, FullTransitions, walks
from spacy_elmo_ner.decoding.lattice import Lattice
from spacy_elmo_ner.decoding.marginals import run_forward_backward
from spacy_elmo_ner.decoding.viterbi import run_viterbi
from tests.decoding.brute_force import random_parts
from tests.sanitizers import build_with_sanitizers

compiled = pytest.mark.skipif(walks._library() is None, reason="The library was not built.")


def _both(scores, lengths, transitions, monkeypatch):
    """Viterbi and forward-backward of compiled code, and of numpy."""
    found = []
    for enabled in (True, False):
        monkeypatch.setattr(walks, "enabled", enabled)
        lattice = Lattice.of(scores, lengths, transitions)
        assert lattice.in_order == enabled
        posterior = run_forward_backward(lattice)
        columns = lattice.columns
        found.append(
            (
                *run_viterbi(lattice),
                posterior.log_partition,
                posterior.forward.T[columns],
                posterior.backward.T[columns],
                posterior.of_labels(),
            )
        )
    return found


@compiled
@settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    n_types=st.integers(0, 4),
    lengths=st.lists(st.integers(0, 9), min_size=1, max_size=5),
    spread=st.sampled_from([0.0, 1.0, 1000.0]),
    forbidden=st.booleans(),
    seed=st.integers(0, 99),
)
def test_they_find_what_numpy_finds(n_types, lengths, spread, forbidden, seed, monkeypatch) -> None:
    """spread 0: all sequences score alike, so that only ties are decided."""
    # In pieces, numpy rounds sums in another order, which decides between equals.
    monkeypatch.setattr("spacy_elmo_ner.decoding.lattice.PIECE", 256)
    rng = np.random.default_rng(seed)
    transitions = random_parts(n_types, lambda shape: spread * rng.normal(size=shape).round(1))
    scores = spread * rng.normal(size=(sum(lengths), 1 + 2 * n_types)).round(1)
    if forbidden:
        scores[rng.random(scores.shape) < 0.2] = -np.inf
        scores[:, 0] = 0.0
    (path, best, *sums), (expected_path, expected_best, *expected) = _both(
        scores, lengths, transitions, monkeypatch
    )
    np.testing.assert_array_equal(path, expected_path)
    np.testing.assert_allclose(best, expected_best, rtol=1e-12)
    for one, other in zip(sums, expected, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-9, atol=1e-9)


@compiled
def test_a_document_is_the_same_to_the_last_bit_beside_any_others() -> None:
    rng = np.random.default_rng(0)
    transitions = random_parts(3, lambda shape: rng.normal(size=shape))
    docs = [rng.normal(size=(n, 7)) for n in (4, 0, 300, 1)]
    together = walks.Walk(np.concatenate(docs), np.array([4, 0, 300, 1]), transitions)
    alone = [walks.Walk(doc, np.array([len(doc)]), transitions) for doc in docs]
    forward, totals = together.forward()
    for array, of_one in (
        (forward, [one.forward()[0] for one in alone]),
        (together.backward(), [one.backward() for one in alone]),
        (together.best()[0], [one.best()[0] for one in alone]),
        (totals, [one.forward()[1] for one in alone]),
    ):
        np.testing.assert_array_equal(array, np.concatenate(of_one))


def test_only_structured_transitions_fit() -> None:
    assert walks.fit(BIOTransitions.zeros(2)) == (walks.enabled and walks._library() is not None)
    assert not walks.fit(FullTransitions.zeros(5))


@pytest.mark.skipif(sys.platform != "linux", reason="Finds the sanitizers as Linux has them.")
def test_no_walk_reads_or_writes_beyond_its_memory(tmp_path: Path) -> None:
    """Fuzzed shapes in a build with the address and undefined-behaviour sanitizers."""
    program, source = tmp_path / "fuzz", Path(__file__).with_name("fuzz_walks.c")
    build_with_sanitizers(
        f"-I{Path(walks.__file__).parent}", str(source), "-o", str(program), "-lm"
    )
    done = subprocess.run([str(program), "500"], capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("500 batches of")
