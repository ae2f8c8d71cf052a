"""`JoinedSentences.v1`: sentences of a corpus as running text, with their beginnings marked."""

from pathlib import Path

import pytest
import spacy
from spacy.tokens import Doc, DocBin

from spacy_elmo_ner.corpus.joined_sentences import create_joined_sentences_reader_v1

SENTENCES = [
    "Mary left .",
    "She went to Paris !",
    "Why ?",
    "Nobody knows",
    "The U.N. met in Rome .",
] * 8


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    vocab = spacy.blank("en").vocab
    path = tmp_path / "train.spacy"
    DocBin(docs=[Doc(vocab, words=text.split()) for text in SENTENCES]).to_disk(path)
    return path


def texts(path: Path, **settings) -> list[list[str]]:
    """The sentences of each text that the reader yields."""
    examples = create_joined_sentences_reader_v1(path, **settings)(spacy.blank("en"))
    found = []
    for example in examples:
        assert [t.text for t in example.predicted] == [t.text for t in example.reference]
        assert not example.predicted.has_annotation("SENT_START")
        found.append([sent.text.rstrip(" ") for sent in example.reference.sents])
    return found


def test_no_sentence_is_lost_cut_or_moved(corpus: Path) -> None:
    found = texts(corpus, max_sentences=4)
    assert [sentence for text in found for sentence in text] == SENTENCES
    assert {len(text) for text in found} == {1, 2, 3, 4}


def test_texts_are_the_same_in_every_epoch_and_other_with_another_seed(corpus: Path) -> None:
    settings = {"line_breaks": 0.3, "quotes": 0.3, "questions": 0.3, "lower": 0.3}
    reader = create_joined_sentences_reader_v1(corpus, **settings)
    nlp = spacy.blank("en")
    first, again = ([ex.reference.text for ex in reader(nlp)] for _ in range(2))
    assert first == again
    assert texts(corpus, **settings) != texts(corpus, seed=1, **settings)


def test_a_limit_counts_texts(corpus: Path) -> None:
    assert texts(corpus, limit=3) == texts(corpus)[:3]


def test_a_break_belongs_to_the_sentence_before_it(corpus: Path) -> None:
    found = [sentence for text in texts(corpus, line_breaks=1.0) for sentence in text]
    assert len(found) == len(SENTENCES)
    assert all(
        sentence.rstrip() == words and sentence != words
        for sentence, words in zip(found, SENTENCES, strict=True)
        if not sentence.endswith(words)
    )
    assert any(sentence.endswith("\n\n") for sentence in found)


def test_a_headline_has_no_full_stop_but_a_line_break(corpus: Path) -> None:
    found = [sentence for text in texts(corpus, headlines=1.0) for sentence in text]
    assert [sentence.split("\n")[0].strip() for sentence in found[:5]] == [
        "Mary left",
        "She went to Paris",
        "Why",
        "Nobody knows",
        "The U.N. met in Rome",
    ]
    assert all(sentence.endswith("\n") for sentence in found)


def test_quotation_marks_stand_inside_their_sentence(corpus: Path) -> None:
    found = [sentence for text in texts(corpus, quotes=1.0) for sentence in text]
    assert found == [f'" {sentence} "' for sentence in SENTENCES]


def test_a_question_keeps_its_words(corpus: Path) -> None:
    found = [sentence for text in texts(corpus, questions=1.0) for sentence in text]
    assert {sentence[:-1] for sentence in found[::5]} == {"Mary left "}
    assert {sentence[-1] for sentence in found[::5]} == {"?", "!"}
    assert found[3] == "Nobody knows"


def test_texts_in_lower_case(corpus: Path) -> None:
    found = [sentence for text in texts(corpus, lower=1.0) for sentence in text]
    assert found == [sentence.lower() for sentence in SENTENCES]


def test_what_is_no_share_or_no_text_is_refused(corpus: Path) -> None:
    with pytest.raises(ValueError, match=r"EL691.*quotes = 1.5"):
        create_joined_sentences_reader_v1(corpus, quotes=1.5)
    with pytest.raises(ValueError, match=r"EL690.*max_sentences = 0"):
        create_joined_sentences_reader_v1(corpus, max_sentences=0)
