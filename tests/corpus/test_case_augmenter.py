import random
from pathlib import Path

import numpy as np
import pytest
import spacy
from spacy.tokens import Doc, DocBin, Span
from spacy.training import Corpus, Example
from spacy.util import load_config, registry

from spacy_elmo_ner.corpus.case_augmenter import create_case_augmenter_v1, recased_example
from spacy_elmo_ner.corpus.casing import CASES

WORDS = ["``", "President", "bush", "can't", "visit", "McDonald", "in", "London", "."]
EXPECTED = {
    "lower": ["``", "president", "bush", "can't", "visit", "mcdonald", "in", "london", "."],
    "upper": ["``", "PRESIDENT", "BUSH", "CAN'T", "VISIT", "MCDONALD", "IN", "LONDON", "."],
    "title": ["``", "President", "Bush", "Can't", "Visit", "McDonald", "In", "London", "."],
    "first_word": ["``", "President", "bush", "can't", "visit", "mcdonald", "in", "london", "."],
}
ROOT = Path(__file__).parents[2]
ALL = dict.fromkeys(CASES, 1.0)


@pytest.fixture
def nlp():
    return spacy.blank("en")


@pytest.fixture
def example(nlp):
    """Two entities, one token whose entity and one whose tag is unknown; spaces unknown."""
    doc = Doc(nlp.vocab, words=WORDS)
    for token in doc[:-1]:
        token.tag_ = "NNP" if token.is_title else "XX"
    ents = [Span(doc, 1, 3, "per"), Span(doc, 7, 8, "geo", kb_id="Q84")]
    doc.set_ents(ents, missing=[doc[4:5]], default="outside")
    doc.cats = {"news": 1.0}
    doc.spans["sc"] = [Span(doc, 1, 4, "x")]
    return Example(Doc(nlp.vocab, words=WORDS), doc)


def texts(examples):
    return [[token.text for token in one.reference] for one in examples]


def test_each_case_is_added_and_the_text_stays(nlp, example):
    found = list(create_case_augmenter_v1(**ALL)(nlp, example))
    assert found[0] is example
    assert texts(found[1:]) == list(EXPECTED.values())


@pytest.mark.parametrize("case", CASES)
def test_gold_is_the_same_in_any_case(nlp, example, case):
    found = recased_example(nlp, example, case)
    assert [token.text for token in found.predicted] == EXPECTED[case]
    before, after = example.reference, found.reference
    for attr in ("TAG", "ENT_IOB", "ENT_TYPE", "ENT_KB_ID", "LEMMA"):
        np.testing.assert_array_equal(after.to_array(attr), before.to_array(attr))
    assert found.get_aligned("TAG") == example.get_aligned("TAG")
    assert found.get_aligned_ner() == example.get_aligned_ner()
    assert found.get_aligned_ner()[4] is None and found.get_aligned_ner()[1] == "B-per"
    assert after.cats == {"news": 1.0}
    assert [(s.start, s.end, s.label_) for s in after.spans["sc"]] == [(1, 4, "x")]


def test_a_text_with_spaces_is_tokenized_anew_and_stays_aligned(nlp):
    doc = nlp.make_doc("We can't wait for U.S. elections in Rome.")
    doc.set_ents([Span(doc, 5, 6, "geo"), Span(doc, 8, 9, "geo")], default="outside")
    for case in CASES:
        found = recased_example(nlp, Example(nlp.make_doc(doc.text), doc), case)
        assert found.predicted.text == found.reference.text
        assert [token.text for token in found.predicted] == [
            token.text for token in nlp.make_doc(found.predicted.text)
        ]
        tags = found.get_aligned_ner()
        inside = [token.text.lower() for token in found.predicted if tags[token.i] != "O"]
        assert "".join(inside) == "u.s.rome"  # "u.s." may be two tokens


