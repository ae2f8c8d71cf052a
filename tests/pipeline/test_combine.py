"""A committee scores as its members do on average, and is a pipeline like any other."""

import copy
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import spacy
from spacy.language import Language
from spacy.tokens import Doc, DocBin, Span
from thinc.api import fix_random_seed
from typer.testing import CliRunner, Result

from spacy_elmo_ner.cli.app import elmo_cli
from spacy_elmo_ner.pipeline.combine import combine

from .conftest import make_examples

TEXTS = ["Mary Smith met Reuters in Paris .", "Nothing there", "Reuters", "John left . " * 80]
ENCODER = {"@architectures": "spacy_elmo_ner.ResidualBiLSTM.v1", "units": 4}


def _train(
    bilm: Path, seed: int, *, shared: bool = True, steps: int = 8, **changed: Any
) -> Language:
    """A pipeline with a CRF for entities and a softmax for tags.

    shared: whether the pipes listen to an `elmo` pipe.
    """
    fix_random_seed(seed)
    nlp = spacy.blank("en")
    bilm_config = {"@architectures": "spacy_elmo_ner.BiLM.v1", "name": str(bilm)}
    if shared:
        nlp.add_pipe("elmo", config={"model": bilm_config})
        layers = {"@architectures": "spacy_elmo_ner.ElmoListener.v2", "width": 4}
    else:
        layers = {"@architectures": "spacy_elmo_ner.ElmoTok2Vec.v2", "bilm": bilm_config}
    embed = {
        "@architectures": "spacy_elmo_ner.DistinctHashEmbed.v1",
        "width": 8,
        "attrs": ["PREFIX"],
        "rows": [50],
    }
    tok2vec = {
        "@architectures": "spacy_elmo_ner.ElmoConcat.v2",
        "elmo": layers,
        "embed": embed,
        "vectors": None,
    }
    for pipe, decoder, transitions in (
        ("elmo_tagger", "softmax", "full"),
        ("elmo_ner", "crf", "structured"),
    ):
        model = {
            "@architectures": "spacy_elmo_ner.ElmoTagger.v2",
            "decoder": decoder,
            "transitions": transitions,
            "tok2vec": tok2vec,
            "encoder": ENCODER,
            **changed,
        }
        nlp.add_pipe(pipe, config={"model": model})
    examples = make_examples(nlp)
    optimizer = nlp.initialize(lambda: examples)
    for _ in range(steps):
        nlp.update(examples, sgd=optimizer)
    return nlp


@pytest.fixture
def members(bilm_dir: Path) -> list[Language]:
    return [_train(bilm_dir, seed) for seed in range(3)]


def _emissions(nlp: Language, pipe: str, text: str) -> np.ndarray:
    doc = nlp.make_doc(text)
    if "elmo" in nlp.pipe_names:
        doc = nlp.get_pipe("elmo")(doc)
    return nlp.get_pipe(pipe).predict_scores([doc])[0]


def _annotation(doc: Doc) -> list[Any]:
    ents = [(ent.start, ent.end, ent.label_, round(ent._.confidence, 5)) for ent in doc.ents]
    return [ents, [token.tag_ for token in doc]]


@pytest.mark.parametrize("pipe", ["elmo_ner", "elmo_tagger"])
@pytest.mark.parametrize("shared", [True, False])
def test_its_scores_are_the_mean_of_its_members_scores(
    bilm_dir: Path, pipe: str, shared: bool
) -> None:
    members = [_train(bilm_dir, seed, shared=shared) for seed in range(3)]
    committee = combine(members)
    for text in TEXTS:
        each = [_emissions(nlp, pipe, text) for nlp in members]
        assert not np.allclose(each[0], each[1])
        np.testing.assert_allclose(
            _emissions(committee, pipe, text), np.mean(each, axis=0), atol=1e-5
        )


def test_its_crf_holds_the_mean_of_what_each_crf_learned(members: list[Language]) -> None:
    nodes = [nlp.get_pipe("elmo_ner").model.get_ref("crf") for nlp in members]
    found = combine(members).get_pipe("elmo_ner").model.get_ref("crf")
    assert found.name == nodes[0].name
    for name in found.param_names:
        expected = np.mean([node.get_param(name) for node in nodes], axis=0)
        np.testing.assert_allclose(found.get_param(name), expected, rtol=1e-5, atol=1e-7)


