"""``python -m spacy elmo init``: make a corpus of one's own ready to train on."""

import shlex
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from wasabi import msg

from ..errors import Errors
from ..files import readable_name
from ..resources import find

if TYPE_CHECKING:
    from spacy.language import Language

    from ..corpus.own.config import Settings
    from ..corpus.own.report import Report
    from ..corpus.own.texts import OwnText

# Problems that are printed; the file has all.
_MOST_PRINTED = 20


def init_cli(
    output: Annotated[Path, typer.Argument(metavar="OUT", help="Folder to write; new or empty.")],
    train: Annotated[
        list[Path],
        typer.Option(
            "--train",
            help="Annotated texts: CoNLL (.conll, .iob, .iob2, .bio, .bilou, .tsv, .txt), JSON "
            "lines or lists of spaCy, Prodigy, doccano or Label Studio (.jsonl, .json), or Docs "
            "(.spacy). May be repeated.",
        ),
    ],
    dev: Annotated[
        list[Path] | None,
        typer.Option("--dev", help="Texts to choose the best pipeline by. Default: a tenth."),
    ] = None,
    test: Annotated[
        list[Path] | None, typer.Option("--test", help="Texts to score the trained pipeline on.")
    ] = None,
    lang: Annotated[str, typer.Option(help="Language of the texts, as spaCy names it.")] = "en",
    label: Annotated[
        list[str] | None,
        typer.Option("--label", help="Learn only this entity label. May be repeated."),
    ] = None,
    tags: Annotated[
        bool, typer.Option("--tags/--no-tags", help="Learn the tags too, where the texts have any.")
    ] = True,
    bilm: Annotated[
        str | None, typer.Option(help="Name or folder of a biLM. Default: small-en, for English.")
    ] = None,
    vectors: Annotated[
        str | None,
        typer.Option(
            help="Name or folder of word vectors, as `elmo vectors` or spaCy writes them. Default: "
            "glove-en for English, none for other languages."
        ),
    ] = None,
) -> None:
    """Read annotated texts, report what is in them, and write what `spacy train` needs.

    Writes train.spacy, dev.spacy (and test.spacy), and config.cfg, which names them. Prints the
    labels of each part, the lengths of texts, and what should be looked at, with file and line:
    spans that do not fit tokens, impossible sequences of labels, texts that occur twice. All of
    that is used as far as it can be, and listed in problems.tsv.

    Examples:

    python -m spacy elmo init corpus --train annotated.jsonl

    python -m spacy elmo init korpus --train train.conll --dev dev.conll --lang de --bilm my-bilm
    """
    from ..corpus.language import TextLanguage
    from ..corpus.own.config import make_config
    from ..corpus.own.hold_out import hold_out
    from ..corpus.own.report import report
    from ..corpus.own.write import CONFIG_FILE, check_output, write_own

    try:
        check_output(output)
        nlp = TextLanguage(lang).blank()
        parts = {"train": _read(train, nlp)}
        if dev:
            parts["dev"] = _read(dev, nlp)
        else:
            parts["train"], parts["dev"] = hold_out(parts["train"])
        if test:
            parts["test"] = _read(test, nlp)
        if label:
            parts = _only(parts, label)
        described = report(parts)
        settings = _settings(described, lang, bilm, vectors, tags)
        paths = (output / f"{part}.spacy" for part in ("train", "dev"))
        config = make_config(settings, *paths)
        write_own(output, parts, described, config, held_out=not dev)
    except (OSError, ValueError) as error:
        msg.fail(str(error), exits=1)
    _show(described, output)
    if lang != "en" and not (bilm and vectors):
        missing = [name for name, given in (("biLM", bilm), ("word vectors", vectors)) if not given]
        msg.warn(
            f"No {' and no '.join(missing)} for {lang!r} come with this package.",
            "small-en has read English only. Pre-train on raw text with `python -m spacy elmo "
            "pretrain`, and name its folder as --bilm; --vectors takes those of a spaCy pipeline.",
        )
    msg.good(f"Wrote {', '.join(f'{name}.spacy' for name in parts)} and {CONFIG_FILE} to {output}")
    config_path, folder, trained = (
        shlex.quote(str(path)) for path in (output / CONFIG_FILE, output, output / "training")
    )
    print("Train, and calibrate the confidences:")
    print(f"python -m spacy elmo train {config_path} --corpus {folder} --output {trained}")
    print("Or with spaCy's own command:")
    print(f"python -m spacy train {config_path} --output {trained}")


