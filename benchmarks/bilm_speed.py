"""The biLM against AllenNLP's own, in turns, on the same sentences and weights.

    python -m benchmarks.bilm_speed [--shapes small,medium] [--output benchmarks/results/bilm.json]

Run from the root of the checkout, on a machine that does nothing else; the peer environment is
that of allennlp_peer/README.md. Cold: every word of the batch is spelled out. Warm: all words
are known from the batch before. Both on torch alone and with the compiled
kernels. Seconds are medians of turns that take all of them; only
their ratios can be compared between machines.
"""

import argparse
import copy
import json
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from spacy_elmo_ner.elmo import BiLM, BiLMOptions
from spacy_elmo_ner.elmo.caches import Derived
from spacy_elmo_ner.elmo.pretrained import OFFICIAL, read_options
from spacy_elmo_ner.elmo.products import FastLinear

from .allennlp_peer.inputs import corpus_sentences, random_bilm
from .allennlp_peer.peer import HERE, Peer
from .cells import cells
from .output import machine, write

SIZES = (1, 8, 32, 128)
OURS = ("cold", "warm", "compiled_cold", "compiled_warm")


@dataclass(frozen=True)
class Result:
    """Tokens per second of one shape and batch; gflops: of the LSTMs, compiled and warm."""

    shape: str
    n_sentences: int
    n_tokens: int
    n_distinct: int
    peer: float
    cold: float
    warm: float
    compiled_cold: float
    compiled_warm: float
    lstm_flops_per_token: int
    gflops: float
    limit_gflops: float

    @property
    def row(self) -> dict[str, Any]:
        values = asdict(self)
        ratios = {f"{name}_ratio": values[name] / self.peer for name in OURS}
        share = self.gflops / self.limit_gflops
        return {**values, **ratios, "compiled_warm_share_of_limit": share}


