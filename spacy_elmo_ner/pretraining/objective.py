"""Predict each word from the words before it, and from the words after it.

Both directions share the char-CNN below and one softmax above, as in ELMo (Peters et al. 2018,
section 3.1). The softmax is the adaptive one of Grave et al. (2017): it gives every word of the
vocabulary its exact probability, so a training loss here is a true perplexity.
"""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import NamedTuple, cast

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor, nn

from ..corpus.casing import SPELLINGS
from ..elmo import BiLM, BiLMOptions
from ..elmo.characters import BOS, EOS, words_to_ids
from ..elmo.lstm import LSTMState
from ..elmo.packing import Packing, inverse
from ..elmo.states import BiLMStates
from .cross_entropy import linear_cross_entropy

UNKNOWN = "<UNK>"
SPECIAL = [BOS, EOS, UNKNOWN]


class Batch(NamedTuple):
    """Holds sentences ready for the biLM, marks included, sentence after sentence.

    char_ids (n_words, max_characters) int64 and lengths (n_words,): the distinct words.
    word_index (n_flat,): which of them each token is. targets (n_flat,): vocabulary ids.
    is_first, is_last (n_flat,) bool: sentence marks. silver: kind of label -> (n_flat,) int64,
    -1 where a token has none.
    """

    char_ids: Tensor
    lengths: Tensor
    word_index: Tensor
    targets: Tensor
    packing: Packing
    is_first: Tensor
    is_last: Tensor
    silver: dict[str, Tensor] = {}  # noqa: RUF012 - never changed

    @property
    def n_predictions(self) -> int:
        """Return how many predictions each direction makes: the words and one mark per sentence."""
        return len(self.targets) - int(self.is_first.sum())


class Vocabulary:
    """Holds the words that can be predicted, most frequent first, after three special ones."""

    def __init__(self, words: Sequence[str]) -> None:
        self.words = list(words)
        self.index = {word: i for i, word in enumerate(self.words)}

    def __len__(self) -> int:
        return len(self.words)

    @classmethod
    def most_frequent(cls, words: Sequence[str], size: int) -> "Vocabulary":
        """Take the first of distinct words, most frequent first; size includes special ones."""
        known = [word for word in words[: size + len(SPECIAL)] if word not in SPECIAL]
        return cls(SPECIAL + known[: size - len(SPECIAL)])

    def ids(self, words: Sequence[str]) -> NDArray[np.int64]:
        """Return the id of each word, that of `UNKNOWN` for any other: (n_words,)."""
        unknown = self.index[UNKNOWN]
        return np.asarray([self.index.get(word, unknown) for word in words], dtype=np.int64)

    def lacks(self, words: Sequence[str]) -> NDArray[np.bool_]:
        """Return which of these words cannot be predicted: (n_words,) bool."""
        return np.asarray([word not in self.index for word in words], dtype=bool)


