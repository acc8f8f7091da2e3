"""The tables of the store, and the migrations that make them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Connection,
    DateTime,
    Float,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    insert,
    inspect,
    text,
)
from sqlalchemy.types import TypeDecorator

metadata = MetaData()

CLOCK_TOLERANCE = timedelta(minutes=5)
"""What clocks of machines may differ by, or be corrected by."""


class Utc(TypeDecorator[datetime]):
    """A moment, aware and in UTC on both sides; SQLite itself knows no zones."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: object) -> datetime | None:
        return None if value is None else value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: object) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


Id = BigInteger().with_variant(Integer, "sqlite")
"""SQLite numbers rows by themselves only where the key is an INTEGER."""
Name = String(64)

schema_version = Table("healthkit_schema", metadata, Column("version", Integer, nullable=False))

heartbeats = Table(
    "healthkit_heartbeats",
    metadata,
    Column("name", Name, primary_key=True),
    Column("waiting_since", Utc, nullable=False),
    Column("last_at", Utc),
)

lease = Table(
    "healthkit_lease",
    metadata,
    Column("name", Name, primary_key=True),
    Column("epoch", Id, nullable=False),
    Column("holder", String(200), nullable=False),
    Column("since", Utc),
    Column("until", Utc),
)

states = Table(
    "healthkit_states",
    metadata,
    Column("check_name", Name, primary_key=True),
    Column("state", Text, nullable=False),
    Column("incident", Id),
    Column("epoch", Id, nullable=False),
    Column("number", Id, nullable=False),
    Column("updated_at", Utc, nullable=False),
)
"""`epoch` and `number` name the last result that is in the state: none is taken in twice."""

incidents = Table(
    "healthkit_incidents",
    metadata,
    Column("id", Id, primary_key=True),
    Column("check_name", Name, nullable=False),
    Column("label", Text, nullable=False),
    Column("severity", String(16), nullable=False),
    Column("level", Integer, nullable=False),
    Column("error", Text),
    Column("began_at", Utc, nullable=False),
    Column("ended_at", Utc),
    Column("acknowledged_at", Utc),
    Column("acknowledged_by", Text),
    Index("healthkit_incidents_open", "ended_at"),
)

events = Table(
    "healthkit_events",
    metadata,
    Column("id", Id, primary_key=True),
    Column("incident", Id),
    Column("rank", Integer, nullable=False),
    Column("at", Utc, nullable=False),
    Column("body", Text, nullable=False),
    Index("healthkit_events_incident", "incident"),
)
"""Changes that are worth a message; `rank` is 0 for critical, and so on."""

deliveries = Table(
    "healthkit_deliveries",
    metadata,
    Column("id", Id, primary_key=True),
    Column("event", Id, ForeignKey("healthkit_events.id"), nullable=False),
    Column("channel", Name, nullable=False),
    Column("due", Utc, nullable=False),
    Column("digest", Boolean, nullable=False),
    Column("state", String(16), nullable=False),
    Column("attempts", Integer, nullable=False, default=0),
    Column("batch", Id),
    Column("origin", Name),
    Column("error", Text),
    Column("changed_at", Utc, nullable=False),
    Index("healthkit_deliveries_due", "state", "channel", "due"),
    Index("healthkit_deliveries_event", "event"),
)
"""The outbox; `origin` is the channel that a fallback stands in for."""

channels = Table(
    "healthkit_channels",
    metadata,
    Column("name", Name, primary_key=True),
    Column("failures", Integer, nullable=False),
    Column("failing_since", Utc),
    Column("retry_at", Utc),
    Column("error", Text),
    Column("last_sent_at", Utc),
)
"""The circuit of each channel that has been tried."""

faults = Table(
    "healthkit_faults",
    metadata,
    Column("id", Id, primary_key=True),
    Column("grave", Boolean, nullable=False),
    Column("text", Text, nullable=False),
)
"""What the leading watcher finds wrong with itself and its configuration; `grave` where people
cannot be told of something right now."""

pruning = Table(
    "healthkit_pruning",
    metadata,
    Column("id", Id, primary_key=True),
    Column("upto", Utc, nullable=False),
)
"""One row: the time by which what is old is dropped. It runs behind a clock that jumps ahead."""

