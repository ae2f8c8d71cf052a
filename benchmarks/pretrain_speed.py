"""Pre-training against AllenNLP's ELMo, in turns, on the same weights and batches.

    python -m benchmarks.pretrain_speed --text TEXT
        [--config configs/pretrain-small-en.cfg] [--turns 7] [--threads 2]
        [--output benchmarks/results/pretrain.json]

A step is forward, backward, clipping and AdamW; cutting text into batches and words into characters
is left out on both sides. AllenNLP's biLM has gradients below and either the adaptive softmax we
use, as torch has it, or its own sampled softmax of 8,192 words above. With the former it computes
what we do: the first losses must agree. Run from the root of the checkout, on a machine that does
nothing else; the peer environment is that of allennlp_peer/README.md. Only ratios can be compared
between machines.
"""

import argparse
import itertools
import json
import statistics
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import spacy
import torch

from spacy_elmo_ner.elmo import BiLM, kernels
from spacy_elmo_ner.pretraining.config import PretrainingConfig
from spacy_elmo_ner.pretraining.files import read_sentences
from spacy_elmo_ner.pretraining.objective import Batch, BatchMaker, LanguageModel, Vocabulary
from spacy_elmo_ner.pretraining.text import TokenizedText, shuffled_batches, tokenize

from .allennlp_peer.inputs import random_bilm
from .allennlp_peer.peer import Peer
from .bilm_speed import PeerProcess, lstm_flops
from .output import machine, write

PEERS = ("adaptive", "sampled")
PARTS = ("char-CNN", "LSTMs", "softmax", "clipping and optimizer")


@dataclass(frozen=True)
class Batches:
    """The same batches for both sides, and the vocabulary both predict."""

    ours: list[Batch]
    theirs: list[dict[str, Any]]
    vocabulary: Vocabulary
    sentences: list[list[str]]

    @property
    def n_tokens(self) -> int:
        """Mean of a batch, sentence marks excluded, as runs count them."""
        return round(statistics.mean(b.n_predictions - len(b.packing.order) for b in self.ours))


def make_batches(path: Path, n_sentences: int, n: int, config: PretrainingConfig) -> Batches:
    """At most n batches as a run of config would cut them from a text's first sentences."""
    text = _head(path, n_sentences)
    vocabulary = Vocabulary.most_frequent(text.words, config.text.n_vocabulary)
    rows = np.arange(text.n_sentences)
    rng = np.random.default_rng(0)
    cut = shuffled_batches(text, rows, config.training.batch_tokens, rng)
    # What is left over of a pool of sentences makes a short batch.
    lengths = np.diff(text.offsets) + 2
    chosen = [batch for batch in cut if lengths[batch].sum() > config.training.batch_tokens / 2][:n]
    make_batch = BatchMaker(text.words, vocabulary, config.options)
    theirs, sentences = [], []
    for batch in chosen:
        words = [[text.words[i] for i in text.sentence(row)] for row in batch]
        targets = [[0, *vocabulary.ids(each).tolist(), 1] for each in words]  # the marks
        theirs.append({"sentences": words, "targets": targets})
        sentences += words
    ours = [make_batch([text.sentence(row) for row in batch]) for batch in chosen]
    return Batches(ours, theirs, vocabulary, sentences)


def _head(path: Path, n_sentences: int) -> TokenizedText:
    """The first sentences of a text file, tokenized."""
    with tempfile.TemporaryDirectory() as folder:
        head = Path(folder) / "head.txt"
        sentences = itertools.islice(read_sentences(path, spacy.blank("en")), n_sentences)
        head.write_text("\n".join(map(" ".join, sentences)), encoding="utf8")
        return tokenize([head], progress=False)


class Trainer:
    """Our model and its optimizer; products in bfloat16 or all in float32."""

    def __init__(self, model: LanguageModel, config: PretrainingConfig, bf16: bool) -> None:
        self.model, self.bf16, self.settings = model, bf16, config.training
        self.optimizer = torch.optim.AdamW(
            model.parameters(), lr=1e-3, weight_decay=self.settings.weight_decay, fused=True
        )

    def step(self, batch: Batch) -> tuple[float, float]:
        """Seconds, and the loss per prediction."""
        start = time.perf_counter()
        with self._autocast():
            forward, backward, *_ = self.model(batch)
        loss = (forward + backward) / (2 * batch.n_predictions)
        self.optimizer.zero_grad()
        loss.backward()
        self._change_weights()
        return time.perf_counter() - start, loss.item()

    def parts(self, batch: Batch) -> list[float]:
        """Seconds of each of PARTS, forward and backward, taken one after the other."""
        model, bilm = self.model, self.model.bilm
        self.optimizer.zero_grad()
        clock = [time.perf_counter()]
        with self._autocast():
            vectors = bilm.char_cnn(batch.char_ids, batch.lengths)
        clock.append(time.perf_counter())
        tokens = vectors.detach()[batch.word_index].requires_grad_()
        with self._autocast():
            layers, _ = bilm(tokens, batch.packing)
        clock.append(time.perf_counter())
        top = layers[-1].detach().requires_grad_()
        ahead, back = top.chunk(2, dim=1)
        with self._autocast():
            loss = model._loss(ahead[~batch.is_last], batch.targets[~batch.is_first])
            loss = loss + model._loss(back[~batch.is_first], batch.targets[~batch.is_last])
        (loss / (2 * batch.n_predictions)).backward()
        clock.append(time.perf_counter())
        layers[-1].backward(top.grad)
        clock.append(time.perf_counter())
        vectors[batch.word_index].backward(tokens.grad)
        clock.append(time.perf_counter())
        self._change_weights()
        clock.append(time.perf_counter())
        cnn, lstm, softmax, lstm_back, cnn_back, optimizer = np.diff(clock).tolist()
        return [cnn + cnn_back, lstm + lstm_back, softmax, optimizer]

    def _autocast(self) -> torch.autocast:
        return torch.autocast("cpu", dtype=torch.bfloat16, enabled=self.bf16)

    def _change_weights(self) -> None:
        torch.nn.utils.clip_grad_norm_(self.model.parameters(), self.settings.max_gradient)
        self.optimizer.step()


