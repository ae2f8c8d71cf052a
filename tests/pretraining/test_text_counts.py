import json
from pathlib import Path

import numpy as np
import pytest

from spacy_elmo_ner.pretraining.objective import Vocabulary
from spacy_elmo_ner.pretraining.text import TokenizedText, split_held_out, tokenize
from spacy_elmo_ner.pretraining.text_counts import TextCounts, read_n_held_out


@pytest.fixture
def text(tmp_path: Path) -> TokenizedText:
    (tmp_path / "a.txt").write_text("the cat\n" * 18 + "the dog barks\n" * 2)
    (tmp_path / "b.txt").write_text("rare words\n" + "the cat\n" * 9)
    return tokenize([tmp_path / "a.txt", tmp_path / "b.txt"], progress=False)


@pytest.fixture
def found(text: TokenizedText) -> TextCounts:
    train, held_out = split_held_out(text, 2)
    vocabulary = Vocabulary.most_frequent(text.words, 6)  # the, cat and one of the others: dog
    return TextCounts.of(text, train, held_out, vocabulary, 2)


def test_parts_and_sources_are_counted(text: TokenizedText, found: TextCounts) -> None:
    assert (found.n_files, found.n_distinct, found.n_vocabulary) == (2, 6, 6)
    assert (found.train.n_sentences, found.train.n_tokens) == (27, 54)
    assert (found.held_out.n_sentences, found.held_out.n_tokens) == (3, 8)
    assert found.train.oov == pytest.approx(2 / 54)  # rare words
    assert found.held_out.oov == pytest.approx(2 / 8)  # barks, twice
    a, b = found.sources
    assert (a.file, b.file) == ("a.txt", "b.txt")
    assert (a.train.oov, a.held_out.oov) == (0.0, pytest.approx(2 / 6))
    assert (b.train.n_tokens, b.held_out.n_tokens) == (18, 2)
    assert (b.train.oov, b.held_out.oov) == (pytest.approx(2 / 18), 0.0)


def test_people_read_all_of_it_in_a_few_lines(found: TextCounts) -> None:
    assert list(found.lines()) == [
        "Read 2 files: 30 sentences, 62 tokens, 6 distinct words",
        "Vocabulary: 6 words",
        "Train: 27 sentences, 54 tokens, 3.70% of them outside the vocabulary",
        "Held out: 3 sentences, 8 tokens, 25.00% of them outside the vocabulary",
    ]


def test_nothing_held_out_misses_nothing(text: TokenizedText) -> None:
    train, held_out = split_held_out(text, 0)
    vocabulary = Vocabulary.most_frequent(text.words, 6)
    found = TextCounts.of(text, train, held_out, vocabulary, 0)
    assert found.held_out.oov is None
    assert list(found.lines())[-1] == "Held out: 0 sentences, 0 tokens"


def test_json_says_the_same(found: TextCounts, tmp_path: Path) -> None:
    found.to_json(tmp_path / "text.json")
    data = json.loads((tmp_path / "text.json").read_text())
    assert data["train"] == {"n_sentences": 27, "n_tokens": 54, "oov": 2 / 54}
    assert [source["file"] for source in data["sources"]] == ["a.txt", "b.txt"]
    assert read_n_held_out(tmp_path) == 2


@pytest.mark.parametrize(
    "content", ["", "[]", "{}", '{"n_held_out": "2"}', '{"n_held_out": -1}', '{"n_held_out": true}']
)
def test_damaged_counts_are_named(tmp_path: Path, content: str) -> None:
    (tmp_path / "text.json").write_text(content)
    with pytest.raises(ValueError, match=r"EL423.*text\.json"):
        read_n_held_out(tmp_path)
    (tmp_path / "text.json").unlink()
    with pytest.raises(FileNotFoundError, match=r"EL422.*text\.json"):
        read_n_held_out(tmp_path)


def test_counts_fit_the_tokens_they_are_made_from(text: TokenizedText) -> None:
    rows = np.random.default_rng(0).permutation(text.n_sentences)
    vocabulary = Vocabulary.most_frequent(text.words, 5)
    found = TextCounts.of(text, np.sort(rows[:20]), np.sort(rows[20:]), vocabulary, 10)
    for part, chosen in ((found.train, rows[:20]), (found.held_out, rows[20:])):
        words = [text.words[i] for row in chosen for i in text.sentence(row)]
        assert part.n_tokens == len(words)
        assert part.oov == pytest.approx(sum(w not in vocabulary.index for w in words) / len(words))
