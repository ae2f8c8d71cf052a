"""Score everything that a plan has trained on the test parts: each seed, mean and spread.

    python -m benchmarks.seed_scores benchmarks/experiments/released.json [--seeds 0,1,2]
        [--folder training/experiments] [--corpus corpus/clean]

Run from the root of the checkout after `python -m benchmarks.run_experiments` with the same plan
and seeds; what is not trained is left out. Test parts are for the released configurations alone:
everything else is chosen on dev. Beside the plan's systems stands the majority baseline, which
gives every word the tag and the label it has most often in the train part, and below them a vote
of all trained systems and seeds. Written to benchmarks/results/NAME-test.json, of which
scripts/pages.py makes docs/accuracy.md. With --corpus only what was trained on that folder
is scored; what the file holds of other corpora stays.
"""

import argparse
import json
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import spacy

from spacy_elmo_ner.comparison.calibration import calibration_error, entity_outcomes, tag_outcomes
from spacy_elmo_ner.comparison.corpora import Annotation, GoldCorpus, read_corpus
from spacy_elmo_ner.comparison.metrics import SEQEVAL_DEFAULT, ner_scores, tag_scores
from spacy_elmo_ner.comparison.pipelines import load_pipeline
from spacy_elmo_ner.comparison.predict import predict
from spacy_elmo_ner.comparison.score import pairwise_agreement
from spacy_elmo_ner.decoding import bio_to_spans, spans_to_bio

from .output import write
from .run_experiments import DONE, Run, read_plan
from .votes import majority_vote, unanimous

PARTS = ("test_fixed", "test")
MAJORITY = "majority label of each word"
VOTE = "vote of all that were trained"


@dataclass
class System:
    """Scores of one system on one part, one entry a seed: fractions in [0, 1] by metric."""

    name: str
    seeds: list[int] = field(default_factory=list)
    ner: dict[str, list[float]] = field(default_factory=dict)
    per_type: dict[str, list[float]] = field(default_factory=dict)
    tags: dict[str, list[float]] = field(default_factory=dict)
    calibration_error: dict[str, list[float]] = field(default_factory=dict)

    def add(
        self,
        seed: int,
        gold: GoldCorpus,
        predicted: Sequence[Annotation],
        seen: set[tuple[str, ...]],
    ) -> None:
        self.seeds.append(seed)
        found = ner_scores(gold.docs, gold.annotations, predicted, seen)
        for mode, score in found.items():
            self.ner.setdefault(mode, []).append(score.f1)
        for label, score in found[SEQEVAL_DEFAULT].per_type.items():
            self.per_type.setdefault(label, []).append(score.f1)
        for mode, score in tag_scores(gold.annotations, predicted).items():
            self.tags.setdefault(mode, []).append(score.f1)
        pairs = list(zip(gold.annotations, predicted, strict=True))
        for layer, outcomes in (("ner", entity_outcomes(pairs)), ("tags", tag_outcomes(pairs))):
            if outcomes.right:
                errors = self.calibration_error.setdefault(layer, [])
                errors.append(calibration_error(outcomes))


class Majority:
    """Every word's most frequent tag and BIO label in a corpus; of unknown words the corpus'."""

    def __init__(self, train: GoldCorpus) -> None:
        labels: dict[str, Counter[str]] = defaultdict(Counter)
        tags: dict[str, Counter[str]] = defaultdict(Counter)
        for each in train.annotations:
            bio = spans_to_bio(len(each.words), each.entities or ())
            for word, label, tag in zip(each.words, bio, each.tags or (), strict=True):
                for key in (word, ""):  # "" stands for any word
                    labels[key][label] += 1
                    tags[key][tag] += 1
        self._labels = {word: each.most_common(1)[0][0] for word, each in labels.items()}
        self._tags = {word: each.most_common(1)[0][0] for word, each in tags.items()}

    def predict(self, gold: GoldCorpus) -> list[Annotation]:
        return [
            Annotation(
                each.words,
                bio_to_spans(self._labels.get(word, self._labels[""]) for word in each.words),
                [self._tags.get(word, self._tags[""]) for word in each.words],
            )
            for each in gold.annotations
        ]


