"""Sentences in another case are spelled so; the words to predict stay as they are written."""

import numpy as np

from spacy_elmo_ner.corpus.casing import SPELLINGS, CaseShares
from spacy_elmo_ner.elmo import BiLMOptions
from spacy_elmo_ner.elmo.characters import words_to_ids
from spacy_elmo_ner.pretraining.config import PretrainingConfig
from spacy_elmo_ner.pretraining.objective import BatchMaker, Vocabulary

WORDS = ["the", "UN", "in", "Paris"]
OPTIONS: BiLMOptions = PretrainingConfig().options


def test_the_shares_of_sentences_are_those_asked_for() -> None:
    cases = CaseShares(lower=0.1, upper=0.05, title=0.2).choose(100_000, np.random.default_rng(0))
    assert cases is not None
    assert np.allclose(np.bincount(cases) / len(cases), [0.65, 0.1, 0.05, 0.2], atol=0.005)


def test_without_shares_all_sentences_stay_as_they_are() -> None:
    assert CaseShares(0, 0, 0).choose(5, np.random.default_rng(0)) is None
    assert CaseShares(1, 0, 0).choose(5, np.random.default_rng(0)).tolist() == [1] * 5


def test_the_case_changes_how_words_are_spelled_and_not_which_are_predicted() -> None:
    make_batch = BatchMaker(WORDS, Vocabulary.most_frequent(WORDS, 60), OPTIONS)
    sentences = [np.asarray([0, 1, 2, 3], dtype=np.int32)] * 4
    plain = make_batch(sentences)
    mixed = make_batch(sentences, np.arange(4))
    assert mixed.targets.tolist() == plain.targets.tolist()
    n_tokens = len(WORDS) + 2
    for i, case in enumerate(SPELLINGS):
        rows = mixed.word_index[i * n_tokens + 1 : (i + 1) * n_tokens - 1]
        expected, lengths = words_to_ids([case(word) for word in WORDS])
        assert mixed.char_ids[rows].tolist() == expected.tolist()
        assert mixed.lengths[rows].tolist() == lengths.tolist()
        # The sentence marks have no case.
        marks = mixed.word_index[[i * n_tokens, (i + 1) * n_tokens - 1]]
        assert mixed.char_ids[marks].tolist() == plain.char_ids[plain.word_index[[0, 5]]].tolist()
