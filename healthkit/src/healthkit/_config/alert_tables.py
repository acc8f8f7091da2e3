"""The tables of healthkit.toml about messages: who gets which, when, and in which words."""

from __future__ import annotations

from datetime import time, timedelta
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr, model_validator

from healthkit._config.table import (
    ConfigTable,
    Count,
    QuietHours,
    TimeOfDay,
    Weekday,
    parse_quiet_hours,
    web_address,
)
from healthkit.fields import Duration, Percent, PositiveDuration, parse_duration, secret_weakness


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


def _window(value: timedelta) -> timedelta:
    if not timedelta(0) < value <= timedelta(days=7):
        raise ValueError("must be more than 0s and at most 7d")
    return value


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


def _hard_to_guess(secret: SecretStr) -> SecretStr:
    given = secret.get_secret_value()
    if given and (weakness := secret_weakness(given)) is not None:
        raise ValueError(f"{weakness}; make one with: openssl rand -hex 32")
    return secret


def _act_address(value: str | None) -> str | None:
    return web_address(SecretStr(value)).get_secret_value() if value else None


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
