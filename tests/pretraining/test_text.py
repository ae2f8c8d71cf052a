import gzip
import lzma
from pathlib import Path

import numpy as np
import pytest

from spacy_elmo_ner.pretraining import text as text_module
from spacy_elmo_ner.pretraining.text import (
    MAX_SENTENCE,
    TokenizedText,
    find_text_files,
    read_lines,
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


def test_lines_are_read_plain_and_packed(tmp_path: Path) -> None:
    data = "\ufeffOne line.\r\n\n   \nÄ second “one”.".encode()
    (tmp_path / "a.txt").write_bytes(data)
    (tmp_path / "a.txt.gz").write_bytes(gzip.compress(data))
    (tmp_path / "a.txt.xz").write_bytes(lzma.compress(data))
    for name in ("a.txt", "a.txt.gz", "a.txt.xz"):
        assert list(read_lines(tmp_path / name)) == ["One line.", "Ä second “one”."]


@pytest.mark.parametrize(
    ("name", "data", "line", "problem"),
    [
        ("a.txt", b"fine\nfine\nna\xefve\n", 3, "byte 0xef"),
        ("a.txt", b"fine\n\xc3", 2, "byte 0xc3"),
        ("a.txt", "fine\n".encode("utf-16"), 1, "byte 0xff"),
        ("a.txt", b"fine\na\0b\n", 2, "byte 0x00"),
        ("a.txt", b"\x89PNG\r\n\x1a\n\0\0", 1, "byte 0x89"),
        ("a.txt.gz", b"plain text\n", 1, "gzip"),
        ("a.txt.gz", gzip.compress(b"fine\n" * 1000)[:-20], 1, "ended"),
        ("a.txt.gz", gzip.compress(b"fine\n")[:10] + b"\xff" * 30, 1, "invalid"),
        ("a.txt.xz", b"plain text\n", 1, "format"),
        ("a.txt.xz", lzma.compress(b"fine\n" * 1000)[:-30], 1, "ended"),
    ],
)
def test_what_is_not_text_is_named_with_its_line(
    tmp_path: Path, name: str, data: bytes, line: int, problem: str
) -> None:
    (tmp_path / name).write_bytes(data)
    with pytest.raises(ValueError, match=rf"EL403.*{name}, line \d+.*{problem}") as caught:
        list(read_lines(tmp_path / name))
    if name == "a.txt":
        assert f"line {line}:" in str(caught.value)


def test_one_enormous_line_is_refused_without_reading_it_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(text_module, "_LONGEST_LINE", 1000)
    (tmp_path / "a.txt").write_bytes(b"x" * 999 + b"\n" + b"y" * 5_000_000)
    lines = read_lines(tmp_path / "a.txt")
    assert next(lines) == "x" * 999
    with pytest.raises(ValueError, match=r"EL404.*a\.txt, line 2: more than 1000"):
        next(lines)


def test_a_missing_file_and_a_folder_are_named(tmp_path: Path) -> None:
    for path in (tmp_path / "none.txt", tmp_path):
        with pytest.raises(FileNotFoundError, match=f"EL401.*{path.name}"):
            list(read_lines(path))


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


def test_a_folder_stands_for_the_text_files_below_it(tmp_path: Path) -> None:
    (tmp_path / "texts" / "deep").mkdir(parents=True)
    (tmp_path / "texts" / "folder.txt").mkdir()
    names = ["b.txt", "a.txt.gz", "deep/c.txt.xz", "notes.md"]
    for name in names:
        (tmp_path / "texts" / name).touch()
    found = find_text_files([tmp_path / "other.md", tmp_path / "texts"])
    assert [path.relative_to(tmp_path).as_posix() for path in found] == [
        "other.md",
        "texts/a.txt.gz",
        "texts/b.txt",
        "texts/deep/c.txt.xz",
    ]


def test_a_folder_without_text_is_named(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"EL413.*\.txt, \.gz, \.xz"):
        find_text_files([tmp_path])
