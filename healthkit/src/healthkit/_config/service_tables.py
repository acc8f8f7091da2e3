"""The tables of healthkit.toml about the service: its checks, its page, what it promises."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Literal
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr, field_validator

from healthkit._config.store_path import is_plain, refuse_unusable
from healthkit._config.table import ConfigTable, Count, Label, Name, web_address
from healthkit._model.checks import CheckInfo, Role, Service, Severity
from healthkit.fields import (
    Percent,
    PositiveDuration,
    TimeZoneName,
    parse_database_url,
    parse_duration,
)


class ServiceSettings(ConfigTable):
    """`[service]`: whose health it is."""

    name: Name
    """The name in messages, pages and metrics."""
    version: Label = "0.0.0"
    """Shown in `/health`, and nothing more."""
    environment: Label = "development"
    """Shown in `/health` and in messages, so that a rehearsal is not taken for the house."""
    timezone: TimeZoneName = "UTC"
    """The zone of all times: quiet hours, digests, maintenance, days on the status page."""
    url: str | None = None
    """URL of the service for people; shown with a check that has no target of its own."""
    runbook: str | None = None
    """URL of the runbook; a check's `runbook` may be relative to it."""

    def service(self) -> Service:
        return Service(self.name, self.version, self.environment, self.timezone)

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.timezone)


class StoreSettings(ConfigTable):
    """`[store]`: SQLite by default; one PostgreSQL when several instances share one state."""

    url: SecretStr = SecretStr("sqlite:///var/healthkit.db")
    """In a file, a relative path of SQLite is taken from the file's folder. Without a file, the
    default lies among the user's state, by the service's name."""

    @field_validator("url")
    @classmethod
    def _known(cls, url: SecretStr) -> SecretStr:
        """A mistake is told before any check runs. SQLite's own form is known without SQLAlchemy,
        which takes a while to load."""
        text = url.get_secret_value()
        if not is_plain(text):
            refuse_unusable(parse_database_url(text))
        return url


_NOT_OF_INFO = {"type", "label", "watch_only", "silent", "group", "public"}


class CheckSettings(ConfigTable):
    """The keys of `[checks.NAME]` that every type has."""

    type: str
    """One of the [types](#types-of-checks) below, or of a plugin."""
    label: Label | None = None
    """The name for people; the check's name with capitals when left out."""
    severity: Severity = Severity.HIGH
    """Which route its messages take."""
    role: Role = Role.REQUIRED
    """`required` takes the service off the load balancer when it fails; `advisory` degrades it."""
    interval: PositiveDuration = timedelta(seconds=30)
    """The time from the start of one run to the next."""
    timeout: PositiveDuration = timedelta(seconds=5)
    """The longest that a run may take; what takes longer is unhealthy."""
    fail_after: Count = 3
    """Results in a row that are not healthy before it counts as down."""
    recover_after: Count = 2
    """Healthy results in a row before it counts as up again."""
    depends_on: tuple[str, ...] = ()
    """Checks without which this one cannot be healthy: while one of them fails, its message lists
    this one."""
    tags: tuple[str, ...] = ()
    """Words of your own, by which silences, maintenance and channels choose."""
    runbook: str | None = None
    """A page that its messages link to, relative to `service.runbook`."""
    watch_only: bool = False
    """Run by the watcher alone: what a server must not ask of itself, its own address for one."""
    silent: bool = False
    """Nobody is to be told of its faults: it is only shown."""
    group: Label | None = None
    """The heading under which the status page shows it."""
    public: bool = True
    """Whether the status page shows it, by its label."""

    def info(self, name: str, target: str | None) -> CheckInfo:
        label = self.label or name.replace("-", " ").replace("_", " ").title()
        return CheckInfo(
            name=name,
            label=label,
            target=target,
            **self.model_dump(exclude=_NOT_OF_INFO),
        )


def _lease(value: timedelta) -> timedelta:
    if not timedelta(seconds=3) <= value <= timedelta(seconds=14):
        raise ValueError("must be between 3s and 14s, for another to take over within 15s")
    return value


class WatchSettings(ConfigTable):
    """`[watch]`: the alerter itself."""

    heartbeat: Annotated[SecretStr, AfterValidator(web_address)] = SecretStr("")
    """URL that the watcher calls to show that it works; none when empty."""
    heartbeat_every: PositiveDuration = timedelta(seconds=60)
    """The time between two calls."""
    lease: Annotated[timedelta, BeforeValidator(parse_duration), AfterValidator(_lease)] = (
        timedelta(seconds=10)
    )
    """Time after which another watcher takes over from one that does not renew it."""


class StatusSettings(ConfigTable):
    """`[status]`: the status page for people."""

    access: Literal["public", "token", "off"] = "off"
    """Who may read it: anybody, whoever may see the details of health, or nobody."""
    language: Literal["en", "id"] | None = None
    """That of [messages] when left out; readers may choose by `?lang=`."""


Fails = Literal["required", "any", "all"]
"""What makes the checks of a group fail together."""


class GroupSettings(ConfigTable):
    """`[groups.NAME]`: the checks whose `group` is NAME in paths (`/health/front-of-house`)."""

    fails: Fails = "required"
    """503 when a required one fails, when any one does, or only when all do."""


def _promise(value: float) -> float:
    if not 0 < value < 100:
        raise ValueError("must be between 0% and 100%: of 100% nothing may ever be lost")
    return value


class SloSettings(ConfigTable):
    """`[slo.NAME]`: a service level objective, what is promised over a month."""

    checks: Annotated[tuple[str, ...], Field(min_length=1)]
    """The checks that it is about: an hour counts by the worst of them. Where they count events
    (requests), it is about those, and not about the checks' own results."""
    target: Annotated[Percent, AfterValidator(_promise)]
    """The share of results that is promised not to be unhealthy; `99.9%` leaves 43 minutes."""
    window: Literal["30d", "month"] = "30d"
    """The last 30 days, or the calendar's month in `service.timezone`."""
    label: Label | None = None
    """The name for people; the table's name with capitals when left out."""
    severity: Severity = Severity.HIGH
    """Which route its alerts take."""
    least_failures: Annotated[int, Field(ge=2, le=1_000_000)] = 3
    """Failures within the long window without which there is no alert: one may be chance."""
    tags: tuple[str, ...] = ()
    """Words of your own, by which silences, maintenance and channels choose."""
    runbook: str | None = None
    """A page that its messages link to, relative to `service.runbook`."""
    public: bool = True
    """Whether the status page shows it, by its label."""
