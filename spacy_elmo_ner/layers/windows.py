"""Long Docs in overlapping windows: bounded steps and memory, the same vectors whatever is near.

An LSTM over a Doc of 100,000 tokens would take 100,000 steps one after the other. Windows run
side by side instead. Each token's vector is read where its window reaches at least CONTEXT
tokens further on both sides, or where the Doc begins or ends.
"""

from typing import NamedTuple

# Longer than all but a few paragraphs: most Docs are one window and see all of themselves.
WINDOW = 512
CONTEXT = 32


class Window(NamedTuple):
    """Tokens start..end go through the network, tokens first..last of them are kept."""

    start: int
    end: int
    first: int
    last: int

    @property
    def kept(self) -> slice:
        """The kept tokens, counted from the window's start."""
        return slice(self.first - self.start, self.last - self.start)


def windows(n_tokens: int, offset: int = 0) -> list[Window]:
    """The windows of one Doc, tokens counted from offset; together they keep each token once."""
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
