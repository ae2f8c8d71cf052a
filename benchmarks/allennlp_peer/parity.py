"""Our layers against AllenNLP's own, weight file by weight file.

    python -m benchmarks.allennlp_peer.parity [--cases small,medium] [--output parity.json]

Run from the root of the checkout, in the project's environment; see README.md beside this file.
Exits with 1 where a difference is above the tolerance, with 2 where the peer is missing.
"""

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch

from spacy_elmo_ner.elmo import BiLM
from spacy_elmo_ner.elmo.pretrained import OFFICIAL

from .inputs import SPELLING, corpus_sentences, random_bilm
from .peer import Peer

Sentences = list[list[str]]
TOLERANCE = 1e-4


@dataclass(frozen=True)
class Case:
    """weights: what makes them from the sentences; batch_size: sentences per AllenNLP call."""

    weights: Callable[[Sentences], BiLM]
    batch_size: int = 8
    spelling: bool = False


def _random(name: str) -> Callable[[Sentences], BiLM]:
    return lambda sentences: random_bilm(OFFICIAL[name].options, sentences)


def _small_en(sentences: Sentences) -> BiLM:
    return BiLM.from_pretrained("small-en")


CASES = {
    "small": Case(_random("elmo-small")),
    "medium": Case(_random("elmo-medium")),
    # Few at a time: AllenNLP keeps every filter at every character of every padded word.
    "original": Case(_random("elmo-original"), batch_size=4),
    "small-en": Case(_small_en),
    "spelling": Case(_random("elmo-small"), spelling=True),
    "spelling-small-en": Case(_small_en, spelling=True),
}


@dataclass(frozen=True)
class Result:
    """One case. std and largest are of our layers; seconds exclude loading the weights."""

    case: str
    n_params: int
    n_sentences: int
    n_tokens: int
    shortest: int
    longest: int
    max_diff: float
    mean_diff: float
    std: list[float]
    largest: float
    clipped_cells: float
    seconds: float
    peer_seconds: float


def run_case(
    name: str, peer: Peer, corpus: Sentences, *, threads: int
) -> tuple[Result, dict[str, str]]:
    """Write the case's weights as HDF5, embed with both sides from that file, compare.

    Returns the figures and AllenNLP's versions. Raises RuntimeError where AllenNLP fails and
    ValueError where the two sides' shapes differ.
    """
    case = CASES[name]
    sentences = SPELLING if case.spelling else corpus
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        case.weights(sentences).to_hdf5(folder)
        bilm = BiLM.from_hdf5(folder / "options.json", folder / "weights.hdf5")
        start = time.perf_counter()
        ours = bilm.embed(sentences)
        seconds = time.perf_counter() - start
        clipped = clipped_cells(bilm, sentences)
        n_params = bilm.options.n_params
        del bilm  # AllenNLP needs the memory
        theirs = peer.embed(folder, sentences, batch_size=case.batch_size, threads=threads)
    diff = flat_diff(ours, theirs.layers)
    layers = np.concatenate(ours, axis=1)
    result = Result(
        case=name,
        n_params=n_params,
        n_sentences=len(sentences),
        n_tokens=layers.shape[1],
        shortest=min(map(len, sentences)),
        longest=max(map(len, sentences)),
        max_diff=float(diff.max()),
        mean_diff=float(diff.mean()),
        std=[float(each.std()) for each in layers],
        largest=float(np.abs(layers).max()),
        clipped_cells=clipped,
        seconds=seconds,
        peer_seconds=theirs.seconds,
    )
    return result, theirs.versions


def flat_diff(ours: Sequence[np.ndarray], theirs: Sequence[np.ndarray]) -> np.ndarray:
    """|ours - theirs| of all numbers, float64. Raises ValueError where shapes differ."""
    for i, (mine, other) in enumerate(zip(ours, theirs, strict=True)):
        if mine.shape != other.shape:
            raise ValueError(f"Sentence {i} has shape {mine.shape} here, {other.shape} there")
    pairs = zip(ours, theirs, strict=True)
    return np.concatenate([np.abs(a.astype(np.float64) - b).ravel() for a, b in pairs])


def clipped_cells(bilm: BiLM, sentences: Sentences) -> float:
    """Share of LSTM cells that end a sentence at the clip: 0 would leave it untested."""
    clip = bilm.options.lstm.cell_clip
    if clip is None:
        return 0.0
    with torch.inference_mode():
        _, states = bilm.run(sentences[:16])
    cells = torch.cat([state.c.flatten() for direction in states for state in direction])
    return float((cells.abs() >= clip).float().mean())


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cases", default=",".join(CASES), help=f"of {', '.join(CASES)}")
    parser.add_argument("--sentences", type=int, default=200, help="from the corpus")
    parser.add_argument("--threads", type=int, default=1, help="of torch, on both sides")
    parser.add_argument("--output", type=Path, default=Path("metrics/allennlp_parity.json"))
    args = parser.parse_args()
    names = args.cases.split(",")
    if unknown := set(names) - set(CASES):
        parser.error(f"unknown case {', '.join(sorted(unknown))}; use of {', '.join(CASES)}")
    try:
        peer = Peer.find()
    except FileNotFoundError as err:
        print(err, file=sys.stderr)
        return 2
    torch.set_num_threads(args.threads)
    corpus_name, corpus = corpus_sentences(args.sentences)
    print(f"{len(corpus)} sentences of the {corpus_name}, {args.threads} thread(s)")
    print(f"{'case':<18}{'tokens':>8}{'max |diff|':>12}{'mean |diff|':>13}{'ours':>9}{'peer':>9}")
    results: list[Result] = []
    versions: dict[str, str] = {}
    for name in names:
        result, versions = run_case(name, peer, corpus, threads=args.threads)
        results.append(result)
        print(
            f"{name:<18}{result.n_tokens:>8,}{result.max_diff:>12.2e}{result.mean_diff:>13.2e}"
            f"{result.seconds:>7.1f} s{result.peer_seconds:>7.1f} s",
            flush=True,
        )
    report = {
        "corpus": corpus_name,
        "threads": args.threads,
        "tolerance": TOLERANCE,
        "torch": torch.__version__,
        "peer": versions,
        "results": [asdict(result) for result in results],
    }
    args.output.parent.mkdir(parents=True, exist_ok=True)
    args.output.write_text(json.dumps(report, indent=2) + "\n", encoding="utf8")
    # Written so that NaN fails too.
    return int(not all(result.max_diff <= TOLERANCE for result in results))


if __name__ == "__main__":
    sys.exit(main())
