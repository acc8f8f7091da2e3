"""Makes checks of their settings: of a table, or in Python."""

from __future__ import annotations

import inspect
import logging
import re
from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, create_model

from healthkit import _outcomes
from healthkit._config.service_tables import CheckSettings
from healthkit._config.settings import ConfiguredCheck
from healthkit._config.table import ConfigTable
from healthkit._config.validation import raised, validate
from healthkit.errors import ConfigError, ConfigProblem

log = logging.getLogger("healthkit")

RESERVED_NAMES = frozenset({"api", "uptime"})
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")


def configure_check(name: str, check: Any, **settings: Any) -> ConfiguredCheck:
    """Returns a check made in Python with its name and the settings that each check has.

    `settings` are the keys of `[checks.NAME]` but for `type`: severity, role, interval, timeout,
    fail_after, recover_after, depends_on, tags, label, runbook, watch_only, silent, group, public.
    Durations are text ("10s") or timedelta. Raises ConfigError with every mistake.
    """
    problems = check_name_problems(name)
    kind = type(check).__name__
    core = validate(CheckSettings, {**settings, "type": kind}, f"checks.{name}", problems)
    if not callable(getattr(check, "run", None)):
        message = f"{kind} is no check: it has no method run(context)"
        problems.append(ConfigProblem(f"checks.{name}", message))
    if core is None or problems:
        raise ConfigError("settings", problems)
    return configured(name, core, check)


def configured(name: str, core: CheckSettings, check: Any) -> ConfiguredCheck:
    """Joins a check and its settings."""
    info = core.info(name, _target(name, check))
    own = core.model_dump(include={"watch_only", "silent", "group", "public"})
    return ConfiguredCheck(info=info, type=core.type, check=check, **own)


def _target(name: str, check: Any) -> str | None:
    try:
        target = getattr(check, "target", None)
        return _outcomes.line(target()) if callable(target) else None
    except BaseException as error:  # noqa: BLE001  a plugin may raise anything
        log.warning("check %s has no target: %s", name, _outcomes.of_exception(error).message)
        return None


def name_problems(key: str, name: str) -> list[ConfigProblem]:
    """Returns what is wrong with the name of a table."""
    if _NAME.fullmatch(name):
        return []
    rule = "letters, digits, dots, dashes and underscores, 64 at most"
    return [ConfigProblem(key, f"a name is made of {rule}")]


def check_name_problems(name: str) -> list[ConfigProblem]:
    """Returns what is wrong with the name of a check."""
    key = f"checks.{name}"
    if name in RESERVED_NAMES:
        reserved = f"{name!r} is the report's own entry; choose another name"
        return [ConfigProblem(key, reserved)]
    return name_problems(key, name)


def build(
    cls: type[Any], own: Mapping[str, Any], key: str, problems: list[ConfigProblem]
) -> Any | None:
    """Returns a check of its own settings: a pydantic model as it is, any other class by its
    signature. Returns None and adds to `problems` when they do not fit."""
    if issubclass(cls, BaseModel):
        return validate(cls, own, key, problems, also=CheckSettings.model_fields)
    try:
        model = _signature_model(cls)
        arguments = validate(model, own, key, problems, also=CheckSettings.model_fields)
        if arguments is None:
            return None
        return cls(**{name: getattr(arguments, name) for name in arguments.model_fields_set})
    except BaseException as error:  # noqa: BLE001  a plugin may raise anything
        problems.append(raised(error, key, own))
        return None


def declared_keys(cls: type[Any] | None) -> frozenset[str]:
    """Returns the keys that a type declares itself. One that every check has as well, as `tags`, is
    given to both."""
    try:
        if cls is None:
            return frozenset()
        if not issubclass(cls, BaseModel):
            return frozenset(inspect.signature(cls).parameters)
        aliases = {field.alias for field in cls.model_fields.values() if field.alias}
        return frozenset({*cls.model_fields, *aliases})
    except BaseException:  # noqa: BLE001  building it will tell
        return frozenset()


def _signature_model(cls: type[Any]) -> type[BaseModel]:
    """Returns a model of a constructor's keywords, so that a plain class is validated too."""
    fields: dict[str, Any] = {}
    for parameter in inspect.signature(cls).parameters.values():
        if parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD):
            continue
        annotation = Any if parameter.annotation is parameter.empty else parameter.annotation
        if isinstance(annotation, str):
            annotation = inspect.get_annotations(cls.__init__, eval_str=True)[parameter.name]
        default = ... if parameter.default is parameter.empty else parameter.default
        fields[parameter.name] = (annotation, default)
    return create_model(f"{cls.__name__}Settings", __config__=ConfigTable.model_config, **fields)
