"""Write tests/parity/golden: tiny weights, and what AllenNLP's own ELMo makes of them.

    python -m benchmarks.allennlp_peer.make_golden [--output tests/parity/golden]

The tests that read it run anywhere; only making it again needs the peer environment.
"""

import argparse
import json
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np

from spacy_elmo_ner.elmo import BiLMOptions
from spacy_elmo_ner.elmo.options import CharCNNOptions, LSTMOptions

from .inputs import SPELLING, random_bilm
from .peer import ROOT, Peer

ORDINARY = BiLMOptions(
    CharCNNOptions(embedding_dim=4, filters=((1, 2), (2, 3), (3, 5)), n_highway=2),
    # Clips low enough to act on ordinary activations: weights so large that they reach the
    # official 3.0 make a chaotic LSTM, which blows up the last bit of float32 to 1e-2.
    LSTMOptions(dim=8, projection_dim=4, n_layers=2, cell_clip=2.0, proj_clip=1.0),
)
SHAPES = {
    "ordinary": ORDINARY,
    "three-layers": replace(ORDINARY, lstm=replace(ORDINARY.lstm, n_layers=3)),
    "one-layer": replace(ORDINARY, lstm=replace(ORDINARY.lstm, n_layers=1)),
}

TEXT = (
    "The council met on Monday to discuss the new budget .",
    "Hello",
    "Mr. Azhari told reporters that 3.5 percent of the 1,200 workers had left , he said .",
)
# One word again and again drives cells to their clip.
SENTENCES = [*(line.split() for line in TEXT), *SPELLING, ["again"] * 40]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--output", type=Path, default=ROOT / "tests" / "parity" / "golden")
    output = parser.parse_args().output
    try:
        peer = Peer.find()
    except FileNotFoundError as err:
        print(err, file=sys.stderr)
        return 2
    output.mkdir(parents=True, exist_ok=True)
    # Lone surrogates have no UTF-8, so the file keeps to ASCII.
    (output / "sentences.json").write_text(json.dumps(SENTENCES, indent=1) + "\n", "ascii")
    for seed, (name, options) in enumerate(SHAPES.items()):
        bilm = random_bilm(options, SENTENCES, projection_gain=3.0, seed=seed)
        bilm.to_hdf5(output / name)
        run = peer.embed(output / name, SENTENCES)
        layers = {str(i): each for i, each in enumerate(run.layers)}
        np.savez_compressed(output / name / "layers.npz", allow_pickle=False, **layers)
        print(f"{output / name}: by AllenNLP {run.versions['allennlp']}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
