"""`healthkit new-plugin`: writes a distribution with a check type of its own, and its tests."""

from __future__ import annotations

import keyword
import re
import shlex
from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from string import Template

import click

from healthkit._plugins import PluginManager
from healthkit.errors import HealthkitError

_NAME = re.compile(r"[a-z][a-z0-9]*+(?:-[a-z0-9]++)*+")
_LONGEST = 40

PYPROJECT = """\
[build-system]
requires = ["hatchling"]
build-backend = "hatchling.build"

[project]
name = "healthkit-$name"
version = "0.1.0"
description = "healthkit check: a file was written lately"
readme = "README.md"
requires-python = ">=3.11"
dependencies = ["healthkit-core"]

[project.entry-points.healthkit]
$name = "$module"

[tool.hatch.build.targets.wheel]
packages = ["src/$module"]

[dependency-groups]
test = ["pytest>=8.4"]
"""

README = """\
# healthkit-$name

The check type `$name`: a file was written lately.

| key | default | meaning |
| --- | --- | --- |
| `path` | | the file |
| `max_age` | `1h` | the time since its last change from which it is unhealthy |

Details: `age_seconds`, in seconds.

```toml
[checks.$name]
type = "$name"
path = "/"
max_age = "3650d"
```

The tests: `pip install -e . pytest && pytest`.
"""

SOURCE = '''\
"""The check type `$name`: a file was written lately."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path

from healthkit import Check, CheckContext, Outcome, hookimpl
from healthkit.fields import PositiveDuration, format_duration


class $kind(Check):
    """The file `path` was changed within `max_age`."""

    path: Path
    """The file."""
    max_age: PositiveDuration = timedelta(hours=1)
    """The time since its last change from which it is unhealthy."""

    def run(self, context: CheckContext) -> Outcome:
        try:
            changed = self.path.stat().st_mtime
        except OSError as error:
            return Outcome.unhealthy(error.strerror or type(error).__name__)
        except ValueError:
            return Outcome.unhealthy("no path can be like this")
        return evaluate(timedelta(seconds=context.now.timestamp() - changed), self.max_age)

    def target(self) -> str:
        return str(self.path)


def evaluate(age: timedelta, max_age: timedelta) -> Outcome:
    """Returns whether a file of this age is young enough."""
    seconds = round(age.total_seconds(), 1)
    if age > max_age:
        what = f"{format_duration(age)} old, at most {format_duration(max_age)} are allowed"
        return Outcome.unhealthy(what, age_seconds=seconds)
    return Outcome.healthy(age_seconds=seconds)


@hookimpl
def healthkit_check_types() -> Mapping[str, type[Check]]:
    return {"$name": $kind}
'''

TESTS = '''\
import tomllib
from datetime import timedelta
from pathlib import Path

import $module
import pytest
from $module import $kind, evaluate

from healthkit import Health, Status, load_settings
from healthkit.testing.conformance import CheckConformance

README = Path(__file__).parent.parent / "README.md"
HOUR = timedelta(hours=1)


class Test$kind(CheckConformance):
    """What every check type has to bear."""

    check_type = $kind
    settings = {"path": __file__}  # noqa: RUF012


@pytest.mark.parametrize(
    ("age", "status"),
    [(HOUR, Status.HEALTHY), (HOUR + timedelta(seconds=1), Status.UNHEALTHY)],
)
def test_a_file_may_be_as_old_as_is_allowed(age, status):
    assert evaluate(age, HOUR).status is status


def test_a_file_that_was_just_written_is_healthy(run_check, tmp_path):
    (tmp_path / "file").write_text("now")
    assert run_check($kind(path=tmp_path / "file")).status is Status.HEALTHY


def test_a_file_that_is_not_there_says_so(run_check, tmp_path):
    found = run_check($kind(path=tmp_path / "none"))
    assert (found.status, found.message) == (Status.UNHEALTHY, "No such file or directory")


def test_the_example_of_the_readme_runs(tmp_path):
    example = README.read_text().partition("```toml\\n")[2].partition("```")[0]
    document = {
        **tomllib.loads(example),
        "service": {"name": "Example"},
        "store": {"url": f"sqlite:///{tmp_path}/store.db"},
    }
    health = Health(load_settings(document, environ={}, plugins=[$module]))
    assert health.check_once().result("$name").outcome.status is Status.HEALTHY
    health.stop()
'''

FILES: Mapping[str, str] = {
    "pyproject.toml": PYPROJECT,
    "README.md": README,
    ".gitignore": "__pycache__/\n*.egg-info/\ndist/\n.venv/\n",
    "src/$module/__init__.py": SOURCE,
    "src/$module/py.typed": "",
    "tests/test_$module.py": TESTS,
}
"""The files of a distribution, by their paths."""
_TAKEN = frozenset({*keyword.kwlist, *re.findall(r"\b[A-Z]\w*", SOURCE + TESTS)})
"""Names that a class in them cannot have: they mean something else there."""


class NewPluginError(HealthkitError):
    """It cannot be written; the text says why and how to mend it."""


@click.command("new-plugin")
@click.argument("name")
@click.option(
    "--into",
    type=click.Path(path_type=Path),
    default=Path(),
    metavar="DIR",
    help="The folder in which its own is made (default: this one).",
)
def new_plugin(name: str, into: Path) -> None:
    """Write a distribution with a check type NAME that works, and its tests."""
    if not _NAME.fullmatch(name) or len(name) > _LONGEST:
        raise NewPluginError(
            f"{name!r} is no name of a type: small letters, digits and single dashes,"
            f" {_LONGEST} characters at most; like freezer or mail-queue"
        )
    if name in PluginManager().check_types():
        raise NewPluginError(f"there is a check type {name} already; choose another name")
    if _is_installed(f"healthkit-{name}"):
        raise NewPluginError(f"healthkit-{name} is installed already; choose another name")
    folder = into / f"healthkit-{name}"
    try:
        folder.mkdir(parents=True)
        for path, text in _filled(name).items():
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_text(text, encoding="utf-8")
    except OSError as error:
        raise NewPluginError(f"cannot write {folder}: {error.strerror or error}") from None
    typed = shlex.quote(str(folder))
    click.echo(f"{folder}: pip install -e {typed} pytest && pytest {typed}")


def _is_installed(name: str) -> bool:
    try:
        distribution(name)
    except PackageNotFoundError:
        return False
    return True


def _filled(name: str) -> dict[str, str]:
    """Returns the files with the name in its forms: mail-queue, healthkit_mail_queue, MailQueue."""
    names = {
        "name": name,
        "module": f"healthkit_{name.replace('-', '_')}",
        "kind": _class_name(name),
    }
    return {
        Template(path).substitute(names): Template(text).substitute(names)
        for path, text in FILES.items()
    }


def _class_name(name: str) -> str:
    """Returns one that means nothing else there, and that pytest takes for no class of tests."""
    kind = "".join(part.capitalize() for part in name.split("-"))
    if kind.startswith("Test"):
        return f"Check{kind}"
    return f"{kind}Check" if kind in _TAKEN else kind


COMMANDS: tuple[click.Command, ...] = (new_plugin,)
