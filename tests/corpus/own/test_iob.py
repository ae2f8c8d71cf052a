"""Labels of words: every usual scheme, told apart by the file, and what is impossible in it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spacy_elmo_ner.corpus.own.iob import Label, Scheme, entities, parse_label, scheme_of

IOB2, IOB, BILOU = Scheme(False, False), Scheme(False, True), Scheme(True, False)


def labels(text: str) -> list[Label]:
    found = [parse_label(label) for label in text.split()]
    assert None not in found
    return found  # type: ignore[return-value]


@pytest.mark.parametrize(
    ("text", "scheme", "found"),
    [
        ("B-PER I-PER O B-LOC", IOB2, [(0, 2, "PER"), (3, 4, "LOC")]),
        ("I-PER I-PER O I-LOC", IOB, [(0, 2, "PER"), (3, 4, "LOC")]),
        ("I-PER B-PER I-LOC", IOB, [(0, 1, "PER"), (1, 2, "PER"), (2, 3, "LOC")]),
        ("B-PER L-PER U-LOC O", BILOU, [(0, 2, "PER"), (2, 3, "LOC")]),
        ("B-PER I-PER E-PER S-LOC", BILOU, [(0, 3, "PER"), (3, 4, "LOC")]),
        ("O - O", IOB2, []),
        ("", IOB2, []),
    ],
)
def test_valid_labels_are_read_in_their_scheme(text, scheme, found) -> None:
    assert scheme_of([labels(text)]) == scheme
    assert entities(labels(text), scheme) == (found, [])


@pytest.mark.parametrize(
    ("text", "found", "wrong"),
    [
        ("B-PER O I-PER I-PER", [(0, 1, "PER"), (2, 4, "PER")], [2]),
        ("B-PER I-LOC", [(0, 1, "PER"), (1, 2, "LOC")], [1]),
        ("U-PER L-PER", [(0, 1, "PER"), (1, 2, "PER")], [1]),
        ("B-PER I-PER O U-LOC", [(0, 2, "PER"), (3, 4, "LOC")], [1]),
        ("B-PER B-PER L-PER", [(0, 1, "PER"), (1, 3, "PER")], [0]),
        ("I-PER L-PER", [(0, 2, "PER")], [0]),
    ],
)
def test_what_cannot_follow_is_read_as_an_entity_and_named(text, found, wrong) -> None:
    assert entities(labels(text), scheme_of([labels(text)])) == (found, wrong)


def test_one_sentence_of_a_file_does_not_decide_for_all() -> None:
    file = [labels("O I-PER"), labels("B-LOC O")]
    assert scheme_of(file) == IOB2
    assert [entities(sentence, IOB2)[1] for sentence in file] == [[1], []]


@pytest.mark.parametrize("text", ["PER", "B-", "X-PER", "b-PER", "", "B PER", "I- "])
def test_what_is_no_label(text) -> None:
    assert parse_label(text) is None


SPANS = st.lists(st.tuples(st.integers(1, 3), st.integers(0, 2), st.sampled_from("ab")), max_size=6)


@given(SPANS, st.sampled_from(["IOB", "IOB2", "BILOU"]))
def test_spans_come_back_from_each_scheme(parts, name) -> None:
    """parts: (length, words of O before it, type) of each entity."""
    written: list[str] = []
    spans = []
    for length, gap, type_ in parts:
        follows_itself = not gap and bool(spans) and spans[-1][2] == type_
        written += ["O"] * gap
        spans.append((len(written), len(written) + length, type_))
        inside = [f"I-{type_}"] * (length - 1)
        if name == "BILOU":
            one = [f"U-{type_}"] if length == 1 else [f"B-{type_}", *inside[1:], f"L-{type_}"]
        elif name == "IOB2" or follows_itself:
            one = [f"B-{type_}", *inside]
        else:
            one = [f"I-{type_}", *inside]
        written += one
    sentence = labels(" ".join(written))
    assert entities(sentence, scheme_of([sentence])) == (spans, [])