def test_members_that_are_equal_are_their_own_committee(bilm_dir: Path) -> None:
    nlp = _train(bilm_dir, 0)
    committee = combine([nlp, _train(bilm_dir, 0)])
    for text in TEXTS:
        found, expected = _annotation(committee(text)), _annotation(nlp(text))
        assert found[1] == expected[1]
        assert [ent[:3] for ent in found[0]] == [ent[:3] for ent in expected[0]]
        np.testing.assert_allclose(
            [ent[3] for ent in found[0]], [ent[3] for ent in expected[0]], atol=1e-4
        )


def test_it_is_saved_loaded_copied_and_shared_by_threads(
    members: list[Language], tmp_path: Path
) -> None:
    committee = combine(members)
    expected = [_annotation(committee(text)) for text in TEXTS]
    committee.to_disk(tmp_path / "committee")
    loaded = spacy.load(tmp_path / "committee")
    of_bytes = spacy.blank("en").from_config(committee.config).from_bytes(committee.to_bytes())
    for nlp in (loaded, of_bytes, copy.deepcopy(committee)):
        assert [_annotation(nlp(text)) for text in TEXTS] == expected
    assert [_annotation(doc) for doc in loaded.pipe(TEXTS)] == expected
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda text: _annotation(loaded(text)), TEXTS * 5))
    assert found == expected * 5


def test_more_than_nine_members_keep_their_order(bilm_dir: Path, tmp_path: Path) -> None:
    members = [_train(bilm_dir, seed, steps=1) for seed in range(11)]
    combine(members).to_disk(tmp_path / "committee")
    loaded = spacy.load(tmp_path / "committee")
    mean = np.mean([_emissions(nlp, "elmo_ner", TEXTS[0]) for nlp in members], axis=0)
    np.testing.assert_allclose(_emissions(loaded, "elmo_ner", TEXTS[0]), mean, atol=1e-5)


def test_it_goes_on_learning_also_new_labels(members: list[Language]) -> None:
    committee = combine(members)
    examples = make_examples(committee)
    for example in examples:
        doc = example.reference
        new = [Span(doc, ent.start, ent.end, "new") for ent in doc.ents if ent.label_ == "geo"]
        doc.set_ents([*new, *(ent for ent in doc.ents if ent.label_ != "geo")])
    optimizer = committee.resume_training()
    optimizer.learn_rate = 0.05
    for _ in range(60):
        committee.update(examples, sgd=optimizer)
    assert "new" in committee.get_pipe("elmo_ner").labels
    assert committee.evaluate(examples)["ents_f"] == 1.0


def test_the_members_stay_as_they_were(members: list[Language]) -> None:
    before = [nlp.to_bytes() for nlp in members]
    committee = combine(members)
    assert [nlp.to_bytes() for nlp in members] == before
    expected = _annotation(committee(TEXTS[0]))
    for nlp in members:
        nlp.get_pipe("elmo_ner").threshold = 1.0
        nlp.update(make_examples(nlp), sgd=nlp.resume_training())
    assert _annotation(committee(TEXTS[0])) == expected


def test_one_pipeline_is_refused(members: list[Language]) -> None:
    with pytest.raises(ValueError, match=r"EL540"):
        combine(members[:1])


def test_a_committee_of_committees_is_refused(members: list[Language]) -> None:
    with pytest.raises(ValueError, match=r"EL541.*elmo_tagger"):
        combine([combine(members), combine(members)])


def test_what_was_trained_otherwise_is_refused(bilm_dir: Path, members: list[Language]) -> None:
    first = members[0]
    wider = _train(bilm_dir, 1, encoder={**ENCODER, "units": 5})
    with pytest.raises(ValueError, match=r"EL542.*number 3.*another model.*elmo_tagger"):
        combine([first, members[1], wider])
    labels = _train(bilm_dir, 1)
    labels.get_pipe("elmo_ner").add_label("new")
    with pytest.raises(ValueError, match=r"EL542.*other labels in elmo_ner"):
        combine([first, labels])
    with pytest.raises(ValueError, match=r"EL542.*the pipes elmo_tagger, elmo_ner, not elmo"):
        combine([first, _train(bilm_dir, 1, shared=False)])
    other = copy.deepcopy(first)
    other.add_pipe("sentencizer", config={"punct_chars": ["x"]}, first=True)
    with_rule = copy.deepcopy(first)
    with_rule.add_pipe("sentencizer", first=True)
    with pytest.raises(ValueError, match=r"EL542.*another sentencizer"):
        combine([with_rule, other])


