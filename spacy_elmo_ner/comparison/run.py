"""Run a comparison from start to end: load, time, predict, map labels, score."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timezone
from functools import partial
from pathlib import Path

import spacy
from spacy.tokens import Doc
from tqdm import tqdm

from ..audit.output import read_audit
from ..errors import Errors
from .corpora import Annotation, GoldCorpus, check_files, from_doc, read_corpus
from .examples import GOLD, find_examples
from .label_maps import Labels, read_label_maps
from .metrics import SEQEVAL_DEFAULT, TAG_ACCURACY, check_extras, ner_scores, tag_scores
from .pipelines import LoadedPipeline, PipelineUnavailableError, load_pipeline
from .predict import predict
from .results import (
    LearningPoint,
    PipelineInfo,
    ProbableErrors,
    Results,
    Skipped,
    Speed,
)
from .score import PipelineReading, score_corpus
from .speed import describe_environment, describe_pipeline, measure_alone, time_pipelines
from .texts import Texts, collect_texts

# Probable annotation errors that are kept and shown, of each pipe.
MAX_PROBABLE_ERRORS = 50


@dataclass(frozen=True)
class TrainedOnShare:
    """Names a pipeline trained on ``percent`` of train: one point of a learning curve."""

    system: str
    percent: float
    source: str

    @classmethod
    def parse(cls, argument: str) -> "TrainedOnShare":
        """Parse ``NAME:PERCENT=SOURCE``; ValueError (EL318) for anything else."""
        match = re.fullmatch(r"(?P<name>[^=]+):(?P<percent>\d+(\.\d+)?)=(?P<source>.+)", argument)
        if match is None or not 0 < float(match["percent"]) < 100:
            raise ValueError(Errors.EL318.format(argument=argument))
        return cls(match["name"], float(match["percent"]), match["source"])


@dataclass(frozen=True)
class Comparison:
    """Says what to compare.

    pipelines: (shown name, package or folder). corpora: .spacy or .txt files. label_maps: PATH or
    NAME=PATH. train: a .spacy file, to score seen and unseen entities apart. examples: first words
    of the texts to show side by side. learning_curve: the same systems trained on less, scored on
    the first corpus. audits: errors.json files. own_tokens: each pipeline splits the text itself.
    repeats: timed runs of each pipeline, 0 for none. max_words: most words in one timed run.
    """

    pipelines: Sequence[tuple[str, str]]
    corpora: Sequence[Path]
    label_maps: Sequence[str] = ()
    train: Path | None = None
    examples: Sequence[str] = ()
    learning_curve: Sequence[TrainedOnShare] = ()
    audits: Sequence[Path] = ()
    own_tokens: bool = False
    repeats: int = 5
    max_words: int = 10_000
    progress: bool = True


@dataclass(frozen=True)
class Compared:
    """Holds the figures, and the first corpus' texts as every pipeline annotates them."""

    results: Results
    texts: Texts


def compare(task: Comparison) -> Compared:
    """Run the comparison. Pipelines that are not available are skipped and listed.

    Timing runs on the first corpus, before any pipeline has seen its words. Raises ValueError:
    two pipelines with one name (EL311), none that loads (EL313), a single one without gold (EL306),
    a corpus, label map or audit that cannot be used, a predicted label that nothing explains
    (EL310). Raises ImportError if a package of the ``project`` extra is missing (EL303).
    """
    names = [name for name, _ in task.pipelines]
    _check_names(names)
    check_extras()
    check_files([*task.corpora, *([] if task.train is None else [task.train])])
    probable_errors = [errors for path in task.audits for errors in _probable_errors(path)]
    maps = read_label_maps(task.label_maps, names)
    pipelines, skipped = _load(task)
    make_doc = spacy.blank(pipelines[0].nlp.meta["lang"])
    corpora = [read_corpus(path, make_doc) for path in task.corpora]
    for gold in corpora:
        if not gold.has_gold and len(pipelines) == 1:
            raise ValueError(Errors.EL306.format(path=gold.path, name=pipelines[0].name))
    train = [] if task.train is None else [read_corpus(task.train, make_doc)]
    if train and not train[0].has_entities and any(gold.has_entities for gold in corpora):
        do = "tell seen entities from unseen ones by"
        raise ValueError(Errors.EL324.format(path=task.train, layers="entities", do=do))
    labels = Labels(maps, maps.gold_labels([*corpora, *train]))
    seen = train[0].entity_forms if train else None
    speeds = _time(task, pipelines, corpora[0].docs)
    results, readings = [], []
    for gold in corpora:
        by_name = {pipeline.name: _read(task, gold, pipeline, labels) for pipeline in pipelines}
        results.append(score_corpus(gold, by_name, seen))
        readings.append({name: reading.annotations for name, reading in by_name.items()})
    curve, curve_skipped = _learning_curve(task, corpora[0], labels)
    annotate = partial(_annotate, pipelines, labels)
    whole = Results(
        created=datetime.now(timezone.utc).isoformat(timespec="seconds"),
        environment=describe_environment(),
        pipelines=_describe(task, pipelines, speeds, labels, corpora, readings),
        skipped=[*skipped, *curve_skipped],
        corpora=results,
        examples=find_examples(task.examples, corpora, readings, annotate),
        learning_curve=curve,
        probable_errors=probable_errors,
    )
    return Compared(whole, collect_texts(corpora[0], readings[0]))


def _check_names(names: Sequence[str]) -> None:
    for name in names:
        if names.count(name) > 1 or name == GOLD:
            raise ValueError(Errors.EL311.format(name=name))


