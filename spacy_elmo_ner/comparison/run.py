"""A comparison from start to end: load, time, predict, map, score."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timezone
from functools import partial
from pathlib import Path

import spacy
from spacy.tokens import Doc
from tqdm import tqdm

from ..errors import Errors
from .annotation import Annotation
from .audits import read_probable_errors
from .describe import describe_environment, describe_pipeline
from .examples import GOLD, shown_examples
from .findings import LearningPoint
from .footprint import footprint
from .gold import GoldCorpus, check_files, read_corpus, train_entities
from .label_choice import Labels, gold_labels, read_label_maps
from .learning import TrainedOnShare, read_training_log
from .metrics import SEQEVAL_DEFAULT, TAG_ACCURACY, ner_scores, tag_scores
from .peers import check_extras
from .pipelines import LoadedPipeline, PipelineUnavailableError, load_pipeline
from .predict import predict
from .results import CorpusResult, PipelineInfo, Results, Skipped, Speed
from .scoring import Reading, score_corpus, where_annotated
from .texts import Texts, collect_texts
from .timing import time_pipelines


@dataclass(frozen=True)
class Comparison:
    """What to compare.

    pipelines: (shown name, package or folder). corpora: .spacy or .txt files. label_maps: PATH or
    NAME=PATH. train: a DocBin, to score seen and unseen entities apart. examples: first words of
    the texts to show side by side. learning_curve: the same systems trained on less, scored on the
    first corpus. training_logs: log.jsonl files. audits: errors.json files. own_tokens: each
    pipeline splits the text itself. repeats: timed runs of each pipeline, 0 for none. max_words:
    words in one timed run, at most.
    """

    pipelines: Sequence[tuple[str, str]]
    corpora: Sequence[Path]
    label_maps: Sequence[str] = ()
    train: Path | None = None
    examples: Sequence[str] = ()
    learning_curve: Sequence[TrainedOnShare] = ()
    training_logs: Sequence[Path] = ()
    audits: Sequence[Path] = ()
    own_tokens: bool = False
    repeats: int = 5
    max_words: int = 10_000
    progress: bool = True


@dataclass(frozen=True)
class Compared:
    """The figures, and the first corpus' texts as every pipeline reads them."""

    results: Results
    texts: Texts


def compare(task: Comparison) -> Compared:
    """Run the comparison. Pipelines that cannot be had are skipped and listed.

    Timing runs on the first corpus, before any pipeline has seen its words. Raises ValueError:
    two pipelines of one name (EL311), none that loads (EL313), one alone without gold (EL306), a
    corpus, label map, log or audit that cannot be used, a predicted label that nothing explains
    (EL310).
    Raises ImportError where a package of the ``project`` extra is missing (EL303).
    """
    names = [name for name, _ in task.pipelines]
    _check_names(names)
    check_extras()
    check_files([*task.corpora, *([] if task.train is None else [task.train])])
    logs = [read_training_log(path) for path in task.training_logs]
    probable_errors = [each for path in task.audits for each in read_probable_errors(path)]
    maps = read_label_maps(task.label_maps, names)
    pipelines, skipped = _load(task)
    make_doc = spacy.blank(pipelines[0].nlp.meta["lang"])
    corpora = [read_corpus(path, make_doc) for path in task.corpora]
    for gold in corpora:
        if not gold.has_gold and len(pipelines) == 1:
            raise ValueError(Errors.EL306.format(path=gold.path, name=pipelines[0].name))
    train = [] if task.train is None else [read_corpus(task.train, make_doc)]
    labels = Labels(maps, gold_labels([*corpora, *train], maps), used={})
    seen = train_entities(train[0]) if train else None
    speeds = _time(task, pipelines, corpora[0].docs)
    compared = [_compare_on(task, gold, pipelines, labels, seen) for gold in corpora]
    readings = [each for _, each in compared]
    unscored = {
        each.name: [
            note
            for gold, reading in zip(corpora, readings, strict=True)
            for note in _unscored(gold, each, reading[each.name])
        ]
        for each in pipelines
    }
    curve, curve_skipped = _learning_curve(task, corpora[0], labels)
    results = Results(
        created=datetime.now(timezone.utc).isoformat(timespec="seconds"),
        environment=describe_environment(),
        pipelines=[
            replace(info, notes=[*info.notes, *unscored[info.name]])
            for info in _describe(task, pipelines, speeds, labels, corpora[0].docs)
        ],
        skipped=[*skipped, *curve_skipped],
        corpora=[result for result, _ in compared],
        examples=shown_examples(task.examples, corpora, pipelines, labels, readings),
        learning_curve=curve,
        training_logs=logs,
        probable_errors=probable_errors,
    )
    return Compared(results, collect_texts(corpora[0], readings[0]))


