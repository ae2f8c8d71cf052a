"""The biLM: words to contextual layers, and the ways in and out of files."""

from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from pathlib import Path
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from tqdm import tqdm

from ..errors import Errors, shown
from .caches import Derived, WordCache
from .char_cnn import CharCNN
from .characters import distinct_words, words_to_ids
from .fast_linear import product_dtype
from .locks import Lock
from .lstm import LSTMStack, LSTMState
from .memory import empty
from .modes import lasting, on_cpu
from .options import BiLMOptions
from .packing import Packing, inverse, token_batches

InitialState = Literal["zeros", "warm"]
Layers = NDArray[np.float32]  # (n_layers + 1, n_tokens, 2 * projection_dim)

# Forward and backward states of each LSTM layer, one row per sentence.
BiLMStates = tuple[list[LSTMState], list[LSTMState]]


class BiLM(nn.Module):
    """Bidirectional language model over characters (Peters et al. 2018, section 3).

    A sentence's layers depend on its words alone: no state is kept between calls.
    """

    def __init__(self, options: BiLMOptions) -> None:
        super().__init__()
        self.options = options
        with torch.inference_mode(False):
            self.char_cnn = CharCNN(options)
            self.forward_lstm = LSTMStack(options.lstm)
            self.backward_lstm = LSTMStack(options.lstm)
        self._warm_states: BiLMStates | None = None
        self._warm_states_lock = Lock()
        self._word_cache: Derived[WordCache] = Derived()

    @classmethod
    def to_fill(cls, options: BiLMOptions) -> "BiLM":
        """A biLM on the CPU whose weights the caller fills in; they hold no values yet.

        It takes none of torch's random numbers, so that training with a seed gives the same
        result whether or not a biLM was read before.
        """
        with lasting():
            with torch.device("meta"):
                bilm = cls(options)
            return bilm.to_empty(device="cpu")

    # ---- words to layers -------------------------------------------------------------

    def embed(
        self,
        sentences: Iterable[Iterable[str]],
        *,
        initial_state: InitialState = "zeros",
        batch_tokens: int = 4096,
        progress: bool = False,
    ) -> list[Layers]:
        """Layers of each sentence: list of float32 (n_layers + 1, n_tokens, 2 * projection_dim).

        Layer 0 is the word's own vector twice; then one layer per LSTM layer, forward and
        backward side by side. The sentence marks take part but are not returned.

        initial_state: "zeros", the first batch of official ELMo, or "warm", one frozen state
            left by a fixed text (see `initial_state.py`).
        batch_tokens: work is cut into batches of about this many tokens, or up to twelve times
            as many where sentences are long; bounds the memory and changes nothing else (beyond
            float32 rounding, below 1e-5).
        progress: show a progress bar over the sentences.
        sentences may be any iterable of iterables, such as a generator or a pandas column; results
        come in its order. Raises TypeError if a sentence is a str or has no order or a word is no
        str, ValueError for an unknown initial_state.
        """
        texts = _as_lists(sentences)
        results: list[Layers] = [
            np.zeros((self.options.n_layers, 0, self.options.width), dtype=np.float32)
        ] * len(texts)
        found = self.iter_layers(texts, initial_state=initial_state, batch_tokens=batch_tokens)
        for i, layers in tqdm(found, total=len(texts), disable=not progress):
            results[i] = layers.copy()
        return results

    def iter_layers(
        self,
        sentences: Iterable[Iterable[str]],
        *,
        initial_state: InitialState = "zeros",
        batch_tokens: int = 4096,
    ) -> Iterator[tuple[int, Layers]]:
        """Index and layers of each sentence that has words, as they are done, longest first.

        Like `embed`, for who puts the layers elsewhere: an array holds only until the next is
        asked for, as all batches are written to the same memory.
        """
        texts = _as_lists(sentences)
        states = self.initial_states(initial_state)
        with_marks = [len(words) and len(words) + 2 for words in texts]
        batches = list(token_batches(with_marks, batch_tokens))
        most = max((sum(with_marks[i] for i in batch) for batch in batches), default=0)
        # Fresh memory for each batch would cost more than what is done with it.
        out = empty(self.options.n_layers, most, self.options.width, device=self.device)
        for batch in batches:
            with torch.inference_mode(), on_cpu():
                found = self.layers([texts[i] for i in batch], states, out)
            for i, layers in zip(batch, found, strict=True):
                yield i, layers.cpu().numpy()

    def layers(
        self,
        sentences: Sequence[Sequence[str]],
        states: BiLMStates | None = None,
        out: Tensor | None = None,
    ) -> list[Tensor]:
        """One batch with gradients: like `embed`, as tensors (n_layers + 1, n_tokens, width).

        states: start every sentence from these states of one row; zeros if None.
        out: see `contextualize`; the tensors are views of it.
        """
        if not sentences:
            return []
        if states is not None:
            states = _expand(states, len(sentences), self.device)
        stacked, _ = self.run(sentences, states, out)
        lengths = [len(sentence) + 2 for sentence in sentences]
        return [layers[:, 1:-1] for layers in stacked.split(lengths, dim=1)]

    def run(
        self,
        sentences: Sequence[Sequence[str]],
        states: BiLMStates | None = None,
        out: Tensor | None = None,
    ) -> tuple[Tensor, BiLMStates]:
        """Layers of all tokens with their marks, and the states each sentence ends in.

        states: (n_sentences, ...) where each sentence starts. Returns
        (n_layers + 1, sum of (n_tokens + 2), width) float32, sentence after sentence.
        out: see `contextualize`.
        """
        words, rows = distinct_words(sentences)
        packing = Packing.of([len(row) for row in rows])
        word_index = torch.from_numpy(np.concatenate(rows)).to(self.device)
        tokens = self.word_vectors(words)[word_index]  # (n_flat, projection_dim)
        return self.contextualize(tokens, packing, states, out)

    def word_vectors(self, words: Sequence[str]) -> Tensor:
        """Context-free vectors: n_words distinct str -> (n_words, projection_dim) float32."""
        parameters = list(self.char_cnn.parameters())
        if torch.is_grad_enabled():
            self._word_cache.forget()
            return self._spell_out(words)
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

    def contextualize(
        self,
        tokens: Tensor,
        packing: Packing,
        states: BiLMStates | None = None,
        out: Tensor | None = None,
    ) -> tuple[Tensor, BiLMStates]:
        """tokens (n_flat, projection_dim) -> layers (n_layers + 1, n_flat, width), last states.

        out: (n_layers + 1, n_flat or more, width) float32, where the layers are written instead
        of a new tensor; not with gradients.
        """
        shape = (self.options.n_layers, len(tokens), self.options.width)
        if out is None:
            layers = torch.empty(shape, dtype=torch.float32, device=tokens.device)
        else:
            layers = out[:, : shape[1]]
        half = self.options.width // 2
        last_states: list[list[LSTMState]] = []
        for direction, (packed, outputs, last) in enumerate(self.read(tokens, packing, states)):
            columns = slice(direction * half, (direction + 1) * half)
            layers[0, :, columns] = tokens
            for depth, output in enumerate(outputs, start=1):
                layers[depth, packed, columns] = output
            last_states.append(last)
        return layers, (last_states[0], last_states[1])

    def read(
        self, tokens: Tensor, packing: Packing, states: BiLMStates | None = None
    ) -> Iterator[tuple[Tensor, list[Tensor], list[LSTMState]]]:
        """tokens (n_flat, projection_dim) -> twice, forward and backward: the order of reading,
        (n_flat,) int64; each layer's output in that order, (n_flat, projection_dim); last states.
        """
        order = packing.order.to(tokens.device)
        for direction, stack in enumerate((self.forward_lstm, self.backward_lstm)):
            packed = (packing.forward, packing.backward)[direction].to(tokens.device)
            start = _reorder(states[direction], order) if states else None
            # torch takes longer for the gradient of tokens[packed].
            outputs, last = stack(tokens.index_select(0, packed), packing.batch_sizes, start)
            yield packed, outputs, _reorder(last, inverse(order))

    def initial_states(self, initial_state: InitialState) -> BiLMStates | None:
        """States of one row that every sentence starts from; None stands for zeros."""
        from .initial_state import warm_states

        if initial_state == "zeros":
            return None
        if initial_state != "warm":
            raise ValueError(Errors.EL013.format(value=initial_state))
        states = self._warm_states
        if states is None:
            # Two threads may compute them at once, as no lock is held meanwhile; both then use
            # those of the first to finish.
            with lasting():
                computed = warm_states(self)
            with self._warm_states_lock:
                states = self._warm_states = self._warm_states or computed
        return states

    def forget_warm_states(self) -> None:
        """To be called after the weights have changed."""
        self._warm_states = None

    @property
    def device(self) -> torch.device:
        return self.char_cnn.projection.weight.device

    # ---- files -----------------------------------------------------------------------

    @classmethod
    def from_pretrained(cls, name: str) -> "BiLM":
        """A biLM by name: "small-en", which ships in the package, or an official one.

        Raises ValueError for an unknown name, OSError where files cannot be had.
        """
        from .pretrained import load_pretrained

        return load_pretrained(name)

    @classmethod
    def from_hdf5(cls, options: str | Path, weights: str | Path) -> "BiLM":
        """Official AllenNLP / bilm-tf files of any size.

        Raises FileNotFoundError, or ValueError naming the file, the dataset and both shapes
        where the two files disagree.
        """
        from .hdf5 import read_hdf5

        bilm = cls.to_fill(BiLMOptions.from_json(options))
        read_hdf5(bilm, weights)
        return bilm.eval()

    def to_hdf5(self, directory: str | Path) -> None:
        """Write ``options.json`` and ``weights.hdf5`` that AllenNLP reads."""
        from .hdf5 import write_hdf5

        write_hdf5(self, directory)

    @classmethod
    def from_disk(cls, directory: str | Path) -> "BiLM":
        """Read what `to_disk` wrote. Raises FileNotFoundError or ValueError, naming the file."""
        from .storage import read_directory

        return read_directory(directory)

    def to_disk(self, directory: str | Path, *, dtype: torch.dtype = torch.float32) -> None:
        """Write ``options.json`` and ``weights.safetensors``, each whole or not at all.

        dtype: torch.float16 halves the file; values are rounded once and read back as float32.
        """
        from .storage import write_directory

        write_directory(self, directory, dtype)


def _as_lists(sentences: Iterable[Iterable[str]]) -> list[list[str]]:
    """The words of each sentence, read once and in order, whatever holds them."""
    texts = []
    for i, sentence in enumerate(sentences):
        if isinstance(sentence, str):
            raise TypeError(Errors.EL012.format(value=sentence[:40]))
        if isinstance(sentence, (Set, Mapping)) or not isinstance(sentence, Iterable):
            kind = type(sentence).__name__
            raise TypeError(Errors.EL035.format(index=i, value=shown(sentence), type=kind))
        words = list(sentence)
        for word in words:
            if not isinstance(word, str):
                raise TypeError(Errors.EL015.format(value=word, type=type(word).__name__))
        texts.append(words)
    return texts


def _expand(states: BiLMStates, n: int, device: torch.device) -> BiLMStates:
    forward, backward = (
        [LSTMState(*(part.to(device).expand(n, -1) for part in state)) for state in direction]
        for direction in states
    )
    return forward, backward


def _reorder(states: Sequence[LSTMState], order: Tensor) -> list[LSTMState]:
    return [LSTMState(state.h[order], state.c[order]) for state in states]
