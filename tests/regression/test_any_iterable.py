"""Whoever takes several of something takes a generator of them."""

from pathlib import Path

import numpy as np

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
