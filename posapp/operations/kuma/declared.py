"""deploy/kuma/monitors.toml as types. `${NAME}` stands for a variable, `${NAME:-}` for one that
may be missing."""

from __future__ import annotations

import string
import tomllib
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    model_validator,
)

from healthkit.fields import PositiveDuration, TimeZoneName
from healthkit.masking import escape_controls
from posapp.runtime import processes
from posapp.runtime.errors import CommandError
from posapp.settings import addresses

SHOWN = 20
"""Mistakes that are named; the rest are counted."""


def _printable(text: str) -> str:
    if not text.isprintable():
        raise ValueError("text without control characters, please")
    return text


def _no_truth(value: Any) -> Any:
    """TOML's true is 1 to Python."""
    if isinstance(value, bool):
        raise ValueError("a number, please")
    return value


def _plain(value: Any) -> Any:
    if not isinstance(value, str | int):
        raise ValueError("text, a whole number, true or false, please")
    return value


def _period(value: timedelta) -> timedelta:
    """Kuma's own bounds: 2.x refuses others, 1.23 takes them for others."""
    if not timedelta(seconds=20) <= value <= timedelta(days=24) or value.microseconds:
        raise ValueError("20s to 24d in whole seconds, for Uptime Kuma")
    return value


def _once(values: tuple[str, ...]) -> tuple[str, ...]:
    if doubled := sorted({one for one in values if values.count(one) > 1}):
        raise ValueError(f"{', '.join(doubled)} stands there twice")
    return values


Key = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,39}$")]
Keys = Annotated[tuple[Key, ...], AfterValidator(_once)]
Name = Annotated[str, Field(min_length=1, max_length=150), AfterValidator(_printable)]
Period = Annotated[PositiveDuration, AfterValidator(_period)]
FormValue = Annotated[Any, BeforeValidator(_plain)]
TimeOfDay = Annotated[str, Field(pattern=r"^([01]\d|2[0-3]):[0-5]\d$")]
MONITORS = processes.ROOT / "deploy" / "kuma" / "monitors.toml"
DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


class KumaError(CommandError):
    """Uptime Kuma cannot be made as declared; one line that says why."""


