"""healthkit.toml and the environment into `Settings`; every mistake at once, each with its line."""

from __future__ import annotations

import inspect
import os
import re
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError, create_model

from healthkit._alerts import apprise_client, messages
from healthkit._config.settings import (
    AlertSettings,
    ChannelSettings,
    CheckSettings,
    ConfiguredCheck,
    MaintenanceSettings,
    MessageSettings,
    RouteSettings,
    ServiceSettings,
    Settings,
    StoreSettings,
    Table,
    WatchSettings,
)
from healthkit._model.checks import Severity
from healthkit._plugins import PluginManager
from healthkit.errors import ConfigError, Problem, nearest
from healthkit.masking import one_line

_REFERENCES = (
    ("checks", "depends_on", "check"),
    ("channels", "fallback", "channel"),
    ("routes", "channels", "channel"),
    ("routes", "escalate_to", "channel"),
    ("maintenance", "checks", "check"),
)
DEFAULT_FILE = "healthkit.toml"
RESERVED_NAMES = frozenset({"api", "uptime"})
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")
_VARIABLE = re.compile(r"\$\{(?P<name>[A-Za-z_][A-Za-z0-9_]*)(?::-(?P<default>[^}]*))?\}")
_SINGLE = {
    "service": ServiceSettings,
    "store": StoreSettings,
    "watch": WatchSettings,
    "alerts": AlertSettings,
    "messages": MessageSettings,
}
_NAMED = {
    "checks": CheckSettings,
    "channels": ChannelSettings,
    "routes": RouteSettings,
    "maintenance": MaintenanceSettings,
}

Model = TypeVar("Model", bound=BaseModel)


def load(
    path: str | os.PathLike[str],
    plugins: PluginManager,
    environ: Mapping[str, str] | None = None,
    live: Mapping[str, Mapping[str, Any]] | None = None,
    *,
    addresses: bool = True,
) -> Settings:
    """The settings of the file at `path`.

    `environ` fills `${NAME}` and `${NAME:-default}` (default: the process's). `live` gives checks
    what no file can hold, by name: `{"database": {"engine": engine}}`. Without `addresses` those of
    channels are not looked at, which spares a process that sends nothing the import of Apprise.
    Raises ConfigError with every mistake.
    """
    source = str(path)
    try:
        text = Path(path).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "not UTF-8 text"
        hint = "; make one with: healthkit init" if isinstance(error, FileNotFoundError) else ""
        raise ConfigError(source, [Problem("", f"cannot be read: {reason}{hint}")]) from None
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(source, [Problem("", f"not valid TOML: {error}")]) from None
    return parse(document, plugins, environ, live, source=source, text=text, addresses=addresses)


def parse(
    document: Mapping[str, Any],
    plugins: PluginManager,
    environ: Mapping[str, str] | None = None,
    live: Mapping[str, Mapping[str, Any]] | None = None,
    *,
    source: str = "settings",
    text: str = "",
    addresses: bool = True,
) -> Settings:
    """The settings of a document as TOML would give it. Raises ConfigError."""
    reader = _Reader(plugins, os.environ if environ is None else environ, live or {}, addresses)
    settings = reader.read(document, source)
    if reader.problems:
        lines = _line_numbers(text)
        found = [Problem(p.key, p.message, _line_of(p.key, lines)) for p in reader.problems]
        raise ConfigError(source, sorted(found, key=lambda p: p.line))
    return settings


