"""The main job in small: corpus, train, evaluate, compare, package, install, annotate."""

import json
import os
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
import spacy

ROOT = Path(__file__).parent.parent
CONFIGS = sorted(
    path.name for path in (ROOT / "configs").glob("*.cfg") if "pretrain" not in path.name
)
# Few steps of a narrow head: enough to learn something, little enough for a test.
QUICK = [
    "--training.max_steps=60",
    "--training.eval_frequency=30",
    "--training.logger.progress_bar=false",
    "--components.elmo_tagger.model.encoder.units=32",
    "--components.elmo_ner.model.encoder.units=48",
    "--components.elmo_ner.model.encoder.dropout=0.0",
    "--training.optimizer.learn_rate.initial_rate=0.01",
    "--training.optimizer.learn_rate.warmup_steps=5",
    "--training.optimizer.learn_rate.total_steps=60",
    "--training.optimizer.use_averages=false",
]


def run(*arguments: str, **environment: str) -> str:
    """A command in a process of its own, from the project's folder; its output."""
    done = subprocess.run(
        [sys.executable, *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        # One thread: two wait for each other where another process holds a core.
        env={**os.environ, "SPACY_ELMO_NER_GMB": "", "OMP_NUM_THREADS": "1", **environment},
    )
    assert done.returncode == 0, f"{' '.join(arguments)}\n{done.stdout}\n{done.stderr}"
    return done.stdout


def paths(work: Path) -> list[str]:
    corpus = work / "corpus"
    return ["--paths.train", f"{corpus}/train.spacy", "--paths.dev", f"{corpus}/dev.spacy"]


@pytest.fixture(scope="module")
def work(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the sample corpus and a pipeline trained on it for a minute."""
    folder = tmp_path_factory.mktemp("project")
    corpus = folder / "corpus"
    output = run("-m", "spacy", "elmo", "corpus", "--split", "sample", "--output", str(corpus))
    assert "sample" in output
    run("-m", "spacy", "elmo", "train", "configs/elmo.cfg", "--corpus", str(corpus),
        "--output", str(folder / "elmo"), *QUICK)  # fmt: skip
    return folder


@pytest.mark.parametrize("config", CONFIGS)
def test_debug_config_accepts_every_config(config, work):
    if config == "transformer.cfg":
        pytest.importorskip("spacy_transformers", reason="needs the extra [transformers]")
    source = ["--paths.pipeline", f"{work}/elmo/model-best"] if config == "senter.cfg" else []
    output = run("-m", "spacy", "debug", "config", f"configs/{config}", *paths(work), *source)
    assert "Config is valid" in output


def test_debug_data_reads_the_corpus(work):
    output = run("-m", "spacy", "debug", "data", "configs/elmo.cfg", "--no-format", *paths(work))
    (n_docs,) = re.findall(r"(\d+) training docs", output)
    # 500, and copies of a fifth of them in another case.
    assert 550 <= int(n_docs) <= 650 and "0 training examples also in evaluation" not in output


def test_a_minute_of_training_learns_tags_and_entities(work):
    meta = json.loads((work / "elmo" / "model-best" / "meta.json").read_text(encoding="utf8"))
    assert meta["performance"]["tag_acc"] > 0.6
    assert meta["performance"]["ents_f"] > 0.15


def test_evaluate_gives_the_scores_of_the_pipes(work):
    metrics = work / "metrics.json"
    run("-m", "spacy", "evaluate", str(work / "elmo" / "model-best"),
        str(work / "corpus" / "test.spacy"), "--output", str(metrics))  # fmt: skip
    scores = json.loads(metrics.read_text(encoding="utf8"))
    assert (
        scores["tag_acc"] > 0.6 and 0 < scores["ents_f"] <= 1 and "per" in scores["ents_per_type"]
    )


def test_compare_puts_the_same_scores_beside_en_core_web_sm(work):
    output = work / "compare"
    run("-m", "spacy", "elmo", "compare", "--pipeline", f"ours={work}/elmo/model-best",
        "--pipeline", "en_core_web_sm", "--pipeline", "not_installed",
        "--corpus", f"{work}/corpus/test.spacy", "--repeats", "1", "--max-words", "500",
        "--label-map", "assets/label_maps/ontonotes-gmb.json", "--output", str(output))  # fmt: skip
    results = json.loads((output / "results.json").read_text(encoding="utf8"))
    assert "not_installed" in [skipped["name"] for skipped in results["skipped"]]
    assert {"ours"} <= {pipeline["name"] for pipeline in results["pipelines"]}
    assert "ours" in run("-m", "spacy", "elmo", "report", str(output / "results.json"))


def test_the_packaged_wheel_annotates_where_only_it_is_installed(work):
    packages, site = work / "packages", work / "site"
    packages.mkdir()
    run("-m", "spacy", "package", str(work / "elmo" / "model-best"), str(packages),
        "--name", "elmo_test", "--version", "0.0.1", "--build", "wheel")  # fmt: skip
    (wheel,) = packages.rglob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        sizes = {file.filename: file.file_size for file in archive.infolist()}
    # The biLM is named there, not copied.
    assert sum(size for name, size in sizes.items() if "/elmo/" in name) < 100_000
    run("-m", "pip", "install", "--quiet", "--no-deps", "--target", str(site), str(wheel))
    code = "import en_elmo_test; d = en_elmo_test.load()('He left Paris .'); print(d[0].tag_)"
    assert run("-c", code, PYTHONPATH=str(site)).strip()


def test_a_trained_pipeline_gives_the_same_in_two_processes(work):
    nlp = spacy.load(work / "elmo" / "model-best")
    texts = ["The president left Paris on Monday .", "", "Nobody knows ."] * 4
    one = [(doc.ents, [t.tag_ for t in doc]) for doc in nlp.pipe(texts)]
    two = [(doc.ents, [t.tag_ for t in doc]) for doc in nlp.pipe(texts, n_process=2, batch_size=3)]
    assert [str(x) for x in one] == [str(x) for x in two]


def test_without_a_corpus_training_says_how_to_make_one(tmp_path):
    done = subprocess.run(
        [sys.executable, "-m", "spacy", "elmo", "train", "configs/elmo.cfg",
         "--corpus", str(tmp_path), "--output", str(tmp_path)],
        cwd=ROOT, capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 1 and "EL501" in done.stdout + done.stderr


def test_a_report_of_nothing_says_what_to_run(tmp_path):
    done = subprocess.run(
        [sys.executable, "-m", "spacy", "elmo", "report", str(tmp_path / "results.json")],
        cwd=ROOT, capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 1 and "EL502" in done.stdout + done.stderr
