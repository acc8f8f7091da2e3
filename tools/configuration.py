"""Writes the reference of healthkit.toml, healthkit/CONFIGURATION.md, from the types that read it.

    python -m tools.configuration           writes it
    python -m tools.configuration --check   exits 1 where it is not what the types say

Each key has its default, what is written there with its bounds, and what its docstring says.
"""

from __future__ import annotations

import ast
import inspect
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import time, timedelta
from enum import Enum
from pathlib import Path
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

import annotated_types
from pydantic import BaseModel, SecretStr
from pydantic.fields import FieldInfo

from healthkit import Check, fields
from healthkit._config import alert_tables, service_tables, table
from healthkit._plugins import PluginManager
from healthkit._schedules import check_cron

ROOT = Path(__file__).resolve().parent.parent
WRITTEN = ROOT / "healthkit" / "CONFIGURATION.md"
TABLES: Mapping[str, type[BaseModel]] = {
    "service": service_tables.ServiceSettings,
    "store": service_tables.StoreSettings,
    "checks.NAME": service_tables.CheckSettings,
    "channels.NAME": alert_tables.ChannelSettings,
    "routes.SEVERITY": alert_tables.RouteSettings,
    "alerts": alert_tables.AlertSettings,
    "messages": alert_tables.MessageSettings,
    "maintenance.NAME": alert_tables.MaintenanceSettings,
    "watch": service_tables.WatchSettings,
    "status": service_tables.StatusSettings,
    "groups.NAME": service_tables.GroupSettings,
    "slo.NAME": service_tables.SloSettings,
    "links": alert_tables.LinkSettings,
}

FORMS: Mapping[Callable[..., Any], str] = {
    fields.parse_duration: "duration",
    fields._positive: "more than `0s`",
    fields.parse_size: "size",
    fields.parse_percent: "share",
    fields._known_zone: "time zone (`Asia/Jakarta`)",
    table.parse_time_of_day: "time of day (`08:00`)",
    table.parse_quiet_hours: "hours (`22:00-07:00`)",
    service_tables._promise: "more than `0%`, less than `100%`",
    alert_tables._window: "more than `0s`, at most `7d`",
    service_tables._lease: "`3s` to `14s`",
    table.web_address: "an address, `https://…`",
    check_cron: "five fields of cron (`0 4 * * sun`)",
}
"""What is written where one of these reads it. Others narrow the type that they stand at."""

TYPES: Mapping[Any, str] = {
    str: "text",
    SecretStr: "text, never shown",
    int: "whole number",
    float: "number",
    bool: "`true` or `false`",
    Path: "path",
    timedelta: "",
    time: "",
    table.QuietHours: "",
    NoneType: "",
    Any: "any value",
}
UNITS = (("d", 86400), ("h", 3600), ("m", 60), ("s", 1))

HEAD = """# Every key of healthkit.toml

Written by `python -m tools.configuration` from the types that read the file, and held by a test.
A key that is not here is a mistake, which `healthkit config check` names with its line; so is a
value outside its bounds. "required" has no default.

- A duration is written `500ms`, `30s`, `1h30m` or `7d`, at most ten years; a share `80%`, from `0%`
  to `100%`; a size `500KB`, `1MB` (10^6), `2GiB` (2^30) or as a number of bytes.
- `${NAME}` in a text is the environment variable NAME, and missing it is a mistake;
  `${NAME:-default}` has a default. Secrets belong there.
- `--config FILE` of every command, or `HEALTHKIT_CONFIG`, names the file; else it is
  `healthkit.toml` in the working directory.
"""


def main(arguments: list[str] | None = None) -> int:
    """Writes the reference, or tells whether it is what the types say."""
    text = reference()
    if "--check" not in (sys.argv[1:] if arguments is None else arguments):
        WRITTEN.write_text(text)
        return 0
    if WRITTEN.read_text() == text:
        return 0
    print(f"{WRITTEN.relative_to(ROOT)} is old; mend it: python -m tools.configuration")
    return 1


def reference() -> str:
    """The whole text, in Markdown."""
    parts = [HEAD]
    for name, model in TABLES.items():
        parts += [f"## `[{name}]`\n", _first_line(model), _table(model)]
    parts.append(
        "## Types of checks\n\n`type = …` in `[checks.NAME]`; beside the keys of every check, each"
        " has its own.\n"
    )
    for name, model in sorted(check_types().items()):
        parts += [f'### `type = "{name}"`\n', _first_line(model), _table(model)]
    return "\n".join(parts)


def check_types() -> dict[str, type[Check]]:
    """healthkit's own types, and those of the plugins of this repository."""
    found: dict[str, type[Check]] = PluginManager().check_types()
    return {k: v for k, v in found.items() if v.__module__.startswith("healthkit")}


