"""Provide colours of entity types for displaCy, which has none for those of GMB.

spaCy finds them through the entry point `spacy_displacy_colors`. Black text on each of them has a
contrast of at least 11 : 1. ORG and GPE have spaCy's own colours.
"""

COLORS = {
    "ART": "#f0d0ff",
    "EVE": "#ffd8a8",
    "GEO": "#b8e6c9",
    "NAT": "#d9e8a0",
    "PER": "#a9d8ff",
    "TIM": "#dcdcdc",
}
