"""spaCy's own spancat and parser on top of a shared `elmo`.

    python examples/spancat_parser/train.py --output spans-and-parse

Any spaCy pipe with a `tok2vec` can listen to `elmo` instead of a CNN of its own. The biLM runs
once for both, and is frozen: what the pipes learn is small.
"""

import argparse
from pathlib import Path

import spacy
from spacy.language import Language
from spacy.tokens import Doc, Span
from spacy.training import Example
from thinc.api import Config, fix_random_seed

# Words with head and relation. Enough to show that it learns; a real parser needs thousands.
SENTENCES = [
    "Mary:1:nsubj saw:1:ROOT the:4:det old:4:amod bridge:1:dobj",
    "The:1:det mayor:2:nsubj opened:2:ROOT a:4:det school:2:dobj",
    "Officials:1:nsubj met:1:ROOT reporters:1:dobj in:1:prep Rome:3:pobj",
    "The:2:det new:2:amod law:3:nsubj protects:3:ROOT rivers:3:dobj",
    "He:1:nsubj left:1:ROOT the:3:det city:1:dobj on:1:prep Monday:4:pobj",
    "A:2:det young:2:amod doctor:3:nsubj wrote:3:ROOT the:5:det report:3:dobj",
]
HEADS_OF_SPANS = ("nsubj", "dobj", "pobj")
KEY = "phrases"

CONFIG = """
[listener]
@architectures = "spacy_elmo_ner.ElmoListener.v1"
width = 256
upstream = "elmo"

[parser]
# By default, relations that occur fewer than 30 times are not learned.
min_action_freq = 1

[parser.model]
@architectures = "spacy.TransitionBasedParser.v2"
state_type = "parser"
extra_state_tokens = false
hidden_width = 64
maxout_pieces = 2
use_upper = true

[spancat]
spans_key = "phrases"
[spancat.suggester]
@misc = "spacy.ngram_suggester.v1"
sizes = [1, 2, 3]
"""


def gold(nlp: Language, sentence: str) -> Example:
    """Return an Example with a parse, and with a span for each noun phrase."""
    words, heads, deps = zip(*(token.rsplit(":", 2) for token in sentence.split()), strict=True)
    doc = Doc(nlp.vocab, words=list(words), heads=[int(h) for h in heads], deps=list(deps))
    doc.spans[KEY] = [
        Span(doc, token.left_edge.i, token.i + 1, label=token.dep_)
        for token in doc
        if token.dep_ in HEADS_OF_SPANS
    ]
    return Example(Doc(nlp.vocab, words=list(words)), doc)


def make_pipeline() -> Language:
    config = Config().from_str(CONFIG)
    nlp = spacy.blank("en")
    nlp.add_pipe("elmo")
    model = {**config["parser"]["model"], "tok2vec": config["listener"]}
    parser = {**config["parser"], "model": model}
    nlp.add_pipe("parser", config=parser)
    spancat = {**config["spancat"], "model": {"tok2vec": config["listener"]}}
    nlp.add_pipe("spancat", config=spancat)
    return nlp


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--output", type=Path, default=Path("spans-and-parse"))
    parser.add_argument("--steps", type=int, default=60)
    arguments = parser.parse_args()

    fix_random_seed(0)
    nlp = make_pipeline()
    examples = [gold(nlp, sentence) for sentence in SENTENCES]
    optimizer = nlp.initialize(lambda: examples)
    optimizer.learn_rate = 0.005
    for _ in range(arguments.steps):
        losses = nlp.update(examples, sgd=optimizer)
    print({name: round(float(loss), 3) for name, loss in losses.items()})

    scores = nlp.evaluate([gold(nlp, sentence) for sentence in SENTENCES])
    print(
        f"On its own sentences: UAS {scores['dep_uas']:.2f}, spans {scores[f'spans_{KEY}_f']:.2f}"
    )
    doc = nlp("The old mayor met officials in Nairobi")
    print([(token.text, token.dep_, token.head.text) for token in doc])
    print([(span.text, span.label_) for span in doc.spans[KEY]])
    nlp.to_disk(arguments.output)


if __name__ == "__main__":
    main()
