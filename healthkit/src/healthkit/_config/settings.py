"""Defines healthkit.toml as types: every key that a user can write, with its default."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, fields
from datetime import time, timedelta
from typing import Annotated, Any, Literal, Self
from zoneinfo import ZoneInfo

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ModelWrapValidatorHandler,
    SecretStr,
    ValidationError,
    field_validator,
    model_validator,
)

from healthkit._config.groups import group_problems
from healthkit._config.objectives import objective_problems
from healthkit._config.references import Links, reference_problems
from healthkit._config.store_path import of_service
from healthkit._config.validation import explain
from healthkit._model.checks import CheckInfo, Role, Service, Severity
from healthkit.errors import ConfigError, ConfigProblem
from healthkit.fields import (
    Duration,
    Percent,
    PositiveDuration,
    TimeZoneName,
    parse_duration,
    secret_weakness,
)

Count = Annotated[int, Field(ge=1, le=1000)]


def parse_time_of_day(value: Any) -> time:
    """Returns `"08:00"` as a time of day. Raises ValueError."""
    if isinstance(value, time):
        return value
    match = re.fullmatch(r"([01]?\d|2[0-3]):([0-5]\d)", value) if isinstance(value, str) else None
    if not match:
        raise ValueError(f"{value!r} is not a time of day; write it like 08:00")
    return time(int(match[1]), int(match[2]))


TimeOfDay = Annotated[time, BeforeValidator(parse_time_of_day)]
Weekday = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]


@dataclass(frozen=True, slots=True)
class QuietHours:
    """A part of each day, by the wall clock; it may pass midnight."""

    start: time
    end: time


def parse_quiet_hours(value: Any) -> QuietHours:
    """Returns `"22:00-07:00"` as quiet hours. Raises ValueError."""
    if isinstance(value, QuietHours):
        return value
    start, dash, end = value.partition("-") if isinstance(value, str) else ("", "", "")
    if not dash or start.strip() == end.strip():
        raise ValueError(f"{value!r} are not quiet hours; write them like 22:00-07:00")
    return QuietHours(parse_time_of_day(start.strip()), parse_time_of_day(end.strip()))


def _window(value: timedelta) -> timedelta:
    if not timedelta(0) < value <= timedelta(days=7):
        raise ValueError("must be more than 0s and at most 7d")
    return value


def _lease(value: timedelta) -> timedelta:
    if not timedelta(seconds=3) <= value <= timedelta(seconds=14):
        raise ValueError("must be between 3s and 14s, for another to take over within 15s")
    return value


class ConfigTable(BaseModel):
    """A table of the file: frozen, and any key it does not know is a mistake."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", arbitrary_types_allowed=True, defer_build=True
    )


class ServiceSettings(ConfigTable):
    """`[service]`: whose health it is."""

    name: str = Field(min_length=1)
    """The name in messages, pages and metrics."""
    version: str = "0.0.0"
    """Shown in `/health`, and nothing more."""
    environment: str = "development"
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


_NOT_OF_INFO = {"type", "label", "watch_only", "silent", "group", "public"}


class CheckSettings(ConfigTable):
    """The keys of `[checks.NAME]` that every type has."""

    type: str
    """One of the [types](#types-of-checks) below, or of a plugin."""
    label: str | None = None
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
    group: str | None = None
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


class ChannelSettings(ConfigTable):
    """`[channels.NAME]`: where messages go. An empty url switches the channel off."""

    url: SecretStr
    """An address of Apprise (`tgram://…`); empty, it switches the channel off."""
    fallback: str | None = None
    """The channel that takes over when this one stays dead."""
    tags: tuple[str, ...] = ()
    """With tags, it gets only messages of checks that share one."""
    timeout: PositiveDuration = timedelta(seconds=20)
    """The longest that one message may take."""
    give_up_after: PositiveDuration | None = None
    """Time that a message is tried here: 5 minutes with a fallback, a day without."""

    @property
    def patience(self) -> timedelta:
        if self.give_up_after is not None:
            return self.give_up_after
        return timedelta(minutes=5) if self.fallback else timedelta(days=1)

    @property
    def enabled(self) -> bool:
        return bool(self.url.get_secret_value().strip())


