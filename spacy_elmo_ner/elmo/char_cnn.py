"""Compute a word's vector from its characters: convolutions, highways, projection."""

from collections.abc import Callable
from typing import cast

import torch
from torch import Tensor, nn

from .caches import Derived
from .char_cnn_compiled import highway, highway_fits
from .char_cnn_prediction import FastCharCNN
from .char_cnn_training import pooled_convolutions
from .lstm_training import with_more_rows
from .options import N_CHARACTERS, BiLMOptions
from .products import own_parameters, product_dtype


class Highway(nn.Module):
    """Compute carry * relu(transform(x)) + (1 - carry) * x (Srivastava et al. 2015).

    The gate keeps bilm-tf's name, although it opens the transformed half.
    """

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.transform = nn.Linear(dim, dim, dtype=torch.float32)
        self.carry = nn.Linear(dim, dim, dtype=torch.float32)
        # A fresh layer mostly hands its input on, as bilm-tf starts its training.
        nn.init.constant_(self.carry.bias, -2.0)

    def forward(self, x: Tensor) -> Tensor:
        if highway_fits(x):
            return highway(x, self.transform, self.carry)
        carry = torch.sigmoid(self.carry(x))
        return carry * torch.relu(self.transform(x)) + (1 - carry) * x


class CharCNN(nn.Module):
    """Turn each word's characters into its context-free vector, layer 0 of the biLM."""

    def __init__(self, options: BiLMOptions) -> None:
        super().__init__()
        cnn = options.char_cnn
        self.widest = max(width for width, _ in cnn.filters)
        self.activation: Callable[[Tensor], Tensor] = (
            torch.relu if cnn.activation == "relu" else torch.tanh
        )
        # Row 0, "no character", is kept so that ids agree with AllenNLP's; no word uses it.
        self.embedding = nn.Embedding.from_pretrained(
            _fresh_embedding(cnn.embedding_dim), freeze=False, padding_idx=0
        )
        self.convolutions = nn.ModuleList(
            nn.Conv1d(cnn.embedding_dim, n, width, dtype=torch.float32) for width, n in cnn.filters
        )
        self.highways = nn.ModuleList(Highway(cnn.n_filters) for _ in range(cnn.n_highway))
        self.projection = nn.Linear(cnn.n_filters, options.lstm.projection_dim, dtype=torch.float32)
        self._fast: Derived[FastCharCNN] = Derived()

    def forward(self, char_ids: Tensor, lengths: Tensor) -> Tensor:
        """Turn char_ids (n_words, max_characters) int64 into vectors (n_words, proj) float32.

        The result does not depend on the other words: blocks and trimming are exact.
        """
        if not len(char_ids):
            return self.projection.weight.new_zeros((0, self.projection.out_features))
        if not torch.is_grad_enabled():
            dtype = product_dtype(self.projection.weight)
            fast = self._fast.get(own_parameters(self), lambda: FastCharCNN(self, dtype), dtype)
            return fast(char_ids, lengths)
        self._fast.forget()
        pooled = pooled_convolutions(
            char_ids,
            lengths,
            self.embedding,
            cast(list[nn.Conv1d], list(self.convolutions)),
            product_dtype(self.projection.weight),
        )
        # (n_words, n_filters), then rows of zeros, see `with_more_rows`.
        x = with_more_rows(self.activation(pooled))
        for layer in self.highways:
            x = layer(x)
        return self.projection(x)[: len(char_ids)]


def _fresh_embedding(width: int) -> Tensor:
    """Draw (n_characters, width) as `nn.Embedding` does, row 0 zero; on "meta" nothing is drawn.

    There torch would import its compiler to draw nothing, which takes a second.
    """
    weight = torch.empty(N_CHARACTERS + 1, width, dtype=torch.float32)
    if not weight.is_meta:
        nn.init.normal_(weight)
        weight[0] = 0
    return weight