def score_folder(corpus: Path, runs: Sequence[Run], base: Path) -> list[dict[str, Any]]:
    """All parts of one corpus folder, scored for the runs that were trained on it."""
    make_doc = spacy.blank("en")
    train = read_corpus(corpus / "train.spacy", make_doc)
    seen, majority = train.entity_forms, Majority(train)
    golds = [read_corpus(corpus / f"{part}.spacy", make_doc) for part in PARTS]
    readings: list[list[list[Annotation]]] = [[] for _ in golds]  # of each part, run by run
    for run in runs:
        pipeline = load_pipeline(run.experiment, str(run.folder(base) / "model-best"))
        print(f"{run.experiment}, seed {run.seed}", flush=True)
        for gold, found in zip(golds, readings, strict=True):
            prediction = predict(pipeline, gold.docs, gold.annotations, lambda: None)
            found.append(prediction.annotations)
    return [
        score_part(gold, majority.predict(gold), runs, found, seen)
        for gold, found in zip(golds, readings, strict=True)
    ]


def score_part(
    gold: GoldCorpus,
    majority: Sequence[Annotation],
    runs: Sequence[Run],
    readings: Sequence[list[Annotation]],
    seen: set[tuple[str, ...]],
) -> dict[str, Any]:
    """One part: the majority baseline, what each run read, and the vote of all."""
    named = [(run.experiment, run.seed, found) for run, found in zip(runs, readings, strict=True)]
    rows = [(MAJORITY, 0, majority), *named, (VOTE, 0, majority_vote(readings))]
    systems: dict[str, System] = {}
    for name, seed, predicted in rows:
        systems.setdefault(name, System(name)).add(seed, gold, predicted, seen)
    first_seeds: dict[str, list[Annotation]] = {}
    for name, _, found in named:
        first_seeds.setdefault(name, found)
    return {
        "corpus": gold.corpus,
        "part": gold.part,
        "n_docs": len(gold.docs),
        "n_words": gold.n_words,
        "n_entities": gold.n_entities,
        "systems": [vars(system) for system in systems.values()],
        "agreement": [
            {"first": each.first, "second": each.second, "entities": each.entities}
            for each in pairwise_agreement(first_seeds)
        ],
        "unanimous": unanimous(gold.annotations, readings),
    }


def trained_runs(runs: Sequence[Run], base: Path) -> Mapping[str, list[Run]]:
    """Those that are done, by their corpus folder."""
    found: dict[str, list[Run]] = {}
    for run in runs:
        if (run.folder(base) / DONE).is_file():
            found.setdefault(run.corpus, []).append(run)
        else:
            print(f"{run.experiment}, seed {run.seed} is not trained")
    return found


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("plan", type=Path)
    parser.add_argument("--seeds", default="0,1,2")
    parser.add_argument("--folder", type=Path, default=Path("training/experiments"))
    parser.add_argument("--corpus", help="score what was trained on this folder, keep the rest")
    args = parser.parse_args(arguments)
    title, runs = read_plan(args.plan, [int(seed) for seed in args.seeds.split(",")])
    base = args.folder / args.plan.stem
    if args.corpus:
        runs = [run for run in runs if run.corpus == args.corpus]
    parts = [
        part
        for corpus, done in trained_runs(runs, base).items()
        for part in score_folder(Path(corpus), done, base)
    ]
    output = Path("benchmarks/results") / f"{args.plan.stem}-test.json"
    if args.corpus and output.is_file():
        before = json.loads(output.read_text(encoding="utf8"))
        scored = {part["corpus"] for part in parts}
        parts = [part for part in before["parts"] if part["corpus"] not in scored] + parts
    write(output, {"title": title, "parts": parts})


if __name__ == "__main__":
    main()
