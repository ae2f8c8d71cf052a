"""What docs/drop-in.md says of sentences, coarse tags, lemmas and noun chunks."""

from scripts.drop_in_page import drop_in_text

RESULTS = {
    "sentences": {"ours": 0.9934, "en_core_web_sm": 0.98719, "sentencizer": 0.9891},
    "agreement": {"words": 102_610, "pos": 0.968, "lemma": 0.98654, "noun_chunks_f": 0.9},
}


def test_scores_are_percent_of_what_was_measured() -> None:
    text = drop_in_text(RESULTS)
    assert "99.3 with `senter`, 98.7 with en_core_web_sm's parse, 98.9 with" in text
    assert "On the 102,610 words" in text
    assert "96.8 % of the coarse tags and 98.7 % of the lemmas" in text
    assert "noun chunks agree with an F1 of 90.0." in text
