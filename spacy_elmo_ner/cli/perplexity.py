"""``python -m spacy elmo perplexity``: measure how well a biLM predicts a text."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from wasabi import msg

if TYPE_CHECKING:
    from ..pretraining.perplexity import Perplexity


def perplexity_cli(
    directory: Annotated[
        Path, typer.Argument(metavar="DIR", help="A folder that `elmo pretrain` wrote.")
    ],
    text: Annotated[
        list[Path] | None,
        typer.Argument(
            metavar="[TEXT]...",
            help="Text files (.txt or .jsonl, also .gz or .xz; .spacy) or folders of them. It "
            "should be text that the biLM was not trained on. Default: what it held out itself.",
        ),
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print one JSON object instead of a table.")
    ] = False,
) -> None:
    """Measure the perplexity of a biLM on a text, separately for each direction.

    Every word, and one mark at each sentence's end, is predicted over the full vocabulary; lower
    is better. Perplexities compare only between biLMs with the same vocabulary and text: words
    outside the vocabulary count as one unknown word, so a small vocabulary flatters. Several
    files are also measured one by one.

    Examples:

    python -m spacy elmo perplexity my-bilm held-out.txt

    python -m spacy elmo perplexity my-bilm
    """
    from ..pretraining.files import find_text_files
    from ..pretraining.perplexity import load_language_model, measure_files, measure_held_out
    from ..pretraining.text_counts import read_language

    try:
        model, vocabulary = load_language_model(directory)
        if text:
            files = find_text_files(text)
            language = read_language(directory)
            whole, by_source = measure_files(
                model, vocabulary, files, language, progress=not as_json
            )
        else:
            whole, by_source = measure_held_out(model, vocabulary, directory)
    except (OSError, ValueError) as err:
        msg.fail(str(err), exits=1)
    if as_json:
        sources = [{"file": name, **_figures(perplexity)} for name, perplexity in by_source.items()]
        print(json.dumps({**_figures(whole), "sources": sources}, indent=2))
        return
    _show(whole)
    if len(by_source) > 1:
        _show_sources(by_source)


def _figures(perplexity: "Perplexity") -> dict[str, Any]:
    return {
        "forward": perplexity.forward,
        "backward": perplexity.backward,
        "mean": perplexity.mean,
        "n_vocabulary": perplexity.n_vocabulary,
        "oov": perplexity.oov,
        "n_tokens": perplexity.n_tokens,
    }


def _show(perplexity: "Perplexity") -> None:
    msg.table(
        [
            ("Perplexity forward", f"{perplexity.forward:,.2f}"),
            ("Perplexity backward", f"{perplexity.backward:,.2f}"),
            ("Perplexity mean", f"{perplexity.mean:,.2f}"),
            ("Vocabulary", f"{perplexity.n_vocabulary:,} words"),
            ("Outside it", f"{perplexity.oov:.2%} of tokens"),
            ("Tokens", f"{perplexity.n_tokens:,}"),
        ],
        aligns=("l", "r"),
    )


def _show_sources(by_source: "dict[str, Perplexity]") -> None:
    msg.table(
        [
            (
                name,
                f"{perplexity.forward:,.2f}",
                f"{perplexity.backward:,.2f}",
                f"{perplexity.oov:.2%}",
                f"{perplexity.n_tokens:,}",
            )
            for name, perplexity in by_source.items()
        ],
        header=("File", "Forward", "Backward", "Outside", "Tokens"),
        divider=True,
        aligns=("l", "r", "r", "r", "r"),
        max_col=60,
    )
