"""Predict each word from the words before it, and from the words after it.

Both directions share the char-CNN below and one softmax above, as in ELMo (Peters et al. 2018,
section 3.1). The softmax is the adaptive one of Grave et al. (2017): it gives every word of the
vocabulary its exact probability, so a training loss here is a true perplexity.
"""

from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple, cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from ..elmo import BiLM, BiLMOptions
from ..elmo.bilm import BiLMStates
from ..elmo.characters import BOS, EOS, words_to_ids
from ..elmo.lstm import LSTMState
from ..elmo.packing import Packing
from .cross_entropy import linear_cross_entropy

UNKNOWN = "<UNK>"
SPECIAL = [BOS, EOS, UNKNOWN]


class Batch(NamedTuple):
    """Sentences ready for the biLM, marks included, sentence after sentence.

    char_ids (n_words, max_characters) int64 and lengths (n_words,): the distinct words.
    word_index (n_flat,): which of them each token is. targets (n_flat,): vocabulary ids.
    is_first, is_last (n_flat,) bool: sentence marks.
    """

    char_ids: Tensor
    lengths: Tensor
    word_index: Tensor
    targets: Tensor
    packing: Packing
    is_first: Tensor
    is_last: Tensor

    @property
    def n_predictions(self) -> int:
        """What each direction predicts: the words and one mark per sentence."""
        return len(self.targets) - int(self.is_first.sum())


class Vocabulary:
    """The words that can be predicted, most frequent first, after the three special ones."""

    def __init__(self, words: Sequence[str]) -> None:
        self.words = list(words)
        self.index = {word: i for i, word in enumerate(self.words)}

    def __len__(self) -> int:
        return len(self.words)

    @classmethod
    def most_frequent(cls, words: Sequence[str], size: int) -> "Vocabulary":
        """words: distinct, most frequent first; special ones stand in front and count."""
        known = [word for word in words[: size + len(SPECIAL)] if word not in SPECIAL]
        return cls(SPECIAL + known[: size - len(SPECIAL)])

    def ids(self, words: Sequence[str]) -> NDArray[np.int64]:
        unknown = self.index[UNKNOWN]
        return np.asarray([self.index.get(word, unknown) for word in words], dtype=np.int64)

    def lacks(self, words: Sequence[str]) -> NDArray[np.bool_]:
        """Which of these words cannot be predicted: (n_words,)."""
        return np.asarray([word not in self.index for word in words], dtype=bool)


class BatchMaker:
    """Turns sentences over a fixed list of words into batches, spelling each word once."""

    def __init__(self, words: Sequence[str], vocabulary: Vocabulary, options: BiLMOptions) -> None:
        # The marks take the last two rows, behind all words.
        spelled = [*words, BOS, EOS]
        char_ids, lengths = words_to_ids(spelled, options.char_cnn.max_characters_per_token)
        self._char_ids = char_ids.astype(np.int16)
        self._lengths = lengths
        self._targets = vocabulary.ids(spelled)
        self._bos, self._eos = len(words), len(words) + 1

    def __call__(self, sentences: Sequence[NDArray[np.int32]]) -> Batch:
        """sentences: each (n_tokens,) indices into the words."""
        sizes = np.asarray([len(sentence) + 2 for sentence in sentences])
        last = np.cumsum(sizes) - 1
        first = last - sizes + 1
        flat = np.empty(sizes.sum(), dtype=np.int64)
        inner = np.ones(len(flat), dtype=bool)
        inner[first] = inner[last] = False
        flat[inner] = np.concatenate(sentences)
        flat[first], flat[last] = self._bos, self._eos
        distinct, word_index = np.unique(flat, return_inverse=True)
        is_first, is_last = np.zeros((2, len(flat)), dtype=bool)
        is_first[first] = is_last[last] = True
        return Batch(
            char_ids=torch.from_numpy(self._char_ids[distinct].astype(np.int64)),
            lengths=torch.from_numpy(self._lengths[distinct]),
            word_index=torch.from_numpy(word_index),
            targets=torch.from_numpy(self._targets[flat]),
            packing=Packing.of(sizes.tolist()),
            is_first=torch.from_numpy(is_first),
            is_last=torch.from_numpy(is_last),
        )


class LanguageModel(nn.Module):
    """A biLM and the softmax over a vocabulary that it is trained with."""

    def __init__(self, bilm: BiLM, n_vocabulary: int, cutoffs: Sequence[int]) -> None:
        super().__init__()
        self.bilm = bilm
        self.softmax = nn.AdaptiveLogSoftmaxWithLoss(
            bilm.options.lstm.projection_dim,
            n_vocabulary,
            [cutoff for cutoff in cutoffs if cutoff < n_vocabulary - 1] or [n_vocabulary // 2],
            div_value=2.0,
        )

    def forward(
        self, batch: Batch, states: BiLMStates | None = None
    ) -> tuple[Tensor, Tensor, BiLMStates]:
        """Summed negative log-likelihood in nats, forward and backward: float32 scalars.

        Forward predicts every word and the end mark, backward every word and the begin mark:
        `batch.n_predictions` each. states: where each sentence starts; zeros if None. Returned
        with the losses are the states they end in, cut off from the gradient.
        """
        vectors = self.bilm.char_cnn(batch.char_ids, batch.lengths)
        # torch takes longer for the gradient of vectors[...].
        tokens = vectors.index_select(0, batch.word_index)
        losses, last_states = [], []
        # The token a position predicts is its neighbour in the direction of reading.
        ends = (batch.is_last, 1), (batch.is_first, -1)
        for (packed, outputs, last), (is_end, step) in zip(
            self.bilm.read(tokens, batch.packing, states), ends, strict=True
        ):
            rows = (~is_end[packed]).nonzero().squeeze(1)
            hidden = outputs[-1].index_select(0, rows)
            losses.append(self._loss(hidden, batch.targets[packed[rows] + step]))
            last_states.append([LSTMState(state.h.detach(), state.c.detach()) for state in last])
        return losses[0], losses[1], (last_states[0], last_states[1])

    def _loss(self, hidden: Tensor, targets: Tensor) -> Tensor:
        # The sums of torch's own forward, which keeps every logit and cannot run in bfloat16.
        softmax = self.softmax
        in_head = targets.clamp(max=softmax.cutoffs[0])
        losses = []
        for i, (low, high) in enumerate(pairwise(softmax.cutoffs)):
            rows = ((targets >= low) & (targets < high)).nonzero().squeeze(1)
            in_head[rows] = softmax.cutoffs[0] + i
            narrow, out = cast(nn.Sequential, softmax.tail[i])
            projected = narrow(hidden.index_select(0, rows)).float()
            losses.append(
                linear_cross_entropy(projected, cast(Tensor, out.weight), targets[rows] - low)
            )
        losses.append(linear_cross_entropy(hidden, softmax.head.weight, in_head))
        return torch.stack(losses).sum()
