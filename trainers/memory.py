"""Memory: how much is free, and the C library's allocator, told to keep what is freed.

A training step allocates the same large tensors again and again. By default glibc gives them back to the system after
each use, and the system clears every page before it lends it again: on a desktop that costs a third of a step, in a
virtual machine whose host takes free memory back it can cost far more than the arithmetic.
"""

import ctypes
import sys
from pathlib import Path

_TRIM_THRESHOLD, _MMAP_MAX = -1, -4
_KEPT_BYTES = 2**31 - 1
_MEMINFO = Path("/proc/meminfo")


def available_bytes() -> int | None:
    """How much memory a process may still take without others being pushed out; None where the system does not say."""
    if not _MEMINFO.exists():
        return None
    lines = dict(line.split(":", 1) for line in _MEMINFO.read_text(encoding="ascii").splitlines() if ":" in line)
    told = lines.get("MemAvailable", "").split()
    return int(told[0]) * 1024 if told else None


def keep_freed_memory() -> None:
    """For the rest of the process, up to 2 GiB of freed memory is kept. Does nothing where there is no glibc."""
    if sys.platform != "linux":
        return
    libc = ctypes.CDLL(None)
    if hasattr(libc, "mallopt"):
        libc.mallopt(_MMAP_MAX, 0)
        libc.mallopt(_TRIM_THRESHOLD, _KEPT_BYTES)
