from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from spacy_elmo_ner.pretraining.text import (
    MAX_SENTENCE,
    TokenizedText,
    running_batches,
    shuffled_batches,
    split_held_out,
    tokenize,
)


def _sentences(text: TokenizedText) -> list[str]:
    return [" ".join(text.words[i] for i in text.sentence(row)) for row in range(text.n_sentences)]


def _made_of(lengths: list[int], sources: list[int] | None = None) -> TokenizedText:
    n_tokens = sum(lengths)
    return TokenizedText(
        words=["a"],
        counts=np.array([n_tokens]),
        tokens=np.zeros(n_tokens, dtype=np.int32),
        offsets=np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64),
        source=np.asarray(sources or [0] * len(lengths), dtype=np.int32),
        sources=[str(i) for i in range(max(sources or [0]) + 1)],
    )


def test_text_is_cut_into_words_as_a_pipeline_cuts_them(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("She didn't  go.\nShe  did.\n")
    (tmp_path / "b.txt").write_text("go go\n")
    text = tokenize([tmp_path / "a.txt", tmp_path / "b.txt"], progress=False)
    assert _sentences(text) == ["She did n't go .", "She did .", "go go"]
    assert text.words[0] == "go" and set(text.words[1:4]) == {"She", "did", "."}
    assert text.counts.tolist() == [3, 2, 2, 2, 1]
    assert text.source.tolist() == [0, 0, 1]
    assert text.sources == ["a.txt", "b.txt"]


def test_a_long_line_is_cut_into_sentences_of_bounded_length(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text(" ".join(["word"] * (2 * MAX_SENTENCE + 3)))
    text = tokenize([tmp_path / "a.txt"], progress=False)
    assert np.diff(text.offsets).tolist() == [MAX_SENTENCE, MAX_SENTENCE, 3]


@pytest.mark.parametrize("content", ["", "\n\n  \n", "\u2028\n"])
def test_text_without_words_is_an_error(tmp_path: Path, content: str) -> None:
    (tmp_path / "a.txt").write_text(content, encoding="utf8")
    with pytest.raises(ValueError, match=r"EL402.*a\.txt"):
        tokenize([tmp_path / "a.txt"], progress=False)
    with pytest.raises(ValueError, match=r"EL402.*none"):
        tokenize([], progress=False)


def test_tokenized_text_survives_a_round_trip(text_file: Path, tmp_path: Path) -> None:
    text = tokenize([text_file], progress=False)
    text.to_disk(tmp_path / "text")
    again = TokenizedText.from_disk(tmp_path / "text")
    assert (again.words, again.sources) == (text.words, text.sources)
    assert _sentences(again) == _sentences(text)
    assert _sentences(text)[:120] == text_file.read_text().splitlines()


@pytest.mark.parametrize("name", ["tokens.npy", "counts.npy", "words.json"])
@pytest.mark.parametrize("content", [b"", b"[]", b"\x93NUMPY\x01\0\xff", b"\x80\x04K\x01."])
def test_damaged_tokenized_text_is_named(
    text_file: Path, tmp_path: Path, name: str, content: bytes
) -> None:
    tokenize([text_file], progress=False).to_disk(tmp_path / "text")
    (tmp_path / "text" / name).write_bytes(content)
    with pytest.raises(ValueError, match=r"EL412.*text"):
        TokenizedText.from_disk(tmp_path / "text")


def test_the_end_of_each_source_is_held_out() -> None:
    text = _made_of([1] * 50, [0] * 20 + [1] * 30)
    train, held_out = split_held_out(text, 2)
    assert held_out.tolist() == [18, 19, 48, 49]
    assert sorted([*train, *held_out]) == list(range(50))


def test_at_most_a_tenth_is_held_out() -> None:
    train, held_out = split_held_out(_made_of([1] * 30), 1000)
    assert held_out.tolist() == [27, 28, 29] and len(train) == 27


def test_many_small_files_are_held_out_as_one() -> None:
    train, held_out = split_held_out(_made_of([1] * 20, [i // 2 for i in range(20)]), 5)
    assert held_out.tolist() == [18, 19] and train.tolist() == list(range(18))


def test_nothing_is_held_out_of_a_few_sentences_or_where_nobody_asks() -> None:
    for n_sentences, n_held_out in ((9, 5), (100, 0)):
        train, held_out = split_held_out(_made_of([1] * n_sentences), n_held_out)
        assert len(train) == n_sentences and len(held_out) == 0


@pytest.mark.parametrize("batch_tokens", [1, 40, 100_000])
def test_an_epoch_holds_each_sentence_exactly_once(batch_tokens: int) -> None:
    lengths = np.random.default_rng(0).integers(1, 30, size=500)
    text = _made_of(lengths.tolist())
    rows = np.arange(450)
    batches = shuffled_batches(text, rows, batch_tokens, np.random.default_rng(1))
    assert sorted(np.concatenate(batches)) == rows.tolist()
    longest = int(lengths.max()) + 2
    for batch in batches:
        assert len(batch) and (lengths[batch] + 2).sum() <= batch_tokens + longest


def test_batches_follow_from_the_seed_alone() -> None:
    text = _made_of(np.random.default_rng(0).integers(1, 30, size=300).tolist())
    first, again, other = (
        [batch.tolist() for batch in shuffled_batches(text, np.arange(300), 100, rng)]
        for rng in map(np.random.default_rng, ([7, 0], [7, 0], [7, 1]))
    )
    assert first == again != other


def test_the_sentences_of_a_batch_are_about_equally_long() -> None:
    lengths = np.random.default_rng(0).integers(1, 100, size=3000)
    batches = shuffled_batches(
        _made_of(lengths.tolist()), np.arange(3000), 2000, np.random.default_rng(0)
    )
    spans = [int(np.ptp(lengths[batch])) for batch in batches]
    assert np.median(spans) <= 3


@pytest.mark.parametrize("batch_tokens", [1, 60, 400, 1_000_000])
def test_running_batches_hold_the_sentence_that_follows_in_each_stream(batch_tokens: int) -> None:
    text = _made_of(np.random.default_rng(0).integers(1, 20, size=203).tolist())
    rows = np.arange(200)
    batches = running_batches(text, rows, batch_tokens, np.random.default_rng(3))
    n_streams = len(batches[0])
    assert {len(batch) for batch in batches} == {n_streams}
    for before, after in pairwise(batches):
        assert after.tolist() == ((before + 1) % 200).tolist()
    seen = np.concatenate(batches)
    assert len(seen) == len(set(seen)) > 200 - n_streams
    n_tokens = (np.diff(text.offsets)[rows] + 2).sum() / 200 * n_streams
    assert n_tokens <= max(23, 1.5 * batch_tokens) and (
        n_streams == 200 or n_tokens > batch_tokens / 2
    )


def test_an_epoch_of_running_text_begins_elsewhere() -> None:
    text = _made_of([3] * 100)
    first, again, other = (
        [batch.tolist() for batch in running_batches(text, np.arange(100), 50, rng)]
        for rng in map(np.random.default_rng, ([7, 0], [7, 0], [7, 1]))
    )
    assert first == again != other