silences = Table(
    "healthkit_silences",
    metadata,
    Column("id", Id, primary_key=True),
    Column("until", Utc, nullable=False),
    Column("reason", Text, nullable=False),
    Column("checks", Text, nullable=False),
    Column("tags", Text, nullable=False),
    Column("made_by", Text, nullable=False),
    Column("made_at", Utc, nullable=False),
)

history = Table(
    "healthkit_history",
    metadata,
    Column("id", Id, primary_key=True),
    Column("check_name", Name, nullable=False),
    Column("at", Utc, nullable=False),
    Column("hour", Integer, nullable=False),
    Column("status", String(16), nullable=False),
    Column("seconds", Float),
    Column("good_events", BigInteger),
    Column("events", BigInteger),
    Index("healthkit_history_hour", "hour", "check_name"),
)
"""Every result of the last week; `hour` counts from 1970. `events` are those that a check has
counted, requests for one, where it counts any."""


def _rollup(name: str, period: str, *more: Column[int]) -> Table:
    return Table(
        name,
        metadata,
        Column("check_name", Name, primary_key=True),
        Column(period, Integer, primary_key=True, autoincrement=False),
        Column("total", Integer, nullable=False),
        Column("healthy", Integer, nullable=False),
        Column("degraded", Integer, nullable=False),
        Column("unhealthy", Integer, nullable=False),
        Column("seconds", Float, nullable=False),
        Column("slowest", Float, nullable=False),
        *more,
    )


hourly = _rollup(
    *("healthkit_history_hourly", "hour"),
    *(Column("good_events", BigInteger), Column("events", BigInteger)),
)
daily = _rollup("healthkit_history_daily", "day")

notices = Table(
    "healthkit_notices",
    metadata,
    Column("id", Id, primary_key=True),
    Column("title", Text, nullable=False),
    Column("began_at", Utc, nullable=False),
    Column("ended_at", Utc),
)
"""What staff have opened for everybody to see; no check has found it."""

notes = Table(
    "healthkit_notes",
    metadata,
    Column("id", Id, primary_key=True),
    Column("incident", Id),
    Column("notice", Id),
    Column("at", Utc, nullable=False),
    Column("body", Text, nullable=False),
    Column("made_by", Text, nullable=False),
    Index("healthkit_notes_at", "at"),
)
"""Updates to an incident or to a notice, for everybody to see."""

runs = Table(
    "healthkit_runs",
    metadata,
    Column("name", Name, primary_key=True),
    Column("started_at", Utc),
    Column("ended_at", Utc),
    Column("status", String(16)),
    Column("code", Integer),
    Column("seconds", Float),
    Column("body", Text),
    Column("numbers", Text),
)
"""The last known of each job that sends heartbeats, and of each agent that sends results."""

used_links = Table(
    "healthkit_used_links",
    metadata,
    Column("name", Name, primary_key=True),
    Column("at", Utc, nullable=False),
)
"""The links in messages by which somebody has acted, each under its digest."""

WATCH = "watch"
"""The name of the watchers' lease."""


def _version_1(connection: Connection) -> None:
    metadata.create_all(connection, tables=[heartbeats])


def _version_2(connection: Connection) -> None:
    made = [lease, states, incidents, events, deliveries, channels, silences, history]
    metadata.create_all(connection, tables=[*made, hourly, daily])
    connection.execute(insert(lease).values(name=WATCH, epoch=0, holder=""))


def _version_3(connection: Connection) -> None:
    metadata.create_all(connection, tables=[faults, pruning])


def _version_4(connection: Connection) -> None:
    metadata.create_all(connection, tables=[notices, notes])


def _version_5(connection: Connection) -> None:
    metadata.create_all(connection, tables=[runs])


def _version_6(connection: Connection) -> None:
    """Adds the events. A store that is made now has them since version 2."""
    for table in (history, hourly):
        there = {column["name"] for column in inspect(connection).get_columns(table.name)}
        for name in ("good_events", "events"):
            if name not in there:
                connection.execute(text(f"ALTER TABLE {table.name} ADD COLUMN {name} BIGINT"))


def _version_7(connection: Connection) -> None:
    metadata.create_all(connection, tables=[used_links])


MIGRATIONS: Sequence[Callable[[Connection], None]] = (
    *(_version_1, _version_2, _version_3, _version_4, _version_5, _version_6, _version_7),
)
"""Each takes the schema one version on. Only ever add to the end; a table that exists is changed
by a migration of its own."""