class TrainingPeer(PeerProcess):
    """AllenNLP's ELMo that does steps and answers with seconds and loss."""

    def __init__(self, peer: Peer, folder: Path, threads: int) -> None:
        names = ("options.json", "weights.hdf5", "softmax.npz", "batches.json")
        super().__init__(peer, "peer_train.py", [folder / name for name in names], threads)

    def step(self, kind: str, number: int) -> tuple[float, float]:
        seconds, loss = map(float, self.ask(f"{kind} {number}\n").split())
        return seconds, loss


def measure(
    peer: Peer, batches: Batches, config: PretrainingConfig, turns: int, threads: int
) -> dict[str, Any]:
    ours = {
        name: Trainer(_model(batches, config), config, name == "bf16")
        for name in ("float32", "bf16")
    }
    seconds: dict[str, list[float]] = {name: [] for name in (*ours, *PEERS)}
    losses: dict[str, float] = {}
    with tempfile.TemporaryDirectory() as temporary:
        _write(Path(temporary), ours["float32"].model, batches)
        with TrainingPeer(peer, Path(temporary), threads) as theirs:
            for turn in range(turns + 1):
                number = turn % len(batches.ours)
                found = {kind: theirs.step(kind, number) for kind in PEERS}
                found |= {name: each.step(batches.ours[number]) for name, each in ours.items()}
                if not turn:  # the first step of all prepares much, on both sides
                    losses = {name: loss for name, (_, loss) in found.items()}
                    continue
                for name, (taken, _) in found.items():
                    seconds[name].append(taken)
    rates = {name: batches.n_tokens / statistics.median(each) for name, each in seconds.items()}
    return {
        "tokens_per_second": rates,
        "ratios": {
            f"{name} / {kind}": statistics.median(
                theirs / mine for mine, theirs in zip(seconds[name], seconds[kind], strict=True)
            )
            for name in ours
            for kind in PEERS
        },
        "first_losses": losses,
        "profile": {name: dict(_profile(each, batches, turns)) for name, each in ours.items()},
    }


def _profile(trainer: Trainer, batches: Batches, turns: int) -> Iterator[tuple[str, float]]:
    """Share of a step's seconds that each part takes."""
    taken = [trainer.parts(batches.ours[turn % len(batches.ours)]) for turn in range(turns)]
    medians = np.median(np.array(taken), axis=0)
    for name, each in zip(PARTS, medians, strict=True):
        yield name, float(each / medians.sum())


def _model(batches: Batches, config: PretrainingConfig) -> LanguageModel:
    bilm: BiLM = random_bilm(config.options, batches.sentences)
    torch.manual_seed(0)
    cutoffs: Sequence[int] = config.training.softmax_cutoffs
    return LanguageModel(bilm, len(batches.vocabulary), cutoffs).train()


def _write(folder: Path, model: LanguageModel, batches: Batches) -> None:
    model.bilm.to_hdf5(folder)
    arrays = {name: value.numpy() for name, value in model.softmax.state_dict().items()}
    np.savez(folder / "softmax.npz", cutoffs=np.array(model.softmax.cutoffs), **arrays)
    (folder / "batches.json").write_text(json.dumps(batches.theirs), encoding="utf8")


def show(data: dict[str, Any]) -> None:
    for name, rate in data["tokens_per_second"].items():
        whose = "AllenNLP" if name in PEERS else "ours"
        print(f"{whose + ', ' + name:20} {rate:8,.0f} tokens/s")
    for name, ratio in data["ratios"].items():
        print(f"{name:20} {ratio:8.2f}x")
    for name, profile in data["profile"].items():
        shares = ", ".join(f"{part} {share:.0%}" for part, share in profile.items())
        print(f"{name}: {shares}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--text", type=Path, required=True)
    parser.add_argument("--config", type=Path, default=Path("configs/pretrain-small-en.cfg"))
    parser.add_argument("--sentences", type=int, default=50_000, help="of the text that are read")
    parser.add_argument("--batches", type=int, default=4)
    parser.add_argument("--turns", type=int, default=7)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--output", type=Path, default=Path("benchmarks/results/pretrain.json"))
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    peer = Peer.find()
    config = PretrainingConfig.from_cfg(args.config)
    batches = make_batches(args.text, args.sentences, args.batches, config)
    data = {
        "config": str(args.config),
        "text": args.text.name,
        "machine": machine(args.threads),
        "compiled": kernels.available_for_training(),
        "n_params": config.options.n_params,
        "n_vocabulary": len(batches.vocabulary),
        "n_tokens": batches.n_tokens,
        "lstm_flops_per_token": 3 * lstm_flops(config.options),  # forward, and twice that back
        **measure(peer, batches, config, args.turns, args.threads),
    }
    show(data)
    losses = data["first_losses"]
    if abs(losses["float32"] - losses["adaptive"]) > 1e-3 * losses["float32"]:
        raise SystemExit(f"Both sides should compute the same loss: {losses}")
    write(args.output, data)


if __name__ == "__main__":
    main()
