"""The sample corpus keeps what its README promises: format, labels, sizes, separate parts."""

import re
from collections import Counter
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import pytest

SAMPLE = Path(__file__).parents[2] / "assets" / "sample"
PARTS = ("train", "dev", "test")
MIN_SENTENCES = {"train": 400, "dev": 70, "test": 90}
MIN_ENTITIES = {
    "geo": 250,
    "gpe": 120,
    "org": 200,
    "per": 200,
    "tim": 180,
    "art": 25,
    "eve": 25,
    "nat": 20,
}
# The 42 tags of the GMB extract.
TAGS = {
    *("$", ",", ".", ":", ";", "CC", "CD", "DT", "EX", "FW", "IN", "JJ", "JJR", "JJS", "LRB"),
    *("MD", "NN", "NNP", "NNPS", "NNS", "PDT", "POS", "PRP", "PRP$", "RB", "RBR", "RBS", "RP"),
    *("RRB", "TO", "UH", "VB", "VBD", "VBG", "VBN", "VBP", "VBZ", "WDT", "WP", "WP$", "WRB", "``"),
}


class Token(NamedTuple):
    word: str
    tag: str
    entity: str


Sentence = list[Token]


def read_sentences(text: str) -> list[Sentence]:
    """Split on blank lines and drop comments; a line without three fields raises."""
    sentences: list[Sentence] = []
    for block in text.split("\n\n"):
        lines = [line for line in block.split("\n") if line and not line.startswith("# ")]
        if lines:
            sentences.append([Token(*line.split("\t")) for line in lines])
    return sentences


@pytest.fixture(scope="module")
def texts() -> dict[str, str]:
    return {part: (SAMPLE / f"{part}.conll").read_text(encoding="utf-8") for part in PARTS}


@pytest.fixture(scope="module")
def corpus(texts: dict[str, str]) -> dict[str, list[Sentence]]:
    return {part: read_sentences(text) for part, text in texts.items()}


def all_sentences(corpus: dict[str, list[Sentence]]) -> list[Sentence]:
    return [sentence for part in PARTS for sentence in corpus[part]]


def entity_counts(sentences: list[Sentence]) -> Counter[str]:
    return Counter(
        token.entity[2:]
        for sentence in sentences
        for token in sentence
        if token.entity.startswith("B-")
    )


@pytest.mark.parametrize("part", PARTS)
def test_every_line_is_a_comment_a_blank_or_three_fields(texts: dict[str, str], part: str) -> None:
    lines = texts[part].split("\n")
    for number, line in enumerate(lines, start=1):
        if not line or line.startswith("# "):
            continue
        fields = line.split("\t")
        assert len(fields) == 3, f"{part}.conll:{number}: {line!r}"
        assert all(field and field == field.strip() for field in fields), f"{part}.conll:{number}"


@pytest.mark.parametrize("part", PARTS)
def test_comments_stand_before_a_sentence_and_the_first_names_the_format(
    texts: dict[str, str], part: str
) -> None:
    lines = texts[part].split("\n")
    assert lines[0].startswith("# ") and "TAB" in lines[0]
    for before, line in pairwise(lines):
        if line.startswith("# "):
            assert not before or before.startswith("# "), f"{part}.conll: {line!r}"


def test_text_is_plain_ascii_with_straight_quotes(texts: dict[str, str]) -> None:
    assert all(text.isascii() for text in texts.values())


def test_tags_and_entity_types_come_from_the_closed_sets(
    corpus: dict[str, list[Sentence]],
) -> None:
    labels = {"O"} | {f"{prefix}-{kind}" for prefix in "BI" for kind in MIN_ENTITIES}
    tokens = [token for sentence in all_sentences(corpus) for token in sentence]
    assert {token.tag for token in tokens} <= TAGS
    assert {token.entity for token in tokens} <= labels


def test_inside_continues_an_entity_of_the_same_type(corpus: dict[str, list[Sentence]]) -> None:
    for sentence in all_sentences(corpus):
        previous = "O"
        for token in sentence:
            if token.entity.startswith("I-"):
                assert previous[2:] == token.entity[2:], " ".join(t.word for t in sentence)
            previous = token.entity


def test_parts_have_the_promised_sizes(corpus: dict[str, list[Sentence]]) -> None:
    for part, minimum in MIN_SENTENCES.items():
        assert len(corpus[part]) >= minimum, part


def test_sentences_have_five_to_forty_tokens_and_about_eighteen_on_average(
    corpus: dict[str, list[Sentence]],
) -> None:
    lengths = [len(sentence) for sentence in all_sentences(corpus)]
    assert min(lengths) >= 5 and max(lengths) <= 40
    assert 16 <= sum(lengths) / len(lengths) <= 20


def test_no_sentence_occurs_twice_within_or_across_parts(
    corpus: dict[str, list[Sentence]],
) -> None:
    words = [" ".join(token.word for token in sentence) for sentence in all_sentences(corpus)]
    assert [text for text, count in Counter(words).items() if count > 1] == []


@pytest.mark.parametrize("part", PARTS)
def test_every_entity_type_occurs_in_every_part(
    corpus: dict[str, list[Sentence]], part: str
) -> None:
    assert set(entity_counts(corpus[part])) == set(MIN_ENTITIES)


def test_there_are_enough_entities_of_each_type(corpus: dict[str, list[Sentence]]) -> None:
    counts = entity_counts(all_sentences(corpus))
    assert {kind: counts[kind] for kind, n in MIN_ENTITIES.items() if counts[kind] < n} == {}


def test_sentences_end_in_final_punctuation(corpus: dict[str, list[Sentence]]) -> None:
    for sentence in all_sentences(corpus):
        assert {token.tag for token in sentence[-2:]} & {"."}, " ".join(t.word for t in sentence)


def test_the_readme_table_states_the_real_counts(corpus: dict[str, list[Sentence]]) -> None:
    readme = (SAMPLE / "README.md").read_text(encoding="utf-8")
    for part in PARTS:
        row = re.search(rf"^\| {part} \|(.*)\|$", readme, flags=re.MULTILINE)
        assert row is not None, part
        sentences = corpus[part]
        counts = entity_counts(sentences)
        expected = [len(sentences), sum(map(len, sentences))]
        expected += [counts[kind] for kind in MIN_ENTITIES]
        assert [int(cell) for cell in row.group(1).split("|")] == expected, part
