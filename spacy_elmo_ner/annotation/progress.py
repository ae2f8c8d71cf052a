"""Tell how far a run is, how fast, and how long it will take."""

import sys
import time
from typing import TextIO

# Seconds between two lines where no terminal shows one line that changes.
_PERIOD = 30.0


class Progress:
    """Writes progress to ``stream``.

    On a terminal that is one line that changes, elsewhere a line twice a minute.
    """

    def __init__(self, stream: TextIO | None = None) -> None:
        self.n_bytes = 0
        self.stream = sys.stderr if stream is None else stream
        self.is_terminal = self.stream.isatty()
        self.n_texts = self.n_words = self.n_errors = 0
        self._first_byte = self._last_byte = 0
        self._start = self._shown = time.monotonic()

    def begin(self, n_bytes: int, at_byte: int) -> None:
        """Start the clock.

        n_bytes: size of the inputs; 0 where it is not known, then there is no estimate.
        at_byte: where an earlier run ended.
        """
        self.n_bytes = n_bytes
        self._first_byte = self._last_byte = at_byte
        self._start = self._shown = time.monotonic()

    def add(self, n_texts: int, n_words: int, n_errors: int, at_byte: int) -> None:
        """Count a shard, and show it if it is time."""
        self.n_texts += n_texts
        self.n_words += n_words
        self.n_errors += n_errors
        self._last_byte = max(self._last_byte, at_byte)
        now = time.monotonic()
        if self.is_terminal:
            self.stream.write(f"\r{self.line():<100}")
        elif now - self._shown >= _PERIOD:
            self.stream.write(self.line() + "\n")
        else:
            return
        self._shown = now
        self.stream.flush()

    def end(self) -> None:
        """End the line that changes."""
        if self.is_terminal:
            self.stream.write("\r" + " " * 100 + "\r")
            self.stream.flush()

    def line(self) -> str:
        """Return one line on texts, words, speed and the time left."""
        seconds = max(1e-9, time.monotonic() - self._start)
        parts = [
            f"{self.n_texts:,} texts",
            f"{self.n_words:,} words",
            f"{self.n_words / seconds:,.0f} words/s",
        ]
        if self.n_errors:
            parts.append(f"{self.n_errors:,} errors")
        read = self._last_byte - self._first_byte
        if self.n_bytes and read > 0:
            left = max(0, self.n_bytes - self._last_byte)
            parts.append(f"{min(1.0, self._last_byte / self.n_bytes):.0%} of the input")
            parts.append(f"{_duration(seconds * left / read)} left")
        return ", ".join(parts)


def _duration(seconds: float) -> str:
    hours, rest = divmod(round(seconds), 3600)
    minutes, seconds = divmod(rest, 60)
    return f"{hours}:{minutes:02d}:{seconds:02d}"