def test_words_that_one_member_happened_to_read_make_no_difference(
    members: list[Language], tmp_path: Path
) -> None:
    members[1].vocab.strings.add("a word of another text")
    expected = combine([members[0], members[2]])
    members[1].to_disk(tmp_path / "one")
    found = combine([members[0], spacy.load(tmp_path / "one")])
    assert found.pipe_names == expected.pipe_names


def test_all_else_is_kept_also_what_is_disabled(bilm_dir: Path, tmp_path: Path) -> None:
    members = [_train(bilm_dir, seed) for seed in range(2)]
    for nlp in members:
        nlp.tokenizer.add_special_case("gimme", [{"ORTH": "gim"}, {"ORTH": "me"}])
        ruler = nlp.add_pipe("entity_ruler", name="rules")
        ruler.add_patterns([{"label": "geo", "pattern": "Paris"}])
        nlp.disable_pipe("rules")
        nlp.disable_pipe("elmo_tagger")
        nlp.get_pipe("elmo_ner").threshold = 0.25
    combine(members).to_disk(tmp_path / "committee")
    committee = spacy.load(tmp_path / "committee")
    assert [token.text for token in committee("gimme")] == ["gim", "me"]
    assert committee.disabled == ["elmo_tagger", "rules"]
    assert committee.get_pipe("rules").patterns == members[0].get_pipe("rules").patterns
    assert committee.get_pipe("elmo_tagger").labels == members[0].get_pipe("elmo_tagger").labels
    assert committee.get_pipe("elmo_ner").threshold == 0.25


def test_members_with_other_vectors_or_another_tokenizer_are_refused(
    bilm_dir: Path, members: list[Language]
) -> None:
    first, second, third = members
    second.vocab.set_vector("Paris", np.ones(3, dtype="f"))
    with pytest.raises(ValueError, match=r"EL542.*other vectors"):
        combine([first, second])
    third.tokenizer.add_special_case("gimme", [{"ORTH": "gim"}, {"ORTH": "me"}])
    with pytest.raises(ValueError, match=r"EL542.*another tokenizer"):
        combine([first, third])


def test_pipelines_without_our_pipes_are_refused() -> None:
    with pytest.raises(ValueError, match=r"EL521.*combine"):
        combine([spacy.blank("en"), spacy.blank("en")])


# ---- the command -------------------------------------------------------------------------


def _run(*arguments: Any) -> Result:
    return CliRunner().invoke(elmo_cli, ["combine", *map(str, arguments)])


def test_the_command_writes_scores_and_calibrates(members: list[Language], tmp_path: Path) -> None:
    folders = [tmp_path / str(number) for number in range(3)]
    for nlp, folder in zip(members, folders, strict=True):
        nlp.to_disk(folder)
    dev = tmp_path / "dev.spacy"
    DocBin(docs=[one.reference for one in make_examples(members[0])]).to_disk(dev)
    done = _run(*folders, "--output", tmp_path / "committee", "--dev", dev)
    assert done.exit_code == 0, done.output
    committee = spacy.load(tmp_path / "committee")
    score = committee.evaluate(make_examples(committee))["ents_f"]
    assert f"{100 * score:.2f}" in done.output and "Temperature" in done.output
    alone = spacy.load(folders[0])
    assert committee.get_pipe("elmo_ner").temperature != alone.get_pipe("elmo_ner").temperature
    assert "performance" not in committee.meta or not committee.meta["performance"]


def test_the_command_names_what_it_cannot_use(members: list[Language], tmp_path: Path) -> None:
    members[0].to_disk(tmp_path / "one")
    output = tmp_path / "committee"
    for arguments, problem in (
        ([tmp_path / "one"], "EL540"),
        ([tmp_path / "one", tmp_path / "." / "one"], "EL543"),
        ([tmp_path / "one", output], "EL520"),
        ([tmp_path / "one", tmp_path / "none"], "none"),
        ([tmp_path / "one", tmp_path / "one", "--dev", tmp_path / "no.spacy"], "no.spacy"),
    ):
        done = _run(*arguments, "--output", output)
        assert done.exit_code == 1
        assert problem in done.output.replace("\n", "")
        assert not output.exists()