class _Reader:
    """One reading of one document; collects problems instead of stopping at the first."""

    def __init__(
        self,
        plugins: PluginManager,
        environ: Mapping[str, str],
        live: Mapping[str, Mapping[str, Any]],
        addresses: bool,
    ) -> None:
        self._addresses = addresses
        self.problems: list[Problem] = []
        self._plugins = plugins
        self._types = plugins.check_types()
        self._plugin_failures = plugins.failures
        self._environ = environ
        self._live = live

    def read(self, document: Mapping[str, Any], source: str) -> Settings:
        document = self._expand(document, "")
        for key in document:
            if key not in _SINGLE and key not in _NAMED:
                hint = nearest(key, (*_SINGLE, *_NAMED))
                self._problem(key, f"unknown table{hint}")
        if "service" not in document:
            self._problem("service.name", "missing: say whose health this is")
        checks = self._checks(document)
        self._plugin_checks(checks)
        found = self._channels(document)
        words = self._single(document, "messages", MessageSettings)
        self.problems += messages.template_problems(words) if words else []
        routes = self._named(document, "routes", RouteSettings)
        self._refer(document, set(checks))
        return Settings.model_construct(
            service=self._single(document, "service", ServiceSettings),
            store=self._single(document, "store", StoreSettings),
            watch=self._single(document, "watch", WatchSettings),
            alerts=self._single(document, "alerts", AlertSettings),
            messages=words,
            maintenance=self._named(document, "maintenance", MaintenanceSettings),
            checks=tuple(checks.values()),
            channels=found,
            routes={Severity(name): route for name, route in routes.items()},
            source=source,
        )

    def _problem(self, key: str, message: str) -> None:
        self.problems.append(Problem(key, message))

    # Environment

    def _expand(self, value: Any, key: str) -> Any:
        if isinstance(value, str):
            return _VARIABLE.sub(lambda match: self._variable(match, key), value)
        if isinstance(value, Mapping):
            return {k: self._expand(v, f"{key}.{k}" if key else k) for k, v in value.items()}
        if isinstance(value, list):
            return [self._expand(item, f"{key}.{i}") for i, item in enumerate(value)]
        return value

    def _variable(self, match: re.Match[str], key: str) -> str:
        name, default = match["name"], match["default"]
        value = self._environ.get(name) or default
        if value is None:
            hint = f"set it, or write ${{{name}:-default}}"
            self._problem(key, f"the environment variable {name} is not set; {hint}")
            return match[0]
        return value

    # Tables

    def _single(self, document: Mapping[str, Any], name: str, model: type[Model]) -> Any:
        absent = {"name": "unnamed"} if name == "service" else {}
        return self._validate(model, document.get(name, absent), name)

    def _named(
        self, document: Mapping[str, Any], group: str, model: type[Model]
    ) -> dict[str, Model]:
        found = {}
        for name, table in self._tables(document, group):
            if group == "routes" and name not in set(Severity):
                self._problem(f"routes.{name}", f"unknown severity{nearest(name, list(Severity))}")
                continue
            if (settings := self._validate(model, table, f"{group}.{name}")) is not None:
                found[name] = settings
        return found

    def _tables(self, document: Mapping[str, Any], group: str) -> Iterator[tuple[str, Any]]:
        tables = document.get(group, {})
        if not isinstance(tables, Mapping):
            self._problem(group, f"must be tables, each written [{group}.NAME]")
            return
        for name, table in tables.items():
            if _NAME.fullmatch(name):
                yield name, table
            else:
                rule = "letters, digits, dots, dashes and underscores, 64 at most"
                self._problem(f"{group}.{name}", f"a name is made of {rule}")

    def _checks(self, document: Mapping[str, Any]) -> dict[str, ConfiguredCheck]:
        found = {}
        for name, table in self._tables(document, "checks"):
            key = f"checks.{name}"
            if name in RESERVED_NAMES:
                self._problem(key, f"{name!r} is the report's own entry; choose another name")
            elif not isinstance(table, Mapping):
                self._problem(key, f"must be a table, written [{key}]")
            elif (check := self._check(name, key, table)) is not None:
                found[name] = check
        return found

    def _channels(self, document: Mapping[str, Any]) -> dict[str, ChannelSettings]:
        found = self._named(document, "channels", ChannelSettings)
        if self._addresses and any(channel.enabled for channel in found.values()):
            self._plugins.hand("healthkit_channel_types", apprise_client.register)
            self.problems += apprise_client.problems(
                {n: c for n, c in found.items() if not self._is_unset(f"channels.{n}.url")}
            )
        return found

    def _is_unset(self, key: str) -> bool:
        """Whether a variable in the key's value is missing, which has been said already."""
        return any(problem.key == key for problem in self.problems)

    def _plugin_checks(self, checks: dict[str, ConfiguredCheck]) -> None:
        """Adds what plugins check without configuration; the file wins over them."""
        for answer in self._plugins.each("healthkit_checks"):
            for info, check in answer:
                added = ConfiguredCheck(info=info, type="plugin", check=check)
                checks.setdefault(info.name, added)

    def _check(self, name: str, key: str, table: Mapping[str, Any]) -> ConfiguredCheck | None:
        cls = self._types.get(table.get("type", ""))
        core = {k: v for k, v in table.items() if k in CheckSettings.model_fields}
        own = {k: v for k, v in table.items() if k not in core} | dict(self._live.get(name, {}))
        settings = self._validate(CheckSettings, core, key)
        if cls is None:
            if "type" in table:
                self._problem(f"{key}.type", self._unknown_type(str(table["type"])))
            return None
        check = self._build(cls, own, key)
        if settings is None or check is None:
            return None
        target = getattr(check, "target", None)
        info = settings.info(name, target() if callable(target) else None)
        return ConfiguredCheck(
            info=info, type=settings.type, check=check, watch_only=settings.watch_only
        )

    def _unknown_type(self, name: str) -> str:
        hint = nearest(name, self._types)
        failed = [f"{plugin} ({why})" for plugin, why in self._plugin_failures.items()]
        broken = f"; plugins that failed: {', '.join(failed)}" if failed else ""
        return f"no plugin answers for the type {name!r}{hint}{broken}"

    def _build(self, cls: type[Any], own: Mapping[str, Any], key: str) -> Any:
        """The check itself: a pydantic model as it is, any other class by its signature."""
        if issubclass(cls, BaseModel):
            return self._validate(cls, own, key, also=CheckSettings.model_fields)
        arguments = self._validate(_signature_model(cls), own, key, also=CheckSettings.model_fields)
        if arguments is None:
            return None
        given = {name: getattr(arguments, name) for name in arguments.model_fields_set}
        try:
            return cls(**given)
        except Exception as error:  # noqa: BLE001  a plugin may raise anything
            self._problem(key, one_line(f"{type(error).__name__}: {error}"))
            return None

    def _validate(
        self, model: type[Model], table: Any, key: str, also: Mapping[str, Any] | None = None
    ) -> Model | None:
        if not isinstance(table, Mapping):
            self._problem(key, f"must be a table, written [{key}]")
            return None
        try:
            return model.model_validate(dict(table))
        except ValidationError as error:
            for fault in error.errors(include_url=False):
                path = ".".join(str(part) for part in fault["loc"] if part != "__root__")
                where = f"{key}.{path}" if path else key
                self._problem(where, _explain(fault, {**model.model_fields, **(also or {})}))
            return None

    # What refers to what

    def _refer(self, document: Mapping[str, Any], plugin_checks: set[str]) -> None:
        """Names that stand for other tables. Read from the document as it is, so that a mistake
        elsewhere in a table hides none here."""
        known = {
            "check": {*_table_names(document, "checks"), *plugin_checks},
            "channel": set(_table_names(document, "channels")),
        }
        for group, key, what in _REFERENCES:
            edges = {
                name: _names(document[group][name], key) for name in _table_names(document, group)
            }
            for name, referred in edges.items():
                for other in referred:
                    if other not in known[what]:
                        hint = nearest(other, known[what])
                        self._problem(f"{group}.{name}.{key}", f"unknown {what} {other!r}{hint}")
            if circle := find_circle(edges):
                path = " → ".join((*circle, circle[0]))
                self._problem(f"{group}.{circle[0]}.{key}", f"goes round in a circle: {path}")


