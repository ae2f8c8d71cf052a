"""A pipeline is built from the files that its config names, before what was saved is read.

Where a folder's files were written anew in another shape since, the message names the folder and
what to do, and doing it gives the pipeline that was saved.
"""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import spacy
from spacy.language import Language
from spacy.tokens import Doc

from spacy_elmo_ner.elmo import BiLM

TEXT = "Mary Smith met Reuters in Paris ."

Load = Callable[[Language, Path], Language]


def _from_disk(nlp: Language, folder: Path) -> Language:
    return spacy.load(folder)


def _from_bytes(nlp: Language, folder: Path) -> Language:
    config, data = nlp.config, (folder.parent / "saved.bin").read_bytes()
    return spacy.blank("en").from_config(config).from_bytes(data)


def _annotation(doc: Doc) -> list[Any]:
    return [(ent.start, ent.end, ent.label_, round(ent._.confidence, 5)) for ent in doc.ents]


@pytest.mark.parametrize("load", [_from_disk, _from_bytes])
@pytest.mark.parametrize(
    ("pipes", "listener", "code"),
    [(("elmo_ner",), False, "EL130"), (("elmo", "elmo_ner"), True, "EL104")],
)
@pytest.mark.parametrize("version", [1, 2])
def test_a_biLM_of_another_width_is_named_and_can_be_moved_away(
    make_nlp: Callable[..., Language],
    make_bilm: Callable[..., BiLM],
    bilm_dir: Path,
    tmp_path: Path,
    pipes: tuple[str, ...],
    listener: bool,
    code: str,
    version: int,
    load: Load,
) -> None:
    nlp = make_nlp(*pipes, steps=5, listener=listener, version=version)
    folder = Path(_bilm_name(nlp))
    expected = _annotation(nlp(TEXT))
    nlp.to_disk(tmp_path / "saved")
    (tmp_path / "saved.bin").write_bytes(nlp.to_bytes())
    shutil.rmtree(folder, ignore_errors=True)
    make_bilm(projection_dim=3).to_disk(folder)
    with pytest.raises(ValueError, match=code) as caught:
        load(nlp, tmp_path / "saved")
    assert str(folder) in str(caught.value) and "rename" in str(caught.value)
    folder.rename(tmp_path / "renamed")
    assert _annotation(load(nlp, tmp_path / "saved")(TEXT)) == expected


def _bilm_name(nlp: Language) -> str:
    """The folder that the pipeline's config names; another test may have made the pipeline."""
    text = nlp.config.to_str()
    (line,) = {line for line in text.splitlines() if line.startswith('name = "/')}
    return line.removeprefix('name = "').removesuffix('"')
