"""How the process asks the system for memory, and gives it back."""

import ctypes
import sys
from pathlib import Path

import pyarrow

_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD, _M_ARENA_MAX = -1, -3, -8  # glibc's malloc.h
_MADV_DONTNEED = 4  # Linux's mman.h


def keep_memory_small() -> None:
    """Give freed memory back, at the price of asking for it again. At the start, before there are other threads.

    Arrow's own allocator keeps what it once had: 50 MB after a day's dependency graph. And glibc gives each thread an
    arena of its own and, once a large block was freed, takes blocks of that size from those arenas instead of from the
    system; batches that one thread makes and another frees left 100 MB of holes after half a minute of full load. One
    arena for all costs nothing that could be measured, for Python has its own allocator. DuckDB's blocks of 256 KiB
    come from the system and go back to it, or they would leave holes as well: 15 MB, and no difference in CPU.
    """
    pyarrow.set_memory_pool(pyarrow.system_memory_pool())
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None) if sys.platform.startswith("linux") else None
    if mallopt is not None:
        mallopt(_M_ARENA_MAX, 1)
        mallopt(_M_MMAP_THRESHOLD, 2**17)
        mallopt(_M_TRIM_THRESHOLD, 2**19)


def give_code_back() -> None:
    """Let the system have the pages of libraries' code, once the process has started. Linux only.

    Most of it only a start runs: LLVM's, which compiles the decoder's loops, is the largest. What is needed again is
    the file's and is read again. Not so their data, which the loader has changed.
    """
    if not sys.platform.startswith("linux"):
        return
    advise = ctypes.CDLL(None).madvise
    for line in Path("/proc/self/maps").read_text().splitlines():
        addresses, modes, _, _, _, *name = line.split(maxsplit=5)
        if name and ".so" in name[0] and modes == "r-xp":
            start, end = (int(address, 16) for address in addresses.split("-"))
            advise(ctypes.c_void_p(start), ctypes.c_size_t(end - start), _MADV_DONTNEED)
