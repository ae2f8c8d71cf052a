"""The measured part of docs/drop-in.md, from benchmarks/results/drop-in.json."""

from typing import Any


def drop_in_text(found: dict[str, Any]) -> str:
    """Say how good sentences are, and how far the rest agrees with en_core_web_sm."""
    sentences, shares = found["sentences"], found["agreement"]
    percent = {name: f"{100 * value:.1f}" for name, value in (sentences | shares).items()}
    return (
        f"Sentence F1, in percent: {percent['ours']} with `senter`, "
        f"{percent['en_core_web_sm']} with en_core_web_sm's parse, {percent['sentencizer']} with "
        "spaCy's rule-based `sentencizer`. This is on the test part of the clean split of "
        "[GMB](install.md#the-corpus), whose sentences were joined into texts of up to ten. Real "
        "texts have other line breaks, headlines and abbreviations, on which none of the three was "
        "measured here.\n\n"
        "Coarse tags, lemmas and noun chunks were not scored against gold annotation: no corpus "
        f"with it was at hand. On the {shares['words']:,} words of the dev part, "
        f"{percent['pos']} % of the coarse tags and {percent['lemma']} % of the lemmas are those "
        f"of en_core_web_sm, and noun chunks agree with an F1 of {percent['noun_chunks_f']}. "
        "`python -m benchmarks.drop_in PIPELINE en_core_web_sm --test TEST.spacy --dev DEV.spacy` "
        "measures this."
    )
