"""Trains AllenNLP's ELMo step by step on request. Runs inside the peer environment only.

    .peer/bin/python peer_train.py OPTIONS WEIGHTS SOFTMAX.npz BATCHES.json --threads 2

AllenNLP's _ElmoBiLm with gradients below, and above it the softmax of `bidirectional_lm`: adaptive
(torch's own, from SOFTMAX.npz) or AllenNLP's SampledSoftmaxLoss. BATCHES.json is a list of
{"sentences": [[word]], "targets": [[vocabulary id of each token, marks included]]}. Prints a line
when ready; then, for each line such as "adaptive 3" on standard input, does one step on that batch
(forward, backward, clipping, AdamW) and prints its seconds and its loss per prediction.
"""

import argparse
import json
import sys
import time
from pathlib import Path

import numpy as np
import torch
from allennlp_elmo import _ElmoBiLm, batch_to_ids  # first: it makes AllenNLP importable
from torch import Tensor, nn

# isort: split
from allennlp.modules.sampled_softmax_loss import SampledSoftmaxLoss

N_SAMPLES = 8192


class Trainer:
    """A biLM, a softmax and their optimizer, as they stand after the steps done so far."""

    def __init__(self, options: Path, weights: Path, softmax: nn.Module) -> None:
        self.bilm = _ElmoBiLm(str(options), str(weights), requires_grad=True).train()
        self.softmax = softmax
        self.parameters = [*self.bilm.parameters(), *softmax.parameters()]
        self.optimizer = torch.optim.AdamW(self.parameters, lr=1e-3, weight_decay=0.01)

    def step(self, char_ids: Tensor, targets: Tensor) -> float:
        """char_ids (n, longest, 50); targets (n, longest + 2), 0 or more, padded with -1."""
        # Without this the state of the batch before runs on into this one.
        self.bilm._elmo_lstm.reset_states()
        top = self.bilm(char_ids)["activations"][-1]  # (n, longest + 2, 2 * projection_dim)
        ahead, back = top.chunk(2, dim=2)
        both = targets >= 0
        pairs = both[:, 1:] & both[:, :-1]
        losses = [
            self._loss(hidden[pairs], wanted[pairs])
            for hidden, wanted in ((ahead[:, :-1], targets[:, 1:]), (back[:, 1:], targets[:, :-1]))
        ]
        loss = (losses[0] + losses[1]) / (2 * pairs.sum())
        self.optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.parameters, 5.0)
        self.optimizer.step()
        return loss.item()

    def _loss(self, hidden: Tensor, targets: Tensor) -> Tensor:
        if isinstance(self.softmax, SampledSoftmaxLoss):
            return self.softmax(hidden, targets)  # a sum
        return -self.softmax(hidden, targets).output.sum()


def adaptive(path: Path) -> nn.Module:
    with np.load(path, allow_pickle=False) as file:
        arrays = {name: torch.from_numpy(file[name]) for name in file.files}
    cutoffs = arrays.pop("cutoffs").tolist()
    dim = arrays["head.weight"].shape[1]
    softmax = nn.AdaptiveLogSoftmaxWithLoss(dim, cutoffs[-1], cutoffs[:-1], div_value=2.0)
    softmax.load_state_dict(arrays)
    return softmax


def tensors(batch: dict) -> tuple[Tensor, Tensor]:
    char_ids = batch_to_ids(batch["sentences"])
    targets = torch.full((char_ids.shape[0], char_ids.shape[1] + 2), -1)
    for row, ids in zip(targets, batch["targets"], strict=True):
        row[: len(ids)] = torch.tensor(ids)
    return char_ids, targets


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    for name in ("options", "weights", "softmax", "batches"):
        parser.add_argument(name, type=Path)
    parser.add_argument("--threads", type=int, default=1)
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    torch.manual_seed(0)
    np.random.seed(0)
    softmax = adaptive(args.softmax)
    sampled = SampledSoftmaxLoss(softmax.n_classes, softmax.in_features, N_SAMPLES)
    if softmax.n_classes <= N_SAMPLES:
        raise SystemExit(f"The vocabulary must have more than {N_SAMPLES} words")
    trainers = {
        "adaptive": Trainer(args.options, args.weights, softmax),
        "sampled": Trainer(args.options, args.weights, sampled),
    }
    batches = [tensors(batch) for batch in json.loads(args.batches.read_text(encoding="utf8"))]
    print("ready", flush=True)
    for line in sys.stdin:
        kind, number = line.split()
        start = time.perf_counter()
        loss = trainers[kind].step(*batches[int(number)])
        print(time.perf_counter() - start, loss, flush=True)


if __name__ == "__main__":
    main()
