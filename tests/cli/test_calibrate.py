"""`elmo calibrate`: the temperature of a pipeline's folder, and nothing else in it."""

import json
from pathlib import Path

import pytest
import spacy
from spacy.tokens import DocBin
from thinc.api import fix_random_seed
from typer.testing import CliRunner

from spacy_elmo_ner.cli.app import elmo_cli
from tests.pipeline.conftest import annotation, make_examples


@pytest.fixture
def folder(bilm_dir: Path, tmp_path: Path) -> Path:
    """A pipeline whose two heads listen to one biLM, and its dev part."""
    fix_random_seed(0)
    nlp = spacy.blank("en")
    bilm = {"@architectures": "spacy_elmo_ner.BiLM.v1", "name": str(bilm_dir)}
    nlp.add_pipe("elmo", config={"model": bilm})
    tok2vec = {"@architectures": "spacy_elmo_ner.ElmoListener.v1", "width": 4}
    encoder = {"units": 6, "dropout": 0.0, "recurrent_dropout": 0.0}
    for name in ("elmo_tagger", "elmo_ner"):
        nlp.add_pipe(name, config={"model": {"tok2vec": tok2vec, "encoder": encoder}})
    optimizer = nlp.initialize(lambda: make_examples(nlp))
    for _ in range(10):
        nlp.update(make_examples(nlp), sgd=optimizer)
    nlp.to_disk(tmp_path / "nlp")
    DocBin(docs=[one.reference for one in make_examples(nlp)]).to_disk(tmp_path / "dev.spacy")
    return tmp_path


def run(*arguments: object):
    return CliRunner().invoke(elmo_cli, ["calibrate", *map(str, arguments)])


def files(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def test_only_the_temperatures_change(folder):
    before = files(folder / "nlp")
    doc = spacy.load(folder / "nlp")("Mary Smith left Paris")
    result = run(folder / "nlp", "--dev", folder / "dev.spacy")
    assert result.exit_code == 0, result.output
    after = files(folder / "nlp")
    assert before.keys() == after.keys()
    changed = {name for name in after if after[name] != before[name]}
    assert changed == {"elmo_ner/cfg", "elmo_tagger/cfg"}
    for name in changed:
        old, new = json.loads(before[name]), json.loads(after[name])
        assert old.pop("temperature") == 1.0 != new.pop("temperature") > 0
        assert old == new
    loaded = spacy.load(folder / "nlp")("Mary Smith left Paris")
    assert [token.tag_ for token in loaded] == [token.tag_ for token in doc]
    assert annotation(loaded) != annotation(doc)
    assert "elmo_ner" in result.output and "elmo_tagger" in result.output


def test_a_listening_pipe_is_calibrated_as_it_reads_in_the_pipeline(folder):
    run(folder / "nlp", "--dev", folder / "dev.spacy")
    nlp = spacy.load(folder / "nlp")
    temperature = nlp.get_pipe("elmo_ner").temperature
    found = nlp.get_pipe("elmo_ner").calibrate(make_examples(nlp))
    assert found.temperature == pytest.approx(temperature, rel=2e-3)


def test_a_pipeline_without_our_pipes_is_named(tmp_path, folder):
    spacy.blank("en").to_disk(tmp_path / "blank")
    result = run(tmp_path / "blank", "--dev", folder / "dev.spacy")
    assert result.exit_code == 1 and "EL521" in result.output


@pytest.mark.parametrize("missing", ["nlp", "dev.spacy"])
def test_a_file_that_is_not_there_is_named(folder, missing):
    (folder / missing).rename(folder / "elsewhere")
    result = run(folder / "nlp", "--dev", folder / "dev.spacy")
    assert result.exit_code == 1 and "EL520" in result.output and missing in result.output