class RouteSettings(ConfigTable):
    """`[routes.SEVERITY]`: who is notified of faults of that severity, and how often."""

    channels: tuple[str, ...] = ()
    """The channels that get the message at once, each."""
    remind_every: PositiveDuration | None = None
    """The first reminder of a check that is down; each further gap is twice as long, up to a day.
    """
    escalate_after: Duration | None = None
    """The time without an acknowledgement after which `escalate_to` is notified."""
    escalate_to: tuple[str, ...] = ()
    """The channels of whoever comes next."""
    digest: PositiveDuration | None = None
    """Not at once, but together with others, once in this time."""
    quiet_hours: Annotated[QuietHours, BeforeValidator(parse_quiet_hours)] | None = None
    """Kept for the end of these hours, all in one; `critical` is never kept."""

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if (self.escalate_after is None) is not (not self.escalate_to):
            raise ValueError("escalate_after and escalate_to go together")
        return self


class MaintenanceSettings(ConfigTable):
    """`[maintenance.NAME]`: a recurring window without notifications of new faults."""

    start: TimeOfDay
    """When it starts, by the wall clock of `service.timezone`."""
    duration: Annotated[timedelta, BeforeValidator(parse_duration), AfterValidator(_window)]
    """How long it lasts."""
    days: tuple[Weekday, ...] = ()
    """Days on which it starts; every day when left out."""
    checks: tuple[str, ...] = ()
    """The checks that it is for; every check when `tags` are left out too."""
    tags: tuple[str, ...] = ()
    """The tags of checks that it is for."""


class AlertSettings(ConfigTable):
    """`[alerts]`: what holds for every check."""

    flap_window: Annotated[int, Field(ge=0, le=200)] = 20
    """The last results whose changes are counted; 0 finds no flapping."""
    flap_start: Percent = 50.0
    """The share of changes from which a check is flapping: one message until it is steady again."""
    flap_end: Percent = 25.0
    """The share of changes below which it is steady."""
    digest_at: TimeOfDay = time(8, 0)
    """When digests of whole days go out."""
    burst: Count = 5
    """The most messages that a channel gets within `burst_window`; what is more comes as one."""
    burst_window: PositiveDuration = timedelta(seconds=10)
    """The time within which `burst` is counted."""

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.flap_end >= self.flap_start:
            raise ValueError("flap_end must be less than flap_start")
        return self


class MessageTemplate(ConfigTable):
    """`[messages.KIND]`: a template in Jinja2. The first line is the title."""

    template: Annotated[str, Field(min_length=1)]


class MessageSettings(ConfigTable):
    """`[messages]`: the language, and templates in place of the built-in ones."""

    language: Literal["en", "id"] = "en"
    """The language of messages and of the status page."""
    down: MessageTemplate | None = None
    """Of a check that counts as down."""
    up: MessageTemplate | None = None
    """Of a check that counts as up again."""
    budget: MessageTemplate | None = None
    """Of a service level objective whose budget goes too fast, or is gone."""
    budget_safe: MessageTemplate | None = None
    """Of one whose budget lasts again."""
    degraded: MessageTemplate | None = None
    """Of a check that answers, but not as it should."""
    restored: MessageTemplate | None = None
    """Of a check that is no longer degraded."""
    reminder: MessageTemplate | None = None
    """Of a check that is still down."""
    escalation: MessageTemplate | None = None
    """To `escalate_to`."""
    flapping: MessageTemplate | None = None
    """Of a check that changes too often to tell each time."""
    steady: MessageTemplate | None = None
    """Of a check that flaps no more."""
    certificate: MessageTemplate | None = None
    """Of a certificate that ends soon."""

    def templates(self) -> dict[str, str]:
        """Returns the configured templates by kind."""
        found = {kind: getattr(self, kind) for kind in type(self).model_fields}
        return {k: t.template for k, t in found.items() if isinstance(t, MessageTemplate)}


