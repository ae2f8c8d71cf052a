"""``python -m spacy elmo perplexity``: how well a biLM predicts a text."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from wasabi import msg

if TYPE_CHECKING:
    from ..pretraining.perplexity import Perplexity


def perplexity_cli(
    directory: Annotated[
        Path, typer.Argument(metavar="DIR", help="A folder that `elmo pretrain` wrote.")
    ],
    text: Annotated[
        list[Path],
        typer.Argument(
            metavar="TEXT",
            help="Text files (.txt, .gz, .xz) or folders of them, UTF-8, one sentence or "
            "paragraph a line. It should be text that the biLM was not trained on.",
        ),
    ],
    as_json: Annotated[
        bool, typer.Option("--json", help="Print one JSON object instead of a table.")
    ] = False,
) -> None:
    """Measure the perplexity of a biLM on a text, each direction by itself.

    Every word, and one mark at each sentence's end, is predicted over the full vocabulary; lower
    is better. Perplexities compare only between biLMs with the same vocabulary and text: words
    outside the vocabulary count as one unknown word, so a small vocabulary flatters.

    Example:

    python -m spacy elmo perplexity my-bilm held-out.txt
    """
    from ..pretraining.perplexity import load_language_model, measure_files
    from ..pretraining.text import find_text_files

    try:
        model, vocabulary = load_language_model(directory)
        found = measure_files(model, vocabulary, find_text_files(text), progress=not as_json)
    except (OSError, ValueError) as err:
        msg.fail(str(err), exits=1)
    _show(found, as_json)


def _show(found: "Perplexity", as_json: bool) -> None:
    rows = {
        "forward": found.forward,
        "backward": found.backward,
        "mean": found.mean,
        "n_vocabulary": found.n_vocabulary,
        "oov": found.oov,
        "n_tokens": found.n_tokens,
    }
    if as_json:
        print(json.dumps(rows, indent=2))
        return
    msg.table(
        [
            ("Perplexity forward", f"{found.forward:,.2f}"),
            ("Perplexity backward", f"{found.backward:,.2f}"),
            ("Perplexity mean", f"{found.mean:,.2f}"),
            ("Vocabulary", f"{found.n_vocabulary:,} words"),
            ("Outside it", f"{found.oov:.2%} of tokens"),
            ("Tokens", f"{found.n_tokens:,}"),
        ],
        aligns=("l", "r"),
    )
