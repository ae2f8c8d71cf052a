"""``python -m spacy elmo audit``: list the most probable annotation errors of a corpus."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import spacy
import typer
from spacy.cli._util import parse_config_overrides
from spacy.tokens import Doc
from spacy.util import load_config
from wasabi import msg

from ..corpus.docbin import read_docs
from ..errors import Errors
from ..files import check_output_folder
from ..resources import find
from .memory import keep_freed_memory
from .training_config import complete_config, require_layers, require_paths

if TYPE_CHECKING:
    from ..audit.output import Audit


def audit_cli(
    context: typer.Context,
    corpus: Annotated[list[Path], typer.Option(help="Annotated .spacy file; may be repeated")],
    output: Annotated[Path, typer.Option(help="Folder for errors.tsv and errors.json")],
    config: Annotated[
        Path | None, typer.Option(help="Train with this config, by cross-validation")
    ] = None,
    pipeline: Annotated[
        str | None, typer.Option(help="Or: a pipeline that was not trained on this corpus")
    ] = None,
    folds: Annotated[int, typer.Option(help="Parts of the cross-validation")] = 4,
    top: Annotated[int, typer.Option(help="Probable errors to print for each pipe")] = 20,
) -> None:
    """List the annotations that are most probably wrong, for a person to look at.

    Each text is judged by an elmo_ner and elmo_tagger that were not trained on it. With --config,
    the corpus is cut into folds and a pipeline is trained without each in turn; finished folds
    stay in the output folder, and settings of the config can be given as options, as for `elmo
    train`. An annotation is listed if the pipes give another label at least the probability that
    it has, on average, where it is annotated (confident learning, Northcutt et al. 2021). Nothing
    is changed.

    Example:

    python -m spacy elmo audit --corpus corpus/train.spacy --config configs/elmo.cfg --output out

    python -m spacy elmo audit --corpus corpus/dev.spacy --pipeline training/elmo/model-best
    --output out
    """
    from ..audit.audit import judge, merge
    from ..audit.cross_validation import cross_validate
    from ..audit.output import audits, write

    try:
        overrides = parse_config_overrides(context.args)
        check_output_folder(output)
        docs = _read(corpus)
        keep_freed_memory()
        if pipeline is not None and config is None:
            judged = judge(spacy.load(pipeline), enumerate(docs))
        elif config is not None and pipeline is None:
            config = complete_config(find(config), output)
            settings = load_config(config, overrides=overrides)
            require_paths(settings, {})
            require_layers(settings, docs, corpus[0])
            judged = merge(cross_validate(corpus, docs, config, output, folds, overrides))
        else:
            raise ValueError(Errors.EL522)
        if not judged:
            raise ValueError(Errors.EL521.format(path=pipeline or config, do="judge with"))
        annotated = {name: judgement for name, judgement in judged.items() if judgement.n_annotated}
        if not annotated:
            layers = "entities or tags with the pipeline's labels"
            raise ValueError(Errors.EL324.format(path=corpus[0], layers=layers, do="audit"))
        audited_pipes = audits(annotated)
        write(audited_pipes, corpus, output)
    except (ImportError, OSError, ValueError) as error:
        msg.fail(str(error), exits=1)
    for name in judged:
        if name not in annotated:
            msg.warn(f"{name} has nothing to judge: the corpus has no annotation with its labels")
    for audited in audited_pipes:
        _show(audited, top)
    msg.good(f"Wrote {output}/errors.tsv and errors.json")


def _read(corpus: list[Path]) -> list[Doc]:
    vocab = spacy.blank("en").vocab
    docs: list[Doc] = []
    for path in corpus:
        if not path.is_file():
            raise FileNotFoundError(Errors.EL520.format(path=path))
        docs += read_docs(path, vocab)
    return docs


def _show(audited: "Audit", top: int) -> None:
    share = len(audited.rows) / max(1, audited.n_docs)
    msg.divider(
        f"{audited.pipe}: {len(audited.rows):,} probable errors in {audited.n_docs:,} texts"
    )
    msg.text(f"{share:.3f} per text, {audited.n_annotated:,} annotated tokens")
    rows = [
        (f"{row.margin:.2f}", row.kind, row.gold or "-", row.suggested or "-", row.context)
        for row in audited.rows[:top]
    ]
    if rows:
        msg.table(rows, header=("Margin", "Kind", "Annotated", "Suggested", "Text"), divider=True)
