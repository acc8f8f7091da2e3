"""The whole configuration, as the file or Python gives it: its tables, and what must hold among
them."""

from __future__ import annotations

import os
from dataclasses import fields
from typing import Any, Self

from pydantic import (
    BaseModel,
    ConfigDict,
    ModelWrapValidatorHandler,
    ValidationError,
    field_validator,
    model_validator,
)

from healthkit._config.alert_tables import (
    AlertSettings,
    ChannelSettings,
    LinkSettings,
    MaintenanceSettings,
    MessageSettings,
    RouteSettings,
)
from healthkit._config.groups import group_problems
from healthkit._config.objectives import objective_problems
from healthkit._config.references import Links, reference_problems
from healthkit._config.service_tables import (
    GroupSettings,
    ServiceSettings,
    SloSettings,
    StatusSettings,
    StoreSettings,
    WatchSettings,
)
from healthkit._config.store_path import of_service
from healthkit._config.table import Label, on_one_line
from healthkit._config.validation import explain
from healthkit._model.checks import CheckInfo, Severity
from healthkit.errors import ConfigError, ConfigProblem


class ConfiguredCheck(BaseModel):
    """A check with its core settings and the object that runs."""

    model_config = ConfigDict(frozen=True, arbitrary_types_allowed=True, defer_build=True)
    info: CheckInfo
    type: str
    check: Any
    watch_only: bool = False
    silent: bool = False
    group: Label | None = None
    public: bool = True

    @field_validator("info", mode="before")
    @classmethod
    def _as_fields(cls, info: Any) -> Any:
        """A dataclass takes what it is given, and pydantic takes a dataclass as it is: a severity
        that is plain text would stop the watcher at the first fault."""
        if isinstance(info, CheckInfo):
            return {one.name: getattr(info, one.name) for one in fields(info)}
        return info

    @field_validator("info")
    @classmethod
    def _label_on_one_line(cls, info: CheckInfo) -> CheckInfo:
        on_one_line(info.label)
        return info


class Settings(BaseModel):
    """The whole configuration, read from healthkit.toml or made in Python.

    Made in Python it is validated like the file, but for templates and channel URLs, at which only
    a watcher looks. Raises ConfigError with every mistake.
    """

    model_config = ConfigDict(
        frozen=True, extra="forbid", arbitrary_types_allowed=True, defer_build=True
    )

    service: ServiceSettings
    store: StoreSettings = StoreSettings()
    checks: tuple[ConfiguredCheck, ...] = ()
    channels: dict[str, ChannelSettings] = {}
    routes: dict[Severity, RouteSettings] = {}
    watch: WatchSettings = WatchSettings()
    alerts: AlertSettings = AlertSettings()
    messages: MessageSettings = MessageSettings()
    maintenance: dict[str, MaintenanceSettings] = {}
    status: StatusSettings = StatusSettings()
    groups: dict[str, GroupSettings] = {}
    slo: dict[str, SloSettings] = {}
    links: LinkSettings = LinkSettings()
    source: str = "settings"
    """The file that it was read from, for messages."""

    @model_validator(mode="wrap")
    @classmethod
    def _validate(cls, data: Any, handler: ModelWrapValidatorHandler[Self]) -> Self:
        try:
            settings = handler(data)
        except ValidationError as error:
            raise ConfigError("settings", explain(error, "", cls.model_fields)) from None
        if problems := settings._problems():
            raise ConfigError(settings.source, problems)
        return settings

    @property
    def store_url(self) -> str:
        """Where the store is; of settings that name none, among the user's state, by the service's
        name. A secret: it may hold a password."""
        if "url" in self.store.model_fields_set:
            return self.store.url.get_secret_value()
        return of_service(self.service.name, os.environ)

    def _problems(self) -> list[ConfigProblem]:
        """Returns checks of one name, references to what does not exist, and cycles."""
        names = [check.info.name for check in self.checks]
        twice = sorted({name for name in names if names.count(name) > 1})
        links: Links = {
            "checks": {
                check.info.name: {"depends_on": check.info.depends_on} for check in self.checks
            },
            "channels": {
                name: {"fallback": (channel.fallback,) if channel.fallback else ()}
                for name, channel in self.channels.items()
            },
            "routes": {
                severity.value: {"channels": route.channels, "escalate_to": route.escalate_to}
                for severity, route in self.routes.items()
            },
            "maintenance": {
                name: {"checks": window.checks} for name, window in self.maintenance.items()
            },
            "slo": {name: {"checks": one.checks} for name, one in self.slo.items()},
        }
        return [
            *(ConfigProblem(f"checks.{name}", "two checks have this name") for name in twice),
            *reference_problems(links, set(names), set(self.channels)),
            *group_problems({c.info.name: c.group for c in self.checks}, self.groups),
            *objective_problems({n: one.checks for n, one in self.slo.items()}, self.checks),
        ]
