"""Annotate inputs into an output folder, from the start or from where an earlier run ended."""

import importlib.util
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass, field, replace
from importlib.metadata import version
from pathlib import Path

from spacy.util import is_package

from ..errors import Errors
from ..files import readable_name
from .annotator import Settings
from .exports import FORMATS
from .input_files import STANDARD_INPUT, InputFile, find_inputs
from .inputs import Fields, read_inputs
from .outputs import AnnotatedShard
from .pool import in_processes, in_this_process
from .progress import Progress
from .shards import OutputFolder, Totals, changed, digest_of_pipeline, pending
from .texts import SHARD_TEXTS, Shard, cut


@dataclass(frozen=True)
class Job:
    """Says what to annotate, how, and where to put it.

    inputs: files, folders, or "-" for standard input. kind: what all of them hold (".jsonl"); by
    default their names say it. shard_size: most texts in one output file.
    """

    inputs: tuple[str, ...]
    output: Path
    settings: Settings
    fields: Fields = field(default_factory=Fields)
    kind: str | None = None
    shard_size: int = SHARD_TEXTS


@dataclass(frozen=True)
class Source:
    """Yields the shards of some files that are not done; can be sent to another process."""

    files: tuple[InputFile, ...]
    fields: Fields
    shard_size: int
    done: dict[int, str]

    def __iter__(self) -> Iterator[Shard]:
        """Yield the shards in order. Raises like `read_inputs` and `pending`."""
        return pending(cut(read_inputs(self.files, self.fields), self.shard_size), self.done)


# How shards are annotated; in which order they come back does not matter.
Runner = Callable[[Settings, Source], Iterator[AnnotatedShard]]


def local(n_processes: int) -> Runner:
    """Return a runner in this process, or in several."""

    def run(settings: Settings, source: Source) -> Iterator[AnnotatedShard]:
        if n_processes == 1:
            return in_this_process(settings, source)
        return in_processes(settings, source, n_processes)

    return run


def annotate(
    job: Job, runner: Runner, *, overwrite: bool = False, progress: Progress | None = None
) -> Totals:
    """Annotate what is not annotated yet; return the totals of the whole output.

    Whatever stops it, calling it again with the same job goes on where it was.
    Raises the errors of `find_inputs`, `read_inputs`, `OutputFolder` and `Annotator`, and
    ValueError for a pipeline that is not there (EL612), a format that is none (EL622), inputs
    without a text (EL621), and where --sort has nothing to go by (EL623).
    """
    for name in job.settings.formats:
        if name not in FORMATS:
            raise ValueError(Errors.EL622.format(name=name, names=", ".join(FORMATS)))
    files = find_inputs(job.inputs, job.kind, job.output)
    name, pipeline = find_pipeline(job.settings.pipeline)
    settings = replace(job.settings, pipeline=name)
    folder = OutputFolder(job.output, settings.formats, settings.is_sorted)
    record = {
        "versions": {name: version(name) for name in ("spacy-elmo-ner", "spacy")},
        **asdict(settings),
        "pipeline": digest_of_pipeline(pipeline),
        **asdict(job.fields),
        "shard_size": job.shard_size,
        "inputs": [[readable_name(file.name), file.kind, file.n_bytes] for file in files],
    }
    with folder.opened(record, overwrite=overwrite):
        source = Source(tuple(files), job.fields, job.shard_size, dict(folder.done))
        if folder.is_complete:
            # Its texts are read once more: the same command may have got others to annotate.
            for shard in source:
                raise changed(shard)
        else:
            if progress is not None:
                known = all(file.name != STANDARD_INPUT for file in files)
                n_bytes = sum(file.n_bytes for file in files) if known else 0
                progress.begin(n_bytes, folder.totals.n_bytes_read)
            _annotate(folder, runner(settings, source), progress)
            if not folder.done:
                raise ValueError(Errors.EL621.format(inputs=", ".join(job.inputs)))
            folder.complete()
    return folder.totals


def _annotate(
    folder: OutputFolder, shards: Iterable[AnnotatedShard], progress: Progress | None
) -> None:
    for shard in shards:
        if folder.is_sorted and shard.n_words and not shard.n_scored:
            raise ValueError(Errors.EL623.format())
        folder.save(shard)
        if progress is not None:
            progress.add(shard.n_texts, shard.n_words, shard.n_errors, shard.n_bytes_read)


def find_pipeline(name: str) -> tuple[str, Path]:
    """Return what spaCy loads a pipeline by, from any folder, and where its files are.

    name: a folder, or an installed package, which is loaded by its name, as it may bring code.
    Raises ValueError (EL612) if there is neither.
    """
    if (Path(name) / "config.cfg").is_file():
        return str(Path(name).resolve()), Path(name).resolve()
    spec = importlib.util.find_spec(name) if name.isidentifier() and is_package(name) else None
    places = (spec.submodule_search_locations if spec is not None else None) or []
    configs = sorted(path for place in places for path in Path(place).glob("*/config.cfg"))
    if not configs:
        problem = "there is no folder of this name with a config.cfg, and no installed package"
        raise ValueError(Errors.EL612.format(pipeline=name, problem=problem))
    return name, configs[-1].parent