def _web_address(value: SecretStr) -> SecretStr:
    address = value.get_secret_value().strip()
    if address and not re.fullmatch(r"https?://[^\s/]+\S*", address):
        raise ValueError("must be an address like https://kuma.example/api/push/TOKEN")
    return SecretStr(address)


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


def _hard_to_guess(secret: SecretStr) -> SecretStr:
    given = secret.get_secret_value()
    if given and (weakness := secret_weakness(given)) is not None:
        raise ValueError(f"{weakness}; make one with: openssl rand -hex 32")
    return secret


def _act_address(value: str | None) -> str | None:
    return _web_address(SecretStr(value)).get_secret_value() if value else None


class LinkSettings(ConfigTable):
    """`[links]`: a link in each message of a fault, by which it is acknowledged or silenced."""

    url: Annotated[str | None, AfterValidator(_act_address)] = None
    """Where people reach the mount, `https://pos.example`; empty, there are no links."""
    secret: Annotated[SecretStr, AfterValidator(_hard_to_guess)] = SecretStr("")
    """What links are signed with, the same for watcher and servers; at least 128 bits:
    `openssl rand -hex 32`."""
    valid_for: PositiveDuration = timedelta(hours=24)
    """How long a link works; it works once."""
    silence_for: PositiveDuration = timedelta(hours=1)
    """How long it silences new faults of the check, where that is chosen."""

    @model_validator(mode="after")
    def _both(self) -> Self:
        if self.url and not self.secret.get_secret_value():
            raise ValueError("a url needs a secret; make one with: openssl rand -hex 32")
        return self

    @property
    def enabled(self) -> bool:
        return bool(self.url)


class SloSettings(ConfigTable):
    """`[slo.NAME]`: a service level objective, what is promised over a month."""

    checks: Annotated[tuple[str, ...], Field(min_length=1)]
    """The checks that it is about: an hour counts by the worst of them. Where they count events
    (requests), it is about those, and not about the checks' own results."""
    target: Annotated[Percent, AfterValidator(_promise)]
    """The share of results that is promised not to be unhealthy; `99.9%` leaves 43 minutes."""
    window: Literal["30d", "month"] = "30d"
    """The last 30 days, or the calendar's month in `service.timezone`."""
    label: str | None = None
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


class WatchSettings(ConfigTable):
    """`[watch]`: the alerter itself."""

    heartbeat: Annotated[SecretStr, AfterValidator(_web_address)] = SecretStr("")
    """URL that the watcher calls to show that it works; none when empty."""
    heartbeat_every: PositiveDuration = timedelta(seconds=60)
    """The time between two calls."""
    lease: Annotated[timedelta, BeforeValidator(parse_duration), AfterValidator(_lease)] = (
        timedelta(seconds=10)
    )
    """Time after which another watcher takes over from one that does not renew it."""


class ConfiguredCheck(BaseModel):
    """A check with its core settings and the object that runs."""

    model_config = ConfigDict(frozen=True, arbitrary_types_allowed=True, defer_build=True)
    info: CheckInfo
    type: str
    check: Any
    watch_only: bool = False
    silent: bool = False
    group: str | None = None
    public: bool = True

    @field_validator("info", mode="before")
    @classmethod
    def _as_fields(cls, info: Any) -> Any:
        """A dataclass takes what it is given, and pydantic takes a dataclass as it is: a severity
        that is plain text would stop the watcher at the first fault."""
        if isinstance(info, CheckInfo):
            return {one.name: getattr(info, one.name) for one in fields(info)}
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
