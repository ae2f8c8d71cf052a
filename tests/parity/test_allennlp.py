"""The same numbers as AllenNLP's own ELMo, run in an environment of its own.

benchmarks/allennlp_peer/README.md has the recipe and the full comparison, which takes minutes.
"""

import numpy as np
import pytest

from benchmarks.allennlp_peer.inputs import SPELLING, spread_lengths
from benchmarks.allennlp_peer.parity import Result, flat_diff, run_case
from benchmarks.allennlp_peer.peer import Peer

TEXT = "The council met on Monday to discuss Mr. O'Neill's new budget , up by 3.5 percent ."
WORDS = TEXT.split()
SENTENCES = [["Hello"], WORDS, WORDS[::-1] * 2, WORDS[3:9], ["."] * 3]


@pytest.fixture(scope="module")
def peer() -> Peer:
    try:
        return Peer.find()
    except FileNotFoundError as err:
        pytest.skip(str(err))


def assert_equal_to_allennlp(result: Result) -> None:
    # Layers that reach 30, as those of small-en do, come in float32 steps of 2e-6.
    assert result.max_diff <= 1e-6 * max(10.0, result.largest)
    assert all(std > 0.1 for std in result.std)


def test_the_official_small_shape_gives_what_allennlp_gives_odd_words_too(peer: Peer) -> None:
    sentences = [*SENTENCES, *SPELLING]
    result, versions = run_case("small", peer, sentences, threads=1)
    assert versions["allennlp"] == "2.10.1"
    assert (result.n_params, result.n_sentences) == (13_593_296, len(sentences))
    assert_equal_to_allennlp(result)


def test_the_packaged_bilm_written_as_hdf5_runs_in_allennlp(peer: Peer) -> None:
    result, _ = run_case("small-en", peer, SENTENCES, threads=1)
    assert_equal_to_allennlp(result)


def test_a_difference_of_shape_is_no_parity() -> None:
    with pytest.raises(ValueError, match="Sentence 1 has shape"):
        flat_diff([np.zeros((3, 2, 4))] * 2, [np.zeros((3, 2, 4)), np.zeros((3, 1, 4))])


def test_sentences_for_the_parity_reach_from_the_shortest_to_the_longest() -> None:
    pool = [["word"] * n for n in (*range(1, 30), *[7] * 100, 104)]
    few, many = spread_lengths(list(pool), 5), spread_lengths(list(pool), 60)
    assert len(few) == 5
    assert {1, 104} <= {len(sentence) for sentence in few}
    assert len(many) == 60
    assert {len(sentence) for sentence in many} == {*range(1, 30), 104}
