"""benchmarks/yardstick: the plan, runs in one process, figures in other case, the page."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import spacy
from spacy.tokens import Doc, DocBin
from spacy.vocab import Vocab

from benchmarks import cnn_vectors, fields, judge_bilm
from benchmarks.yardstick import runner as runners
from benchmarks.yardstick.plan import Plan, read_plan
from benchmarks.yardstick.results import ResultsFile, Row
from benchmarks.yardstick.runner import Runner
from scripts import yardstick_page
from spacy_elmo_ner.layers.word_vectors import build_word_vectors_v1

pytest.importorskip("seqeval", reason="the metrics need the extra [project]")

ROOT = Path(__file__).parents[1]
PLAN = ROOT / "benchmarks" / "experiments" / "yardstick.json"
# All of the yardstick's form.
PLANS = [
    path
    for path in sorted(PLAN.parent.glob("*.json"))
    if "systems" in json.loads(path.read_text(encoding="utf8"))
]

CONLL = {
    "train": "Ada\tB-person\nmet\tO\nBabbage\tB-person\n.\tO\n\nIn\tO\nLondon\tB-place\n.\tO\n\n",
    "dev": "Ada\tB-person\nleft\tO\nNew\tB-place\nYork\tI-place\n.\tO\n",
    "test": "Turing\tB-person\nslept\tO\n.\tO\n\n",
}


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    source = tmp_path / "conll" / "tiny"
    source.mkdir(parents=True)
    for part, text in CONLL.items():
        (source / f"{part}.conll").write_text(text, encoding="utf8")
    fields.write_field(source, tmp_path / "corpus" / "tiny")
    return tmp_path / "corpus" / "tiny"


@pytest.fixture
def plan(tmp_path: Path, corpus: Path) -> Plan:
    """The committed plan's systems on a corpus of three sentences, for two steps each."""
    data = json.loads(PLAN.read_text(encoding="utf8"))
    data["corpora"] = {"tiny": {"folder": str(corpus), "schedule": "tiny"}}
    steps = {"training.max_steps": 2, "training.eval_frequency": 1}
    data["schedules"] = {"tiny": dict.fromkeys(data["bases"], steps)}
    for base in data["bases"].values():
        base["config"] = str(ROOT / base["config"])
    path = tmp_path / "plan.json"
    path.write_text(json.dumps(data), encoding="utf8")
    return read_plan(path)


# ---- corpora -----------------------------------------------------------------------------


def test_a_field_keeps_its_words_and_entities(corpus: Path) -> None:
    (dev,) = DocBin().from_disk(corpus / "dev.spacy").get_docs(Vocab())
    assert [token.text for token in dev] == ["Ada", "left", "New", "York", "."]
    assert [(ent.text, ent.label_) for ent in dev.ents] == [
        ("Ada", "person"),
        ("New York", "place"),
    ]
    sizes = json.loads((corpus / "corpus.json").read_text(encoding="utf8"))["parts"]
    assert sizes["train"] == {"sentences": 2, "tokens": 7, "entities": 3}


@pytest.mark.parametrize("line", ["Ada B-person", "Ada\tperson", "\tO", "Ada\tO\tx"])
def test_a_line_that_is_no_word_and_label_is_named(tmp_path: Path, line: str) -> None:
    path = tmp_path / "train.conll"
    path.write_text(f"Ada\tO\n{line}\n", encoding="utf8")
    with pytest.raises(ValueError, match=r"train\.conll, line 2"):
        list(fields.read_sentences(path))


# ---- plan --------------------------------------------------------------------------------


@pytest.mark.parametrize("path", PLANS, ids=lambda path: path.stem)
def test_plans_change_settings_that_their_configs_have(path: Path) -> None:
    plan = read_plan(path)
    for run in plan.runs([0]):
        whole = run.config(Path("train.spacy"), "small-en", "vectors")
        known = spacy.util.load_config(ROOT / run.system.config, interpolate=False)
        for name in {**run.system.settings, **run.schedule}:
            *sections, key = name.split(".")
            block: Any = known
            for section in sections:
                block = block[section]
            assert key in block, f"{run.system.name}: {name}"
        assert whole["paths"]["vectors"] == ("vectors" if run.system.vectors else None)


def test_the_test_part_is_scored_when_it_is_asked_for(
    plan: Plan, bilm_dir: Path, tmp_path: Path
) -> None:
    results = ResultsFile(tmp_path / "results.json", plan.heading)
    (run,) = plan.runs([0], systems=["head + biLM"])
    dev = Runner(tmp_path / "work", str(bilm_dir), None).run(run, results)
    test = Runner(tmp_path / "work", str(bilm_dir), None, on_test=True).run(run, results)
    # The dev part has two entities, one of them in the training part; the test part has one.
    assert (dev.scores["n_seen"], dev.scores["n_unseen"]) == (1, 1)
    assert (test.scores["n_seen"], test.scores["n_unseen"]) == (0, 1)
    assert dev.made_from != test.made_from


