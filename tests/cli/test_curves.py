import json
import struct
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from spacy_elmo_ner.cli.app import elmo_cli
from spacy_elmo_ner.comparison.report.curves import training_charts
from spacy_elmo_ner.comparison.results import TrainingLog


@pytest.fixture
def run(tmp_path: Path) -> Path:
    rows = [
        {"step": i, "n_tokens": 1000 * i, "loss": 9 / i, "learning_rate": 0.001 * i}
        for i in range(1, 7)
    ]
    rows[-1] |= {"forward": 200.0, "backward": 190.0}
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "log.jsonl").write_text("\n".join(map(json.dumps, rows)))
    return tmp_path / "run"


def _run(*folders: Path) -> Result:
    return CliRunner().invoke(elmo_cli, ["curves", *map(str, folders)])


def test_the_curves_of_a_run_become_a_picture_in_its_folder(run: Path) -> None:
    result = _run(run)
    assert result.exit_code == 0, result.output
    picture = (run / "curves.png").read_bytes()
    assert picture.startswith(b"\x89PNG")
    width, height = struct.unpack(">II", picture[16:24])
    assert height > width > 500  # three panels, one below the other


@pytest.mark.parametrize("n_panels", [1, 2, 3])
def test_only_what_was_logged_has_a_panel(n_panels: int) -> None:
    points = [(1_000_000, 9.0), (2_000_000, 5.0)]
    more = [[points, points], [points]][: n_panels - 1]
    log = TrainingLog("small", points, *[each for part in more for each in part])
    (chart,) = training_charts([log])
    labels = [axes.get_ylabel() for axes in chart.figure.axes]
    names = ["loss in nats per token", "held-out perplexity", "learning rate"]
    assert labels == names[:n_panels]
    assert chart.figure.axes[-1].get_xlabel() == "million tokens read"
    (line,) = chart.figure.axes[0].lines
    assert line.get_xydata().tolist() == [[1.0, 9.0], [2.0, 5.0]]


def test_without_matplotlib_it_says_what_to_install(
    run: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in list(sys.modules):
        if name.startswith(("spacy_elmo_ner.comparison.report", "spacy_elmo_ner.comparison.plot")):
            monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    result = _run(run)
    assert result.exit_code == 1
    assert "[EL525]" in result.output and "matplotlib" in result.output, result.output
    assert not (run / "curves.png").exists()


@pytest.mark.parametrize(("content", "code"), [(None, "EL526"), ("", "EL319"), ("{", "EL319")])
def test_a_folder_without_a_log_is_named(run: Path, content: str | None, code: str) -> None:
    (run / "log.jsonl").unlink()
    if content is not None:
        (run / "log.jsonl").write_text(content)
    result = _run(run)
    assert result.exit_code == 1 and f"[{code}]" in result.output, result.output
