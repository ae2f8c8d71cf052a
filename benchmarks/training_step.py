"""One training step of an LSTM layer in the precision that training chooses, against others.

    python -m benchmarks.training_step [--runs 9]
    ONEDNN_MAX_CPU_ISA=AVX2 python -m benchmarks.training_step

Forward and backward pass of both directions, for the head of configs/elmo.cfg and for small-en, on
as many sentences as a batch has. In turns: the precision that training chooses for this CPU,
float32, bfloat16, and torch's own LSTM in float32. Milliseconds are medians; ratios are to the
fastest in float32. ONEDNN_MAX_CPU_ISA makes the machine behave like an older one.
"""

import argparse
import statistics
import time
from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import PackedSequence

from spacy_elmo_ner.elmo.kernels import training_dtype
from spacy_elmo_ner.elmo.lstm_training import LSTMWeights, packed_lstm

# What reads, units, outputs, sentences, words in each.
SHAPES = {"head": (480, 128, 128, 60, 20), "small-en": (128, 512, 128, 64, 20)}


def ours(weights: Sequence[LSTMWeights], sizes: list[int], x: Tensor, dtype: torch.dtype) -> None:
    outputs = [packed_lstm(x, sizes, each, dtype=dtype)[0] for each in weights]
    torch.cat(outputs, dim=1).square().sum().backward()


def torchs(lstm: nn.LSTM, sizes: list[int], x: Tensor) -> None:
    lstm(PackedSequence(x, torch.tensor(sizes)))[0].data.square().sum().backward()


def steps(name: str) -> dict[str, Callable[[], None]]:
    """The work to time by what does it."""
    n_in, units, n_out, n_sentences, n_words = SHAPES[name]
    projected = n_out != units
    lstm = nn.LSTM(n_in, units, bidirectional=True, proj_size=n_out if projected else 0)
    weights = [
        LSTMWeights(
            getattr(lstm, f"weight_ih_{which}"),
            getattr(lstm, f"weight_hh_{which}"),
            getattr(lstm, f"bias_ih_{which}"),
            getattr(lstm, f"weight_hr_{which}") if projected else None,
        )
        for which in ("l0", "l0_reverse")
    ]
    sizes = [n_sentences] * n_words
    x = torch.randn(sum(sizes), n_in, requires_grad=True)
    return {
        "as chosen": lambda: ours(weights, sizes, x, training_dtype()),
        "float32": lambda: ours(weights, sizes, x, torch.float32),
        "torch's LSTM, float32": lambda: torchs(lstm, sizes, x),
        "bfloat16": lambda: ours(weights, sizes, x, torch.bfloat16),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--runs", type=int, default=9)
    args = parser.parse_args()
    torch.set_num_threads(1)
    for name in SHAPES:
        work = steps(name)
        taken: dict[str, list[float]] = {key: [] for key in work}
        for _ in range(args.runs + 1):
            for key, run in work.items():
                start = time.perf_counter()
                run()
                taken[key].append(1000 * (time.perf_counter() - start))
        medians = {key: statistics.median(values[1:]) for key, values in taken.items()}
        best = min(value for key, value in medians.items() if "float32" in key)
        print(f"{name}, {str(training_dtype()).removeprefix('torch.')} chosen:")
        for key, value in medians.items():
            print(f"  {key:<24}{value:8.1f} ms  {value / best:5.2f}x")


if __name__ == "__main__":
    main()
