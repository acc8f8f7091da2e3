"""Runs what a page of healthkit's documentation shows, block after block, as its reader would.

- `toml` is a healthkit.toml: read in full, channels and templates included. One without a service
  is put behind one, as what a reader adds.
- `python` is executed; what it mounts is asked for `/health`, and each `Health` that it names runs
  its checks. One that begins with `# settings.py` is Django's.
- `console` has commands. What ends and reaches nobody is run, and prints what the page says.
"""

from __future__ import annotations

import asyncio
import importlib
import importlib.metadata
import inspect
import os
import re
import shlex
import tomllib
from collections.abc import Callable, Iterator, Mapping
from contextlib import chdir, contextmanager
from hashlib import sha256
from pathlib import Path
from types import ModuleType
from typing import Any
from unittest.mock import patch

import flask
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer
from click.testing import CliRunner
from django.conf import settings as django_settings
from django.core.wsgi import get_wsgi_application
from django.test import override_settings
from werkzeug.test import Client

from healthkit import Health, Status, load_settings
from healthkit.cli import main as healthkit
from healthkit.watch import make_watcher
from tests.docs.documents import ROOT, fences, text_of
from tests.docs.runbook import missing_lines

FILE = "healthkit.toml"
LANGUAGES = {"toml", "python", "console"}
REACH_OUT_OR_STAY = {"watch", "serve", "alert"}
"""Commands of healthkit that are looked up, and not run."""
NOT_RUN = {"pip", "export", "uvicorn", "curl"}
_VARIABLE = re.compile(r"\$\{(\w+)")


def pages() -> list[str]:
    """Every page of the site, and the READMEs of what can be installed."""
    folders = ("healthkit", "healthkit/docs/**", "plugins/*")
    found = {path for folder in folders for path in ROOT.glob(f"{folder}/*.md")}
    return sorted(str(path.relative_to(ROOT)) for path in found)


def run(page: str, folder: Path) -> list[str]:
    """Runs a page in an empty folder. Returns what is wrong with it."""
    reader = _Reader(folder)
    wrong: list[str] = []
    with chdir(folder), patch.dict(os.environ, _environment(page)), _stopped():
        if not django_settings.configured:
            django_settings.configure()
        for language, body in fences(page):
            step: Callable[[str], list[str]] | None = getattr(reader, language, None)
            wrong += [f"nothing runs {language!r}"] if step is None else step(body)
    return wrong


def _environment(page: str) -> dict[str, str]:
    """The variables that a page names, and those that it sets."""
    found = dict.fromkeys(_VARIABLE.findall(text_of(page)), "log://")
    found |= {"DATABASE_URL": "sqlite:///shop.db", "HEALTH_TOKEN": ""}
    for name in found:
        if name.endswith(("TOKEN", "SECRET", "PASSWORD")):
            found[name] = sha256(name.encode()).hexdigest()
        elif name.endswith(("PORT", "ENDPOINT")):
            found[name] = "5432" if name.endswith("PORT") else "https://127.0.0.1:9"
    exports = re.findall(r"^\$ export (.+)$", text_of(page), re.MULTILINE)
    return found | dict(shlex.split(one)[0].split("=", 1) for one in exports)


@contextmanager
def _stopped() -> Iterator[None]:
    """Stops each Health that is started in it."""
    started, start = [], Health.start

    def noted(self: Health, *given: Any, **named: Any) -> Any:
        started.append(self)
        return start(self, *given, **named)

    try:
        with patch.object(Health, "start", noted):
            yield
    finally:
        for health in started:
            health.stop()


