"""``python -m spacy elmo compare``: pipelines side by side on one gold corpus or more."""

from pathlib import Path
from typing import Annotated

import typer
from wasabi import msg

from ..comparison.markdown import render_markdown
from ..comparison.results import write_atomically
from ..comparison.run import Comparison, compare
from ..comparison.terminal import render_terminal


def compare_cli(
    pipeline: Annotated[
        list[str],
        typer.Option(
            "--pipeline",
            "-p",
            help="An installed package or a pipeline's folder; NAME=FOLDER shows it under another "
            "name. Give one for each pipeline. What is not installed is skipped.",
        ),
    ],
    corpus: Annotated[
        list[Path],
        typer.Option(
            "--corpus",
            "-c",
            help="Gold Docs (.spacy) to score on. Repeat for one set of results each; speed is "
            "measured on the first.",
        ),
    ],
    output: Annotated[
        Path, typer.Option("--output", "-o", help="Folder for results.json and results.md.")
    ],
    label_map: Annotated[
        list[str] | None,
        typer.Option(
            "--label-map",
            "-m",
            help="JSON file that sends predicted labels and tags to gold's, null where gold has "
            "nothing like it. PATH serves every pipeline that does not speak gold's labels; "
            "NAME=PATH serves that pipeline.",
        ),
    ] = None,
    train: Annotated[
        Path | None,
        typer.Option(
            help="The .spacy file trained on, to score entities seen and not seen in it apart."
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
    repeats: Annotated[
        int, typer.Option(min=0, help="Timed runs of each pipeline; 0 measures no speed.")
    ] = 5,
    max_words: Annotated[
        int, typer.Option(min=1, help="Words in one timed run, at most about this many.")
    ] = 10_000,
) -> None:
    """Score pipelines on the same gold words and show them side by side.

    Every pipeline gets the gold's own tokens and runs only the components that set entities and
    tags, with those they depend on. Scores come from seqeval, spaCy's Scorer and nervaluate, each
    named with its mode; speed is the median of interleaved runs.

    Example:

    python -m spacy elmo compare --pipeline ours=training/elmo/model-best
    --pipeline en_core_web_sm --corpus corpus/test.spacy
    --label-map assets/label_maps/ontonotes-gmb.json --output metrics/compare
    """
    task = Comparison(
        pipelines=[_named(each) for each in pipeline],
        corpora=corpus,
        label_maps=label_map or [],
        train=train,
        examples=example or [],
        repeats=repeats,
        max_words=max_words,
    )
    try:
        results = compare(task)
    except (ImportError, ValueError) as error:
        msg.fail(str(error), exits=1)
    write_atomically(output / "results.json", results.to_json())
    write_atomically(output / "results.md", render_markdown(results))
    print(render_terminal(results))
    msg.good(f"Wrote results.json and results.md to {output}")


def _named(argument: str) -> tuple[str, str]:
    """``NAME=SOURCE`` -> (NAME, SOURCE); a plain source is its own name."""
    name, equals, source = argument.partition("=")
    if not equals or Path(argument).exists():
        return argument, argument
    return name, source
