"""Who runs a command in tests: this process, the user of the tests, or somebody ordinary."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil
import pytest
from click.testing import CliRunner

from posapp.cli import main

ROOT = Path(__file__).resolve().parent.parent

OURS = ("DATABASE_URL", "DB_HOST", "ENVIRONMENT", "HEALTHKIT_CONFIG", "HEALTHKIT_STORE")
"""Variables of the product that a test sets itself or not at all."""


@dataclass(frozen=True)
class User:
    """Who runs a command: how it is started, and where its data may lie."""

    uid: int
    gid: int
    python: str
    folder: Path
    environ: Mapping[str, str] = field(default_factory=dict)

    def start(
        self, *arguments: str, environ: Mapping[str, str] | None = None, **options: object
    ) -> subprocess.Popen[str]:
        """Starts `python ARGUMENT…` as this user, in the checkout."""
        if os.geteuid() == 0 and self.uid != 0:
            options |= {"user": self.uid, "group": self.gid, "extra_groups": []}
        base = {k: v for k, v in os.environ.items() if k not in OURS}
        return subprocess.Popen(  # type: ignore[call-overload,no-any-return]
            [self.python, *arguments],
            env={**base, **self.environ, **(environ or {})},
            stdout=subprocess.PIPE,
            text=True,
            cwd=ROOT,
            **{"stderr": subprocess.PIPE, "stdin": subprocess.DEVNULL, **options},
        )

    def run(
        self, *arguments: str, environ: Mapping[str, str] | None = None, typed: str | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Runs `posapp ARGUMENT…` to its end, with a line that is typed."""
        stdin = {} if typed is None else {"stdin": subprocess.PIPE}
        with self.start("-m", "posapp", *arguments, environ=environ, **stdin) as process:
            output, errors = process.communicate(typed and f"{typed}\n", timeout=90)
        return subprocess.CompletedProcess(arguments, process.returncode, output, errors)


Command = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def command(monkeypatch: pytest.MonkeyPatch) -> Iterator[Command]:
    """`command("users", "list", typed="…", DATABASE_URL="…")`: runs posapp to its end in this
    process, for who asks what it does and not how it starts."""
    umask = os.umask(0o022)

    def run(*arguments: str, typed: str | None = None, **environ: str) -> Any:
        for name in OURS:
            monkeypatch.delenv(name, raising=False)
        done = CliRunner().invoke(
            main, arguments, input=typed and f"{typed}\n", env=environ, prog_name="posapp"
        )
        if done.exception and not isinstance(done.exception, SystemExit):
            raise done.exception
        return subprocess.CompletedProcess(arguments, done.exit_code, done.stdout, done.stderr)

    yield run
    os.umask(umask)


@pytest.fixture
def me(tmp_path: Path) -> User:
    """Who runs the tests."""
    return User(os.geteuid(), os.getegid(), sys.executable, tmp_path)


@pytest.fixture
def ordinary_user() -> Iterator[User]:
    """Somebody who is not root; skipped where nobody else can get at the checkout."""
    with tempfile.TemporaryDirectory(prefix="pos-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        if os.geteuid() != 0:
            yield User(os.geteuid(), os.getegid(), sys.executable, folder)
            return
        os.chown(folder, 65534, 65534)
        yield _as_nobody(folder)


def _as_nobody(folder: Path) -> User:
    """With the Python of the tests, or the system's where root alone can run that one."""
    sources = [ROOT, ROOT / "healthkit" / "src", *ROOT.glob("plugins/*/src")]
    packages = Path(psutil.__file__).parent.parent
    path = os.pathsep.join(map(str, [*sources, packages]))
    for python in (sys.executable, "/usr/bin/python3"):
        user = User(65534, 65534, python, folder, {"PYTHONPATH": path, "HOME": str(folder)})
        with suppress(OSError):
            if user.run("--version").returncode == 0:
                return user
    pytest.skip("an ordinary user cannot get at this checkout and its Python")
