"""Compute the char-CNN for prediction: all convolutions in one product, and one per highway.

The results are those of `char_cnn.py` up to float32 rounding. A filter narrower than the widest is
padded to that width with zeros: there is a fifth more to multiply, but one large product takes
less time than many small ones. Words go through the convolutions a few at a time, so that the
values of the filters are still in the cache when the largest is taken.
"""

from collections.abc import Callable, Iterable
from contextlib import nullcontext
from typing import Any, Protocol, cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .char_cnn_compiled import Tables, fit
from .char_cnn_training import windows_of
from .openmp import one_thread
from .options import N_CHARACTERS
from .products import FastLinear

# Values that all filters give for one block of words: 2 MB of float32.
_VALUES_PER_BLOCK = 1 << 19
# So few words are done before a second thread would have begun on a busy machine.
_FEW_WORDS = 16


class CharCNNLayers(Protocol):
    """Has the layers of a char-CNN; highways have a transform and a carry, both linear."""

    widest: int
    embedding: nn.Embedding
    convolutions: nn.ModuleList
    highways: nn.ModuleList
    projection: nn.Linear

    @property
    def activation(self) -> Callable[[Tensor], Tensor]:
        """Return relu or tanh."""
        ...


class FastCharCNN:
    """Holds the weights of a char-CNN as prediction reads them."""

    def __init__(self, cnn: CharCNNLayers, dtype: torch.dtype = torch.float32) -> None:
        """Lay out the weights. dtype: of the products; everything else is float32."""
        self.dtype = dtype
        self.widest = cnn.widest
        self.activation = cnn.activation
        self._tables: Tables | None = None
        convolutions = [cast(nn.Conv1d, conv) for conv in cnn.convolutions]
        if fit(convolutions, dtype, cnn.embedding.weight.device):
            self._tables = Tables.for_prediction(cnn.embedding, convolutions)
        self._embedding = cnn.embedding.weight.detach().to(dtype)
        self._widths = [convolution.kernel_size[0] for convolution in convolutions]
        self._n_filters = [convolution.out_channels for convolution in convolutions]
        # (filters, characters, width) -> (filters, width * characters), the order of windows.
        weights = [convolution.weight.transpose(1, 2).flatten(1) for convolution in convolutions]
        n_inputs = self.widest * self._embedding.shape[1]
        self._filters = FastLinear(
            torch.cat([F.pad(filters, (0, n_inputs - filters.shape[1])) for filters in weights]).to(
                dtype
            ),
            torch.cat([cast(Tensor, convolution.bias) for convolution in convolutions]).to(dtype),
        )
        self._highways = [
            FastLinear(
                torch.cat([highway.transform.weight, highway.carry.weight]).to(dtype),
                torch.cat([highway.transform.bias, highway.carry.bias]).to(dtype),
            )
            for highway in cast(Iterable[Any], cnn.highways)
        ]
        self._projection = FastLinear(
            cnn.projection.weight.to(dtype), cnn.projection.bias.to(dtype)
        )

    def __call__(self, char_ids: Tensor, lengths: Tensor) -> Tensor:
        """Turn char_ids (n_words, max_characters) int64 into vectors (n_words, proj) float32.

        lengths (n_words,): characters per word. There must be at least one word.
        """
        with one_thread() if len(lengths) <= _FEW_WORDS else nullcontext():
            return self._vectors(char_ids, lengths)

    def _vectors(self, char_ids: Tensor, lengths: Tensor) -> Tensor:
        if self._tables is not None:
            return self._upper(self._tables.pooled(char_ids, lengths))
        order = torch.argsort(lengths, stable=True)
        char_ids, lengths = char_ids[order], lengths[order]
        pooled = []
        start = 0
        while start < len(order):
            # Shortest first: the next word says how long the block's words are at least.
            end = start + max(1, self._windows_per_block // (int(lengths[start]) + 1))
            pooled.append(self._convolve(char_ids[start:end], int(lengths[start:end].max())))
            start = end
        projected = self._upper(torch.cat(pooled))
        result = torch.empty_like(projected)
        result[order] = projected
        return result

    def _upper(self, pooled: Tensor) -> Tensor:
        """Apply activation, highways and projection: (n_words, n_filters) -> (n_words, proj)."""
        x = self.activation(pooled).float()
        for highway in self._highways:
            transformed, carry = highway(x.to(self.dtype)).float().chunk(2, dim=1)
            # carry * relu(transformed) + (1 - carry) * x
            x = torch.lerp(x, transformed.relu(), carry.sigmoid())
        return self._projection(x.to(self.dtype)).float()

    @property
    def _windows_per_block(self) -> int:
        return _VALUES_PER_BLOCK // sum(self._n_filters)

    def _convolve(self, char_ids: Tensor, longest: int) -> Tensor:
        """Return each filter's largest value: (n_words, max_characters) -> (n_words, n_filters)."""
        most = char_ids.shape[1]
        # Past the longest word a window sees padding alone and repeats one value, so one such
        # window has the same maximum as all of them.
        n_windows = min(longest, most - 1) + 1
        n_slots = n_windows + self.widest - 1
        beyond = max(0, n_slots - most)
        x = self._embedding[F.pad(char_ids[:, :n_slots], (0, beyond), value=N_CHARACTERS)]
        values = self._filters(windows_of(x, n_windows, self.widest)).view(len(x), n_windows, -1)
        if not beyond:
            return values.amax(dim=1)
        # A filter has no value where it would reach beyond the last character.
        return torch.cat(
            [
                own[:, : most - width + 1].amax(dim=1)
                for width, own in zip(
                    self._widths, values.split(self._n_filters, dim=2), strict=True
                )
            ],
            dim=1,
        )
