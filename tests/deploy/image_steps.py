"""Runs a Dockerfile's steps without an engine: in a root of its own, where only the machine's system folders are seen.

    unshare --map-root-user --mount python -m tests.deploy.image_steps DOCKERFILE CONTEXT ROOT

What stands for the base image is this machine's system and the Python that runs this. Each stage gets the folder
ROOT/<number>; instructions are run as they are written, but for those that need a second user (useradd, chown): a user
namespace has one. The last stage stays in ROOT, and its settings are printed as one line of JSON.
"""

import fnmatch
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from string import Template
from urllib.request import Request, urlopen

from tests.deploy.namespace import bring_up_loopback

SYSTEM = ("usr", "bin", "sbin", "lib", "lib64", "etc", "dev", "proc", "root", "tmp")
NEEDS_A_SECOND_USER = ("useradd", "chown")
_MACHINE = re.compile("^HOME$|^PIP_|^NPM_|PROXY$|CERT", re.IGNORECASE)
"""Variables by which this machine reaches the registries, as an engine's build has its daemon's."""


@dataclass
class Stage:
    """One `FROM`: its root, and what its instructions have set."""

    root: Path
    environment: dict[str, str]
    workdir: str = "/"
    settings: dict[str, object] = field(default_factory=dict)


def instructions(dockerfile: Path) -> list[tuple[str, str]]:
    """Each instruction and its arguments, continued lines joined."""
    lines = [line for line in dockerfile.read_text().splitlines() if not line.lstrip().startswith("#")]
    joined = "\n".join(lines).replace("\\\n", " ")
    return [
        (word.upper(), rest.strip()) for line in joined.splitlines() if line for word, _, rest in [line.partition(" ")]
    ]


def ignored(context: Path) -> list[str]:
    """The lines of .dockerignore."""
    return [line.strip() for line in (context / ".dockerignore").read_text().splitlines() if line.strip()]


def is_ignored(path: str, patterns: list[str]) -> bool:
    """Whether the last pattern that matches the path, or a folder above it, leaves it out."""
    parts = path.split("/")
    prefixes = ["/".join(parts[:length]) for length in range(1, len(parts) + 1)]
    out = False
    for pattern in patterns:
        keeps, name = pattern.startswith("!"), pattern.removeprefix("!")
        names = [name, name.removeprefix("**/")]
        if any(fnmatch.fnmatchcase(prefix, one) for prefix in prefixes for one in names) or (
            name.startswith("**/") and any(fnmatch.fnmatchcase(part, name[3:]) for part in parts)
        ):
            out = not keeps
    return out


def run_stages(dockerfile: Path, context: Path, into: Path) -> Stage:
    """Every stage in its order; the last one."""
    stages: dict[str, Stage] = {}
    stage: Stage | None = None
    patterns = ignored(context)
    for word, rest in instructions(dockerfile):
        if word == "FROM":
            stage = _base(into / str(len(stages)))
            stages[rest.split()[-1]] = stage
            continue
        assert stage is not None, "expected FROM first"
        if word == "RUN":
            _run(stage, rest)
        elif word == "COPY":
            _copy(stage, rest, context, patterns, stages)
        elif word == "ENV":
            name, _, value = rest.partition("=")
            stage.environment[name] = Template(value).substitute(stage.environment)
        elif word == "WORKDIR":
            stage.workdir = rest
            _inside(stage, rest).mkdir(parents=True, exist_ok=True)
        else:
            stage.settings[word] = json.loads(rest[rest.index("[") :]) if "[" in rest else rest
    assert stage is not None
    return stage


def chrooted(stage: Stage, command: list[str]) -> list[str]:
    """The command line that runs a command as the stage would."""
    environment = [f"{name}={value}" for name, value in stage.environment.items()]
    into = ["chroot", str(stage.root), "/usr/bin/env", "-i", *environment]
    return [*into, "sh", "-c", f'cd {shlex.quote(stage.workdir)} && exec "$@"', "sh", *command]


def _base(root: Path) -> Stage:
    root.mkdir(parents=True)
    for name in SYSTEM:
        source = Path("/") / name
        if source.is_symlink():
            (root / name).symlink_to(os.readlink(source))
        elif source.exists():
            (root / name).mkdir()
            subprocess.run(["mount", "--rbind", str(source), str(root / name)], check=True)
    for name in ("opt", "app"):
        (root / name).mkdir()
    python = Path(sys.executable).resolve().parent
    of_the_machine = {name: value for name, value in os.environ.items() if _MACHINE.search(name)}
    return Stage(root, {"PATH": f"{python}:/usr/local/bin:/usr/bin:/bin"} | of_the_machine)


