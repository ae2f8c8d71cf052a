"""Keep freed memory for the next step of long work."""

import ctypes
import sys

# Parameters of glibc's mallopt, from malloc.h.
_TRIM_THRESHOLD, _TOP_PAD, _MMAP_THRESHOLD = -1, -2, -3
_SETTINGS = (
    # Blocks up to 1 GB come from the heap; glibc before 2.35 takes 32 MB at most.
    (_MMAP_THRESHOLD, (1 << 30, 1 << 25)),
    (_TRIM_THRESHOLD, ((1 << 31) - 1,)),
    (_TOP_PAD, (1 << 28,)),
)


def keep_freed_memory() -> bool:
    """Make this process keep the memory it frees; return whether the C library can do that.

    Otherwise glibc returns large blocks to the system when they are freed, and the system zeroes
    them page by page before it hands them out again. That takes 15 to 25 % of a training step,
    which frees and allocates the same hundreds of megabytes every time.
    """
    if sys.platform != "linux":
        return False
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is None:  # another C library
        return False
    return all(
        any(mallopt(name, value) for value in values)  # the first that is accepted
        for name, values in _SETTINGS
    )
