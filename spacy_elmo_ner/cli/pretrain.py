"""``python -m spacy elmo pretrain``: train a biLM on raw text."""

from collections.abc import Iterable
from dataclasses import replace
from itertools import takewhile
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from spacy.cli._util import parse_config_overrides
from wasabi import msg

from ..errors import Errors
from ..resources import find
from .memory import keep_freed_memory

if TYPE_CHECKING:
    from ..pretraining.config import PretrainingConfig


def pretrain_cli(
    source: Annotated[
        list[str],  # not Path, which would turn the setting "" into "."
        typer.Argument(
            metavar="CONFIG|TEXT",
            help="A config (.cfg) with the blocks text, training, silver and bilm; or raw text "
            "files and folders of them: .txt, UTF-8, one sentence or paragraph per line; .jsonl, "
            'one {"text": ...} per line; both also .gz or .xz; .spacy, which keeps its own words.',
        ),
    ],
    output: Annotated[
        Path,
        typer.Option(
            "--output",
            "-o",
            help="Folder for the biLM (options.json, weights.safetensors), its softmax and "
            "vocabulary, text.json (what was read), log.jsonl, curves.png, and the checkpoints.",
        ),
    ],
    resume: Annotated[
        bool,
        typer.Option(
            "--resume", help="Continue from the newest checkpoint in the output folder, if any."
        ),
    ] = False,
    init: Annotated[
        str | None,
        typer.Option(
            "--init",
            metavar="NAME|FOLDER",
            help='Start from these weights, such as "small-en", and their shape; the words that '
            "can be predicted are taken from your text.",
        ),
    ] = None,
    lang: Annotated[
        str | None,
        typer.Option(
            help="Language of text files, as spaCy names it, whose tokenizer cuts them into words. "
            'A config has it as lang in its block text. Default: "en".'
        ),
    ] = None,
    threads: Annotated[
        int | None, typer.Option(min=1, help="CPU threads. Default: torch's own choice.")
    ] = None,
) -> None:
    """Train a biLM on raw text. Pipelines use it by the name of its folder.

    It learns to predict each word from the words before it and from those after it, and reports
    how well it does so on held-out sentences. Given text files, the settings follow from their
    size: 4.7 million parameters, and more passes over less text. A config sets everything,
    and settings of it can be given as options, for instance --training.max_steps 1000.
    To continue an interrupted run, repeat the command with --resume.
    Processes started by torchrun, on one machine or many, train one model together.

    Examples:

    python -m spacy elmo pretrain texts/ --output my-bilm

    python -m spacy elmo pretrain law-reports/ --init small-en --output law-en

    python -m spacy elmo pretrain zeitungen/ --lang de --output bilm-de

    python -m spacy elmo pretrain configs/pretrain-own-text.cfg --init small-en --output own-bilm
    --training.max_steps 500
    """
    import torch

    from ..elmo import BiLM
    from ..pretraining.config import PretrainingConfig
    from ..pretraining.processes import is_first_process
    from ..pretraining.train import pretrain

    keep_freed_memory()
    if threads is not None:
        torch.set_num_threads(threads)
    try:
        start = None if init is None else BiLM.from_pretrained(init)
        config = read_config(source, lang)
        if start is not None and config.options == PretrainingConfig().options:
            config = replace(config, options=start.options)
        if is_first_process():
            _announce(config)
        bilm = pretrain(config, output, resume=resume, init=start)
    except (OSError, ValueError) as err:
        msg.fail(str(err), exits=1)
    except KeyboardInterrupt:
        msg.warn("Stopped. The same command with --resume continues from the last checkpoint.")
        raise typer.Exit(130) from None
    if not is_first_process():
        return
    msg.good(f"Wrote a biLM of {bilm.options.n_params:,} parameters to {output}")
    model = {"@architectures": "spacy_elmo_ner.BiLM.v1", "name": str(output)}
    print(f'In a pipeline: nlp.add_pipe("elmo", config={{"model": {model}}})')
    _draw(output)
    print(f"On other text: python -m spacy elmo perplexity {output} TEXT")


def read_config(source: Iterable[str], lang: str | None = None) -> "PretrainingConfig":
    """Read one config file with the settings given after it, or make settings for text files.

    source: paths, then options such as --training.max_steps 1000, which typer leaves there.
    Raises FileNotFoundError, or ValueError for a config beside other files (EL511), options
    without a config (EL427), a folder without text (EL413), or a config that is wrong.
    """
    from ..pretraining.config import PretrainingConfig
    from ..pretraining.files import find_text_files

    arguments = list(source)
    named = list(takewhile(lambda argument: not argument.startswith("--"), arguments))
    options = arguments[len(named) :]
    paths = [find(Path(path)) for path in named]
    configs = [path for path in paths if path.suffix == ".cfg"]
    for option in options:
        if option.startswith("--") and not (configs and "." in option.partition("=")[0]):
            raise ValueError(Errors.EL427.format(option=option))
    if not configs:
        return PretrainingConfig.for_text(find_text_files(paths), lang or "en")
    if len(paths) > 1:
        raise ValueError(Errors.EL511.format(path=configs[0], n=len(paths) - 1))
    overrides = parse_config_overrides(options, env_var=None)
    if lang is not None:
        overrides = {"text.lang": lang, **overrides}
    return PretrainingConfig.from_cfg(configs[0], overrides)


def _announce(config: "PretrainingConfig") -> None:
    text, training = config.text, config.training
    budget = f"{training.max_steps:,} steps" if training.max_steps else _passes(training.max_epochs)
    msg.info(
        f"Training for {budget}, {training.batch_tokens:,} tokens a step, "
        f"{text.n_vocabulary:,} words at most to predict"
    )


def _draw(output: Path) -> None:
    """Draw the curves if matplotlib is installed; a run is complete without them."""
    from .curves import draw_curves

    try:
        print(f"Curves: {draw_curves(output)}")
    except (ImportError, OSError, ValueError) as err:
        msg.warn(f"No picture of the curves: {err}")


def _passes(n: int) -> str:
    return "1 pass" if n == 1 else f"{n} passes"
