"""Join char-CNN and LSTM layers to one network: words in, contextual layers out, as tensors."""

from collections.abc import Iterator, Sequence

import numpy as np
import torch
from torch import Tensor, nn

from .caches import Derived, WordCache
from .char_cnn import CharCNN
from .characters import words_to_ids
from .lstm import LSTMStack, LSTMState
from .options import BiLMOptions
from .packing import Packing, inverse
from .products import own_parameters, product_dtype
from .sentences import distinct_words
from .states import BiLMStates, reordered, repeated


class BiLMNetwork(nn.Module):
    """Computes the layers of one batch; a sentence's layers depend on its words alone."""

    def __init__(self, options: BiLMOptions) -> None:
        super().__init__()
        self.options = options
        with torch.inference_mode(False):
            self.char_cnn = CharCNN(options)
            self.forward_lstm = LSTMStack(options.lstm)
            self.backward_lstm = LSTMStack(options.lstm)
        self._word_cache: Derived[WordCache] = Derived()

    @property
    def device(self) -> torch.device:
        """Return where the weights are."""
        return self.char_cnn.projection.weight.device

    def run(
        self,
        sentences: Sequence[Sequence[str]],
        states: BiLMStates | None = None,
    ) -> tuple[list[Tensor], BiLMStates]:
        """Run one batch, with gradients if they are enabled.

        Returns the layers of each sentence, (n_layers + 1, n_tokens, width) float32 without its
        marks, and the states each sentence ends in.

        states: where each sentence starts, one row per sentence or one row for all; zeros if None.
        """
        if not sentences:
            return [], ([], [])
        tokens, lengths = self._tokens(sentences)
        if states is not None and len(states[0][0].h) != len(lengths):
            states = repeated(states, len(lengths), self.device)
        stacked, last = self(tokens, Packing.of(lengths), states)
        return _without_marks(stacked, lengths), last

    def predict(
        self, sentences: Sequence[Sequence[str]], states: BiLMStates | None, out: Tensor
    ) -> list[Tensor]:
        """Run one batch without gradients; return the layers of each sentence as `run` does.

        states: one row, which every sentence starts from; zeros if None.
        out: (n_layers + 1, n_flat or more, width) float32, which the layers are written to.
        """
        tokens, lengths = self._tokens(sentences)
        if states is not None:
            states = repeated(states, len(lengths), self.device)
        layers = out[:, : len(tokens)]
        self._fill(layers, tokens, Packing.of(lengths), states)
        return _without_marks(layers, lengths)

    def _tokens(self, sentences: Sequence[Sequence[str]]) -> tuple[Tensor, list[int]]:
        """Return words as vectors (n_flat, projection_dim), and the lengths, marks included."""
        words, rows = distinct_words(sentences)
        word_index = torch.from_numpy(np.concatenate(rows)).to(self.device)
        return self.word_vectors(words)[word_index], [len(row) for row in rows]

    def word_vectors(self, words: Sequence[str]) -> Tensor:
        """Return context-free vectors: n_words distinct str -> (n_words, projection_dim)."""
        if torch.is_grad_enabled():
            self._word_cache.forget()
            return self._spell_out(words)
        parameters = own_parameters(self.char_cnn)
        cache = self._word_cache.get(
            parameters, self._make_word_cache, product_dtype(parameters[0])
        )
        return cache.get(words, self._spell_out)

    def _make_word_cache(self) -> WordCache:
        options = self.options
        return WordCache(options.lstm.projection_dim, options.char_cnn.max_characters_per_token)

    def _spell_out(self, words: Sequence[str]) -> Tensor:
        char_ids, lengths = words_to_ids(words, self.options.char_cnn.max_characters_per_token)
        return self.char_cnn(
            torch.from_numpy(char_ids).to(self.device), torch.from_numpy(lengths).to(self.device)
        )

    def forward(
        self,
        tokens: Tensor,
        packing: Packing,
        states: BiLMStates | None = None,
    ) -> tuple[Tensor, BiLMStates]:
        """Put word vectors into context: tokens (n_flat, projection_dim), sentence after sentence.

        Returns layers (n_layers + 1, n_flat, width) float32, marks included, and last states.
        """
        shape = (self.options.n_layers, len(tokens), self.options.width)
        layers = torch.empty(shape, dtype=torch.float32, device=tokens.device)
        half = self.options.width // 2
        last_states: list[list[LSTMState]] = []
        for direction, (packed, outputs, last) in enumerate(self.read(tokens, packing, states)):
            columns = slice(direction * half, (direction + 1) * half)
            layers[0, :, columns] = tokens
            for depth, output in enumerate(outputs, start=1):
                layers[depth, packed, columns] = output
            last_states.append(last)
        return layers, (last_states[0], last_states[1])

    def _fill(
        self, layers: Tensor, tokens: Tensor, packing: Packing, states: BiLMStates | None
    ) -> None:
        """Compute what `forward` returns without gradients, each layer where it belongs."""
        half = self.options.width // 2
        order = packing.order.to(tokens.device)
        for direction, stack in enumerate((self.forward_lstm, self.backward_lstm)):
            own = layers[..., direction * half : (direction + 1) * half]
            own[0] = tokens
            packed = (packing.forward, packing.backward)[direction].to(tokens.device)
            start = reordered(states[direction], order) if states else None
            stack.predict(own, packed, packing.batch_sizes, start)

    def read(
        self, tokens: Tensor, packing: Packing, states: BiLMStates | None = None
    ) -> Iterator[tuple[Tensor, list[Tensor], list[LSTMState]]]:
        """Run both directions over tokens (n_flat, projection_dim), forward first.

        Yields for each direction the order of reading, (n_flat,) int64; each layer's output in
        that order, (n_flat, projection_dim); and the last states.
        """
        order = packing.order.to(tokens.device)
        for direction, stack in enumerate((self.forward_lstm, self.backward_lstm)):
            packed = (packing.forward, packing.backward)[direction].to(tokens.device)
            start = reordered(states[direction], order) if states else None
            # torch takes longer for the gradient of tokens[packed].
            outputs, last = stack(tokens.index_select(0, packed), packing.batch_sizes, start)
            yield packed, outputs, reordered(last, inverse(order))


def _without_marks(layers: Tensor, lengths: list[int]) -> list[Tensor]:
    return [own[:, 1:-1] for own in layers.split(lengths, dim=1)]