class BatchMaker:
    """Turns sentences over a fixed list of words into batches, spelling each word once."""

    def __init__(self, words: Sequence[str], vocabulary: Vocabulary, options: BiLMOptions) -> None:
        # The marks take the last two rows, after all words.
        spelled = [*words, BOS, EOS]
        char_ids, lengths = words_to_ids(spelled, options.char_cnn.max_characters_per_token)
        self._char_ids = char_ids.astype(np.int16)
        self._lengths = lengths
        self._targets = vocabulary.ids(spelled)
        self._bos, self._eos = len(words), len(words) + 1
        self._words, self._max_characters = words, options.char_cnn.max_characters_per_token

    def __call__(
        self, sentences: Sequence[NDArray[np.int32]], cases: NDArray[np.int64] | None = None
    ) -> Batch:
        """Make one batch of sentences, each (n_tokens,) indices into the words.

        cases (n_sentences,): each one's index into `casing.SPELLINGS`; None leaves all as written.
        The words to predict stay as they are.
        """
        sizes = np.asarray([len(sentence) + 2 for sentence in sentences])
        last = np.cumsum(sizes) - 1
        first = last - sizes + 1
        flat = np.empty(sizes.sum(), dtype=np.int64)
        inner = np.ones(len(flat), dtype=bool)
        inner[first] = inner[last] = False
        flat[inner] = np.concatenate(sentences)
        flat[first], flat[last] = self._bos, self._eos
        spelled = flat if cases is None else flat + len(self._lengths) * np.repeat(cases, sizes)
        distinct, word_index = np.unique(spelled, return_inverse=True)
        char_ids, lengths = self._spell(distinct)
        is_first, is_last = np.zeros((2, len(flat)), dtype=bool)
        is_first[first] = is_last[last] = True
        return Batch(
            char_ids=torch.from_numpy(char_ids),
            lengths=torch.from_numpy(lengths),
            word_index=torch.from_numpy(word_index),
            targets=torch.from_numpy(self._targets[flat]),
            packing=Packing.of(sizes.tolist()),
            is_first=torch.from_numpy(is_first),
            is_last=torch.from_numpy(is_last),
        )

    def _spell(self, spelled: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Spell word + n_words * case, rising: char_ids (n_words, n) and lengths (n_words,)."""
        case, word = np.divmod(spelled, len(self._lengths))
        char_ids = self._char_ids[word].astype(np.int64)
        lengths = self._lengths[word]
        changed = np.flatnonzero((case > 0) & (word < self._bos))
        if len(changed):
            new = [SPELLINGS[case[i]](self._words[word[i]]) for i in changed]
            char_ids[changed], lengths[changed] = words_to_ids(new, self._max_characters)
        return char_ids, lengths


class LanguageModel(nn.Module):
    """Joins a biLM and the softmax over a vocabulary that it is trained with."""

    def __init__(
        self,
        bilm: BiLM,
        n_vocabulary: int,
        cutoffs: Sequence[int],
        n_silver: Mapping[str, int] | None = None,
    ) -> None:
        """Add a softmax; n_silver: kind -> number of labels that each layer also predicts."""
        super().__init__()
        self.bilm = bilm
        options = bilm.options
        self.silver = nn.ModuleDict(
            {
                f"{kind}-{depth}": nn.Linear(options.width, n, dtype=torch.float32)
                for kind, n in (n_silver or {}).items()
                for depth in range(1, options.n_layers)
            }
        )
        self.softmax = nn.AdaptiveLogSoftmaxWithLoss(
            bilm.options.lstm.projection_dim,
            n_vocabulary,
            [cutoff for cutoff in cutoffs if cutoff < n_vocabulary - 1] or [n_vocabulary // 2],
            div_value=2.0,
        )

    def forward(
        self, batch: Batch, states: BiLMStates | None = None
    ) -> tuple[Tensor, Tensor, Tensor, BiLMStates]:
        """Compute the losses of a batch: forward, backward and of silver labels, float32 scalars.

        The first two are summed negative log-likelihoods in nats, of `batch.n_predictions` each:
        forward predicts every word and the end mark, backward every word and the begin mark. The
        third is the mean over silver labels, 0 without any. states: where each sentence starts;
        zeros if None. Also returns the states each sentence ends in, without gradients.
        """
        vectors = self.bilm.char_cnn(batch.char_ids, batch.lengths)
        # torch takes longer for the gradient of vectors[...].
        tokens = vectors.index_select(0, batch.word_index)
        losses, last_states, directions = [], [], []
        # The token a position predicts is its neighbour in the direction of reading.
        ends = (batch.is_last, 1), (batch.is_first, -1)
        for (packed, outputs, last), (is_end, step) in zip(
            self.bilm.read(tokens, batch.packing, states), ends, strict=True
        ):
            rows = (~is_end[packed]).nonzero().squeeze(1)
            hidden = outputs[-1].index_select(0, rows)
            losses.append(self._loss(hidden, batch.targets[packed[rows] + step]))
            last_states.append([LSTMState(state.h.detach(), state.c.detach()) for state in last])
            directions.append((inverse(packed), outputs))
        silver = self._silver_loss(directions, batch)
        return losses[0], losses[1], silver, (last_states[0], last_states[1])

    def _silver_loss(
        self, directions: Sequence[tuple[Tensor, Sequence[Tensor]]], batch: Batch
    ) -> Tensor:
        """Compute the mean loss of silver labels; directions: each one's positions and outputs."""
        losses, n_labelled = [], 0
        for kind, labels in batch.silver.items():
            rows = (labels >= 0).nonzero().squeeze(1)
            for depth in range(self.bilm.options.lstm.n_layers):
                states = [
                    outputs[depth].index_select(0, position[rows])
                    for position, outputs in directions
                ]
                logits = self.silver[f"{kind}-{depth + 1}"](torch.cat(states, dim=1)).float()
                # Without labels a sum of nothing: the gradient is 0 and not missing, as each of
                # several processes must have it.
                losses.append(F.cross_entropy(logits, labels[rows]) if len(rows) else logits.sum())
                n_labelled += len(rows) > 0
        if not losses:
            return torch.zeros((), dtype=torch.float32)
        return torch.stack(losses).sum() / max(1, n_labelled)

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
