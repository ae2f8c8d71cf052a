"""Each example does what its README says, with fewer steps where it trains."""

import contextlib
import io
import json
import re
import runpy
import sys
from pathlib import Path

import pytest
import spacy

from .serving import ROOT


def run(script: str, *arguments: str) -> str:
    """Run an example as its reader would, but in this process; return what it prints."""
    printed = io.StringIO()
    before = sys.argv
    sys.argv = [script, *arguments]
    try:
        with contextlib.redirect_stdout(printed):
            runpy.run_path(f"examples/{script}", run_name="__main__")
    finally:
        sys.argv = before
    return printed.getvalue()


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """What a reader has, in a folder that the examples may write to."""
    monkeypatch.chdir(tmp_path)
    for name in ("assets", "examples"):
        (tmp_path / name).symlink_to(ROOT / name)
    return tmp_path


def test_every_example_has_a_readme_that_runs_its_script() -> None:
    folders = [path for path in (ROOT / "examples").iterdir() if path.is_dir()]
    assert {path.name for path in folders} >= {"own_corpus", "serve", "spancat_parser", "vectors"}
    for folder in folders:
        text = (folder / "README.md").read_text(encoding="utf8")
        scripts = re.findall(rf"python (?:examples/{folder.name}/)?(\w+\.py)", text)
        assert scripts and all((folder / script).is_file() for script in scripts), folder


def test_200_sentences_of_conll_become_a_pipeline(checkout: Path) -> None:
    arguments = ("assets/sample/train.conll", "--output", "own", "--steps", "24")
    printed = run("own_corpus/train.py", *arguments)
    assert "elmo init" in printed
    assert float(re.search(r"Entity F1 on the 50 sentences: ([\d.]+)", printed)[1]) > 0.3
    nlp = spacy.load(checkout / "own/training/model-best")
    assert nlp.pipe_names == ["elmo", "elmo_ner"]
    train = (checkout / "own/train.conll").read_text(encoding="utf8")
    assert len(train.strip().split("\n\n")) == 200


def test_a_corpus_that_is_too_small_is_said(checkout: Path) -> None:
    (checkout / "few.conll").write_text("Mary\tB-per\n\nPaul\tB-per\n", encoding="utf8")
    with pytest.raises(SystemExit, match=r"few.conll has 2 sentences, too few"):
        run("own_corpus/train.py", "few.conll")


def test_spacys_own_pipes_listen_to_elmo(checkout: Path) -> None:
    printed = run("spancat_parser/train.py", "--output", "out")
    uas, spans = re.search(r"UAS ([\d.]+), spans ([\d.]+)", printed).groups()
    assert float(uas) > 0.9 and float(spans) > 0.9
    nlp = spacy.load(checkout / "out")
    doc = nlp("Mary saw the old bridge")
    assert [token.head.text for token in doc] == ["saw", "saw", "bridge", "bridge", "saw"]
    assert ("the old bridge", "dobj") in [(s.text, s.label_) for s in doc.spans["phrases"]]


def test_the_least_certain_are_annotated_next(checkout: Path) -> None:
    small = checkout / "small"
    small.mkdir()
    for name, n in (("train", 80), ("dev", 5), ("test", 40)):
        blocks = (ROOT / f"assets/sample/{name}.conll").read_text(encoding="utf8").split("\n\n")
        (small / f"{name}.conll").write_text("\n\n".join(blocks[:n]) + "\n", encoding="utf8")
    arguments = ["--start", "30", "--take", "10", "--rounds", "1", "--steps", "10"]
    printed = run("active_learning/loop.py", "--corpus", "small", "--output", "active", *arguments)
    scores = re.findall(r"(\d+) sentences(?:, (.*))?: F1 ([\d.]+)", printed)
    assert [(n, way) for n, way, _ in scores] == [
        ("30", ""),
        ("40", "least certain"),
        ("40", "at random"),
    ]
    assert all(float(score) > 0.1 for _, _, score in scores)
    (file,) = (checkout / "active/annotated").glob("*.jsonl")
    rows = [json.loads(line) for line in file.read_text(encoding="utf8").splitlines()]
    pool = (checkout / "active/pool.jsonl").read_text(encoding="utf8").splitlines()
    assert len(rows) == len(pool) == 50
    certainties = [row["certainty"] for row in rows]
    assert certainties == sorted(certainties) and certainties[0] < certainties[-1]


def test_layers_that_read_the_sentence_know_the_meaning(checkout: Path) -> None:
    pytest.importorskip("sklearn")
    printed = run("vectors/senses.py")
    right = dict(re.findall(r"layer (\d): (\d+) of 20 right", printed))
    assert int(right["0"]) <= 10 < 14 <= int(right["2"])
