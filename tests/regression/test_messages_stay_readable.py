"""A message shows the value that is wrong, but never a whole file of it."""

from pathlib import Path

import pytest

from spacy_elmo_ner.corpus.sample import read_conll
from spacy_elmo_ner.errors import Errors


def test_a_file_without_line_ends_is_not_printed(tmp_path: Path) -> None:
    path = tmp_path / "train.conll"
    path.write_text("x" * 5_000_000)
    with pytest.raises(ValueError, match=r"EL222.*line 1: 'xxx") as error:
        read_conll(path)
    assert len(str(error.value)) < 500


@pytest.mark.parametrize("value", ["y" * 10_000, ["y"] * 5_000, {"y": "y" * 10_000}])
def test_every_value_of_every_message_is_cut(value: object) -> None:
    for message in (
        Errors.EL222.format(path="p", line=1, value=value),
        Errors.EL406.format(path=value),
        Errors.EL002.format(source="p", problem=value),
    ):
        assert len(message) < 2_000 and "characters)" in message


def test_values_of_common_length_are_shown_whole() -> None:
    path = "a/" * 200
    assert path in Errors.EL009.format(name=path, names="small-en")
    assert "12,345" in Errors.EL010.format(path="p", found=12345, name="x", expected=1)
