"""The char-CNN for prediction only: every convolution and highway as a product on fixed weights.

The same numbers as `char_cnn` up to float32 rounding. Words go through the convolutions a few at
a time, so that what the filters give at each character is still in the cache when the largest is
taken.
"""

from typing import TYPE_CHECKING, cast

import torch
from torch import Tensor, nn

from .fast_linear import FastLinear

if TYPE_CHECKING:
    from .char_cnn import CharCNN, Highway

# Values that the widest set of filters gives for one block of words: 4 MB of float32.
_VALUES_PER_BLOCK = 1 << 20


class FastCharCNN:
    """Weights of a char-CNN, laid out for reading."""

    def __init__(self, cnn: "CharCNN", dtype: torch.dtype = torch.float32) -> None:
        """dtype: of the products; everything else is float32."""
        self.dtype = dtype
        self.widest = cnn.widest
        self.activation = cnn.activation
        self._embedding = cnn.embedding.weight.detach().to(dtype)
        convolutions = [cast(nn.Conv1d, each) for each in cnn.convolutions]
        self._widths = [convolution.kernel_size[0] for convolution in convolutions]
        self._most_filters = max(convolution.out_channels for convolution in convolutions)
        self._convolutions = [
            # (filters, characters, width) -> (filters, width * characters), as windows stand.
            FastLinear(
                convolution.weight.transpose(1, 2).flatten(1).to(dtype),
                cast(Tensor, convolution.bias).to(dtype),
            )
            for convolution in convolutions
        ]
        self._highways = [
            FastLinear(
                torch.cat([highway.transform.weight, highway.carry.weight]).to(dtype),
                torch.cat([highway.transform.bias, highway.carry.bias]).to(dtype),
            )
            for highway in cast(list["Highway"], list(cnn.highways))
        ]
        self._projection = FastLinear(
            cnn.projection.weight.to(dtype), cnn.projection.bias.to(dtype)
        )

    def __call__(self, char_ids: Tensor, lengths: Tensor) -> Tensor:
        """char_ids (n_words, max_characters) int64, lengths (n_words,) -> (n_words, proj) float32.

        At least one word.
        """
        order = torch.argsort(lengths, stable=True)
        char_ids, lengths = char_ids[order], lengths[order]
        pooled = []
        start = 0
        while start < len(order):
            # Shortest first: the next word says how long the block's words are at least.
            slots = self._slots(char_ids, int(lengths[start]))
            end = start + max(1, _VALUES_PER_BLOCK // (slots * self._most_filters))
            slots = self._slots(char_ids, int(lengths[start:end].max()))
            pooled.append(self._convolve(char_ids[start:end, :slots]))
            start = end
        x = self.activation(torch.cat(pooled)).float()  # (n_words, n_filters)
        for highway in self._highways:
            transformed, carry = highway(x.to(self.dtype)).float().chunk(2, dim=1)
            # carry * relu(transformed) + (1 - carry) * x
            x = torch.lerp(x, transformed.relu(), carry.sigmoid())
        projected = self._projection(x.to(self.dtype)).float()
        result = torch.empty_like(projected)
        result[order] = projected
        return result

    def _slots(self, char_ids: Tensor, longest: int) -> int:
        # Past the longest word a window sees padding alone and repeats one value, so one such
        # window has the same maximum as all of them.
        return min(char_ids.shape[1], longest + self.widest)

    def _convolve(self, char_ids: Tensor) -> Tensor:
        """(n_words, n_slots) -> the largest value of each filter, (n_words, n_filters)."""
        x = self._embedding[char_ids]  # (n_words, n_slots, char_dim)
        n_words, n_slots, dim = x.shape
        largest = []
        for width, filters in zip(self._widths, self._convolutions, strict=True):
            n_windows = n_slots - width + 1
            # A window is width * dim neighbours in memory.
            windows = x.as_strided((n_words, n_windows, width * dim), (n_slots * dim, dim, 1))
            values = filters(windows.reshape(-1, width * dim))
            largest.append(values.view(n_words, n_windows, -1).amax(dim=1))
        return torch.cat(largest, dim=1)
