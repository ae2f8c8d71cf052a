"""Add to a trained pipeline: sentences, coarse tags and lemmas, as spaCy's own pipelines have.

Code that was written for ``en_core_web_sm`` asks for ``doc.sents``, ``token.pos_``,
``token.lemma_`` and ``doc.noun_chunks``. A `senter` on the same biLM, an `attribute_ruler` with
rules from this package, a rule `lemmatizer` with spaCy's tables and `noun_chunks` provide them.
"""

from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from typing import Any

import spacy
import srsly
from spacy.language import Language
from spacy.lookups import Lookups, load_lookups
from spacy.pipeline import AttributeRuler, Lemmatizer

from ..corpus.joined_sentences import create_joined_sentences_reader_v1
from ..errors import Errors
from ..layers.bilm_layer import bilm_shim
from .compact import read_description
from .noun_chunks import use_tag_noun_chunks
from .save import require_place, save_pipeline

ADDED = ("senter", "attribute_ruler", "lemmatizer")
RULES = Path(__file__).parents[1] / "data/english-attributes.json"
NOUN_CHUNKS = "spacy_elmo_ner.tag_noun_chunks.v1"
TABLES = ("lemma_rules", "lemma_exc", "lemma_index")
LOOKUPS_PACKAGE = "spacy-lookups-data"

# The file that `spacy package` puts beside a pipeline, with licenses that ask for their text.
LICENSES = "LICENSES_SOURCES"

SOURCES = (
    {
        "name": "spacy-lookups-data",
        "url": "https://github.com/explosion/spacy-lookups-data",
        "license": "MIT",
        "author": "Explosion",
    },
    {
        "name": "WordNet 3.0",
        "url": "https://wordnet.princeton.edu",
        "license": "WordNet 3.0 License",
        "author": "Princeton University",
    },
)
NOTES = (
    "Coarse tags (token.pos_), morphology and noun chunks follow from the tags by rules, lemmas by "
    "rules and WordNet's lists. None of them was scored against gold annotation. Sentence scores "
    "(sents_f) are of texts joined from single sentences, whose line breaks and headlines are not "
    "those of real texts."
)


def complete_folder(
    pipeline: Path,
    senter: Path,
    output: Path,
    sentences: Path | None = None,
    meta: Path | None = None,
) -> dict[str, Any]:
    """Save a pipeline again with the pipes of `ADDED`.

    senter: a pipeline with an `elmo` of the same biLM and a trained `senter`, as configs/senter.cfg
    makes it. sentences: a .spacy file of one sentence per Doc to score the `senter` on; they are
    joined, and meta.json has the scores, which are returned, beside those it had. meta: a
    description as for `compact_folder`.

    Raises FileNotFoundError for a path that does not exist, ValueError like `complete`; nothing
    is written then.
    """
    for path in (pipeline, senter, sentences, meta):
        if path is not None and not path.exists():
            raise FileNotFoundError(Errors.EL520.format(path=path))
    require_place(output)
    tables, licenses = english_tables(), table_licenses()
    nlp = complete(spacy.load(pipeline), spacy.load(senter), tables)
    nlp.meta.update({} if meta is None else read_description(meta))
    scores = {} if sentences is None else score_sentences(nlp, sentences)
    nlp.meta["performance"] = {**nlp.meta.get("performance", {}), **scores}
    known = nlp.meta.get("sources") or []
    names = {source["name"] for source in known}
    nlp.meta["sources"] = [*known, *(one for one in SOURCES if one["name"] not in names)]
    nlp.meta["notes"] = NOTES
    save_pipeline(
        nlp,
        output,
        texts={LICENSES: licenses},
    )
    return scores


