"""A comparison from start to end: load, time, predict, map, score."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path

import spacy
from spacy.tokens import Doc
from tqdm import tqdm

from ..errors import Errors
from .annotation import Annotation
from .describe import describe_environment, describe_pipeline
from .examples import GOLD, default_example, find_text, side_by_side
from .gold import GoldCorpus, published_figures, read_gold, train_entities
from .label_choice import Labels, gold_labels, read_label_maps
from .metrics import ner_scores, tag_scores
from .peers import check_extras
from .pipelines import LoadedPipeline, PipelineUnavailableError, load_pipeline
from .predict import predict
from .results import CorpusResult, Example, PipelineInfo, Results, Skipped, Speed, SystemScores
from .timing import time_pipelines


@dataclass(frozen=True)
class Comparison:
    """What to compare.

    pipelines: (shown name, package or folder). label_maps: PATH or NAME=PATH. train: a DocBin, to
    score seen and unseen entities apart. examples: first words of the texts to show side by side.
    repeats: timed runs of each pipeline, 0 for none. max_words: words in one timed run, at most.
    """

    pipelines: Sequence[tuple[str, str]]
    corpora: Sequence[Path]
    label_maps: Sequence[str] = ()
    train: Path | None = None
    examples: Sequence[str] = ()
    repeats: int = 5
    max_words: int = 10_000
    progress: bool = True


def compare(task: Comparison) -> Results:
    """Run the comparison. Pipelines that cannot be had are skipped and listed.

    Timing runs on the first corpus, before any pipeline has seen its words. Raises ValueError:
    two pipelines of one name (EL311), none that loads (EL313), a corpus or label map that cannot
    be used, a predicted label that nothing explains (EL310). Raises ImportError where seqeval or
    nervaluate is missing (EL303).
    """
    names = [name for name, _ in task.pipelines]
    _check_names(names)
    check_extras()
    corpora = [read_gold(path) for path in task.corpora]
    train = [] if task.train is None else [read_gold(task.train)]
    maps = read_label_maps(task.label_maps, names)
    labels = Labels(maps, gold_labels([*corpora, *train], maps), used={})
    seen = train_entities(train[0]) if train else None
    pipelines, skipped = _load(task)
    speeds = _time(task, pipelines, corpora[0].docs)
    compared = [_compare_on(task, gold, pipelines, labels, seen) for gold in corpora]
    readings = [each for _, each in compared]
    return Results(
        created=datetime.now(timezone.utc).isoformat(timespec="seconds"),
        environment=describe_environment(),
        pipelines=_describe(task, pipelines, speeds, labels),
        skipped=skipped,
        corpora=[result for result, _ in compared],
        examples=_examples(task, corpora, pipelines, labels, readings),
    )


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
) -> list[PipelineInfo]:
    infos = []
    with _progress(task, "time to load and size", len(pipelines)) as step:
        for each in pipelines:
            speed, label_map = speeds.get(each.name), labels.used.get(each.name)
            infos.append(describe_pipeline(each, speed, label_map))
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
    systems, readings = [], {}
    for pipeline in pipelines:
        with _progress(task, f"{pipeline.name} on {gold.part}", len(gold.docs)) as step:
            predicted = predict(pipeline, gold.docs, step)
        translated = labels.translate(pipeline, predicted)
        readings[pipeline.name] = translated.annotations
        systems.append(
            SystemScores(
                pipeline=pipeline.name,
                ner=ner_scores(gold.docs, gold.annotations, translated.annotations, seen),
                tags=tag_scores(gold.annotations, translated.annotations),
                unmapped_entities=dict(translated.unmapped_entities.most_common()),
                unmapped_tags=dict(translated.unmapped_tags.most_common()),
            )
        )
    result = CorpusResult(
        path=str(gold.path),
        corpus=gold.corpus,
        part=gold.part,
        n_docs=len(gold.docs),
        n_words=gold.n_words,
        n_entities=gold.n_entities,
        systems=systems,
        published=published_figures(gold),
    )
    return result, readings


def _examples(
    task: Comparison,
    corpora: Sequence[GoldCorpus],
    pipelines: Sequence[LoadedPipeline],
    labels: Labels,
    readings: Sequence[Mapping[str, list[Annotation]]],
) -> list[Example]:
    """The texts asked for, else one of the first corpus, as read by each pipeline with entities.

    readings: by corpus, each pipeline's annotation of every text.
    """
    readers = [each for each in pipelines if each.entity_components]
    if not readers:
        return []

    def of_corpus(which: int, index: int, title: str) -> Example:
        guesses = {each.name: readings[which][each.name][index] for each in readers}
        return side_by_side(title, corpora[which].annotations[index], guesses)

    if not task.examples:
        systems = [readings[0][each.name] for each in readers]
        return [of_corpus(0, *default_example(corpora[0], systems))]
    examples = []
    for text in task.examples:
        found = find_text(corpora, text)
        if found is not None:
            which, index = found
            title = f"Sentence {index + 1} of {corpora[which].part}"
            examples.append(of_corpus(which, index, title))
            continue
        doc = spacy.blank(readers[0].nlp.meta["lang"])(text)
        guesses = {
            each.name: labels.translate(each, predict(each, [doc], lambda: None)).annotations[0]
            for each in readers
        }
        examples.append(side_by_side("A text without gold annotation", None, guesses))
    return examples


@contextmanager
def _progress(task: Comparison, what: str, total: int) -> Iterator[Callable[[], object]]:
    with tqdm(total=total, desc=what, disable=not task.progress) as bar:
        yield bar.update
