"""Cut long Docs into overlapping windows: bounded steps and memory, the same vectors in any batch.

An LSTM over a Doc of 100,000 tokens would take 100,000 sequential steps; windows run in parallel
instead. Each token's vector comes from a window that extends at least CONTEXT tokens to both
sides of it, or to the start or end of the Doc.
"""

from typing import NamedTuple

# Longer than all but a few paragraphs: most Docs fit in one window.
WINDOW = 512
CONTEXT = 32


class Window(NamedTuple):
    """Runs tokens start..end through the network and keeps tokens first..last of them."""

    start: int
    end: int
    first: int
    last: int

    @property
    def kept(self) -> slice:
        """Return the kept tokens, counted from the window's start."""
        return slice(self.first - self.start, self.last - self.start)


def windows(n_tokens: int, offset: int = 0) -> list[Window]:
    """Return the windows of one Doc, tokens counted from offset; each token is kept once."""
    if n_tokens <= WINDOW:
        return [Window(offset, offset + n_tokens, offset, offset + n_tokens)] if n_tokens else []
    stride = WINDOW - 2 * CONTEXT
    result = []
    for start in range(0, n_tokens - 2 * CONTEXT, stride):
        end = min(start + WINDOW, n_tokens)
        first = start + CONTEXT if start else 0
        last = n_tokens if end == n_tokens else end - CONTEXT
        result.append(Window(*(offset + x for x in (start, end, first, last))))
        if end == n_tokens:
            break
    return result
