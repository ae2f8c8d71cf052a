import json

import pytest
import spacy
from spacy.tokens import Doc
from spacy.vocab import Vocab

from spacy_elmo_ner.comparison.corpora import published_figures, read_corpus
from spacy_elmo_ner.corpus.docs import blank_copy


def read_gold(path):
    return read_corpus(path, spacy.blank("en"))


def test_gold_keeps_words_entities_and_tags(write_corpus):
    gold = read_gold(write_corpus())
    assert (len(gold.docs), gold.n_words, gold.n_entities) == (4, 20, 7)
    assert gold.entity_labels == {"per", "geo", "tim", "org"}
    assert gold.annotations[1].entities == [(0, 2, "org"), (4, 5, "geo")]
    assert gold.corpus is None


def test_a_blank_copy_has_the_same_words_and_spaces_and_no_annotation():
    doc = Doc(Vocab(), words=["Hi", "!", "You"], spaces=[False, True, False], tags=["A", "B", "C"])
    copy = blank_copy(doc, Vocab())
    assert copy.text == doc.text == "Hi! You"
    assert not copy.has_annotation("TAG")
    unknown = blank_copy(Doc(Vocab(), words=["Hi", "!"]), Vocab())
    assert unknown.has_unknown_spaces


@pytest.mark.parametrize("docs", [[], [Doc(Vocab())]])
def test_an_empty_corpus_is_refused(docs, write_corpus):
    with pytest.raises(ValueError, match=r"EL323.*test\.spacy holds no text"):
        read_gold(write_corpus(docs))


def test_docs_without_annotation_are_no_gold(write_corpus):
    gold = read_gold(write_corpus([Doc(Vocab(), words=["Hi"])]))
    assert not gold.has_gold
    assert gold.annotations[0].entities is None


def test_plain_text_is_read_line_by_line_and_split_by_the_tokenizer(tmp_path):
    path = tmp_path / "text.txt"
    path.write_text("\ufeffHi, London!\n\n  It's late.\n", encoding="utf8")
    gold = read_gold(path)
    assert [each.words for each in gold.annotations] == [
        ["Hi", ",", "London", "!"],
        ["It", "'s", "late", "."],
    ]
    assert not gold.has_gold


def test_plain_text_without_words_is_refused(tmp_path):
    path = tmp_path / "text.txt"
    path.write_text("\n  \n", encoding="utf8")
    with pytest.raises(ValueError, match=r"EL305.*text\.txt"):
        read_gold(path)


def test_plain_text_that_is_not_utf_8_is_refused(tmp_path):
    path = tmp_path / "text.txt"
    path.write_bytes(b"caf\xe9")
    with pytest.raises(ValueError, match=r"EL304.*text\.txt.*0xe9"):
        read_gold(path)


@pytest.mark.parametrize("content", [b"", b"no docbin", b"x\x9c\x03\x00"])
def test_a_file_that_is_no_docbin_is_refused(content, tmp_path):
    path = tmp_path / "test.spacy"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=r"EL322.*test\.spacy"):
        read_gold(path)


def test_a_missing_file_is_refused(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"EL520.*test\.spacy"):
        read_gold(tmp_path / "test.spacy")


def described(write_corpus, name, part="test.spacy", n_docs=4768):
    vocab = Vocab()
    path = write_corpus([Doc(vocab, words=["a"], tags=["X"]) for _ in range(n_docs)], part)
    path.with_name("corpus.json").write_text(json.dumps({"name": name}), encoding="utf8")
    return read_gold(path)


@pytest.mark.parametrize("part", ["test.spacy", "test_fixed.spacy"])
def test_published_figures_stand_beside_the_seed_splits_test(part, write_corpus):
    (figures,) = published_figures(described(write_corpus, "gmb-seed", part))
    assert (figures.ner_f1, figures.tag_f1) == (81.2, 97.1)
    assert figures.ner_per_type_f1["gpe"] == 93
    assert "not measured here" in figures.reference


@pytest.mark.parametrize(
    ("name", "part", "n_docs"),
    [
        ("gmb-clean", "test.spacy", 4768),
        ("gmb-seed", "dev.spacy", 4768),
        ("gmb-seed", "test.spacy", 9),
    ],
)
def test_published_figures_stand_beside_nothing_else(name, part, n_docs, write_corpus):
    assert published_figures(described(write_corpus, name, part, n_docs)) == []


def test_a_broken_description_is_refused(write_corpus):
    path = write_corpus()
    path.with_name("corpus.json").write_text("{", encoding="utf8")
    with pytest.raises(ValueError, match=r"EL304.*corpus\.json"):
        read_gold(path)
