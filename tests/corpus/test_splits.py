"""The article's split to the sentence, and the clean split's promise that nothing leaks."""

import warnings

import pytest

from spacy_elmo_ner.corpus import splits
from spacy_elmo_ner.corpus.gmb import GMBFile, GMBSentence
from spacy_elmo_ner.corpus.splits import (
    BLOCK,
    FROZEN,
    GUARD,
    PARTS,
    Frozen,
    Split,
    Variant,
    clean_split,
    cut,
    seed_split,
    split_gmb,
)
from spacy_elmo_ner.decoding import bio_to_spans

from .conftest import numbered, sentence


@pytest.fixture(scope="module")
def published_seed(published: GMBFile) -> Split:
    return split_gmb(published, "seed")


@pytest.fixture(scope="module")
def published_clean(published: GMBFile) -> Split:
    return split_gmb(published, "clean")


def test_the_seed_split_is_scikit_learns() -> None:
    model_selection = pytest.importorskip("sklearn.model_selection")
    sentences = numbered(47_959)
    by_name = sorted(sentences, key=lambda each: f"Sentence: {each.number}")
    rest, test = model_selection.train_test_split(by_name, test_size=0.1, random_state=2021)
    split = seed_split(sentences)
    assert split == Split(rest[:38_816], rest[-4_320:], test[:4_768])
    assert split.sizes == (38_816, 4_320, 4_768)


def test_the_seed_split_is_for_its_own_file_only() -> None:
    with pytest.raises(ValueError, match=r"EL212.*47,959.*has 12"):
        seed_split(numbered(12))


def test_the_seed_split_holds_the_articles_example(published_seed: Split) -> None:
    words = published_seed.test[395].words
    assert words[:7] == ("Mr.", "Azhari", "told", "VOA", "reporter", "William", "Eagle")


def test_46_seed_test_sentences_stand_in_train(published_seed: Split) -> None:
    train = {each.words for each in published_seed.train}
    assert sum(each.words in train for each in published_seed.test) == 46


@pytest.mark.parametrize(
    ("variant", "entities"), [("published", 11_137), ("fixed", 11_140), ("full", 11_141)]
)
def test_supports_tell_the_variants_apart(
    published_seed: Split, variant: Variant, entities: int
) -> None:
    sequence_labeling = pytest.importorskip("seqeval.metrics.sequence_labeling")
    labels = [list(cut(each, variant).ents) for each in published_seed.test]
    assert len(sequence_labeling.get_entities(labels)) == entities
    assert sum(len(bio_to_spans(each)) for each in labels) == entities


def test_published_tags_have_the_articles_number_of_chunks(published_seed: Split) -> None:
    sequence_labeling = pytest.importorskip("seqeval.metrics.sequence_labeling")
    tags = [list(cut(each, "published").tags) for each in published_seed.test]
    padded = [each + ["."] * (50 - len(each)) for each in tags]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # seqeval warns that tags are no entity labels
        assert len(sequence_labeling.get_entities(padded)) == 87_740


def test_splits_of_the_published_file_are_frozen(
    published_seed: Split, published_clean: Split
) -> None:
    found = {"seed": published_seed, "clean": published_clean}
    assert {name: Frozen(split.sizes, split.sha256()) for name, split in found.items()} == FROZEN


def test_a_split_that_came_out_otherwise_is_refused(
    published: GMBFile, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(FROZEN, "clean", Frozen((1, 2, 3), "0" * 64))
    with pytest.raises(ValueError, match=r"EL214.*clean split.*sizes=\(1, 2, 3\)"):
        split_gmb(published, "clean")


def test_the_clean_split_shares_no_sentence_and_no_neighbourhood(published_clean: Split) -> None:
    assert_nothing_leaks(published_clean, GUARD)
    total = sum(published_clean.sizes)
    shares = [size / total for size in published_clean.sizes]
    assert shares == pytest.approx([0.8, 0.1, 0.1], abs=0.01)


def test_any_corpus_splits_cleanly_and_always_alike() -> None:
    sentences = numbered(3_000)
    # Copies near and far, inside one part and across parts.
    for number in range(1, 3_000, 37):
        sentences[number] = sentence(number + 1, ["He", "did", "not", "elaborate", "."])
    split = clean_split(sentences)
    assert_nothing_leaks(split, GUARD)
    assert split == clean_split(sentences[::-1])
    assert [each.number for each in split.dev] == sorted(each.number for each in split.dev)
    repeated = [s.words for s in split.dev + split.test if s.words[0] == "He"]
    assert repeated == []


def test_copies_stay_in_train_whatever_part_they_stood_in() -> None:
    unique = clean_split(numbered(1_000), block=100, guard=0)
    in_train, in_test = unique.train[0].number, unique.test[0].number
    sentences = numbered(1_000)
    for number in (in_train, in_test):
        sentences[number - 1] = sentence(number, ["a", "copy"])
    split = clean_split(sentences, block=100, guard=0)
    assert in_train in {each.number for each in split.train}
    assert in_test not in {each.number for part in PARTS for each in split.part(part)}


def test_a_guard_is_taken_from_train_beside_test() -> None:
    whole = clean_split(numbered(10 * BLOCK), guard=0)
    guarded = clean_split(numbered(10 * BLOCK))
    assert guarded.test == whole.test
    assert sum(whole.sizes) == 10 * BLOCK
    assert 0 < len(whole.train) - len(guarded.train) <= 4 * GUARD


def test_too_few_sentences_for_three_blocks_are_refused() -> None:
    with pytest.raises(ValueError, match=r"EL213\] 2 blocks"):
        clean_split(numbered(2 * BLOCK))


def test_the_hash_sees_parts_order_and_words() -> None:
    one, two = numbered(2)
    hashes = {
        Split([one], [two], []).sha256(),
        Split([two], [one], []).sha256(),
        Split([one, two], [], []).sha256(),
        Split([two, one], [], []).sha256(),
        Split([one], [sentence(2, ["other"])], []).sha256(),
    }
    assert len(hashes) == 5


def test_variants_cut_words_and_labels_to_fifty() -> None:
    words, tags, ents = (tuple(f"{kind}{i}" for i in range(60)) for kind in "wte")
    long = GMBSentence(7, words, tags, ents)
    assert cut(long, "full") == long
    assert cut(long, "fixed") == GMBSentence(7, words[:50], tags[:50], ents[:50])
    assert cut(long, "published") == GMBSentence(7, words[:50], tags[10:], ents[10:])
    short = sentence(1, ["w"] * splits.MAX_WORDS)
    assert {cut(short, variant) for variant in splits.VARIANTS} == {short}


def assert_nothing_leaks(split: Split, guard: int) -> None:
    texts = [{each.words for each in split.part(part)} for part in PARTS]
    assert texts[0].isdisjoint(texts[1] | texts[2])
    assert texts[1].isdisjoint(texts[2])
    owner = {each.number: part for part in PARTS for each in split.part(part)}
    for number, part in owner.items():
        near = {owner.get(number + step, part) for step in range(1, guard + 1)}
        assert near == {part}, number