def _read(paths: Iterable[Path], nlp: "Language") -> "list[OwnText]":
    from ..corpus.own.read import read_own

    return [text for path in paths for text in read_own(find(path), nlp)]


def _only(parts: "dict[str, list[OwnText]]", labels: Sequence[str]) -> "dict[str, list[OwnText]]":
    """Drop all other labels. Raises ValueError (EL658) for one that no text has."""
    found = {label for texts in parts.values() for text in texts for *_, label in text.entities}
    if unknown := sorted(set(labels) - found):
        message = Errors.EL658.format(labels=", ".join(unknown), found=", ".join(sorted(found)))
        raise ValueError(message)
    kept = set(labels)
    return {name: [text.with_labels(kept) for text in texts] for name, texts in parts.items()}


def _settings(
    described: "Report", lang: str, bilm: str | None, vectors: str | None, tags: bool
) -> "Settings":
    """Learn what train has.

    Raises ValueError if that is nothing (EL661), for vectors that are not there (EL051) or cannot
    be read (EL050).
    """
    from ..corpus.own.config import BILM, PACKAGED_LANGUAGE, VECTORS, Settings
    from ..vectors.shared import packaged_names, table_width

    if vectors and table_width(vectors) is None:
        raise ValueError(Errors.EL051.format(name=vectors, names=", ".join(packaged_names())))

    train = described.parts["train"]
    learns_tags = tags and bool(train.tags)
    if not train.entities and not learns_tags:
        raise ValueError(Errors.EL661)
    return Settings(
        lang=lang,
        bilm=bilm or BILM,
        vectors=vectors or (VECTORS if lang == PACKAGED_LANGUAGE else None),
        learns_entities=bool(train.entities),
        learns_tags=learns_tags,
        n_tokens=train.tokens,
    )


def _show(described: "Report", output: Path) -> None:
    _show_sizes(described)
    for (part, earlier), n in described.repeated.items():
        where = "itself" if part == earlier else earlier
        msg.warn(f"{n:,} of {described.parts[part].texts:,} texts of {part} repeat {where}")
    if unseen := described.only_outside_train():
        msg.warn(f"No text of train has {', '.join(unseen)}: nothing can learn it")
    if not described.problems:
        return
    msg.divider(f"{len(described.problems):,} things to look at")
    for problem in described.problems[:_MOST_PRINTED]:
        print(f"{readable_name(problem.path)}, {problem.place}: {problem.what}")
    if len(described.problems) > _MOST_PRINTED:
        from ..corpus.own.write import PROBLEMS_FILE

        print(f"... all of them are in {output / PROBLEMS_FILE}")


def _show_sizes(described: "Report") -> None:
    sizes = [
        (
            name,
            f"{part.texts:,}",
            f"{part.tokens:,}",
            f"{part.median_length:g}",
            f"{part.longest:,}",
            f"{part.entities:,}",
            f"{part.without_entities:,}",
            f"{len(part.tags):,}",
        )
        for name, part in described.parts.items()
    ]
    header = ("part", "texts", "tokens", "median", "longest", "entities", "texts without", "tags")
    msg.table(sizes, header=header, divider=True, aligns=("l", *"r" * 7))
    labels = [
        (label, *(f"{part.labels[label]:,}" for part in described.parts.values()))
        for label in described.labels
    ]
    if labels:
        msg.table(
            labels,
            header=("label", *described.parts),
            divider=True,
            aligns=("l", *"r" * len(described.parts)),
        )
