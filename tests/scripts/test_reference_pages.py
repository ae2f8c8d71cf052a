"""The config reference and the list of commands say what the code says."""

from configparser import ConfigParser
from pathlib import Path
from typing import Any, Literal

import pytest

pytest.importorskip("matplotlib", reason="scripts/pages.py needs the extra [project]")

from scripts.commands_page import commands_page
from scripts.config_page import config_page, settings_table, type_text
from scripts.docstrings import as_list, entries, without_entries
from spacy_elmo_ner.cli.app import COMMANDS

ROOT = Path(__file__).parents[2]
DOCSTRING = """Build a layer.

width: the number of values. It has
    two lines.
first, second: both of them. last: behind
    them, note: no name.
other: no parameter
Raises ValueError (EL001): never."""
NAMES = {"width", "first", "second", "last"}


def test_every_registered_name_and_all_its_settings_are_on_the_page() -> None:
    text = config_page(ROOT / "setup.cfg")
    setup = ConfigParser()
    setup.read(ROOT / "setup.cfg", encoding="utf8")
    groups = setup["options.entry_points"]
    for group in ("spacy_factories", "spacy_architectures", "spacy_readers", "spacy_augmenters"):
        for line in groups[group].strip().splitlines():
            assert f"\n### `{line.partition('=')[0].strip()}`\n" in text
    ner = text.partition("### `elmo_ner`")[2].partition("\n## ")[0]
    assert "| `threshold` | float | `0.0` | drop entities" in ner
    assert 'decoder = "crf"' in ner
    bilm = text.partition("### `spacy_elmo_ner.BiLM.v1`")[2].partition("\n### ")[0]
    assert '| `initial_state` | `"zeros"` or `"warm"` | `"zeros"` |' in bilm


def test_a_newer_version_has_the_settings_of_the_older_one() -> None:
    text = config_page(ROOT / "setup.cfg")
    older = text.partition("### `spacy_elmo_ner.ElmoTagger.v1`")[2].partition("\n### ")[0]
    assert "| setting |" not in older and "ElmoTagger.v2" in older


def test_a_setting_that_no_docstring_describes_is_an_error() -> None:
    def build(width: int, depth: int = 2) -> None:
        """Build a layer.

        width: of the layer.
        """

    with pytest.raises(ValueError, match="build: the docstring does not tell of depth"):
        settings_table(build, {})


def test_types_are_written_as_a_config_has_them() -> None:
    assert type_text(str | None) == "str or null"
    assert type_text(list[int]) == "list of int"
    assert type_text(Literal["a", 1]) == '`"a"` or `1`'
    assert type_text(Path) == "path"


def test_every_command_has_its_options_with_defaults() -> None:
    text = commands_page()
    for name in COMMANDS:
        assert f"\n## {name}\n\n```text\npython -m spacy elmo {name}" in text
    train = text.partition("\n## train\n")[2].partition("\n## ")[0]
    assert "python -m spacy elmo train CONFIG [OPTIONS]" in train
    assert "| `--output PATH` | required |" in train
    assert "| `--share NUMBER` | `100.0` |" in train
    compare = text.partition("\n## compare\n")[2].partition("\n## ")[0]
    assert "| `--pipeline, -p TEXT` | required |" in compare
    assert "| `--own-tokens` |  |" in compare  # a switch


def test_entries_are_read_with_their_further_lines_and_names_alone() -> None:
    assert entries(DOCSTRING, NAMES) == {
        "width": "the number of values. It has two lines.",
        "first": "both of them.",
        "second": "both of them.",
        "last": "behind them, note: no name.",
    }
    left = without_entries(DOCSTRING, NAMES)
    assert left == "Build a layer.\n\nother: no parameter\nRaises ValueError (EL001): never."


def test_entries_become_a_list_and_the_rest_stays() -> None:
    assert as_list(DOCSTRING, NAMES) == (
        "Build a layer.\n\n- `width`: the number of values. It has two lines.\n"
        "- `first`, `second`: both of them.\n- `last`: behind them, note: no name.\n\n"
        "other: no parameter\nRaises ValueError (EL001): never."
    )


def test_the_site_shows_parameters_as_a_list() -> None:
    griffe: Any = pytest.importorskip("griffe", reason="the site needs the extra [docs]")
    from scripts.site_docstrings import ListedParameters

    package = griffe.load(
        "spacy_elmo_ner.pipeline.elmo_ner",
        search_paths=[str(ROOT)],
        extensions=griffe.load_extensions(ListedParameters),
    )
    assert "\n- `threshold`: drop entities" in package["make_elmo_ner"].docstring.value
