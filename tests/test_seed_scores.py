"""benchmarks/seed_scores.py: systems of a plan on test parts, and the majority baseline."""

import json
from collections.abc import Sequence
from pathlib import Path

import pytest
import spacy
from spacy.tokens import DocBin

from benchmarks.run_experiments import DONE, Run
from benchmarks.seed_scores import MAJORITY, VOTE, Majority, main, score_folder, trained_runs
from spacy_elmo_ner.comparison.corpora import read_corpus

from .comparison.conftest import SENTENCES, Sentence, add_ruler, gold_docs

pytest.importorskip("seqeval", reason="the metrics need the extra [project]")


def _write(path: Path, sentences: Sequence[Sentence]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    DocBin(attrs=["TAG", "ENT_IOB", "ENT_TYPE"], docs=gold_docs(sentences)).to_disk(path)


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    for part in ("train", "test", "test_fixed"):
        _write(tmp_path / "corpus" / f"{part}.spacy", SENTENCES)
    description = {"name": "tiny", "parts": {}}
    (tmp_path / "corpus" / "corpus.json").write_text(json.dumps(description), encoding="utf8")
    return tmp_path / "corpus"


def test_majority_gives_every_word_what_it_has_most_often(corpus: Path) -> None:
    gold = read_corpus(corpus / "train.spacy", spacy.blank("en"))
    predicted = Majority(gold).predict(gold)
    # Known by heart, but for the second "London": B-geo both times.
    assert [each.entities for each in predicted] == [each.entities for each in gold.annotations]
    assert predicted[3].tags == ["NNP", "VBD", "NNP"]


def test_unknown_words_get_the_commonest_label_of_all(corpus: Path, tmp_path: Path) -> None:
    _write(tmp_path / "other.spacy", [("Quux ran", "NN VBD", "O O")])
    make_doc = spacy.blank("en")
    majority = Majority(read_corpus(corpus / "train.spacy", make_doc))
    (found,) = majority.predict(read_corpus(tmp_path / "other.spacy", make_doc))
    assert found.entities == [] and found.tags == ["NNP", "NNP"]


def test_seeds_of_a_system_stand_together(corpus: Path, tmp_path: Path) -> None:
    base = tmp_path / "training"
    runs = [Run("rules", seed, "a.cfg", str(corpus), {}) for seed in (0, 1, 2)]
    # The second seed finds less than the first; the third was never trained.
    for run, patterns in zip(
        runs[:2], ({"Monday": "tim", "London": "geo"}, {"London": "geo"}), strict=True
    ):
        folder = run.folder(base)
        folder.mkdir(parents=True)
        add_ruler(spacy.blank("en"), patterns).to_disk(folder / "model-best")
        (folder / DONE).write_text("{}", encoding="utf8")
    done = trained_runs(runs, base)
    assert done == {str(corpus): runs[:2]}
    parts = score_folder(corpus, done[str(corpus)], base)
    assert [part["part"] for part in parts] == ["test_fixed", "test"]
    majority, rules, vote = parts[0]["systems"]
    assert (majority["name"], majority["seeds"]) == (MAJORITY, [0])
    assert majority["ner"]["seqeval_default"] == [1.0]
    assert rules["seeds"] == [0, 1]
    first, second = rules["ner"]["spacy_scorer_ents"]
    assert first > second > 0
    assert not rules["tags"] and not rules["calibration_error"]  # it has neither
    assert vote["name"] == VOTE and vote["ner"]["spacy_scorer_ents"] == [second]  # of two both
    assert parts[0]["unanimous"]["found"] == parts[0]["unanimous"]["right"] > 0
    json.dumps(parts)


def test_one_corpus_is_scored_and_the_others_stay(
    corpus: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    plan = {
        "title": "Both",
        "base": {"config": "a.cfg"},
        "corpus": "elsewhere",
        "experiments": {"absent": {}, "rules": {"corpus": str(corpus)}},
    }
    Path("plan.json").write_text(json.dumps(plan), encoding="utf8")
    folder = Path("training/experiments/plan/rules/seed-0")
    folder.mkdir(parents=True)
    add_ruler(spacy.blank("en"), {"London": "geo"}).to_disk(folder / "model-best")
    (folder / DONE).write_text("{}", encoding="utf8")
    output = Path("benchmarks/results/plan-test.json")
    output.parent.mkdir(parents=True)
    other = {"corpus": "other", "part": "test"}
    before = {"title": "Both", "parts": [other, {"corpus": "tiny", "part": "test"}]}
    output.write_text(json.dumps(before), encoding="utf8")
    main(["plan.json", "--seeds", "0", "--corpus", str(corpus)])
    found = json.loads(output.read_text(encoding="utf8"))["parts"]
    assert found[0] == other
    assert [(part["corpus"], part["part"]) for part in found[1:]] == [
        ("tiny", "test_fixed"),
        ("tiny", "test"),
    ]
    assert [system["name"] for system in found[1]["systems"]] == [MAJORITY, "rules", VOTE]