def _table_names(document: Mapping[str, Any], group: str) -> list[str]:
    tables = document.get(group)
    if not isinstance(tables, Mapping):
        return []
    return [name for name, table in tables.items() if isinstance(table, Mapping)]


def _names(table: Mapping[str, Any], key: str) -> tuple[str, ...]:
    """One name or a list of them; what is neither has been reported already."""
    value = table.get(key, ())
    names = (value,) if isinstance(value, str) else value
    return tuple(n for n in names if isinstance(n, str)) if isinstance(names, list | tuple) else ()


def find_circle(edges: Mapping[str, tuple[str, ...]]) -> tuple[str, ...]:
    """The names of one circle in a graph, or nothing."""
    done: set[str] = set()

    def visit(name: str, path: tuple[str, ...]) -> tuple[str, ...]:
        if name in path:
            return path[path.index(name) :]
        if name in done:
            return ()
        for following in edges.get(name, ()):
            if found := visit(following, (*path, name)):
                return found
        done.add(name)
        return ()

    for name in edges:
        if circle := visit(name, ()):
            return circle
    return ()


def _signature_model(cls: type[Any]) -> type[BaseModel]:
    """A model of a constructor's keywords, so that a plain class is validated like the others."""
    fields: dict[str, Any] = {}
    for parameter in inspect.signature(cls).parameters.values():
        if parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD):
            continue
        annotation = Any if parameter.annotation is parameter.empty else parameter.annotation
        if isinstance(annotation, str):
            annotation = inspect.get_annotations(cls.__init__, eval_str=True)[parameter.name]
        default = ... if parameter.default is parameter.empty else parameter.default
        fields[parameter.name] = (annotation, default)
    return create_model(f"{cls.__name__}Settings", __config__=Table.model_config, **fields)


def _explain(fault: Any, fields: Mapping[str, Any]) -> str:
    kind = fault["type"]
    if kind == "extra_forbidden":
        return f"unknown key{nearest(str(fault['loc'][-1]), fields)}"
    if kind == "missing":
        return "missing"
    message: str = fault["msg"]
    return one_line(message.removeprefix("Value error, "))


def _line_numbers(text: str) -> dict[str, int]:
    """Where each table and key stands; tomllib does not say."""
    lines: dict[str, int] = {}
    table = ""
    for number, line in enumerate(text.splitlines(), start=1):
        if header := re.match(r"\s*\[\[?\s*([^\]]+?)\s*\]", line):
            table = header[1].replace('"', "").replace(" ", "")
            lines.setdefault(table, number)
            lines.setdefault(table.partition(".")[0], number)
        elif key := re.match(r"""\s*([\w."'-]+)\s*=""", line):
            name = key[1].replace('"', "").replace("'", "")
            lines.setdefault(f"{table}.{name}" if table else name, number)
    return lines


def _line_of(key: str, lines: Mapping[str, int]) -> int:
    """The line of a key, or of the nearest table around it."""
    while key:
        if key in lines:
            return lines[key]
        key = key.rpartition(".")[0]
    return 0
