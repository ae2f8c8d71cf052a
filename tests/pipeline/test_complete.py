"""`elmo complete`: a pipeline with sentences, coarse tags and lemmas, which keeps its answers."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import spacy
import srsly
from spacy.language import Language
from spacy.tokens import Doc, DocBin
from spacy.training import Example
from typer.testing import CliRunner

from spacy_elmo_ner.cli.app import elmo_cli
from spacy_elmo_ner.pipeline.complete import RULES, complete, english_tables

from .conftest import SENTENCES, annotation

ROOT = Path(__file__).parents[2]
PIPES = ("elmo", "elmo_tagger", "elmo_ner")
ORDER = ["elmo", "elmo_tagger", "senter", "attribute_ruler", "lemmatizer", "elmo_ner"]
TEXT = "Mary Smith met Reuters in Paris . Nothing happened there ."

MakeNlp = Callable[..., Language]

pytest.importorskip("spacy_lookups_data")


def make_senter(nlp: Language, steps: int = 60) -> Language:
    """Train a senter on this pipeline's `elmo`, as configs/senter.cfg does."""
    other = spacy.blank("en")
    other.add_pipe("elmo", source=nlp)
    listener = {"@architectures": "spacy_elmo_ner.ElmoListener.v1", "width": 4}
    model = {"@architectures": "spacy.Tagger.v2", "tok2vec": listener}
    other.add_pipe("senter", config={"model": model})
    words = [word for text, _, _ in SENTENCES for word in text.split()]
    starts = [i == 0 for text, _, _ in SENTENCES for i in range(len(text.split()))]
    reference = Doc(other.vocab, words=words, sent_starts=starts)
    example = Example(Doc(other.vocab, words=words), reference)
    with other.select_pipes(enable=["senter"]):
        optimizer = other.initialize(lambda: [example])
    optimizer.learn_rate = 0.1
    for _ in range(steps):
        with other.select_pipes(enable=["elmo", "senter"]):
            other.update([example], sgd=optimizer, exclude=["elmo"])
    return other


@pytest.fixture
def nlp(make_nlp: MakeNlp) -> Language:
    return make_nlp(*PIPES, steps=20, listener=True)


def whole(doc: Doc) -> list:
    """All that the complete pipeline says about a Doc."""
    tokens = [(t.pos_, str(t.morph), t.lemma_, t.is_sent_start) for t in doc]
    return [annotation(doc), tokens]


def test_a_complete_pipeline_keeps_its_entities_and_tags(nlp: Language) -> None:
    before = annotation(nlp(TEXT))
    complete(nlp, make_senter(nlp), english_tables())
    assert nlp.pipe_names == ORDER
    doc = nlp(TEXT)
    assert annotation(doc) == before
    assert len(list(doc.sents)) >= 1 and all(token.pos_ and token.lemma_ for token in doc)


def test_completing_twice_changes_nothing(nlp: Language) -> None:
    senter, tables = make_senter(nlp), english_tables()
    once = whole(complete(nlp, senter, tables)(TEXT))
    assert whole(complete(nlp, senter, tables)(TEXT)) == once
    assert nlp.pipe_names == ORDER


def test_the_command_writes_a_pipeline_that_needs_nothing_else(
    nlp: Language, tmp_path: Path
) -> None:
    nlp.meta["performance"] = {"ents_f": 0.5}
    nlp.to_disk(tmp_path / "nlp")
    make_senter(nlp).to_disk(tmp_path / "senter")
    docs = [Doc(nlp.vocab, words=text.split()) for text, _, _ in SENTENCES]
    DocBin(docs=docs).to_disk(tmp_path / "dev.spacy")
    pipeline, senter, out, dev = (str(tmp_path / n) for n in ("nlp", "senter", "out", "dev.spacy"))
    arguments = ["complete", pipeline, out, "--senter", senter, "--sentences", dev]
    result = CliRunner().invoke(elmo_cli, arguments)
    assert result.exit_code == 0, result.output
    assert "sents_f" in result.output
    found = spacy.load(tmp_path / "out")
    assert found.pipe_names == ORDER
    assert whole(found(TEXT)) == whole(complete(nlp, make_senter(nlp), english_tables())(TEXT))
    assert not (tmp_path / "out/vocab").exists()
    meta = json.loads((tmp_path / "out/meta.json").read_text(encoding="utf8"))
    assert meta["performance"]["ents_f"] == 0.5 and 0 <= meta["performance"]["sents_f"] <= 1
    assert {"WordNet 3.0", "spacy-lookups-data"} <= {one["name"] for one in meta["sources"]}
    assert "scored" in meta["notes"]
    licenses = (tmp_path / "out/LICENSES_SOURCES").read_text(encoding="utf8")
    assert "Princeton" in licenses and "ExplosionAI GmbH" in licenses


def test_other_processes_give_the_same(nlp: Language) -> None:
    complete(nlp, make_senter(nlp), english_tables())
    texts = [TEXT, "", "\n\n", "Mary left Paris"] * 2
    alone = [whole(nlp(text)) for text in texts]
    assert [whole(doc) for doc in nlp.pipe(texts, n_process=2, batch_size=2)] == alone