def keys(model: type[BaseModel]) -> Iterator[tuple[str, FieldInfo, str]]:
    """(key, its field, its docstring) of a table."""
    said = _docstrings(model)
    for name, field in model.model_fields.items():
        yield name, field, said.get(name, "")


def describe(annotation: Any, metadata: Iterable[Any] = ()) -> str:
    """What a user writes for a type: `duration (…), more than `0s``."""
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return describe(arguments[0], arguments[1:])
    words = [_form(annotation, origin, arguments)]
    metadata = [
        part for one in metadata for part in (one.metadata if isinstance(one, FieldInfo) else [one])
    ]
    for one in metadata:
        reader = getattr(one, "func", None)
        if reader in FORMS:
            words = [word for word in words if word != "text, never shown"] + [FORMS[reader]]
        words += _bounds(one)
    if any(getattr(one, "func", None) in FORMS for one in metadata):
        words = [word for word in words if word not in set(TYPES.values())]
    return ", ".join(dict.fromkeys(word for word in words if word))


def _form(annotation: Any, origin: Any, arguments: tuple[Any, ...]) -> str:
    if annotation in TYPES:
        return TYPES[annotation]
    if origin in (Union, UnionType):
        return " or ".join(filter(None, map(describe, arguments)))
    if origin is Literal:
        return ", ".join(f'`"{one}"`' if isinstance(one, str) else f"`{one}`" for one in arguments)
    if origin is tuple:
        return f"list: {describe(arguments[0])}"
    if origin in (dict, Mapping):
        return f"table: {describe(arguments[1])}"
    if isinstance(annotation, type) and issubclass(annotation, Enum):
        return ", ".join(f'`"{one.value}"`' for one in annotation)
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return "table: " + ", ".join(f"`{name}`" for name in annotation.model_fields)
    return "text"


def _bounds(one: Any) -> list[str]:
    match one:
        case annotated_types.Ge(least):
            return [f"at least {least}"]
        case annotated_types.Gt(least):
            return [f"more than {least}"]
        case annotated_types.Le(most):
            return [f"at most {most}"]
        case annotated_types.Lt(most):
            return [f"less than {most}"]
        case annotated_types.MinLen(1):
            return ["not empty"]
        case annotated_types.MaxLen(most):
            return [f"at most {most} long"]
    return []


def default(field: FieldInfo) -> str:
    """The default as it is written in the file."""
    if field.is_required():
        return "required"
    value = field.get_default(call_default_factory=True)
    if isinstance(value, SecretStr):
        value = value.get_secret_value()
    if value is None or value in ((), {}, ""):
        return "none"
    if isinstance(value, timedelta):
        return f"`{_short(value)}`"
    if isinstance(value, time):
        return f"`{value:%H:%M}`"
    if isinstance(value, Enum):
        return f"`{value.value}`"
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    if isinstance(value, tuple):
        return ", ".join(f"`{one}`" for one in value)
    percent = any(getattr(one, "func", None) is fields.parse_percent for one in field.metadata)
    return f"`{value:g}%`" if percent and isinstance(value, float) else f"`{value}`"


def _short(value: timedelta) -> str:
    seconds = value.total_seconds()
    if seconds == 0:
        return "0s"
    if seconds % 1:
        return f"{seconds * 1000:g}ms"
    unit, size = next((unit, size) for unit, size in UNITS if seconds % size == 0)
    return f"{seconds / size:g}{unit}"


def _table(model: type[BaseModel]) -> str:
    rows = ["| key | default | written as | meaning |", "| --- | --- | --- | --- |"]
    for name, field, said in keys(model):
        written = describe(field.annotation, field.metadata)
        cells = (f"`{name}`", default(field), written, " ".join(said.split()))
        rows.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
    return "\n".join(rows) + "\n"


def _first_line(model: type[BaseModel]) -> str:
    text = inspect.getdoc(model) or ""
    return " ".join(text.split("\n\n")[0].split()) + "\n"


def _docstrings(model: type[BaseModel]) -> dict[str, str]:
    """The text under each field, of a model and those that it is made from."""
    found: dict[str, str] = {}
    for one in reversed(model.__mro__):
        if not (issubclass(one, BaseModel) and one.__module__.startswith("healthkit")):
            continue
        (definition,) = ast.parse(inspect.getsource(one)).body
        assert isinstance(definition, ast.ClassDef)
        for field, after in zip(definition.body, definition.body[1:], strict=False):
            if (
                isinstance(field, ast.AnnAssign)
                and isinstance(field.target, ast.Name)
                and isinstance(after, ast.Expr)
                and isinstance(after.value, ast.Constant)
                and isinstance(after.value.value, str)
            ):
                found[field.target.id] = after.value.value
    return found


if __name__ == "__main__":
    sys.exit(main())
