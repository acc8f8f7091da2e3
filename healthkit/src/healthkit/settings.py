"""healthkit.toml as types. Every key that a user can write stands here, with its default."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo, available_timezones

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr

from healthkit.model import CheckInfo, Role, Service, Severity
from healthkit.units import Duration, PositiveDuration


def _zone(name: str) -> str:
    if name not in available_timezones():
        raise ValueError(f"{name!r} is not a time zone; write it like Asia/Jakarta")
    return name


Count = Annotated[int, Field(ge=1, le=1000)]


class Table(BaseModel):
    """A table of the file: frozen, and any key it does not know is a mistake."""

    model_config = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=True)


class ServiceSettings(Table):
    """`[service]`: whose health it is."""

    name: str = Field(min_length=1)
    version: str = "0.0.0"
    environment: str = "development"
    timezone: Annotated[str, AfterValidator(_zone)] = "UTC"
    url: str | None = None
    """Where people find the service; a check without a target of its own is shown with it."""
    runbook: str | None = None
    """Address of the runbook; a check's `runbook` may be relative to it."""

    def service(self) -> Service:
        return Service(self.name, self.version, self.environment, self.timezone)

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.timezone)


class StoreSettings(Table):
    """`[store]`: SQLite by default; one PostgreSQL when several instances share one state."""

    url: SecretStr = SecretStr("sqlite:///var/healthkit.db")


class CheckSettings(Table):
    """The keys of `[checks.NAME]` that every type has."""

    type: str
    label: str | None = None
    """What people call it; the name with capitals when left out."""
    severity: Severity = Severity.HIGH
    role: Role = Role.REQUIRED
    interval: PositiveDuration = timedelta(seconds=30)
    timeout: PositiveDuration = timedelta(seconds=5)
    fail_after: Count = 3
    recover_after: Count = 2
    depends_on: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    runbook: str | None = None

    def info(self, name: str, target: str | None) -> CheckInfo:
        label = self.label or name.replace("-", " ").replace("_", " ").title()
        return CheckInfo(
            name=name,
            label=label,
            target=target,
            **self.model_dump(exclude={"type", "label"}),
        )


class ChannelSettings(Table):
    """`[channels.NAME]`: where messages go. An empty url switches the channel off."""

    url: SecretStr
    fallback: str | None = None

    @property
    def enabled(self) -> bool:
        return bool(self.url.get_secret_value().strip())


class RouteSettings(Table):
    """`[routes.SEVERITY]`: who is told of faults of that severity, and how often."""

    channels: tuple[str, ...] = ()
    remind_every: PositiveDuration | None = None
    escalate_after: Duration | None = None
    escalate_to: tuple[str, ...] = ()
    digest: PositiveDuration | None = None


class WatchSettings(Table):
    """`[watch]`: the alerter itself."""

    heartbeat: SecretStr | None = None
    """Address that the watcher calls to show that it lives."""


class ConfiguredCheck(BaseModel):
    """A check with its core settings and the object that runs."""

    model_config = ConfigDict(frozen=True, arbitrary_types_allowed=True)
    info: CheckInfo
    type: str
    check: Any


class Settings(BaseModel):
    """The whole configuration, validated. Make one with `healthkit.config.load` or by hand."""

    model_config = ConfigDict(frozen=True, arbitrary_types_allowed=True)

    service: ServiceSettings
    store: StoreSettings = StoreSettings()
    checks: tuple[ConfiguredCheck, ...] = ()
    channels: dict[str, ChannelSettings] = {}
    routes: dict[Severity, RouteSettings] = {}
    watch: WatchSettings = WatchSettings()
    source: Literal["python"] | str = "python"
