"""The C library's allocator, told to keep what is freed.

A training step allocates the same large tensors again and again. By default glibc gives them back to the system after
each use, and the system clears every page before it lends it again: on a desktop that costs a third of a step, in a
virtual machine whose host takes free memory back it can cost far more than the arithmetic.
"""

import ctypes
import sys

_TRIM_THRESHOLD, _MMAP_MAX = -1, -4
_KEPT_BYTES = 2**31 - 1


def keep_freed_memory() -> None:
    """For the rest of the process, up to 2 GiB of freed memory is kept. Does nothing where there is no glibc."""
    if sys.platform != "linux":
        return
    libc = ctypes.CDLL(None)
    if hasattr(libc, "mallopt"):
        libc.mallopt(_MMAP_MAX, 0)
        libc.mallopt(_TRIM_THRESHOLD, _KEPT_BYTES)
