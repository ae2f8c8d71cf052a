"""Times AllenNLP's own ELMo on request. Runs inside the peer environment, never in the project's.

    .peer/bin/python peer_time.py OPTIONS WEIGHTS SENTENCES.json --threads 2

SENTENCES.json is a list of lists of words. Prints a line when ready; then, for each line with a
number n on standard input, embeds the first n sentences as one batch and prints the seconds.
"""

import argparse
import json
import sys
import time
from pathlib import Path

import torch
from allennlp_elmo import _ElmoBiLm
from peer_embed import embed


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("options", type=Path)
    parser.add_argument("weights", type=Path)
    parser.add_argument("sentences", type=Path)
    parser.add_argument("--threads", type=int, default=1)
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    sentences = json.loads(args.sentences.read_text(encoding="utf8"))
    bilm = _ElmoBiLm(str(args.options), str(args.weights)).eval()
    embed(bilm, sentences[:2])
    print("ready", flush=True)
    for line in sys.stdin:
        start = time.perf_counter()
        embed(bilm, sentences[: int(line)])
        print(time.perf_counter() - start, flush=True)


if __name__ == "__main__":
    main()