class _Table(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Monitor(_Table):
    """`[monitors.KEY]`. Which of the optional keys are needed goes by the type."""

    name: Name
    type: Literal["http", "keyword", "json-query", "push"]
    url: Annotated[str, AfterValidator(addresses.page)] | None = None
    interval: Period
    retries: Annotated[int, BeforeValidator(_no_truth), Field(ge=0, le=100)] = 0
    retry_interval: Period | None = None
    """Between two tries of a failing one; without it as long as `interval`."""
    keyword: str | None = Field(default=None, min_length=1)
    json_path: str | None = Field(default=None, min_length=1)
    expected: str | None = Field(default=None, min_length=1)
    certificate: bool = False
    """Whether the expiry of its certificate is told."""
    variable: str | None = Field(default=None, pattern=r"^[A-Z][A-Z0-9_]*$")
    """The variable that gets a push monitor's address."""
    notifications: Keys | None = None
    """Who is told; without it everybody."""

    @model_validator(mode="after")
    def _whole(self) -> Self:
        needed = {
            "http": {"url"},
            "keyword": {"url", "keyword"},
            "json-query": {"url", "json_path", "expected"},
            "push": {"variable"},
        }
        own = {"url", "keyword", "json_path", "expected", "variable"}
        given = {name for name in own if getattr(self, name) is not None}
        if missing := sorted(needed[self.type] - given):
            raise ValueError(f"type {self.type} needs {', '.join(missing)}")
        if extra := sorted(given - needed[self.type]):
            raise ValueError(f"type {self.type} knows no {', '.join(extra)}")
        return self


class DeclaredPage(_Table):
    """`[status_page]`: `groups` has the keys of monitors under the headings of the page."""

    slug: Key
    title: Name
    groups: dict[Name, Keys]


class Maintenance(_Table):
    """`[maintenance.KEY]`: a window of each of these days, without alarms."""

    title: Name
    days: Annotated[
        tuple[Literal[DAYS], ...],  # type: ignore[valid-type]
        Field(min_length=1),
        AfterValidator(_once),
    ]
    start: TimeOfDay
    end: TimeOfDay
    timezone: TimeZoneName = "Asia/Jakarta"
    monitors: Annotated[Keys, Field(min_length=1)]

    @model_validator(mode="after")
    def _lasting(self) -> Self:
        if self.start == self.end:
            raise ValueError(f"start and end are both {self.start}; a window has to last")
        return self


class Declared(_Table):
    """The whole file. A notification is Kuma's own form of it, with `name` and `type`; one that
    has an empty value is off."""

    monitors: dict[Key, Monitor]
    notifications: dict[Key, dict[str, FormValue]] = {}
    status_page: DeclaredPage | None = None
    maintenance: dict[Key, Maintenance] = {}

    @model_validator(mode="after")
    def _referring(self) -> Self:
        known = self.monitors.keys()
        for heading, keys in (self.status_page.groups if self.status_page else {}).items():
            _refuse_unknown(f"status_page.groups.{heading}", keys, known)
        for key, window in self.maintenance.items():
            _refuse_unknown(f"maintenance.{key}.monitors", window.monitors, known)
        for key, monitor in self.monitors.items():
            wanted = monitor.notifications or ()
            _refuse_unknown(f"monitors.{key}.notifications", wanted, self.notifications.keys())
        variables = tuple(one.variable for one in self.monitors.values() if one.variable)
        try:
            _once(variables)
        except ValueError as error:
            raise ValueError(f"monitors: variable {error}, and holds one address") from None
        for key, form in self.notifications.items():
            if not isinstance(form.get("name"), str) or not isinstance(form.get("type"), str):
                raise ValueError(f"notifications.{key}: needs name and type, as Kuma has them")
        return self

    def enabled_notifications(self) -> dict[str, dict[str, Any]]:
        return {key: form for key, form in self.notifications.items() if "" not in form.values()}


def _refuse_unknown(where: str, keys: Any, known: Any) -> None:
    if unknown := sorted(set(keys) - set(known)):
        raise ValueError(f"{where}: there is no {', '.join(unknown)}")


class _Variables(string.Template):
    """`${NAME}` and `${NAME:-default}`."""

    braceidpattern = r"[A-Z][A-Z0-9_]*(?::-[^}]*)?"


class _Environ(dict[str, str]):
    """Remembers which variables are missing."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        super().__init__(environ)
        self.missing: set[str] = set()

    def __getitem__(self, written: str) -> str:
        name, optional, default = written.partition(":-")
        value = self.get(name, "")
        if not value and not optional:
            self.missing.add(name)
        return value or default


def load(path: Path, environ: Mapping[str, str]) -> Declared:
    """Reads the file and fills in its variables. Raises KumaError with a line for each mistake."""
    try:
        document = tomllib.loads(path.read_text("utf-8"))
    except OSError as error:
        raise KumaError(f"{path}: {error.strerror}; name the file with --file") from None
    except RecursionError:
        raise KumaError(f"{path}: nested too deeply") from None
    except ValueError as error:  # no TOML, no text, or a number of 5,000 digits
        raise KumaError(f"{path}: {error}") from None
    variables = _Environ(environ)
    try:
        filled = _filled(document, variables)
        if variables.missing:
            raise KumaError(f"{path}: not set: {', '.join(sorted(variables.missing))}")
        return Declared.model_validate(filled)
    except ValidationError as error:
        faults = error.errors(include_input=False)
        lines = [escape_controls(f"{path}: {_where(one)}{one['msg']}") for one in faults[:SHOWN]]
        if len(faults) > SHOWN:
            lines.append(f"{path}: and {len(faults) - SHOWN} more")
        raise KumaError("\n".join(line.replace("Value error, ", "") for line in lines)) from None


def _where(fault: Any) -> str:
    return f"{'.'.join(str(part) for part in fault['loc'])}: " if fault["loc"] else ""


def _filled(value: Any, variables: _Environ) -> Any:
    if isinstance(value, str):
        try:
            return _Variables(value).substitute(variables)
        except ValueError:
            raise KumaError(f"{value!r}: write a variable like ${{NAME}}, and $ as $$") from None
    if isinstance(value, dict):
        return {key: _filled(item, variables) for key, item in value.items()}
    return [_filled(item, variables) for item in value] if isinstance(value, list) else value
