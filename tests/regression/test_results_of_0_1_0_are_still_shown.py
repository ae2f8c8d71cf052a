"""`elmo report` shows what version 0.1.0 wrote, also curves that `elmo compare` no longer reads."""

import json
from pathlib import Path

import pytest

pytest.importorskip("matplotlib", reason="the report needs the extra [project]")

from spacy_elmo_ner.comparison.render import render_markdown, render_terminal
from spacy_elmo_ner.comparison.report.charts import draw_charts
from spacy_elmo_ner.comparison.results import read_results

# Written on 2026-11-28 by `elmo compare` of 0.1.0.
WRITTEN = Path(__file__).parents[2] / "benchmarks" / "results" / "gmb-seed.json"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    data = json.loads(WRITTEN.read_text(encoding="utf8"))
    data["training_logs"] = [
        {
            "name": "small",
            "loss": [[1000, 9.0], [2000, 5.0]],
            "forward": [[2000, 200.0]],
            "backward": [[2000, 190.0]],
            "learning_rate": [],
        }
    ]
    (tmp_path / "results.json").write_text(json.dumps(data), encoding="utf8")
    return tmp_path / "results.json"


def test_every_score_is_in_the_tables(path: Path):
    results = read_results(path)
    terminal, markdown = render_terminal(results, 200), render_markdown(results)
    for corpus in json.loads(WRITTEN.read_text(encoding="utf8"))["corpora"]:
        for system in corpus["systems"]:
            for score in system["ner"].values():
                # The exact scores of nervaluate's strict mode are those of seqeval's.
                assert f"{100 * score['f1']:.2f}" in terminal
                assert f"{100 * score['f1']:.2f}" in markdown


def test_its_charts_and_training_curves_are_drawn(path: Path):
    keys = [chart.key for chart in draw_charts(read_results(path))]
    assert {"accuracy-speed", "intervals", "types", "thresholds", "training-0"} <= set(keys)
