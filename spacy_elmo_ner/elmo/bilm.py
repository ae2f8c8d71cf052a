"""Turn sentences into contextual layers, and read and write the biLM that does it."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray
from tqdm import tqdm

from ..errors import Errors
from .hdf5 import read_hdf5, write_hdf5
from .locks import Lock
from .memory import empty
from .modes import lasting, on_cpu
from .network import BiLMNetwork
from .options import BiLMOptions
from .packing import BATCH_TOKENS, check_batch_tokens, token_batches
from .pretrained import read_pretrained
from .sentences import as_lists
from .states import (
    WARM_UP_TEXT,
    BiLMStates,
    float_states,
    states_of_tensors,
    tensors_of_states,
)
from .storage import WARM, Weights, from_bytes, read_directory, to_bytes, write_directory

InitialState = Literal["zeros", "warm"]
Layers = NDArray[np.float32]  # (n_layers + 1, n_tokens, 2 * projection_dim)


class BiLM(BiLMNetwork):
    """Computes a bidirectional language model over characters (Peters et al. 2018, section 3).

    A sentence's layers depend on its words alone: no state is kept between calls.
    """

    def __init__(self, options: BiLMOptions) -> None:
        super().__init__(options)
        self._warm_states: BiLMStates | None = None
        self._warm_states_lock = Lock()

    # ---- words to layers -------------------------------------------------------------

    def embed(
        self,
        sentences: Iterable[Iterable[str]],
        *,
        initial_state: InitialState = "zeros",
        batch_tokens: int = BATCH_TOKENS,
        progress: bool = False,
    ) -> list[Layers]:
        """Return each sentence's layers, float32 (n_layers + 1, n_tokens, 2 * projection_dim).

        Layer 0 is the word's own vector twice; then one layer per LSTM layer, forward and
        backward side by side. The sentence marks take part but are not returned.

        sentences: any iterable of iterables of str, such as a generator or a pandas column.
            Results have its order.
        initial_state: "zeros", as official ELMo starts its first batch, or "warm", one frozen
            state left by a fixed text (see `states.py`).
        batch_tokens: the number of tokens per batch, up to eight times as many for long
            sentences. It bounds the memory and changes nothing else beyond float32 rounding,
            below 1e-5.
        progress: show a progress bar over the sentences.
        Raises TypeError if a sentence is a str or has no order, or a word is not a str, and
        ValueError for an unknown initial_state or batch_tokens that is no number of tokens.
        """
        texts = as_lists(sentences)
        results: list[Layers] = [
            np.zeros((self.options.n_layers, 0, self.options.width), dtype=np.float32)
        ] * len(texts)
        computed = self.iter_layers(texts, initial_state=initial_state, batch_tokens=batch_tokens)
        for i, layers in tqdm(computed, total=len(texts), disable=not progress):
            results[i] = layers.copy()
        return results

    def iter_layers(
        self,
        sentences: Iterable[Iterable[str]],
        *,
        initial_state: InitialState = "zeros",
        batch_tokens: int = BATCH_TOKENS,
    ) -> Iterator[tuple[int, Layers]]:
        """Like `embed`, but yield index and layers of each sentence as soon as they are ready.

        Longer sentences come first, sentences without words never. Copy an array if you keep it:
        all batches share one buffer.
        """
        texts = as_lists(sentences)
        check_batch_tokens(batch_tokens)
        states = self.initial_states(initial_state)
        with_marks = [len(words) and len(words) + 2 for words in texts]
        batches = list(token_batches(with_marks, batch_tokens))
        most = max((sum(with_marks[i] for i in batch) for batch in batches), default=0)
        # Fresh memory for each batch would cost more than what is done with it.
        out = empty(self.options.n_layers, most, self.options.width, device=self.device)
        for batch in batches:
            with torch.inference_mode(), on_cpu():
                tensors = self.predict([texts[i] for i in batch], states, out)
            for i, layers in zip(batch, tensors, strict=True):
                yield i, layers.cpu().numpy()

    def initial_states(self, initial_state: InitialState) -> BiLMStates | None:
        """Return the states of one row that every sentence starts from; None stands for zeros."""
        if initial_state == "zeros":
            return None
        if initial_state != "warm":
            raise ValueError(Errors.EL013.format(value=initial_state))
        states = self._warm_states
        if states is None:
            # Two threads may compute them at once, as no lock is held meanwhile; both then use
            # those of the first to finish.
            with lasting():
                computed = self._run_warm_up_text()
            with self._warm_states_lock:
                states = self._warm_states = self._warm_states or computed
        return states

    def _run_warm_up_text(self) -> BiLMStates:
        states = None
        for sentence in WARM_UP_TEXT:
            _, states = self.run([sentence.split()], states)
        assert states is not None
        return float_states(states)

    def forget_warm_states(self) -> None:
        """Compute the warm states anew at their next use. Call it after changing the weights."""
        self._warm_states = None

    # ---- files -----------------------------------------------------------------------

    @classmethod
    def from_weights(cls, weights: Weights) -> "BiLM":
        """Build a biLM from these tensors without copying them.

        No random numbers of torch are used, so that training with a seed gives the same result
        whether or not a biLM was read before. Raises KeyError for a missing tensor.
        """
        tensors = {name: weights.tensors[name] for name in weights.options.shapes}
        warm = {
            name.removeprefix(WARM): value
            for name, value in weights.tensors.items()
            if name.startswith(WARM)
        }
        with lasting():
            with torch.device("meta"):
                bilm = cls(weights.options)
            bilm.load_state_dict(tensors, assign=True)
        bilm._warm_states = states_of_tensors(warm, weights.options) if warm else None
        return bilm.eval()

    def _weights(self) -> Weights:
        warm = self.initial_states("warm")
        assert warm is not None
        states = {f"{WARM}{name}": value for name, value in tensors_of_states(warm).items()}
        return Weights(self.options, {**self.state_dict(), **states})

    @classmethod
    def from_pretrained(cls, name: str) -> "BiLM":
        """Read a biLM by name: "small-en", which ships in the package, an official one, or a path.

        A path may be a folder, a weights file beside its options, or a ZIP archive of NLPL.
        Raises ValueError for an unknown name, OSError if files cannot be fetched.
        """
        return cls.from_weights(read_pretrained(name))

    @classmethod
    def from_hdf5(cls, options: str | Path, weights: str | Path) -> "BiLM":
        """Read official AllenNLP / bilm-tf files of any size.

        Raises FileNotFoundError, or ValueError naming the file, the dataset and both shapes
        where the two files disagree.
        """
        return cls.from_weights(read_hdf5(BiLMOptions.from_json(options), weights))

    def to_hdf5(self, directory: str | Path) -> None:
        """Write ``options.json`` and ``weights.hdf5`` that AllenNLP reads."""
        write_hdf5(Weights(self.options, self.state_dict()), directory)

    @classmethod
    def from_disk(cls, directory: str | Path) -> "BiLM":
        """Read what `to_disk` wrote. Raises FileNotFoundError or ValueError, naming the file."""
        return cls.from_weights(read_directory(directory))

    def to_disk(self, directory: str | Path, *, dtype: torch.dtype | None = None) -> None:
        """Write ``options.json`` and ``weights.safetensors``, each whole or not at all.

        dtype: torch.float16 halves the file; values are rounded once and read back as float32.
        None rounds nothing: tensors that were read from float16 are written so.
        """
        write_directory(self._weights(), directory, dtype)

    @classmethod
    def from_bytes(cls, options: BiLMOptions, data: bytes, *, source: str) -> "BiLM":
        """Read what `to_bytes` returned; source names the data in errors.

        Raises ValueError where names, shapes or values are not what the options promise.
        """
        return cls.from_weights(from_bytes(options, data, source=source))

    def to_bytes(self, *, dtype: torch.dtype | None = None) -> bytes:
        """Return the weights and the warm states as safetensors bytes; dtype as in `to_disk`.

        Raises ValueError for values that dtype cannot hold: NaN, infinite, or too large for it.
        """
        return to_bytes(self._weights().tensors, dtype)
