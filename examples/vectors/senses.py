"""ELMo's vectors without spaCy: scikit-learn tells two meanings of a word apart.

    python examples/vectors/senses.py

`BiLM.embed` gives an array (n_layers + 1, n_tokens, width) for each sentence. Layer 0 knows only a
word's letters, so "bank" has one vector there; the other layers know its sentence.
"""

import argparse

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import LeaveOneOut, cross_val_score

from spacy_elmo_ner.elmo import BiLM

WORD = "bank"
MONEY = """She opened an account at the bank last week .
The bank raised its interest rates again .
He asked the bank for a loan to buy a house .
Two men robbed a bank in the city on Monday .
The central bank said inflation would fall .
Investors lost money when the bank failed .
The bank employs four thousand people .
They paid the money into a bank in Switzerland .
A bank must report such payments to the government .
The minister met directors of the bank ."""
RIVER = """We sat on the bank and watched the river .
The boat drifted towards the left bank .
Trees grew along the bank of the stream .
Floods washed away the north bank of the river .
Children were fishing from the bank .
They walked along the muddy bank for an hour .
The river burst its bank after heavy rain .
On the far bank stood an old mill .
Soldiers crossed the water and reached the other bank .
A steep bank leads down to the lake ."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--bilm", default="small-en", help="name or folder")
    arguments = parser.parse_args()

    sentences = [line.split() for text in (MONEY, RIVER) for line in text.splitlines()]
    meanings = [0] * len(MONEY.splitlines()) + [1] * len(RIVER.splitlines())
    bilm = BiLM.from_pretrained(arguments.bilm)
    layers = [
        vectors[:, words.index(WORD)]  # (n_layers + 1, width)
        for words, vectors in zip(sentences, bilm.embed(sentences), strict=True)
    ]
    per_layer = np.stack(layers, axis=1)  # (n_layers + 1, n_sentences, width)
    for number, vectors in enumerate(per_layer):
        right = cross_val_score(
            LogisticRegression(max_iter=1000), vectors, meanings, cv=LeaveOneOut()
        )
        print(f"layer {number}: {right.sum():.0f} of {len(right)} right")


if __name__ == "__main__":
    main()