def test_sentences_and_heads_are_kept(nlp):
    words = ["He", "left", ".", "She", "stayed", "."]
    heads, deps = [1, 1, 1, 4, 4, 4], ["nsubj", "ROOT", "punct"] * 2
    parsed = Doc(nlp.vocab, words=words, heads=heads, deps=deps)
    cut = Doc(nlp.vocab, words=words, sent_starts=[True, False, False, True, False, False])
    for doc in (parsed, cut):
        found = recased_example(nlp, Example(Doc(nlp.vocab, words=words), doc), "upper").reference
        assert [(s.start, s.end) for s in found.sents] == [(0, 3), (3, 6)]
    found = recased_example(nlp, Example(Doc(nlp.vocab, words=words), parsed), "lower").reference
    assert [token.head.i for token in found] == heads and found[3].dep_ == "nsubj"


def test_gold_without_entities_stays_without(nlp):
    doc = Doc(nlp.vocab, words=["Rome", "fell"], tags=["NNP", "VBD"])
    found = recased_example(nlp, Example(Doc(nlp.vocab, words=["Rome", "fell"]), doc), "lower")
    assert found.get_aligned_ner() == [None, None]
    assert found.get_aligned("TAG", as_string=True) == ["NNP", "VBD"]


def test_what_has_no_other_case_is_not_repeated(nlp):
    for words in ([], ["1998", "."], ["東京"]):
        example = Example(Doc(nlp.vocab, words=words), Doc(nlp.vocab, words=words))
        assert list(create_case_augmenter_v1(**ALL)(nlp, example)) == [example]


def test_words_that_grow_in_capitals_stay_aligned(nlp):
    words = ["Die", "Straße", "ﬁel"]
    doc = Doc(nlp.vocab, words=words)
    doc.set_ents([Span(doc, 1, 2, "loc")], default="outside")
    found = recased_example(nlp, Example(Doc(nlp.vocab, words=words), doc), "upper")
    assert [token.text for token in found.predicted] == ["DIE", "STRASSE", "FIEL"]
    assert found.get_aligned_ner() == ["O", "U-loc", "O"]


def test_the_shares_are_about_those_asked_for_and_the_seed_decides(nlp, example):
    def drawn(seed: int) -> list[str]:
        random.seed(seed)
        augment = create_case_augmenter_v1(lower=0.3, upper=0, title=0.1)
        return [" ".join(words) for _ in range(500) for words in texts(augment(nlp, example))]

    found = drawn(0)
    counts = {case: found.count(" ".join(words)) for case, words in EXPECTED.items()}
    assert 110 < counts["lower"] < 190 and 25 < counts["title"] < 80 and counts["upper"] == 0
    assert found.count(" ".join(WORDS)) == 500
    assert found == drawn(0) != drawn(1)


@pytest.mark.parametrize("level", [-0.1, 1.5])
def test_a_level_that_is_no_share_is_refused(level):
    with pytest.raises(ValueError, match=f"EL119.*title = {level}"):
        create_case_augmenter_v1(title=level)


def test_spacys_corpus_takes_it_by_name(nlp, example, tmp_path):
    DocBin(docs=[example.reference]).to_disk(tmp_path / "train.spacy")
    create = registry.augmenters.get("spacy_elmo_ner.case.v1")
    corpus = Corpus(tmp_path / "train.spacy", augmenter=create(**ALL))
    assert len(list(corpus(nlp))) == 5


def test_elmo_cfg_mixes_case_in_training_only():
    corpora = load_config(ROOT / "configs" / "elmo.cfg")["corpora"]
    assert corpora["train"]["augmenter"]["@augmenters"] == "spacy_elmo_ner.case.v1"
    assert corpora["dev"]["augmenter"] is None


def test_ner_cfg_learns_from_text_as_it_is():
    """With few sentences, copies in other case cost more than they may; see its comment."""
    corpora = load_config(ROOT / "configs" / "ner.cfg")["corpora"]
    assert corpora["train"]["augmenter"] is None and corpora["dev"]["augmenter"] is None
