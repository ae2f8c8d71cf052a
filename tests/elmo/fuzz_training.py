"""Random shapes through the kernels of training in a build with sanitizers.

Run with the build's path and a number of rounds as arguments, the sanitizers preloaded.
"""

import ctypes
import random
import sys

import torch
from torch import nn

from spacy_elmo_ner.elmo import char_cnn_compiled, kernels
from spacy_elmo_ner.elmo.lstm_training import LSTMWeights, packed_lstm
from spacy_elmo_ner.pretraining.cross_entropy import linear_cross_entropy


def lstm(draw: random.Random) -> None:
    units = 16 * draw.randint(1, 9)
    projected = draw.random() < 0.5
    n_in, n_out = draw.randint(1, 50), 16 * draw.randint(1, 9) if projected else units
    sizes = sorted((draw.randint(1, 40) for _ in range(draw.randint(1, 6))), reverse=True)
    shapes = [(4 * units, n_in), (4 * units, n_out), (4 * units,), (n_out, units)]
    own = [torch.randn(shape, requires_grad=True) for shape in shapes[: 3 + projected]]
    x = torch.randn(sum(sizes), n_in, requires_grad=True)
    state = torch.randn(sizes[0], n_out), torch.randn(sizes[0], units)
    outputs, last = packed_lstm(
        x,
        sizes,
        LSTMWeights(*own),
        state=state if draw.random() < 0.5 else None,
        recurrent_mask=torch.rand(sizes[0], n_out) if draw.random() < 0.5 else None,
        cell_clip=draw.choice([None, 0.5]),
        proj_clip=draw.choice([None, 0.5]) if projected else None,
        dtype=torch.bfloat16,
    )
    found = torch.autograd.grad(outputs.sum(), [x, *own])
    assert all(part.isfinite().all() for part in (outputs, last, *found))


def softmax(draw: random.Random) -> None:
    n, dim, n_classes = draw.randint(0, 200), 2 * draw.randint(1, 70), draw.randint(1, 700)
    hidden = torch.randn(n, dim, requires_grad=True)
    weight = torch.randn(n_classes, dim, requires_grad=True)
    with torch.autocast("cpu", torch.bfloat16):
        loss = linear_cross_entropy(hidden, weight, torch.randint(n_classes, (n,)))
    found = torch.autograd.grad(loss, [hidden, weight])
    assert all(part.isfinite().all() for part in (loss, *found))


def char_cnn(draw: random.Random) -> None:
    n_words, n_slots, dim = draw.randint(1, 30), draw.randint(8, 50), draw.randint(1, 16)
    embedding = nn.Embedding(262, dim)
    convolutions = [
        nn.Conv1d(dim, 16 * draw.randint(1, 9), draw.randint(1, 8))
        for _ in range(draw.randint(1, 4))
    ]
    ids, lengths = torch.randint(262, (n_words, n_slots)), torch.randint(2, n_slots + 1, (n_words,))
    tables = char_cnn_compiled.Tables.for_training(embedding, convolutions)
    pooled = tables.pooled_with_gradients(ids, lengths, torch.float32)
    alone = char_cnn_compiled.Tables.for_prediction(embedding, convolutions).pooled(ids, lengths)
    torch.testing.assert_close(alone, pooled, atol=1e-5, rtol=1e-5)
    pooled.sum().backward()
    assert embedding.weight.grad is not None and embedding.weight.grad.isfinite().all()
    width = 16 * draw.randint(1, 9)
    x = torch.randn(n_words, width).bfloat16().requires_grad_()
    char_cnn_compiled.highway(x, nn.Linear(width, width), nn.Linear(width, width)).sum().backward()
    assert x.grad is not None and x.grad.isfinite().all()


def main(path: str, rounds: int) -> None:
    library = ctypes.CDLL(path)
    kernels.library = lambda: library  # type: ignore[assignment]
    for seed in range(rounds):
        torch.manual_seed(seed)
        torch.set_num_threads(1 + seed % 2)
        kernels.use_tiles(seed % 3 > 0)
        draw = random.Random(seed)
        lstm(draw)
        softmax(draw)
        char_cnn(draw)
    print(f"{rounds} rounds")


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
