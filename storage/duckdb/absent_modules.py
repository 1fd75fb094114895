"""Says at once that pandas is not installed, when it is not.

DuckDB tries to import it for every parameter of a statement, and Python searches the whole path each time: 70 us a
parameter, 6 ms for a search. (An entry None in sys.modules would do too, but pyarrow takes it for the module.)
"""

import sys
from collections.abc import Sequence
from importlib.abc import MetaPathFinder
from importlib.util import find_spec
from types import ModuleType


class _Absent(MetaPathFinder):
    def find_spec(self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None) -> None:
        if fullname == "pandas":
            raise ModuleNotFoundError("No module named 'pandas'", name=fullname)


if find_spec("pandas") is None:
    sys.meta_path.insert(0, _Absent())