def _run(stage: Stage, command: str) -> None:
    kept = [part for part in command.split("&&") if part.split()[0] not in NEEDS_A_SECOND_USER]
    if kept:
        subprocess.run(chrooted(stage, ["sh", "-c", "&&".join(kept)]), check=True, stdout=sys.stderr)


def _copy(stage: Stage, rest: str, context: Path, patterns: list[str], stages: dict[str, Stage]) -> None:
    words = rest.split()
    if words[0].startswith("--from="):
        source = _inside(stages[words.pop(0).removeprefix("--from=")], words[0])
        shutil.copytree(source, _inside(stage, words[1]), symlinks=True, dirs_exist_ok=True)
        return
    *names, target = words
    for name in names:
        source = context / name
        place = _inside(stage, target)
        if source.is_dir():
            _copy_tree(source, place, context, patterns)
        else:
            assert not is_ignored(name, patterns), f"COPY {name}: .dockerignore leaves it out"
            shutil.copy(source, place / name if target.endswith("/") else place)


def _copy_tree(source: Path, place: Path, context: Path, patterns: list[str]) -> None:
    assert not is_ignored(source.relative_to(context).as_posix(), patterns), (
        f"COPY {source}: .dockerignore leaves it out"
    )
    for path in sorted(source.rglob("*")):
        if path.is_file() and not is_ignored(path.relative_to(context).as_posix(), patterns):
            to = place / path.relative_to(source)
            to.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(path, to)


def _inside(stage: Stage, path: str) -> Path:
    return stage.root / (path if path.startswith("/") else f"{stage.workdir}/{path}").lstrip("/")


def main(dockerfile: str, context: str, into: str) -> None:
    """Build, then start what the image starts, see that it is well and keeps a span, and stop it."""
    stage = run_stages(Path(dockerfile), Path(context), Path(into))
    entry, command = _list_of(stage, "ENTRYPOINT"), _list_of(stage, "CMD")
    version = subprocess.run(chrooted(stage, [*entry, "--version"]), check=True, capture_output=True, text=True).stdout
    # Its standard ports, in a network where nobody has them.
    lines = [chrooted(stage, [*entry, *command]), chrooted(stage, _list_of(stage, "HEALTHCHECK"))]
    serving = [sys.executable, "-m", "tests.deploy.image_steps", *map(json.dumps, lines)]
    served = subprocess.run(["unshare", "--net", *serving], check=True, capture_output=True, text=True).stdout
    sizes = {name: _bytes_of(stage.root / name) for name in ("opt", "app")}
    report = {"version": version.strip(), "bytes": sizes, **json.loads(served)}
    sys.stdout.write(json.dumps(report) + "\n")


def serve(start: list[str], check: list[str]) -> None:
    """Start, ask the health check, send a span and read it, stop; what came of it as one line of JSON."""
    bring_up_loopback()
    with subprocess.Popen(start, stdout=subprocess.PIPE, text=True) as running:
        assert running.stdout is not None
        ready = running.stdout.readline()
        healthy = subprocess.run(check, check=False, stdout=sys.stderr).returncode
        kept = _kept_name()
        running.terminate()
        code = running.wait(60)
    sys.stdout.write(json.dumps({"ready": json.loads(ready), "healthy": healthy, "kept": kept, "exit": code}) + "\n")


def _kept_name() -> str:
    """The name of a span that was sent, as it is read back."""
    api = "http://127.0.0.1:9411/api/v2"
    body = json.dumps([{"traceId": "1", "id": "2", "name": "get", "localEndpoint": {"serviceName": "shop"}}]).encode()
    urlopen(Request(f"{api}/spans", body, {"content-type": "application/json"}), timeout=30).close()
    with urlopen(f"{api}/trace/1", timeout=30) as answer:
        return str(json.load(answer)[0]["name"])


def _list_of(stage: Stage, word: str) -> list[str]:
    found = stage.settings[word]
    assert isinstance(found, list), f"expected {word} in its exec form"
    return found


def _bytes_of(folder: Path) -> int:
    return sum(path.lstat().st_size for path in folder.rglob("*") if path.is_file() and not path.is_symlink())


if __name__ == "__main__":
    if len(sys.argv) == 3:
        serve(json.loads(sys.argv[1]), json.loads(sys.argv[2]))
    else:
        main(*sys.argv[1:])
