"""On Ray, on two nodes, with an actor killed and a node removed: the rows of a local run."""

import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from spacy_elmo_ner.annotation import ray_run
from spacy_elmo_ner.annotation.annotator import Settings
from spacy_elmo_ner.annotation.input_files import InputFile
from spacy_elmo_ner.annotation.inputs import Fields
from spacy_elmo_ner.annotation.outputs import AnnotatedShard
from spacy_elmo_ner.annotation.ray_run import on_ray
from spacy_elmo_ner.annotation.run import Source

from .conftest import Run, contents, numbered_texts, rows_of, write_json_lines


def test_without_ray_it_says_how_to_get_it(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    texts = write_json_lines(tmp_path / "a.jsonl", numbered_texts(2))
    with pytest.raises(ModuleNotFoundError, match=r"EL630.*spacy-elmo-ner\[ray\]"):
        run(texts, runner=on_ray("local", None))


def test_standard_input_is_refused(rules: str) -> None:
    source = Source((InputFile("-", ".txt", 0),), Fields(), 8, {})
    with pytest.raises(ValueError, match="EL632"):
        next(on_ray("local", None)(Settings(rules), source))


def test_what_ray_cannot_do_is_said_in_one_line(
    rules: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    ray = pytest.importorskip("ray")

    class Failing:
        def map_batches(self, *_: Any, **__: Any) -> "Failing":
            return self

        def iter_rows(self) -> Iterator[Any]:
            raise ray.exceptions.RayError("many\nlines\nthe disk is full")

    monkeypatch.setattr(ray, "cluster_resources", lambda: {"CPU": 1})
    monkeypatch.setattr(ray_run, "shards_dataset", lambda _: Failing())
    with pytest.raises(RuntimeError, match=r"EL633.*: the disk is full\. What is done"):
        next(ray_run._annotated(Settings(rules), Source((), Fields(), 8, {}), None))


@pytest.fixture(scope="module")
def cluster() -> Iterator[Any]:
    """Two nodes with a CPU each."""
    pytest.importorskip("ray")
    import ray
    from ray.cluster_utils import Cluster

    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("RAY_USAGE_STATS_ENABLED", "0")
        patched.setenv("OMP_NUM_THREADS", "1")
        patched.delenv("RAY_ADDRESS", raising=False)
        node = {"num_cpus": 1, "object_store_memory": 80_000_000}
        cluster = Cluster(initialize_head=True, head_node_args={**node, "include_dashboard": False})
        cluster.other_node = cluster.add_node(**node)
        try:
            yield cluster
        finally:
            ray.shutdown()
            cluster.shutdown()


def test_an_address_where_nothing_answers_is_named(run: Run, tmp_path: Path) -> None:
    ray = pytest.importorskip("ray")
    texts = write_json_lines(tmp_path / "a.jsonl", numbered_texts(2))
    assert not ray.is_initialized()
    with pytest.raises(ConnectionError, match=r"EL631.*no-port-here"):
        run(texts, runner=on_ray("no-port-here", None))


def _actors() -> list[int]:
    """Process ids of Ray's actors on this machine, by the names that Ray gives them."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            name = path.read_bytes().decode(errors="replace")
        except OSError:
            continue
        if name.startswith("ray::") and "Annotator" in name:
            found.append(int(path.parent.name))
    return found


def test_two_nodes_write_what_one_process_writes_whatever_dies(
    run: Run, tmp_path: Path, scored: str, cluster: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not Path("/proc/self/cmdline").exists():
        pytest.skip("actors are found by /proc")
    rows: list[Any] = [*numbered_texts(300), {"id": "no text"}]
    texts = write_json_lines(tmp_path / "a.jsonl", rows)
    settings: dict[str, Any] = {"pipeline": scored, "shard_size": 5, "formats": ("jsonl", "conll")}
    run(texts, output=tmp_path / "local", **settings)
    on_cluster = on_ray(cluster.address, 2)
    killed: list[str] = []

    def with_deaths(settings: Settings, source: Source) -> Iterator[AnnotatedShard]:
        for number, shard in enumerate(on_cluster(settings, source)):
            yield shard
            if number == 3:
                os.kill(_actors()[0], signal.SIGKILL)
                killed.append("actor")
            if number == 20:
                cluster.remove_node(cluster.other_node, allow_graceful=False)
                killed.append("node")

    totals = run(texts, **settings, runner=with_deaths)
    assert killed == ["actor", "node"]
    assert totals.n_texts == 301 and totals.n_errors == 1
    assert contents(tmp_path / "out") == contents(tmp_path / "local")
    assert len(rows_of(tmp_path / "out")) == 301


def test_errors_of_actors_arrive(run: Run, tmp_path: Path, cluster: Any) -> None:
    """As one message, not as Ray's many lines."""
    texts = write_json_lines(tmp_path / "a.jsonl", numbered_texts(4))
    with pytest.raises(ValueError, match=r"^\[EL613\].*entity_ruler"):
        run(texts, threshold=0.5, runner=on_ray(cluster.address, 1))


def test_errors_of_reading_arrive(run: Run, tmp_path: Path, cluster: Any) -> None:
    (tmp_path / "b.csv").write_text("id,body\n1,x\n")
    with pytest.raises(ValueError, match=r"^\[EL605\].*body"):
        run(tmp_path / "b.csv", runner=on_ray(cluster.address, 1))
