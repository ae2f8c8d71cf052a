"""A small comparison with everything a report can show."""

from dataclasses import replace
from pathlib import Path

import pytest
from spacy.tokens import DocBin

from spacy_elmo_ner.audit.rows import AuditRow
from spacy_elmo_ner.comparison.results import (
    LearningPoint,
    ProbableErrors,
    PublishedFigures,
    ReliabilityBin,
    Results,
    Speed,
    SystemScores,
    ThresholdCurve,
    ThresholdPoint,
    TrainingLog,
)
from spacy_elmo_ner.comparison.run import Compared, Comparison, compare

from ..conftest import SENTENCES, gold_docs

ENTITY = AuditRow(
    7, 1, 2, "type", "Paris=org", "Paris=geo", 0.9, 0.05, 0.95, "... is in [[Paris]] <b>now</b> ."
)
TAG = AuditRow(3, 0, 1, "tag", "NN", "VB", 0.6, 0.2, 0.8, "[[Run]] away !")


def with_everything(results: Results) -> Results:
    """Timing, confidence and curves, which rulers do not give."""
    pipelines = [
        replace(
            info,
            speed=Speed(1000.0 * (i + 1), 900.0, 9000.0, [1.0], 500, True),
            load_seconds=0.5 + i,
            peak_memory_bytes=400_000_000 - i,
        )
        for i, info in enumerate(results.pipelines)
    ]
    bins = [ReliabilityBin(0.5, 0.6, 4, 0.55, 0.5), ReliabilityBin(0.9, 1.0, 90, 0.95, 0.9)]
    points = [ThresholdPoint(t, 0.8 + t / 10, 0.8 - t / 10, 0.8) for t in (0.0, 0.25, 0.5, 0.9)]

    def sure(system: SystemScores) -> SystemScores:
        if not system.ner:
            return replace(system, tag_reliability=bins, calibration_error={"tags": 0.05})
        curve = ThresholdCurve(0.0, points)
        return replace(system, reliability=bins, calibration_error={"ner": 0.05}, thresholds=curve)

    first, *others = results.corpora
    published = PublishedFigures("paper", "printed", "seqeval_default", 81.2, {}, "other", 97.1)
    first = replace(first, systems=[sure(each) for each in first.systems], published=[published])
    return replace(
        results,
        pipelines=pipelines,
        corpora=[first, *others],
        learning_curve=[LearningPoint("tagged", 10.0, 0.4, 0.9)],
        training_logs=[TrainingLog("small", [(10, 9.0), (20, 5.0)], [(20, 200.0)], [(20, 190.0)])],
        probable_errors=[
            ProbableErrors(["train.spacy"], "elmo_ner", 40, 70, [ENTITY] * 3),
            ProbableErrors(["train.spacy"], "elmo_tagger", 40, 1, [TAG]),
        ],
    )


@pytest.fixture(scope="session")
def compared(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Compared:
    """Two pipelines with entities and one with tags alone, on 40 texts and on 4."""
    root = tmp_path_factory.mktemp("corpora")
    corpora = [root / "many.spacy", root / "few.spacy"]
    for path, times in zip(corpora, (10, 1), strict=True):
        DocBin(docs=gold_docs(SENTENCES * times)).to_disk(path)
    names = [(name, str(folder / name)) for name in ("tagged", "rules", "tags", "no-such-pipeline")]
    found = compare(Comparison(names, corpora, repeats=0, progress=False))
    return replace(found, results=with_everything(found.results))
