"""Score pipelines on a corpus as it is, in lower case, UPPER CASE and Title Case.

    python -m benchmarks.cases 0.2.0=assets/pipelines/en_elmo_gmb_sm \\
        0.1.0=tests/regression/en_elmo_gmb_sm-0.1.0 --corpus corpus/clean/test_fixed.spacy
    python -m benchmarks.cases "configs/elmo.cfg"=training/elmo/model-best \\
        "configs/seed.cfg"=training/seed/model-best --corpus corpus/test_fixed.spacy \\
        --cases clean --output benchmarks/results/seed-split.json

Run from the root of the checkout after `python -m spacy elmo corpus --split clean --output
corpus/clean`. The test part is for released pipelines alone. Written to
benchmarks/results/cases.json, of which scripts/pages.py makes a part of docs/accuracy.md, as it
does of seed-split.json. Rows that the file has of other pipelines on the same corpus stay.
"""

import argparse
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import spacy
from spacy.tokens import Doc, DocBin

from spacy_elmo_ner.comparison.calibration import calibration_error, entity_outcomes, tag_outcomes
from spacy_elmo_ner.comparison.corpora import from_doc
from spacy_elmo_ner.comparison.metrics import SCORER, TAG_ACCURACY, ner_scores, tag_scores
from spacy_elmo_ner.comparison.pipelines import LoadedPipeline, load_pipeline
from spacy_elmo_ner.comparison.predict import predict
from spacy_elmo_ner.corpus.case_augmenter import recased_doc

from .output import machine, write
from .yardstick.score import CASES


def score(pipeline: LoadedPipeline, docs: Sequence[Doc], case: str) -> dict[str, Any]:
    """Score one pipeline on one case: fractions in [0, 1]; of tags None where it sets none."""
    gold = [doc if case == "clean" else recased_doc(doc, case) for doc in docs]
    annotations = [from_doc(doc) for doc in gold]
    found = predict(pipeline, gold, annotations, lambda: None).annotations
    pairs = list(zip(annotations, found, strict=True))
    entities = ner_scores(gold, annotations, found)[SCORER]
    tags = tag_scores(annotations, found).get(TAG_ACCURACY)
    return {
        "pipeline": pipeline.name,
        "case": case,
        "ents_f": entities.f1,
        "ents_p": entities.precision,
        "ents_r": entities.recall,
        "tag_acc": tags.f1 if tags else None,
        "entity_calibration_error": calibration_error(entity_outcomes(pairs)),
        "tag_calibration_error": calibration_error(tag_outcomes(pairs)) if tags else None,
    }


def rows_of_others(output: Path, corpus: str, names: Sequence[str]) -> list[dict[str, Any]]:
    """Return what was measured before on this corpus, but for the pipelines of these names."""
    if not output.is_file():
        return []
    data = json.loads(output.read_text(encoding="utf8"))
    rows = data["rows"] if data["corpus"] == corpus else []
    return [row for row in rows if row["pipeline"] not in names]


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("pipelines", nargs="+", metavar="NAME=PIPELINE")
    parser.add_argument("--corpus", type=Path, required=True, help="annotated .spacy file")
    parser.add_argument("--cases", nargs="+", choices=CASES, default=list(CASES))
    parser.add_argument("--output", type=Path, default=Path("benchmarks/results/cases.json"))
    args = parser.parse_args()
    docs = list(DocBin().from_disk(args.corpus).get_docs(spacy.blank("en").vocab))
    corpus = f"{args.corpus.parent.name}/{args.corpus.name}"
    sources = dict(each.split("=", 1) for each in args.pipelines)
    rows = rows_of_others(args.output, corpus, list(sources))
    for name, source in sources.items():
        pipeline = load_pipeline(name, source)
        for case in args.cases:
            rows.append(score(pipeline, docs, case))
            print(f"{name}, {case}: {100 * rows[-1]['ents_f']:.2f}", flush=True)
    write(args.output, {"corpus": corpus, "n_docs": len(docs), "machine": machine(1), "rows": rows})


if __name__ == "__main__":
    main()
