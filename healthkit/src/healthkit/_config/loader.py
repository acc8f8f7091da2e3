"""Reads healthkit.toml into `Settings`: every mistake at once, with its line."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from pydantic import SecretStr

from healthkit._config import source as toml
from healthkit._config.alert_tables import (
    AlertSettings,
    ChannelSettings,
    LinkSettings,
    MaintenanceSettings,
    MessageSettings,
    RouteSettings,
)
from healthkit._config.checks import (
    RESERVED_NAMES,
    build,
    check_name_problems,
    configured,
    declared_keys,
    name_problems,
)
from healthkit._config.groups import group_problems
from healthkit._config.objectives import objective_problems
from healthkit._config.offered import offered_checks
from healthkit._config.references import document_links, reference_problems, tables
from healthkit._config.service_tables import (
    CheckSettings,
    GroupSettings,
    ServiceSettings,
    SloSettings,
    StatusSettings,
    StoreSettings,
    WatchSettings,
)
from healthkit._config.settings import ConfiguredCheck, Settings
from healthkit._config.store_path import beside
from healthkit._config.validation import Model, quoted, validate
from healthkit._model.checks import Severity
from healthkit._plugins import PluginManager
from healthkit.errors import ConfigError, ConfigProblem, did_you_mean

DEFAULT_FILE = "healthkit.toml"
_SINGLE = {
    "service": ServiceSettings,
    "store": StoreSettings,
    "watch": WatchSettings,
    "alerts": AlertSettings,
    "messages": MessageSettings,
    "status": StatusSettings,
    "links": LinkSettings,
}
_NAMED = {
    "checks": CheckSettings,
    "channels": ChannelSettings,
    "routes": RouteSettings,
    "maintenance": MaintenanceSettings,
    "groups": GroupSettings,
    "slo": SloSettings,
}

Validator = Callable[[Settings], Iterable[ConfigProblem]]
"""Finds mistakes that only a process sees that sends messages: templates, channel URLs."""


def load(
    source: str | os.PathLike[str] | Mapping[str, Any],
    plugins: PluginManager,
    environ: Mapping[str, str] | None = None,
    resources: Mapping[str, Mapping[str, Any]] | None = None,
    *,
    validator: Validator = lambda settings: (),
) -> Settings:
    """Returns the settings of a file, or of a document as TOML would give it.

    `environ` fills `${NAME}` and `${NAME:-default}` (default: the process's). `resources` gives
    checks what no file can hold, by name: `{"database": {"engine": engine}}`. Raises ConfigError
    with every mistake.
    """
    if isinstance(source, Mapping):
        document, text, name, folder = source, "", "settings", None
    else:
        name = str(source)
        document, text = toml.read(Path(source))
        folder = Path(source).resolve().parent
    loader = _Loader(plugins, os.environ if environ is None else environ, resources or {})
    settings = loader.load(document, name)
    problems = loader.problems
    known = {problem.key for problem in problems}
    problems += [problem for problem in validator(settings) if problem.key not in known]
    if problems:
        lines = toml.line_numbers(text)
        found = [ConfigProblem(p.key, p.message, toml.line_of(p.key, lines)) for p in problems]
        raise ConfigError(name, sorted(found, key=lambda p: p.line))
    return settings if folder is None else _with_store_beside(folder, settings)


def _with_store_beside(folder: Path, settings: Settings) -> Settings:
    url = SecretStr(beside(settings.store.url.get_secret_value(), folder))
    return settings.model_copy(update={"store": settings.store.model_copy(update={"url": url})})


class _Loader:
    """One reading of one document; collects problems instead of stopping at the first."""

    def __init__(
        self,
        plugins: PluginManager,
        environ: Mapping[str, str],
        resources: Mapping[str, Mapping[str, Any]],
    ) -> None:
        self.problems: list[ConfigProblem] = []
        self._plugins = plugins
        self._types = plugins.check_types()
        self._plugin_failures = plugins.failures
        self._environ = environ
        self._resources = resources

    def load(self, document: Mapping[str, Any], source: str) -> Settings:
        document = toml.expand(document, self._environ, self.problems)
        for key in document:
            if key not in _SINGLE and key not in _NAMED:
                self._problem(key, f"unknown table{did_you_mean(key, (*_SINGLE, *_NAMED))}")
        if "service" not in document:
            self._problem("service.name", "missing: say whose health this is")
        checks = self._checks(document)
        self._plugin_checks(checks)
        channels = self._named(document, "channels", ChannelSettings)
        routes = self._named(document, "routes", RouteSettings)
        groups = self._named(document, "groups", GroupSettings)
        slo = self._named(document, "slo", SloSettings)
        promised = {name: one.checks for name, one in slo.items()}
        self.problems += objective_problems(promised, checks.values())
        of_checks = {name: check.group for name, check in checks.items()}
        of_checks |= {name: _text(t.get("group")) for name, t in tables(document, "checks").items()}
        self.problems += group_problems(of_checks, groups)
        self.problems += reference_problems(
            document_links(document),
            {*tables(document, "checks"), *checks},
            set(tables(document, "channels")),
        )
        return Settings.model_construct(
            service=self._single(document, "service", ServiceSettings),
            store=self._single(document, "store", StoreSettings),
            watch=self._single(document, "watch", WatchSettings),
            alerts=self._single(document, "alerts", AlertSettings),
            messages=self._single(document, "messages", MessageSettings),
            status=self._single(document, "status", StatusSettings),
            links=self._single(document, "links", LinkSettings),
            maintenance=self._named(document, "maintenance", MaintenanceSettings),
            groups=groups,
            slo=slo,
            checks=tuple(checks.values()),
            channels=channels,
            routes={Severity(name): route for name, route in routes.items()},
            source=source,
        )

    def _problem(self, key: str, message: str) -> None:
        self.problems.append(ConfigProblem(key, message))

    def _single(self, document: Mapping[str, Any], name: str, model: type[Model]) -> Any:
        absent = {"name": "unnamed"} if name == "service" else {}
        found = validate(model, document.get(name, absent), name, self.problems)
        return model(**absent) if found is None else found

    def _named(
        self, document: Mapping[str, Any], group: str, model: type[Model]
    ) -> dict[str, Model]:
        found = {}
        for name, table in self._tables(document, group):
            key = f"{group}.{name}"
            if group == "routes" and name not in set(Severity):
                self._problem(key, f"unknown severity{did_you_mean(name, list(Severity))}")
                continue
            if (settings := validate(model, table, key, self.problems)) is not None:
                found[name] = settings
        return found

    def _tables(self, document: Mapping[str, Any], group: str) -> Iterator[tuple[str, Any]]:
        found = document.get(group, {})
        if not isinstance(found, Mapping):
            self._problem(group, f"must be tables, each written [{group}.NAME]")
            return
        for name, table in found.items():
            if problems := name_problems(f"{group}.{name}", name):
                self.problems += problems
            else:
                yield name, table

    def _checks(self, document: Mapping[str, Any]) -> dict[str, ConfiguredCheck]:
        found = {}
        for name, table in self._tables(document, "checks"):
            key = f"checks.{name}"
            if name in RESERVED_NAMES:
                self.problems += check_name_problems(name)
            elif not isinstance(table, Mapping):
                self._problem(key, f"must be a table, written [{key}]")
            elif (check := self._check(name, key, table)) is not None:
                found[name] = check
        return found

    def _plugin_checks(self, checks: dict[str, ConfiguredCheck]) -> None:
        """Adds the checks of plugins that need no configuration; the file wins over them."""
        for check in offered_checks(self._plugins, checks):
            checks.setdefault(check.info.name, check)

    def _check(self, name: str, key: str, table: Mapping[str, Any]) -> ConfiguredCheck | None:
        named = _text(table.get("type"))
        cls = None if named is None else self._types.get(named)
        declared = declared_keys(cls)
        core = {k: v for k, v in table.items() if k in CheckSettings.model_fields}
        own = {k: v for k, v in table.items() if k not in core or k in declared}
        settings = validate(CheckSettings, core, key, self.problems)
        if cls is None:
            if named is not None:
                self._problem(f"{key}.type", self._unknown_type(named))
            return None
        check = build(cls, own | dict(self._resources.get(name, {})), key, self.problems)
        return None if settings is None or check is None else configured(name, settings, check)

    def _unknown_type(self, name: str) -> str:
        hint = did_you_mean(name, self._types)
        failed = [f"{plugin} ({why})" for plugin, why in self._plugin_failures.items()]
        broken = f"; plugins that failed: {', '.join(failed)}" if failed else ""
        return f"no plugin offers the type {quoted(name)}{hint}{broken}"


def _text(value: Any) -> str | None:
    """Returns a text; what is none has been reported already."""
    return value if isinstance(value, str) else None