class PeerProcess(AbstractContextManager[Any]):
    """One of the peer's scripts in a process of its own, which answers line by line."""

    def __init__(self, peer: Peer, script: str, files: Sequence[Path], threads: int) -> None:
        command = [str(peer.python), str(HERE / script), *map(str, files)]
        self._process = subprocess.Popen(
            [*command, f"--threads={threads}"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={"PYTHONPATH": f"{peer.folder}:{HERE}", "OMP_NUM_THREADS": str(threads)},
        )
        self.ask("")

    def ask(self, line: str) -> str:
        stdin, stdout = self._process.stdin, self._process.stdout
        assert stdin is not None and stdout is not None
        stdin.write(line)
        stdin.flush()
        if not (answer := stdout.readline()):
            raise RuntimeError("AllenNLP's process ended; its message stands above")
        return answer

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.wait()


class TimedPeer(PeerProcess):
    """AllenNLP's ELMo that answers with seconds."""

    def __init__(self, peer: Peer, folder: Path, sentences: Path, threads: int) -> None:
        files = (folder / "options.json", folder / "weights.hdf5", sentences)
        super().__init__(peer, "peer_time.py", files, threads)

    def seconds(self, n_sentences: int) -> float:
        return float(self.ask(f"{n_sentences}\n"))


def product_rate() -> float:
    """GFLOP/s of float32 products on reordered weights, the best of several shapes."""
    best = 0.0
    with torch.inference_mode():
        for n, n_in, n_out in ((512, 1024, 4096), (1024, 1024, 1024), (256, 512, 8192)):
            linear, x = FastLinear(torch.randn(n_out, n_in)), torch.randn(n, n_in)
            seconds = min(_timed(lambda: linear(x)) for _ in range(12))  # noqa: B023
            best = max(best, 2 * n * n_in * n_out / seconds / 1e9)
    return best


def lstm_flops(options: BiLMOptions) -> int:
    """Of all layers and both directions, for one token: a multiplication and an addition each."""
    lstm = options.lstm
    gates = 4 * lstm.dim * 2 * lstm.projection_dim
    projection = lstm.dim * lstm.projection_dim if lstm.has_projection else 0
    return 2 * 2 * lstm.n_layers * (gates + projection)


def measure_shape(
    shape: str, peer: Peer, sentences: list[list[str]], turns: int, threads: int
) -> list[Result]:
    results = []
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        options = read_options(shape) or OFFICIAL[f"elmo-{shape}"].options
        random_bilm(options, sentences).to_hdf5(folder)
        bilm = BiLM.from_hdf5(folder / "options.json", folder / "weights.hdf5")
        words = folder / "sentences.json"
        words.write_text(json.dumps(sentences), encoding="utf8")
        with TimedPeer(peer, folder, words, threads) as theirs:
            for size in SIZES:
                batch = sentences[:size]
                results.append(_measure(shape, bilm, theirs, batch, turns))
                print(_line(results[-1]), flush=True)
    return results


def _measure(
    shape: str, bilm: BiLM, theirs: TimedPeer, batch: Sequence[Sequence[str]], turns: int
) -> Result:
    seconds: dict[str, list[float]] = {name: [] for name in ("peer", *OURS)}
    theirs.seconds(len(batch))
    limits = []
    bilms = {"": copy.deepcopy(bilm), "compiled_": bilm}  # each keeps its own layout of weights
    for turn in range(turns + 1):
        found = {"peer": theirs.seconds(len(batch))}
        # Whoever comes first finds the weights pushed out of the cache by the peer.
        for prefix in ("", "compiled_") if turn % 2 else ("compiled_", ""):
            with cells(compiled=bool(prefix)):
                own = bilms[prefix]
                own._word_cache = Derived()
                found[f"{prefix}cold"] = _timed(lambda: own.embed(batch))  # noqa: B023
                found[f"{prefix}warm"] = _timed(lambda: own.embed(batch))  # noqa: B023
        if turn:  # the first prepares much, on both sides
            limits.append(product_rate())
            for name, taken in found.items():
                seconds[name].append(taken)
    n_tokens = sum(map(len, batch))
    rates = {name: n_tokens / statistics.median(each) for name, each in seconds.items()}
    flops = lstm_flops(bilm.options)
    run = n_tokens + 2 * len(batch)  # the marks are run, too
    return Result(
        shape,
        len(batch),
        n_tokens,
        len({word for sentence in batch for word in sentence}),
        **rates,
        lstm_flops_per_token=flops,
        gflops=flops * run / statistics.median(seconds["compiled_warm"]) / 1e9,
        limit_gflops=statistics.median(limits),
    )


def _timed(call: Callable[[], object]) -> float:
    start = time.perf_counter()
    call()
    return time.perf_counter() - start


def _line(result: Result) -> str:
    row = result.row
    ratios = ", ".join(f"{name.replace('_', ' ')} {row[f'{name}_ratio']:.1f}x" for name in OURS)
    return (
        f"{result.shape:9} {result.n_sentences:4} sentences: AllenNLP {result.peer:8,.0f} tokens/s,"
        f" {ratios}, {row['compiled_warm_share_of_limit']:.0%} of {result.limit_gflops:.0f} GFLOP/s"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--shapes", default="small-en,small,medium,original")
    parser.add_argument("--turns", type=int, default=5)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--output", type=Path, default=Path("benchmarks/results/bilm.json"))
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    peer = Peer.find()
    name, sentences = corpus_sentences(400)
    # Ordinary sentences: the corpus' own spread of lengths, not one of each.
    rng = np.random.default_rng(0)
    sentences = [s for s in sentences if 8 <= len(s) <= 40]
    rng.shuffle(sentences)  # type: ignore[arg-type]
    results = []
    for shape in args.shapes.split(","):
        results += measure_shape(shape, peer, sentences[:128], args.turns, args.threads)
    rows = [each.row for each in results]
    data = {"corpus": name, "machine": machine(args.threads), "results": rows}
    write(args.output, data)


if __name__ == "__main__":
    main()
