"""Layers of AllenNLP's own ELMo. Runs inside the peer environment, never in the project's.

    .peer/bin/python peer_embed.py OPTIONS WEIGHTS SENTENCES.json OUTPUT.npz

SENTENCES.json is a list of lists of words. OUTPUT.npz holds one float32 array
(n_layers + 1, n_tokens, 2 * projection_dim) per sentence, named "0", "1", ... Prints one line of
JSON: seconds of the embedding itself, versions.
"""

import argparse
import json
import time
from importlib.metadata import version
from pathlib import Path

import numpy as np
import torch
from allennlp_elmo import _ElmoBiLm, batch_to_ids, remove_sentence_boundaries


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("options", type=Path)
    parser.add_argument("weights", type=Path)
    parser.add_argument("sentences", type=Path)
    parser.add_argument("output", type=Path)
    parser.add_argument("--batch-size", type=int, default=8, help="sentences in one call")
    parser.add_argument("--threads", type=int, default=1)
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    sentences = json.loads(args.sentences.read_text(encoding="utf8"))
    bilm = _ElmoBiLm(str(args.options), str(args.weights)).eval()
    _check_reset(bilm, sentences[:1])
    start = time.perf_counter()
    layers = []
    for i in range(0, len(sentences), args.batch_size):
        layers += embed(bilm, sentences[i : i + args.batch_size])
    seconds = time.perf_counter() - start
    arrays = {str(i): each for i, each in enumerate(layers)}
    np.savez(args.output, allow_pickle=False, **arrays)
    versions = {name: version(name) for name in ("allennlp", "torch", "numpy")}
    print(json.dumps({"seconds": seconds, **versions}))


@torch.inference_mode()
def embed(bilm: _ElmoBiLm, sentences: list[list[str]]) -> list[np.ndarray]:
    """One batch from states of zeros -> (n_layers + 1, n_tokens, width) float32 each."""
    # Without this the state of the batch before runs on into this one.
    bilm._elmo_lstm.reset_states()
    result = bilm(batch_to_ids(sentences))
    inner = [remove_sentence_boundaries(x, result["mask"])[0] for x in result["activations"]]
    stacked = torch.stack(inner).numpy()  # (n_layers + 1, n_sentences, longest, width)
    return [stacked[:, i, : len(words)].copy() for i, words in enumerate(sentences)]


def _check_reset(bilm: _ElmoBiLm, sentences: list[list[str]]) -> None:
    first, again = embed(bilm, sentences), embed(bilm, sentences)
    if not all(np.array_equal(a, b) for a, b in zip(first, again, strict=True)):
        raise SystemExit("AllenNLP kept its state between two calls: the parity would be void")


if __name__ == "__main__":
    main()