def _probable_errors(path: Path) -> list[ProbableErrors]:
    """Return the first rows of every pipe in an errors.json, those of entities first."""
    corpus, audits = read_audit(path)
    return [
        ProbableErrors(
            corpus, audit.pipe, audit.n_docs, len(audit.rows), audit.rows[:MAX_PROBABLE_ERRORS]
        )
        for audit in sorted(audits, key=lambda audit: any(row.kind == "tag" for row in audit.rows))
    ]


def _load(task: Comparison) -> tuple[list[LoadedPipeline], list[Skipped]]:
    pipelines, skipped = [], []
    with _progress(task, "loading", len(task.pipelines)) as step:
        for name, source in task.pipelines:
            try:
                pipelines.append(load_pipeline(name, source))
            except PipelineUnavailableError as reason:
                skipped.append(Skipped(name, str(reason)))
            step()
    if not pipelines:
        reasons = " ".join(pipeline.reason for pipeline in skipped)
        raise ValueError(Errors.EL313.format(reasons=reasons))
    return pipelines, skipped


def _time(
    task: Comparison, pipelines: Sequence[LoadedPipeline], docs: Sequence[Doc]
) -> dict[str, Speed]:
    if task.repeats == 0:
        return {}
    # One more round than repeats: the warm-up.
    with _progress(task, "timing", (task.repeats + 1) * len(pipelines)) as step:
        return time_pipelines(pipelines, docs, task.repeats, task.max_words, step)


def _describe(
    task: Comparison,
    pipelines: Sequence[LoadedPipeline],
    speeds: Mapping[str, Speed],
    labels: Labels,
    corpora: Sequence[GoldCorpus],
    readings: Sequence[Mapping[str, Sequence[Annotation]]],
) -> list[PipelineInfo]:
    infos = []
    with _progress(task, "time to load, memory and size", len(pipelines)) as step:
        for pipeline in pipelines:
            measure = partial(
                measure_alone,
                pipeline.source,
                pipeline.components,
                corpora[0].docs,
                task.max_words,
            )
            speed, label_map = speeds.get(pipeline.name), labels.path(pipeline.name)
            info = describe_pipeline(pipeline, speed, label_map, measure)
            notes = [
                note
                for gold, by_name in zip(corpora, readings, strict=True)
                for note in _unscored(gold, pipeline, by_name[pipeline.name])
            ]
            infos.append(replace(info, notes=[*info.notes, *notes]))
            step()
    return infos


def _unscored(
    gold: GoldCorpus, pipeline: LoadedPipeline, reading: Sequence[Annotation]
) -> Iterator[str]:
    """Note the predictions about which this gold says nothing."""
    if not gold.has_gold:
        return
    if pipeline.entity_components and not gold.has_entities:
        yield f"on {gold.part}: gold has no entities, so none are scored"
    if pipeline.tag_components and not gold.has_tags:
        yield f"on {gold.part}: gold has no tags, so none are scored"
    n_left_out = sum(
        len(whole.entities or ()) - len(scored.entities or ())
        for whole, scored in zip(reading, gold.where_annotated(reading), strict=True)
    )
    if n_left_out:
        yield (
            f"on {gold.part}: {n_left_out:,} predicted entities touch words that gold does not "
            "annotate and are not scored"
        )


def _read(
    task: Comparison, gold: GoldCorpus, pipeline: LoadedPipeline, labels: Labels
) -> PipelineReading:
    with _progress(task, f"{pipeline.name} on {gold.part}", len(gold.docs)) as step:
        predicted = predict(pipeline, gold.docs, gold.annotations, step, task.own_tokens)
    truth = gold.annotations if gold.has_gold else None
    translated = labels.translate(pipeline, predicted.annotations, truth)
    unreachable = labels.unreachable(pipeline, gold)
    return PipelineReading(translated, predicted.misaligned, unreachable, pipeline.threshold)


def _annotate(
    pipelines: Sequence[LoadedPipeline], labels: Labels, text: str
) -> dict[str, Annotation]:
    """Annotate a text that no corpus has, with every pipeline."""
    annotations = {}
    for pipeline in pipelines:
        doc = spacy.blank(pipeline.nlp.meta["lang"])(text)
        predicted = predict(pipeline, [doc], [from_doc(doc)], lambda: None).annotations
        annotations[pipeline.name] = labels.translate(pipeline, predicted).annotations[0]
    return annotations


def _learning_curve(
    task: Comparison, gold: GoldCorpus, labels: Labels
) -> tuple[list[LearningPoint], list[Skipped]]:
    points = []
    # A curve that was not trained is one line, not one per point.
    missing: dict[str, Skipped] = {}
    for share in task.learning_curve:
        try:
            pipeline = load_pipeline(share.system, share.source)
        except PipelineUnavailableError as reason:
            name = f"{share.system} at {share.percent:g} %"
            if share.system in missing:
                name = f"{missing[share.system].name}, {share.percent:g} %"
            missing[share.system] = Skipped(name, str(reason))
            continue
        predicted = gold.where_annotated(_read(task, gold, pipeline, labels).annotations)
        ner = ner_scores(gold.docs, gold.annotations, predicted)
        tags = tag_scores(gold.annotations, predicted)
        points.append(
            LearningPoint(
                share.system,
                share.percent,
                ner[SEQEVAL_DEFAULT].f1 if ner else None,
                tags[TAG_ACCURACY].f1 if tags else None,
            )
        )
    return points, list(missing.values())


@contextmanager
def _progress(task: Comparison, what: str, total: int) -> Iterator[Callable[[], object]]:
    with tqdm(total=total, desc=what, disable=not task.progress) as bar:
        yield bar.update
