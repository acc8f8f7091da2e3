"""Settings with an objective, and results of its checks in a store."""

from datetime import UTC, datetime, timedelta

from healthkit import Check, Outcome, hookimpl, load_settings
from healthkit._store import history

NOW = datetime(2026, 1, 20, 3, 30, tzinfo=UTC)  # 10:30 in Jakarta
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)


class Fine(Check):
    """A check that is always healthy."""

    def run(self, context):
        return Outcome.healthy()


class Requests(Fine):
    """A check that counts events."""

    counts_events = True

    def run(self, context):
        return Outcome.healthy(good=99, events=100)


class Plugin:
    @hookimpl
    def healthkit_check_types(self):
        return {"fine": Fine, "requests": Requests}


def document(url="sqlite://", checks=("database",), kind="fine", **slo):
    return {
        "service": {"name": "Till", "timezone": "Asia/Jakarta"},
        "store": {"url": url},
        "status": {"access": "public"},
        "checks": {name: {"type": kind, "interval": "60s"} for name in checks},
        "slo": {"open": {"checks": list(checks), "target": "99.9%", **slo}},
        "channels": {"people": {"url": "log://"}},
        "routes": {"high": {"channels": ["people"], "remind_every": "30m"}},
    }


def settings_of(url="sqlite://", more=None, **given):
    return load_settings(document(url, **given) | (more or {}), environ={}, plugins=[Plugin()])


def add(store, check, begin, minutes, status="healthy", events=None):
    """A result each minute."""
    rows = [
        history.Row(check, begin + n * MINUTE, status, 0.01, events) for n in range(int(minutes))
    ]
    with store.transaction() as connection:
        history.add(connection, rows, NOW)