def test_seeds_come_in_turns_so_that_every_system_has_one_first(plan: Plan) -> None:
    runs = plan.runs([0, 1], systems=["spaCy CNN", "head + biLM"])
    assert [(run.system.name, run.seed) for run in runs] == [
        ("spaCy CNN", 0),
        ("head + biLM", 0),
        ("spaCy CNN", 1),
        ("head + biLM", 1),
    ]
    with pytest.raises(SystemExit, match="no head"):
        plan.runs([0], systems=["head"])


def test_a_biLM_of_another_width_fits_its_listeners(plan: Plan, bilm_dir: Path) -> None:
    (run,) = plan.runs([0], systems=["head + layer 0"])
    config = run.config(Path("train.spacy"), str(bilm_dir), None)
    assert config["components"]["elmo"]["model"]["name"] == str(bilm_dir)
    assert config["components"]["elmo_ner"]["model"]["tok2vec"]["elmo"]["width"] == 4


# ---- runs --------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["spaCy CNN", "head without biLM", "head + biLM"])
def test_a_run_has_scores_of_every_case(
    plan: Plan, name: str, bilm_dir: Path, tmp_path: Path
) -> None:
    results = ResultsFile(tmp_path / "results.json", plan.heading)
    (run,) = plan.runs([0], systems=[name])
    row = Runner(tmp_path / "work", str(bilm_dir), None).run(run, results)
    assert {"clean", "lower", "upper", "title", "seen", "unseen"} <= row.scores.keys()
    assert all(0 <= row.scores[case] <= 1 for case in ("clean", "lower", "upper", "title"))
    assert (row.scores["n_seen"], row.scores["n_unseen"]) == (1, 1)  # Ada, New York
    assert row.steps == 2 and row.best_step <= 2
    saved = json.loads((tmp_path / "results.json").read_text(encoding="utf8"))
    assert saved["rows"][0]["system"] == name and saved["systems"] == list(plan.systems)


def test_members_of_committees_share_no_seed(plan: Plan, bilm_dir: Path, tmp_path: Path) -> None:
    """And the row of a committee says what all of its members cost."""
    name = "head + both, committee of three"
    runs = plan.runs([0, 1], systems=[name])
    configs = [run.configs(tmp_path, str(bilm_dir), None) for run in runs]
    seeds = [[config["training"]["seed"] for config in members] for members in configs]
    assert seeds == [[0, 1, 2], [3, 4, 5]]
    results = ResultsFile(tmp_path / "results.json", plan.heading)
    row = Runner(tmp_path / "work", str(bilm_dir), None).run(runs[0], results)
    assert (row.system, row.seed, row.steps) == (name, 0, 6)


