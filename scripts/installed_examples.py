"""Run the README as PyPI shows it, with what is installed. release.py calls it in an empty folder.

    python installed_examples.py PIPELINE...

`blocks.py` of tests/docs lies beside it. A block whose comment names the folder of a pipeline in a
checkout runs as it is written.
"""

import importlib.metadata
import sys
from dataclasses import replace
from pathlib import Path

import spacy
from blocks import Page, blocks

import spacy_elmo_ner
from spacy_elmo_ner.elmo import kernels

CHECKOUT = "assets/pipelines/"
TEXT = "Kenyan President Mwai Kibaki met United Nations officials in Nairobi on Tuesday."


def main() -> None:
    home = Path(spacy_elmo_ner.__file__).parent
    if not home.is_relative_to(sys.prefix):
        sys.exit(f"{home} is not what was installed in {sys.prefix}")
    print(f"spacy-elmo-ner {spacy_elmo_ner.__version__}, compiled kernels: {kernels.available()}")
    for name in sys.argv[1:]:
        nlp = spacy.load(name)
        ents = [(ent.text, ent.label_, round(ent._.confidence, 2)) for ent in nlp(TEXT).ents]
        if not ents:
            sys.exit(f"{name} finds nothing in {TEXT!r}")
        print(f"{name} {nlp.meta['version']}: {ents}")
    page = Page("README")
    found = blocks(str(importlib.metadata.metadata("spacy-elmo-ner").get_payload()))
    to_run = [block for block in found if block.language in ("python", "bash") or block.kind]
    for block in to_run:
        if f" => {CHECKOUT}" in block.argument.replace('"', ""):
            block = replace(block, kind="", argument="")
        page.run(block)
    if not to_run:
        sys.exit("the README has no examples")
    print(f"README: {sum(block.kind != 'skip' for block in to_run)} blocks did what it says")


if __name__ == "__main__":
    main()