class _Reader:
    """What a reader has after some blocks: a folder with files, names, applications."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.names: dict[str, Any] = {"__name__": "page"}
        self.seen: list[object] = []

    def toml(self, body: str) -> list[str]:
        if "service" not in tomllib.loads(body):
            body = f'[service]\nname = "Example"\n\n{body}'
        (self.folder / FILE).write_text(body)
        make_watcher(load_settings(self.folder / FILE))
        return []

    def python(self, body: str) -> list[str]:
        if body.startswith("# settings.py\n"):
            return self._django(body)
        exec(compile(body, str(self.folder / "page.py"), "exec"), self.names)
        new = {k: v for k, v in self.names.items() if not any(v is one for one in self.seen)}
        self.seen += new.values()
        return [fault for name, one in new.items() for fault in _tried(name, one)]

    def console(self, body: str) -> list[str]:
        commands = re.split(r"^\$ ", body, flags=re.MULTILINE)[1:]
        return [fault for one in commands for fault in self._command(*one.partition("\n")[::2])]

    def _command(self, line: str, printed: str) -> list[str]:
        words = shlex.split(line, comments=True)
        if words[0] == "pip":
            return [f"pip: {one}" for one in words[2:] if not is_installable(one)]
        if words[0] == "healthkit" and words[1] not in REACH_OUT_OR_STAY:
            done = CliRunner().invoke(healthkit, words[1:])
            wrong = [] if done.exit_code in (0, 1) else [f"{line}: {done.output}"]
            return wrong + [f"{line} prints no {one!r}" for one in _missing(printed, done.output)]
        return [] if words[0] in {*NOT_RUN, "healthkit"} else [f"nothing runs {words[0]!r}"]

    def _django(self, body: str) -> list[str]:
        names: dict[str, Any] = {"__file__": str(self.folder / "settings.py"), "ROOT_URLCONF": ()}
        exec(compile(body, names["__file__"], "exec"), names)
        with override_settings(**{name: one for name, one in names.items() if name.isupper()}):
            return _tried("django", get_wsgi_application())


def _missing(stated: str, printed: str) -> list[str]:
    return missing_lines(stated.strip("\n"), printed) if stated.strip() else []


def _tried(name: str, made: object) -> list[str]:
    """What is wrong with a thing that a page has made, where it is one that can be asked."""
    if isinstance(made, Health):
        results = made.check_once().results
        return [f"{one.check.name}: {one.outcome}" for one in results if not _is_well(one)]
    if name in ("app", "application", "other", "django"):
        code = asked(made)
        return [] if code == 200 else [f"{name}: /health is {code}"]
    return []


def _is_well(result: Any) -> bool:
    well: bool = result.outcome.status is Status.HEALTHY
    return well


def asked(application: Any, path: str = "/health") -> int:
    """The status that an application answers with, of whichever kind it is."""
    if isinstance(application, flask.Flask):
        return int(application.test_client().get(path).status_code)
    if isinstance(application, web.Application):
        return asyncio.run(_asked_aiohttp(application, path))
    if inspect.iscoroutinefunction(type(application).__call__):
        return asyncio.run(_asked_asgi(application, path))
    return int(Client(application).get(path).status_code)


async def _asked_aiohttp(application: web.Application, path: str) -> int:
    async with TestClient(TestServer(application)) as client:
        return (await client.get(path)).status


async def _asked_asgi(application: Any, path: str) -> int:
    sent: list[Mapping[str, Any]] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Mapping[str, Any]) -> None:
        sent.append(message)

    scope = {"type": "http", "method": "GET", "path": path, "headers": [], "query_string": b""}
    scope |= {"raw_path": path.encode(), "root_path": "", "scheme": "http", "client": None}
    scope |= {"http_version": "1.1", "asgi": {"version": "3.0"}, "server": None, "state": {}}
    await application(scope, receive, send)
    return int(sent[0]["status"])


def is_installable(requirement: str) -> bool:
    """A distribution of this repository, with its extras, or one that is installed."""
    found = re.fullmatch(r"([\w-]+)(?:\[([\w,]+)\])?", requirement)
    assert found, requirement
    name, extras = found[1], set(filter(None, (found[2] or "").split(",")))
    for path in [ROOT / "healthkit/pyproject.toml", *ROOT.glob("plugins/*/pyproject.toml")]:
        project = tomllib.loads(path.read_text())["project"]
        if project["name"] == name:
            return extras <= set(project.get("optional-dependencies", ()))
    try:
        importlib.metadata.distribution(name)
    except importlib.metadata.PackageNotFoundError:
        return False
    return True


def importable(name: str) -> bool:
    """Whether a dotted name leads to a module or to something in one."""
    parts = name.split(".")
    found: ModuleType | Any = importlib.import_module(parts[0])
    for index, part in enumerate(parts[1:], start=2):
        if not hasattr(found, part):
            try:
                importlib.import_module(".".join(parts[:index]))
            except ModuleNotFoundError as error:
                return error.name is not None and not name.startswith(error.name)
        found = getattr(found, part)
    return True