def test_the_second_seed_reads_layers_that_the_first_has_computed(
    plan: Plan, bilm_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And scores the same as a process that computes them anew."""
    first, second = plan.runs([0, 1], systems=["head + biLM"])
    alone = Runner(tmp_path / "work", str(bilm_dir), None)
    expected = alone.run(second, ResultsFile(tmp_path / "alone.json", plan.heading))
    shared = Runner(tmp_path / "work", str(bilm_dir), None)
    results = ResultsFile(tmp_path / "shared.json", plan.heading)
    shared.run(first, results)
    (cache,) = shared.shared._caches.values()
    n_kept = len(cache)
    assert n_kept >= 3
    assert shared.run(second, results).scores == expected.scores
    assert list(shared.shared._caches.values()) == [cache] and len(cache) == n_kept


def test_members_of_a_committee_are_trained_once_and_score_the_same_alone(
    plan: Plan, bilm_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (committee,) = plan.runs([0], systems=["head + both, committee of three"])
    alone = plan.runs([0, 1, 2], systems=["head + both"])
    expected = [
        Runner(tmp_path / "work", str(bilm_dir), None).run(run, results)
        for results in [ResultsFile(tmp_path / "alone.json", plan.heading)]
        for run in alone
    ]
    trained: list[int] = []
    real = runners.train

    def counted(config: Any, *arguments: Any) -> Any:
        trained.append(config["training"]["seed"])
        return real(config, *arguments)

    monkeypatch.setattr(runners, "train", counted)
    results = ResultsFile(tmp_path / "both.json", plan.heading)
    shared = Runner(tmp_path / "work", str(bilm_dir), None)
    rows = [shared.run(run, results) for run in (committee, *alone)]
    assert trained == [0, 1, 2]
    assert [row.scores for row in rows[1:]] == [row.scores for row in expected]
    assert [row.steps for row in rows] == [6, 2, 2, 2]


def test_what_is_in_the_results_is_not_run_again_unless_it_changed(
    plan: Plan, corpus: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trained: list[int] = []
    real = runners.train

    def counted(*arguments: Any) -> Any:
        trained.append(1)
        return real(*arguments)

    monkeypatch.setattr(runners, "train", counted)
    (run,) = plan.runs([0], systems=["spaCy CNN"])
    for _ in range(2):
        results = ResultsFile(tmp_path / "results.json", plan.heading)
        Runner(tmp_path / "work", "small-en", None).run(run, results)
    assert len(trained) == 1
    runners.read_docs.cache_clear()
    docs = list(DocBin().from_disk(corpus / "train.spacy").get_docs(Vocab()))
    DocBin(docs=docs[:1]).to_disk(corpus / "train.spacy")
    results = ResultsFile(tmp_path / "results.json", plan.heading)
    Runner(tmp_path / "work", "small-en", None).run(run, results)
    assert len(trained) == 2


# ---- what is written ---------------------------------------------------------------------


def row(corpus: str, system: str, seed: int, clean: float, bilm: str | None = None) -> Row:
    scores = dict.fromkeys(("clean", "lower", "upper", "title", "seen", "unseen"), clean)
    counts = {"n_seen": 1200, "n_unseen": 800}
    return Row(corpus, system, seed, bilm, "sha", {**scores, **counts}, 1, 2, 60.0)


def test_two_processes_may_write_to_one_results_file(tmp_path: Path) -> None:
    heading = {"title": "t", "corpora": ["a"], "systems": ["x", "y"]}
    one, other = (ResultsFile(tmp_path / "r.json", heading) for _ in range(2))
    one.add(row("a", "x", 0, 0.5))
    other.add(row("a", "y", 0, 0.6))
    assert {key[1] for key in ResultsFile(tmp_path / "r.json", heading).rows} == {"x", "y"}


def test_the_page_has_means_spreads_and_what_each_part_adds(tmp_path: Path) -> None:
    systems = ["spaCy CNN + vectors", "head + vectors", "head + both"]
    heading = {
        "title": "t",
        "cpu": "a CPU",
        "corpora": [*yardstick_page.FIELDS, "gmb-2"],
        "systems": systems,
    }
    results = ResultsFile(tmp_path / "yardstick.json", heading)
    for corpus in yardstick_page.FIELDS:
        results.add(row(corpus, "head + vectors", 0, 0.60))
        results.add(row(corpus, "head + both", 0, 0.66, "small-en"))
    results.add(row("politics", "head + both", 1, 0.70, "small-en"))
    data = json.loads((tmp_path / "yardstick.json").read_text("utf8"))
    page = yardstick_page.yardstick_page(data)
    assert "## Test parts" not in page
    assert yardstick_page.yardstick_page(data, data).count("| head + both | 68.00 ± 2.83 |") == 2
    assert "| head + vectors | 60.00 | 60.00 | 60.00 | 60.00 | 60.00 | 60.00 |" in page
    assert "| head + both | 68.00 ± 2.83 | 66.00 | 66.00 | 66.00 | 66.00 | 66.40 |" in page
    assert "| biLM, beside vectors | +6.00 | +6.00 | +6.00 | +6.00 | +6.00 | +6.00 |" in page
    assert "2,000 entities, of which 1,200 are" in page
    assert "gmb-2 |" not in page and "MiniLM" not in page


def test_a_biLM_is_judged_against_its_layer_0() -> None:
    rows = [
        row("a", "head + biLM", 0, 0.66, "one"),
        row("a", "head + layer 0", 0, 0.64, "one"),
        row("b", "head + biLM", 0, 0.56, "one"),
        row("b", "head + layer 0", 0, 0.57, "one"),
    ]
    found = judge_bilm.table(rows, ["a", "b"], judge_bilm.ALONE)
    assert found.rows == [
        ["one", "head + biLM", "66.00", "56.00", "61.00"],
        ["one", "head + layer 0", "64.00", "57.00", "60.50"],
        ["one", "contextual layers", "+2.00", "-1.00", "+0.50"],
    ]


def test_spacy_finds_every_word_that_the_table_has_in_lower_case(
    corpus: Path, tmp_path: Path
) -> None:
    # Read back from disk, as training and prediction do: a lookup by LOWER would be forgotten.
    forms = cnn_vectors.forms_in(corpus)
    assert {"London", "london", "LONDON", "York", "slept", "Slept"} <= forms
    cnn_vectors.write_vectors("glove-en", forms, tmp_path / "vectors")
    nlp = spacy.load(tmp_path / "vectors")
    doc = Doc(nlp.vocab, words=["London", "london", "LONDON", "Loxodonta-x"])
    ours = build_word_vectors_v1("glove-en")
    (expected,) = ours.predict([doc])
    assert expected[0].any() and not expected[3].any()
    for token, vector in zip(doc, expected, strict=True):
        assert np.array_equal(token.vector, vector)


def test_vectors_for_spacy_are_the_same_file_in_whatever_order_words_come(tmp_path: Path) -> None:
    # A set's order differs between processes, and the yardstick knows its rows by this file.
    forms = ["London", "york", "LONDON", "York", "slept"]
    files = []
    for name, words in {"one": forms, "two": forms[::-1]}.items():
        cnn_vectors.write_vectors("glove-en", words, tmp_path / name)
        files.append((tmp_path / name / "vocab" / "key2row").read_bytes())
    assert files[0] == files[1]


def test_vectors_for_spacy_are_not_made_without_texts(tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match=r"no \.spacy files"):
        cnn_vectors.forms_in(tmp_path)
