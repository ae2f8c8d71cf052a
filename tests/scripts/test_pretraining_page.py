"""What reading on in a field's own text is worth: means, spreads and gains by system."""

from typing import Any

from scripts.pretraining_page import cells_table, gain_table
from scripts.yardstick_page import FIELDS


def _row(corpus: str, seed: int, f1: float, bilm: str | None, system: str = "head") -> Any:
    scores = {"clean": f1}
    return {"corpus": corpus, "seed": seed, "bilm": bilm, "system": system, "scores": scores}


def test_a_field_has_both_biLMs_and_the_gain_of_each_system() -> None:
    yardstick = {
        "corpora": ["news", "law", "art"],
        "rows": [
            _row("law", 1, 0.62, "small-en"),
            _row("law", 0, 0.60, "small-en"),
            _row("law", 0, 0.30, None, "CNN"),
            _row("law", 0, 0.65, "small-en", "committee"),
            _row("news", 0, 0.80, "small-en"),
        ],
    }
    read_on = [
        _row("law", 0, 0.63, "own/law"),
        _row("law", 0, 0.66, "own/law", "committee"),
        _row("news", 0, 0.79, "own/news"),
    ]
    table = gain_table("Field text", yardstick, read_on, "after the field's text")
    assert table.header == ["", "news", "law"]
    assert table.rows == [
        ["head, small-en", "80.00", "61.00 ± 1.41"],
        ["head, after the field's text", "79.00", "63.00"],
        ["gain", "-1.00", "+2.00"],
        ["committee, small-en", "-", "65.00"],
        ["committee, after the field's text", "-", "66.00"],
        ["gain", "-", "+1.00"],
    ]


def test_where_all_five_fields_were_read_there_is_their_mean() -> None:
    before = [
        *(_row(field, 0, 0.50 + i / 100, "small-en") for i, field in enumerate(FIELDS)),
        _row(FIELDS[0], 1, 0.70, "small-en"),
    ]
    after = [_row(field, 0, 0.60, "own") for field in FIELDS]
    after.append(_row(FIELDS[0], 0, 0.65, "own", "committee"))
    yardstick = {"corpora": [*FIELDS, "gmb-2"], "rows": before}
    table = gain_table("Field text", yardstick, after, "own text")
    assert table.header == ["", *FIELDS, "mean of the fields"]
    # The first field counts once, by the mean of its seeds: (60 + 51 + 52 + 53 + 54) / 5.
    assert [row[-1] for row in table.rows[:3]] == ["54.00", "60.00", "+6.00"]
    assert [row[-1] for row in table.rows[3:]] == ["-", "-", "-"]


def test_bilms_of_more_cells_have_the_mean_of_the_corpora() -> None:
    rows = [
        _row("law", 0, 0.60, "small-en"),
        _row("law", 1, 0.62, "small-en"),
        _row("news", 0, 0.80, "small-en"),
        _row("law", 0, 0.63, "more"),
        _row("news", 0, 0.82, "more"),
    ]
    table = cells_table({"corpora": ["news", "law", "art"], "rows": rows})
    assert table.header == ["", "news", "law", "mean"]
    assert table.rows == [
        ["small-en", "80.00", "61.00 ± 1.41", "70.50"],
        ["more", "82.00", "63.00", "72.50"],
    ]