def complete(nlp: Language, senter: Language, tables: Lookups) -> Language:
    """Add the pipes of `ADDED` after the tagger; those already there are replaced. Changes nlp.

    senter: see `complete_folder`; tables: see `english_tables`. Raises ValueError if nlp has no
    `elmo` or `elmo_tagger` (EL692), if there is no trained `senter` (EL693) or if its biLM is
    another one (EL694).
    """
    elmo, tagger = (_name_of(nlp, factory) for factory in ("elmo", "elmo_tagger"))
    if elmo is None or tagger is None:
        missing = "elmo" if elmo is None else "elmo_tagger"
        raise ValueError(Errors.EL692.format(missing=missing, pipes=", ".join(nlp.pipe_names)))
    learned_on, source = (_name_of(senter, factory) for factory in ("elmo", "senter"))
    if learned_on is None or source is None:
        raise ValueError(Errors.EL693.format(pipes=", ".join(senter.pipe_names)))
    _require_same_bilm(nlp.get_pipe(elmo), senter.get_pipe(learned_on))
    for factory in ADDED:
        while (name := _name_of(nlp, factory)) is not None:
            nlp.remove_pipe(name)
    nlp.add_pipe(source, name="senter", source=senter, after=tagger)
    ruler = nlp.add_pipe("attribute_ruler", after="senter")
    assert isinstance(ruler, AttributeRuler)
    ruler.add_patterns(srsly.read_json(RULES))
    lemmatizer = nlp.add_pipe("lemmatizer", config={"mode": "rule"}, after="attribute_ruler")
    assert isinstance(lemmatizer, Lemmatizer)
    lemmatizer.initialize(lookups=tables)
    nlp.config["nlp"]["after_pipeline_creation"] = {"@callbacks": NOUN_CHUNKS}
    return use_tag_noun_chunks(nlp)


def english_tables() -> Lookups:
    """Return spaCy's tables for English lemmas.

    Raises ValueError if the package that has them is not installed (EL695).
    """
    try:
        return load_lookups("en", list(TABLES))
    except ValueError as error:
        raise ValueError(Errors.EL695) from error


def table_licenses() -> str:
    """Return the licenses of the tables, which both ask to appear on every copy.

    Raises ValueError if the package that has the tables is not installed (EL695).
    """
    try:
        files = distribution(LOOKUPS_PACKAGE).files or []
    except PackageNotFoundError as error:
        raise ValueError(Errors.EL695) from error
    texts = {
        "The package spacy-lookups-data": "LICENSE",
        "Its English tables, from WordNet": "en_license.txt",
    }
    parts = []
    for what, name in texts.items():
        found = next((file for file in files if file.name == name), None)
        if found is None:
            raise ValueError(Errors.EL695)
        text = Path(str(found.locate())).read_text(encoding="utf8")
        lines = "\n".join(line.rstrip() for line in text.strip().splitlines())
        parts.append(f"# {what}\n\n{lines}\n")
    return "\n\n".join(parts)


def score_sentences(nlp: Language, path: Path) -> dict[str, Any]:
    """Score sentence boundaries on texts joined from the file's sentences: sents_p, _r and _f."""
    examples = list(create_joined_sentences_reader_v1(path)(nlp))
    enabled = [name for name in (_name_of(nlp, "elmo"), "senter") if name is not None]
    with nlp.select_pipes(enable=enabled):
        scores = nlp.evaluate(examples)
    return {name: scores[name] for name in ("sents_p", "sents_r", "sents_f")}


def _name_of(nlp: Language, factory: str) -> str | None:
    """Return the name of the first pipe that this factory made; None if there is none."""
    names = (name for name in nlp.pipe_names if nlp.get_pipe_meta(name).factory == factory)
    return next(names, None)


def _require_same_bilm(elmo: Any, other: Any) -> None:
    """Raise ValueError (EL694) where a `senter` has learned from another biLM."""
    ours, theirs = (bilm_shim(pipe.model) for pipe in (elmo, other))
    if ours.to_bytes() != theirs.to_bytes():
        raise ValueError(Errors.EL694.format(ours=ours.name, theirs=theirs.name))
