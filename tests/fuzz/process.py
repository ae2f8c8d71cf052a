"""What this process holds in memory, as Linux counts it."""

from pathlib import Path

_STATUS, _CLEAR = Path("/proc/self/status"), Path("/proc/self/clear_refs")


def megabytes_now() -> float:
    return _megabytes("VmRSS")


def megabytes_at_most() -> float:
    """The most since the start, or since it was last forgotten."""
    return _megabytes("VmHWM")


def forget_peak() -> None:
    _CLEAR.write_text("5", encoding="ascii")


def _megabytes(name: str) -> float:
    lines = _STATUS.read_text(encoding="ascii").splitlines()
    (found,) = (line.split()[1] for line in lines if line.startswith(f"{name}:"))
    return round(int(found) / 1024, 1)
