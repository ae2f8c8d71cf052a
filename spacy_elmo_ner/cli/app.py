"""``python -m spacy elmo``: the package's commands on spaCy's own command line."""

import typer
from spacy.cli._util import app

from .assets import assets_cli
from .audit import audit_cli
from .calibrate import calibrate_cli
from .compact import compact_cli
from .compare import compare_cli
from .compile import compile_cli
from .convert import convert_cli
from .corpus import corpus_cli
from .curves import curves_cli
from .perplexity import perplexity_cli
from .pretrain import pretrain_cli
from .report import report_cli
from .train import train_cli
from .vectors import vectors_cli

elmo_cli = typer.Typer(
    name="elmo",
    help="ELMo's contextual word representations, and the pipes on top of them.",
    no_args_is_help=True,
)
app.add_typer(elmo_cli)

elmo_cli.command("pretrain")(pretrain_cli)
elmo_cli.command("curves")(curves_cli)
elmo_cli.command("perplexity")(perplexity_cli)
elmo_cli.command("convert")(convert_cli)
elmo_cli.command("assets")(assets_cli)
elmo_cli.command("corpus")(corpus_cli)
elmo_cli.command("compare")(compare_cli)
elmo_cli.command("report")(report_cli)
elmo_cli.command("calibrate")(calibrate_cli)
elmo_cli.command("compact")(compact_cli)
elmo_cli.command("compile")(compile_cli)
elmo_cli.command("vectors")(vectors_cli)
_CONFIG_OVERRIDES = {"allow_extra_args": True, "ignore_unknown_options": True}
elmo_cli.command("train", context_settings=_CONFIG_OVERRIDES)(train_cli)
elmo_cli.command("audit", context_settings=_CONFIG_OVERRIDES)(audit_cli)
