"""Annotate shards with Ray Data: a plan read -> map on one machine or a cluster.

One task on the driver's node reads the inputs; actors on all nodes annotate; the driver writes. So
inputs and output are on the driver's machine, and each other node needs this package and the
pipeline. A row of the dataset is a shard, so all that is in flight is bounded. Ray Data starts
actors that died again, and gives their shards to others.
"""

import logging
import os
import re
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

from ..errors import Errors
from .annotator import Annotator, Settings
from .input_files import STANDARD_INPUT
from .outputs import AnnotatedShard
from .run import Runner, Source

if TYPE_CHECKING:
    from ray.data import Dataset

# Ray's own word for a cluster on this machine alone.
LOCAL = "local"
_OWN_MESSAGE = re.compile(r"\[EL\d{3}\][^\n]*")


def on_ray(address: str, n_actors: int | None) -> Runner:
    """Return a runner on the Ray cluster at ``address``.

    address: LOCAL starts one on this machine, or uses the one of the environment variable
    RAY_ADDRESS; "auto" is the one this machine belongs to. n_actors: one CPU each; by default as
    many as there are CPUs. Raises ModuleNotFoundError (EL630) without Ray, ConnectionError (EL631)
    where no cluster answers, ValueError (EL632) for standard input, RuntimeError (EL633) where Ray
    gives up.
    """

    def run(settings: Settings, source: Source) -> Iterator[AnnotatedShard]:
        if any(file.name == STANDARD_INPUT for file in source.files):
            raise ValueError(Errors.EL632.format())
        try:
            import ray.data
        except ModuleNotFoundError as error:
            raise ModuleNotFoundError(Errors.EL630.format()) from error
        started = not ray.is_initialized()
        if started:
            _connect(address)
        try:
            yield from _annotated(settings, source, n_actors)
        finally:
            if started:
                ray.shutdown()

    return run


def _connect(address: str) -> None:
    import ray

    options: dict[str, Any] = {"logging_level": logging.ERROR, "log_to_driver": False}
    if address == LOCAL and "RAY_ADDRESS" in os.environ:
        address = "auto"
    if address == LOCAL:
        os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
        os.environ.setdefault("RAY_BACKEND_LOG_LEVEL", "fatal")
        options["include_dashboard"] = False
    try:
        ray.init(address=address, **options)
    except (ConnectionError, ValueError, RuntimeError) as error:
        problem = str(error).strip().partition("\n")[0]
        raise ConnectionError(Errors.EL631.format(address=address, problem=problem)) from error


def _annotated(
    settings: Settings, source: Source, n_actors: int | None
) -> Iterator[AnnotatedShard]:
    import ray
    from ray.data import ActorPoolStrategy, DataContext
    from ray.exceptions import RayError

    context = DataContext.get_current()
    context.enable_progress_bars = False
    # A block is a shard, not the 128 MB of many; each goes to an actor as soon as it is read.
    context.target_max_block_size = 1
    logging.getLogger("ray.data").setLevel(logging.ERROR)
    n_cpus = int(ray.cluster_resources().get("CPU", 1))
    size: dict[str, Any] = (
        {"size": n_actors} if n_actors else {"min_size": 1, "max_size": max(1, n_cpus)}
    )
    annotated = shards_dataset(source).map_batches(
        Annotator,
        fn_constructor_kwargs={"settings": settings, "threads": 1},
        batch_size=1,
        batch_format="pyarrow",
        compute=ActorPoolStrategy(**size),
        num_cpus=1,
    )
    try:
        for row in annotated.iter_rows():
            yield AnnotatedShard.from_bytes(row["annotated"])
    except RayError as error:
        # Ray's message holds those of all processes on the way; ours says what to do.
        if found := _OWN_MESSAGE.findall(str(error)):
            raise ValueError(found[-1]) from error
        problem = str(error).strip().rpartition("\n")[2]
        raise RuntimeError(Errors.EL633.format(problem=problem)) from error


def shards_dataset(source: Source) -> "Dataset":
    """Return a dataset with one shard per row, in a column "shard" of bytes.

    One task reads the inputs, on the driver's node.
    """
    import pyarrow as pa
    from ray.data import Datasource, ReadTask, read_datasource
    from ray.data.block import BlockMetadata

    def blocks() -> Iterable[Any]:
        for shard in source:
            yield pa.table({"shard": pa.array([shard.to_bytes()], pa.binary())})

    class Shards(Datasource):
        supports_distributed_reads = False

        def estimate_inmemory_data_size(self) -> int | None:
            return None

        def get_read_tasks(self, parallelism: int, *_: Any, **__: Any) -> list[ReadTask]:
            metadata = BlockMetadata(
                num_rows=None, size_bytes=None, exec_stats=None, input_files=None
            )
            return [ReadTask(blocks, metadata)]

    # Reading takes little of a CPU; asking for none lets a node without any read.
    return read_datasource(Shards(), override_num_blocks=1, num_cpus=0)