def _check_names(names: Sequence[str]) -> None:
    for name in names:
        if names.count(name) > 1 or name == GOLD:
            raise ValueError(Errors.EL311.format(name=name))


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
        reasons = " ".join(each.reason for each in skipped)
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
    docs: Sequence[Doc],
) -> list[PipelineInfo]:
    infos = []
    with _progress(task, "time to load, memory and size", len(pipelines)) as step:
        for each in pipelines:
            infos.append(
                describe_pipeline(
                    each,
                    speeds.get(each.name),
                    labels.path(each.name),
                    partial(footprint, each.source, each.components, docs, task.max_words),
                )
            )
            step()
    return infos


def _compare_on(
    task: Comparison,
    gold: GoldCorpus,
    pipelines: Sequence[LoadedPipeline],
    labels: Labels,
    seen: set[tuple[str, ...]] | None,
) -> tuple[CorpusResult, dict[str, list[Annotation]]]:
    """The scores on one corpus, and every pipeline's reading of it in gold's labels."""
    readings = {each.name: _read(task, gold, each, labels) for each in pipelines}
    result = score_corpus(gold, readings, seen)
    return result, {name: each.annotations for name, each in readings.items()}


def _read(task: Comparison, gold: GoldCorpus, pipeline: LoadedPipeline, labels: Labels) -> Reading:
    with _progress(task, f"{pipeline.name} on {gold.part}", len(gold.docs)) as step:
        predicted = predict(pipeline, gold.docs, gold.annotations, step, task.own_tokens)
    truth = gold.annotations if gold.has_gold else None
    translated = labels.translate(pipeline, predicted.annotations, truth)
    unreachable = labels.unreachable(pipeline, gold)
    return Reading(translated, predicted.misaligned, unreachable, pipeline.threshold)


def _unscored(
    gold: GoldCorpus, pipeline: LoadedPipeline, reading: Sequence[Annotation]
) -> Iterator[str]:
    """What the pipeline predicts that this gold says nothing about, as notes."""
    if not gold.has_gold:
        return
    if pipeline.entity_components and not gold.has_entities:
        yield f"on {gold.part}: gold has no entities, so none are scored"
    if pipeline.tag_components and not gold.has_tags:
        yield f"on {gold.part}: gold has no tags, so none are scored"
    scored = where_annotated(gold, reading)
    n_left_out = sum(
        len(whole.entities or ()) - len(part.entities or ())
        for whole, part in zip(reading, scored, strict=True)
    )
    if n_left_out:
        yield (
            f"on {gold.part}: {n_left_out:,} predicted entities touch words that gold does not "
            "annotate and are not scored"
        )


def _learning_curve(
    task: Comparison, gold: GoldCorpus, labels: Labels
) -> tuple[list[LearningPoint], list[Skipped]]:
    points = []
    # A curve that was not trained is one line, not one a point.
    missing: dict[str, Skipped] = {}
    for each in task.learning_curve:
        try:
            pipeline = load_pipeline(each.system, each.source)
        except PipelineUnavailableError as reason:
            name = f"{each.system} at {each.percent:g} %"
            if each.system in missing:
                name = f"{missing[each.system].name}, {each.percent:g} %"
            missing[each.system] = Skipped(name, str(reason))
            continue
        predicted = where_annotated(gold, _read(task, gold, pipeline, labels).annotations)
        ner = ner_scores(gold.docs, gold.annotations, predicted)
        tags = tag_scores(gold.annotations, predicted)
        points.append(
            LearningPoint(
                each.system,
                each.percent,
                ner[SEQEVAL_DEFAULT].f1 if ner else None,
                tags[TAG_ACCURACY].f1 if tags else None,
            )
        )
    return points, list(missing.values())


@contextmanager
def _progress(task: Comparison, what: str, total: int) -> Iterator[Callable[[], object]]:
    with tqdm(total=total, desc=what, disable=not task.progress) as bar:
        yield bar.update