def test_a_senter_of_another_biLM_is_refused(nlp: Language, tmp_path: Path, make_bilm) -> None:
    make_bilm(seed=7).to_disk(tmp_path / "other")
    other = spacy.blank("en")
    bilm = {"@architectures": "spacy_elmo_ner.BiLM.v1", "name": str(tmp_path / "other")}
    other.add_pipe("elmo", config={"model": bilm})
    other.initialize()
    with pytest.raises(ValueError, match=r"EL694.*other.*configs/senter.cfg"):
        complete(nlp, make_senter(other, steps=0), english_tables())
    assert nlp.pipe_names == list(PIPES)


def test_pipelines_that_lack_a_pipe_are_refused(nlp: Language, make_nlp: MakeNlp) -> None:
    with pytest.raises(ValueError, match=r"EL692.*`elmo_tagger`.*elmo, elmo_ner"):
        complete(make_nlp("elmo", "elmo_ner", listener=True), nlp, english_tables())
    with pytest.raises(ValueError, match=r"EL693.*elmo, elmo_tagger, elmo_ner"):
        complete(nlp, nlp, english_tables())


def test_a_missing_package_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(*args):
        raise ValueError("[E955]")

    monkeypatch.setattr("spacy_elmo_ner.pipeline.complete.load_lookups", missing)
    with pytest.raises(ValueError, match=r"EL695.*pip install spacy-lookups-data"):
        english_tables()


def test_a_vocabulary_with_vectors_is_saved(nlp: Language, tmp_path: Path) -> None:
    from spacy_elmo_ner.pipeline.save import needs_vocab

    assert not needs_vocab(nlp)
    nlp.vocab.reset_vectors(width=2)
    nlp.vocab.set_vector("Paris", [1.0, 2.0])
    assert needs_vocab(nlp)


# ---- the rules as data -------------------------------------------------------------------


@pytest.fixture(scope="module")
def ruler() -> Language:
    nlp = spacy.blank("en")
    nlp.add_pipe("attribute_ruler").add_patterns(srsly.read_json(RULES))
    nlp.add_pipe("lemmatizer", config={"mode": "rule"}).initialize(lookups=english_tables())
    return nlp


def tagged(ruler: Language, *words: tuple[str, str]) -> list[tuple[str, str]]:
    """Coarse tag and lemma of words with these tags."""
    doc = Doc(ruler.vocab, words=[word for word, _ in words], tags=[tag for _, tag in words])
    return [(token.pos_, token.lemma_) for token in ruler(doc)]


def test_every_tag_has_a_coarse_tag(ruler: Language) -> None:
    meta = json.loads((ROOT / "assets/pipelines/en_elmo_gmb_sm/meta.json").read_text())
    maps = json.loads((ROOT / "assets/label_maps/gmb-ontonotes.json").read_text())["tags"]
    for tag in {*meta["labels"]["elmo_tagger"], *maps.values()}:
        ((pos, lemma),) = tagged(ruler, ("cat", tag))
        assert pos, tag
        assert lemma, tag


@pytest.mark.parametrize(
    ("words", "coarse", "lemmas"),
    [
        ("They/PRP have/VBP seen/VBN mice/NNS", "PRON AUX VERB NOUN", "they have see mouse"),
        ("They/PRP have/VBP cars/NNS", "PRON VERB NOUN", "they have car"),
        ("Does/VBZ she/PRP run/VB ?/.", "AUX PRON VERB PUNCT", "do she run ?"),
        ("I/PRP did/VBD n't/RB go/VB", "PRON AUX PART VERB", "I do not go"),
        ("went/VBD to/TO Rome/NNP", "VERB ADP PROPN", "go to Rome"),
        ("wants/VBZ to/TO leave/VB", "VERB PART VERB", "want to leave"),
        ("He/PRP 's/VBZ been/VBN ill/JJ", "PRON AUX AUX ADJ", "he have be ill"),
        ("She/PRP 's/VBZ running/VBG", "PRON AUX VERB", "she be run"),
        ("It/PRP wo/MD n't/RB", "PRON AUX PART", "it will not"),
        ("he/PRP 'd/MD say/VB", "PRON AUX VERB", "he would say"),
        ("says/VBZ that/IN this/DT is/VBZ", "VERB SCONJ PRON AUX", "say that this be"),
        ("the/DT boss/NN 's/POS ideas/NNS", "DET NOUN PART NOUN", "the boss 's idea"),
    ],
)
def test_words_in_context(ruler: Language, words: str, coarse: str, lemmas: str) -> None:
    pairs = [(word, tag) for word, tag in (one.rsplit("/", 1) for one in words.split())]
    found = tagged(ruler, *pairs)
    assert " ".join(pos for pos, _ in found) == coarse
    assert " ".join(lemma for _, lemma in found) == lemmas


def test_white_space_is_marked_as_in_spacys_pipelines(ruler: Language) -> None:
    doc = ruler(Doc(ruler.vocab, words=["Hello", "\n\n"], tags=["UH", "NN"]))
    assert [(t.tag_, t.pos_) for t in doc] == [("UH", "INTJ"), ("_SP", "SPACE")]
