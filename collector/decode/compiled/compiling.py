"""How the loops of this package are compiled: once, and kept on disk for the next start.

numba takes some fifteen seconds for all of them. It notices a changed file but not a changed function that the file
imports, so the folder that keeps the machine code is named after all sources of this package.
"""

import atexit
import shutil
import tempfile
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any, ParamSpec, TypeVar, cast

import numba
import numpy as np

P = ParamSpec("P")
R = TypeVar("R")

_PACKAGE = Path(__file__).parent


def _kept_folder() -> Path:
    """Beside the sources, where that can be written; else a folder of this process, with what an image brought."""
    sources = b"".join(path.read_bytes() for path in sorted(_PACKAGE.glob("*.py")))
    beside = _PACKAGE / "__pycache__" / f"loops-{sha256(sources).hexdigest()[:16]}"
    try:
        beside.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=beside):
            return beside
    except OSError:
        # What is kept is run, so nobody else may write there: a new folder of our own, not one by a known name.
        own = Path(tempfile.mkdtemp(prefix="clew-loops-"))
        atexit.register(shutil.rmtree, own, ignore_errors=True)
        if beside.is_dir():
            shutil.copytree(beside, own, dirs_exist_ok=True)
        return own


# Inside a loop these are machine numbers; to mypy numpy's would be none of Python's.
int32: Any = np.int32
int64: Any = np.int64
uint8: Any = np.uint8
uint32: Any = np.uint32
uint64: Any = np.uint64
float64: Any = np.float64

FOLDER = _kept_folder()
"""Where the machine code is kept."""

numba.config.CACHE_DIR = str(FOLDER)  # type: ignore[attr-defined]  # it makes its settings as it starts
_OPTIONS: dict[str, Any] = {"nogil": True, "cache": True, "error_model": "numpy"}


def compiled(function: Callable[P, R]) -> Callable[P, R]:
    """The function as machine code, which holds no interpreter lock."""
    return cast("Callable[P, R]", numba.njit(**_OPTIONS)(function))


def inlined(function: Callable[P, R]) -> Callable[P, R]:
    """The same for a part of such functions. A call that passes arrays on costs more than most of these do."""
    return cast("Callable[P, R]", numba.njit(forceinline=True, **_OPTIONS)(function))
