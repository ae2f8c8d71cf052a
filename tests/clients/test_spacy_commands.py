"""spaCy's own commands and displaCy take our pipeline."""

import json
import re
from pathlib import Path

import spacy
from spacy import displacy
from spacy.cli._util import app
from spacy.language import Language
from spacy.tokens import DocBin
from spacy.util import registry
from typer.testing import CliRunner

from spacy_elmo_ner.clients.displacy import COLORS

from .conftest import PIPELINE, TEXT


def run(*arguments: object) -> str:
    result = CliRunner().invoke(app, [str(one) for one in arguments])
    assert result.exit_code == 0, result.output
    return result.output


# ---- displaCy ----------------------------------------------------------------------------


def test_displacy_has_a_colour_for_each_of_our_labels(nlp: Language) -> None:
    assert registry.displacy_colors.get("spacy_elmo_ner") == COLORS
    html = displacy.render(nlp(TEXT), style="ent")
    colours = dict(re.findall(r"background: (#\w+)[^>]*>\s*[^<]*<span[^>]*>(\w+)</span>", html))
    by_label = {label: colour for colour, label in colours.items()}
    assert by_label["per"] == COLORS["PER"] and by_label["geo"] == COLORS["GEO"]
    default = "#ddd"
    assert set(nlp.get_pipe("elmo_ner").labels) <= {"org", "gpe", *map(str.lower, COLORS)}
    assert default not in {by_label[ent.label_] for ent in nlp(TEXT).ents}


def test_black_text_is_easy_to_read_on_each_colour() -> None:
    def luminance(colour: str) -> float:
        parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
        linear = [c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    assert all((luminance(colour) + 0.05) / 0.05 >= 11 for colour in COLORS.values())


# ---- commands ----------------------------------------------------------------------------


def test_evaluate_scores_but_draws_only_for_spacys_own_factory(
    nlp: Language, gold: Path, tmp_path: Path
) -> None:
    scores = tmp_path / "scores.json"
    run("evaluate", PIPELINE, gold, "--output", scores, "--displacy-path", tmp_path)
    assert json.loads(scores.read_text())["ents_r"] == 1.0
    # spaCy looks for a pipe that its factory `ner` made, whatever it is called.
    assert not (tmp_path / "entities.html").exists()
    docs = [nlp(doc.text) for doc in DocBin().from_disk(gold).get_docs(nlp.vocab)]
    drawing = displacy.render(docs, style="ent", page=True)
    assert "Merkel" in drawing and COLORS["PER"] in drawing


def test_apply_writes_annotated_docs(tmp_path: Path) -> None:
    texts = tmp_path / "texts.jsonl"
    texts.write_text(json.dumps({"text": TEXT}) + "\n", encoding="utf8")
    run("apply", PIPELINE, texts, tmp_path / "out.spacy")
    vocab = spacy.blank("en").vocab
    (doc,) = DocBin().from_disk(tmp_path / "out.spacy").get_docs(vocab)
    assert {"Nairobi", "Tuesday"} <= {ent.text for ent in doc.ents}
    assert len(list(doc.sents)) == 3


def test_benchmark_measures_speed_and_accuracy(gold: Path) -> None:
    output = run("benchmark", "speed", PIPELINE, gold, "--batches", 30, "--warmup", 0)
    assert re.search(r"Mean: [1-9][\d.]* words/s", output)
    assert "NER F" in run("benchmark", "accuracy", PIPELINE, gold)


def test_find_threshold_tries_thresholds_of_entities(gold: Path) -> None:
    output = run(
        "find-threshold", PIPELINE, gold, "elmo_ner", "threshold", "ents_f", "--n_trials", 3
    )
    best = re.search(r"Best threshold: ([\d.]+) with ents_f value of ([\d.]+)\.", output)
    assert best, output
    rows = dict(re.findall(r"^\s*([\d.]+)\s+([\d.]+)\s*$", output, flags=re.MULTILINE))
    # At 1 nothing is sure enough; below, all three entities of gold are found.
    assert float(rows["1.0"]) == 0.0 and float(best[2]) > 0.8


# ---- a pipe that must be called ner -------------------------------------------------------


def test_the_pipe_may_be_called_ner(nlp: Language, tmp_path: Path) -> None:
    before = [(ent.text, ent.label_, ent._.confidence) for ent in nlp(TEXT).ents]
    nlp.rename_pipe("elmo_ner", "ner")
    nlp.to_disk(tmp_path / "renamed")
    other = spacy.load(tmp_path / "renamed")
    assert other.get_pipe("ner").labels == nlp.get_pipe("ner").labels
    assert [(ent.text, ent.label_, ent._.confidence) for ent in other(TEXT).ents] == before
    blank = spacy.blank("en")
    assert blank.add_pipe("elmo_ner", name="ner").name == "ner"
