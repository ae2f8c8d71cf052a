"""Two biLMs to hold against a pre-trained one: python -m benchmarks.control_bilms

    [--name small-en] [--output training/controls]

Both have its shape. ``random``: weights that read no text, drawn so that every layer's values are
of the order of 1. ``char-cnn``: its own word vectors, layer 0, under LSTMs of zeros, which add
nothing: what characters give without context.
"""

import argparse
import copy
from pathlib import Path

import torch

from spacy_elmo_ner.elmo import BiLM

from .allennlp_peer.inputs import corpus_sentences, random_bilm


def without_context(bilm: BiLM) -> BiLM:
    """The biLM's layer 0, and zeros above."""
    control = copy.deepcopy(bilm)
    with torch.no_grad():
        for stack in (control.forward_lstm, control.backward_lstm):
            for parameter in stack.parameters():
                parameter.zero_()
    control.forget_warm_states()
    return control


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--name", default="small-en", help="a biLM by name, or its folder")
    parser.add_argument("--output", type=Path, default=Path("training/controls"))
    args = parser.parse_args()
    bilm = BiLM.from_pretrained(args.name)
    _, sentences = corpus_sentences(500)
    controls = {
        "random": random_bilm(bilm.options, sentences),
        "char-cnn": without_context(bilm),
    }
    for name, control in controls.items():
        control.to_disk(args.output / name)
        print(f"Wrote {args.output / name}")


if __name__ == "__main__":
    main()
