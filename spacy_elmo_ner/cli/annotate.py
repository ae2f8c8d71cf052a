"""``python -m spacy elmo annotate``: annotate files of texts with any trained pipeline."""

import re
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from enum import Enum
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer
from typer.core import TyperCommand
from wasabi import msg

from ..annotation.annotator import Settings
from ..annotation.exports import FORMATS
from ..annotation.input_files import KINDS
from ..annotation.inputs import Fields
from ..annotation.progress import Progress
from ..annotation.run import Job, Runner, annotate, local
from ..annotation.shards import Totals
from ..annotation.texts import SHARD_TEXTS

# Exit codes beside 0 and 1: some texts have errors; stopped by Ctrl-C, as shells have it.
SOME_ERRORS, STOPPED = 3, 130

# As Ray has addresses: auto, local, HOST:PORT, ray://HOST:PORT.
LOCAL = "local"
_ADDRESS = re.compile(r"auto|local|(ray://)?[^/\s]+:\d+")

_Format = Enum("_Format", {name: name for name in FORMATS}, type=str)  # type: ignore[misc]
_Kind = Enum("_Kind", {kind[1:]: kind[1:] for kind in KINDS}, type=str)  # type: ignore[misc]


class _Sort(str, Enum):
    uncertain = "uncertain"


class COMMAND_CLASS(TyperCommand):
    """Takes --ray with an address, or alone: what follows it is then another argument."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Give --ray the address that starts a cluster here where there is none."""
        given = []
        for arg, following in zip(args, [*args[1:], ""], strict=True):
            alone = arg == "--ray" and not _ADDRESS.fullmatch(following)
            given.append(f"--ray={LOCAL}" if alone else arg)
        return super().parse_args(ctx, given)


def annotate_cli(
    inputs: Annotated[
        list[str],
        typer.Argument(
            metavar="IN...",
            help="Files ending in .txt, .jsonl, .csv, .tsv, .parquet or .spacy (the first four "
            "also .gz or .xz), folders of them, or - for standard input",
        ),
    ],
    pipeline: Annotated[str, typer.Option(help="Folder or package of a trained pipeline")],
    output: Annotated[Path, typer.Option(help="Folder for the annotated texts")],
    formats: Annotated[
        list[_Format] | None,
        typer.Option("--format", help="Form of the output, jsonl by default; may be repeated"),
    ] = None,
    text_field: Annotated[
        str, typer.Option(help="Column or key that holds the text, in tables and .jsonl")
    ] = "text",
    id_field: Annotated[
        str, typer.Option(help="Column or key that holds the id; without one it is file:line")
    ] = "id",
    whole_files: Annotated[
        bool, typer.Option("--whole-files", help="Each .txt file is one text, not each line")
    ] = False,
    input_format: Annotated[
        _Kind | None, typer.Option(help="What all inputs hold, whatever their names")
    ] = None,
    threshold: Annotated[
        float | None,
        typer.Option(min=0, max=1, help="Drop entities that are less probable than this"),
    ] = None,
    batch_size: Annotated[
        int | None, typer.Option(min=1, help="Texts per batch; by default the pipeline's own")
    ] = None,
    shard_size: Annotated[int, typer.Option(min=1, help="Most texts per output file")] = (
        SHARD_TEXTS
    ),
    processes: Annotated[
        int | None,
        typer.Option(min=1, help="Processes, or actors with --ray: 1, or with --ray one per CPU"),
    ] = None,
    ray: Annotated[
        str | None,
        typer.Option(
            metavar="[ADDRESS]",
            help="Annotate with Ray Data: on the cluster at ADDRESS, or one started here",
        ),
    ] = None,
    sort: Annotated[_Sort | None, typer.Option(help="Write the least certain texts first")] = None,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Delete the output's annotations, begin anew")
    ] = False,
) -> None:
    """Annotate texts with any trained spaCy pipeline, and write them with their probabilities.

    A run that was stopped or killed continues when the same command is given again; nothing is
    written twice. A text that cannot be annotated becomes a row with an error.

    Exit status: 0 if all texts are annotated, 3 if some have errors, 130 if it was stopped, 1 if
    it failed.

    Example:

    python -m spacy elmo annotate news.jsonl --pipeline training/elmo/model-best --output news
    """
    job = Job(
        inputs=tuple(inputs),
        output=output,
        settings=Settings(
            pipeline=pipeline,
            formats=tuple(dict.fromkeys(form.value for form in formats or [])) or ("jsonl",),
            threshold=threshold,
            batch_size=batch_size,
            is_sorted=sort is not None,
        ),
        fields=Fields(text_field, id_field, whole_files),
        kind=None if input_format is None else f".{input_format.value}",
        shard_size=shard_size,
    )
    progress = Progress()
    try:
        with _stopped_by_sigterm():
            totals = annotate(job, _runner(processes, ray), overwrite=overwrite, progress=progress)
    except (ImportError, OSError, ValueError, RuntimeError) as error:
        progress.end()
        msg.fail(str(error), exits=1)
    except KeyboardInterrupt:
        progress.end()
        msg.warn(
            f"Stopped. {progress.n_texts:,} texts were annotated and written to {output} since "
            "the start, and those of earlier runs. Give the same command again to continue."
        )
        sys.exit(STOPPED)
    progress.end()
    _report(totals, output, progress)
    if totals.n_errors:
        sys.exit(SOME_ERRORS)


def _runner(processes: int | None, ray: str | None) -> Runner:
    if ray is None:
        return local(processes or 1)
    from ..annotation.ray_run import on_ray

    return on_ray(ray, processes)


@contextmanager
def _stopped_by_sigterm() -> Iterator[None]:
    """Let what systems send to end a process do the same as Ctrl-C."""

    def stop(number: int, frame: Any) -> NoReturn:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _report(totals: Totals, output: Path, progress: Progress) -> None:
    msg.good(
        f"{output}: {totals.n_texts:,} texts with {totals.n_words:,} words "
        f"({progress.line()} in this run)"
    )
    if totals.n_errors:
        msg.warn(f"{totals.n_errors:,} texts have errors, which their rows hold. The first are:")
        for name, problem in totals.errors:
            msg.text(f"{name}: {problem}")
