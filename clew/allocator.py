"""How the process asks the system for memory."""

import ctypes
import sys

import pyarrow

_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD, _M_ARENA_MAX = -1, -3, -8  # glibc's malloc.h


def keep_memory_small() -> None:
    """Give freed memory back, at the price of asking for it again. At the start, before there are other threads.

    Arrow's own allocator keeps what it once had: 50 MB after a day's dependency graph. And glibc gives each thread an
    arena of its own and, once a large block was freed, takes blocks of that size from those arenas instead of from the
    system; batches that one thread makes and another frees left 100 MB of holes after half a minute of full load. One
    arena for all costs nothing that could be measured: Python and DuckDB have allocators of their own.
    """
    pyarrow.set_memory_pool(pyarrow.system_memory_pool())
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None) if sys.platform.startswith("linux") else None
    if mallopt is not None:
        mallopt(_M_ARENA_MAX, 1)
        mallopt(_M_MMAP_THRESHOLD, 2**20)
        mallopt(_M_TRIM_THRESHOLD, 4 * 2**20)
