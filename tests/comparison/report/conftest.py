"""A small comparison with everything a report can show."""

from dataclasses import replace
from pathlib import Path

import pytest
from spacy.tokens import DocBin

from spacy_elmo_ner.comparison.findings import LearningPoint, ReliabilityBin, TrainingLog
from spacy_elmo_ner.comparison.results import PublishedFigures, Results, Speed, SystemScores
from spacy_elmo_ner.comparison.run import Compared, Comparison, compare

from ..conftest import SENTENCES, gold_docs


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
    bins = [ReliabilityBin(0.5, 0.6, 4, 0.55, 0.5), ReliabilityBin(0.9, 1.0, 9, 0.95, 0.9)]

    def sure(system: SystemScores) -> SystemScores:
        return replace(system, reliability=bins) if system.ner else system

    first, *others = results.corpora
    published = PublishedFigures("paper", "printed", "seqeval_default", 81.2, {}, "other", 97.1)
    first = replace(first, systems=[sure(each) for each in first.systems], published=[published])
    return replace(
        results,
        pipelines=pipelines,
        corpora=[first, *others],
        learning_curve=[LearningPoint("tagged", 10.0, 0.4, 0.9)],
        training_logs=[TrainingLog("small", [(10, 9.0), (20, 5.0)], [(20, 200.0)], [(20, 190.0)])],
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
