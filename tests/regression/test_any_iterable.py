"""Whoever takes several of something takes a generator of them."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from spacy.language import Language

from spacy_elmo_ner import BiLM
from spacy_elmo_ner.corpus.gmb import GMBSentence
from spacy_elmo_ner.corpus.splits import clean_split
from spacy_elmo_ner.pretraining.config import PretrainingConfig
from spacy_elmo_ner.pretraining.files import find_text_files
from spacy_elmo_ner.pretraining.text import tokenize


def test_text_files_from_a_generator(tmp_path: Path) -> None:
    paths = [tmp_path / "a.txt", tmp_path / "b.txt"]
    for path in paths:
        path.write_text("One line of text.\n")
    from_list = tokenize(paths, progress=False)
    from_generator = tokenize((path for path in paths), progress=False)
    assert from_generator.sources == from_list.sources == ["a.txt", "b.txt"]
    assert from_generator.words == from_list.words
    assert np.array_equal(from_generator.source, from_list.source)
    assert find_text_files(path for path in paths) == paths
    config = PretrainingConfig.for_text(path for path in paths)
    assert config == PretrainingConfig.for_text(paths)
    assert config.text.paths == tuple(map(str, paths))


def test_sentences_from_a_generator() -> None:
    sentences = [GMBSentence(i, (f"w{i}",), ("NN",), ("O",)) for i in range(1, 700)]
    assert clean_split(each for each in sentences) == clean_split(sentences)


def test_docs_from_a_generator(make_nlp: Callable[..., Language]) -> None:
    nlp = make_nlp("elmo_ner")
    ner = nlp.get_pipe("elmo_ner")
    docs = [nlp(text) for text in ("Peter left Oslo today", "", "Zoë")]
    from_list = ner.label_probabilities(docs)
    from_generator = ner.label_probabilities(doc for doc in docs)
    assert [len(of_doc) for of_doc in from_list] == [4, 0, 1]
    for one, other in zip(from_list, from_generator, strict=True):
        assert np.array_equal(one, other)
    assert list(ner.n_best(doc for doc in docs)) == list(ner.n_best(docs))


@pytest.mark.parametrize("value", [0, -1, 1.5, "64", None, True])
def test_a_batch_is_a_whole_number_of_tokens(value: object) -> None:
    with pytest.raises(ValueError, match="EL039"):
        BiLM.from_pretrained("small-en").embed([["A", "word"]], batch_tokens=value)
