"""A service with two public checks and one that is not, as its status page reads it."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from healthkit import Check, Outcome, hookimpl, load_settings
from healthkit._model.alerts import State
from healthkit._model.checks import CheckInfo
from healthkit._status.model import ComponentState
from healthkit._status.reading import Reader
from healthkit._store import history, incidents, lease

NOW = datetime(2026, 1, 20, 3, 30, tzinfo=UTC)  # 10:30 in Jakarta
JAKARTA = ZoneInfo("Asia/Jakarta")
SECRETS = ("db-7.internal", "/srv/private", "connection refused by 10.1.2.3", "pg_main_01")
UP, DOWN, LIMITED, PLANNED, UNKNOWN = (
    ComponentState.OPERATIONAL,
    ComponentState.DOWN,
    ComponentState.DEGRADED,
    ComponentState.MAINTENANCE,
    ComponentState.UNKNOWN,
)


def add_results(store, check, at, count=1, status="healthy", seconds=0.01):
    with store.transaction() as connection:
        rows = [
            history.Row(check, at + timedelta(seconds=n), status, seconds) for n in range(count)
        ]
        history.add(connection, rows, NOW)


class Inside(Check):
    """A check whose target and texts are nobody's business."""

    url: str

    def target(self):
        return self.url

    def run(self, context):
        return Outcome.unhealthy(f"{SECRETS[2]} at {self.url}", path=SECRETS[1])


class Secretive:
    @hookimpl
    def healthkit_check_types(self):
        return {"secretive": Inside}


def document(url, access="public", more=None):
    return {
        "service": {"name": "Till", "timezone": "Asia/Jakarta"},
        "store": {"url": url},
        "status": {"access": access},
        "checks": {
            "pg_main_01": {
                "type": "secretive",
                "url": "http://db-7.internal/health",
                "label": "Database",
                "severity": "critical",
                "group": "Kitchen",
                "interval": "1h",
            },
            "private-disk": {
                "type": "secretive",
                "url": "/srv/private",
                "label": "Hidden",
                "public": False,
            },
            "cards": {"type": "secretive", "url": "http://10.1.2.3/", "label": "<b>Cards</b> & co"},
        },
        **(more or {}),
    }


def settings_of(url, **more):
    return load_settings(document(url, **more), plugins=[Secretive()])


def lead(store, now=NOW):
    with store.transaction() as connection:
        assert lease.acquire(connection, "a watcher", timedelta(seconds=14), now) is not None


def put_state(store, check, level, began=None, error=SECRETS[2]):
    """As the watcher stores it; with `began` there is an incident."""
    info = CheckInfo(check, label="Database")
    number = None
    with store.transaction() as connection:
        if began is not None:
            number = incidents.open_incident(connection, info, level, error, began)
        stored = incidents.StoredState(State(level=level), number, 1, 1)
        incidents.save_state(connection, check, stored, NOW)
    return number


def read_page(settings, store, now=NOW):
    reader = Reader(settings)
    with store.reading() as connection:
        return reader.page(connection, now, reader.figures(connection, now))
