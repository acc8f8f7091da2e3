"""A check whose cause fails is quiet only while at least as much is told of the cause."""

from datetime import UTC, datetime, timedelta

import pytest

from healthkit._store import incidents
from healthkit.testing import wait_until

DOWN = "🔴 Database is DOWN"
ROUTES = {
    "low": '[routes.low]\nchannels = ["telegram"]\ndigest = "24h"\n',
    "critical": "",
    "high": "",
}
QUIET = '[maintenance.night]\nstart = "00:00"\nduration = "24h"\nchecks = ["network"]\n'


def begin(site, severity, more=""):
    """A check `network` that fails, on which the critical `database` depends."""
    (site.folder / "network").write_text("unhealthy no route to host")
    cause = f"""
    [checks.network]
    type = "from-file"
    file = "{site.folder}/network"
    severity = "{severity}"
    interval = "100ms"
    fail_after = 1
    recover_after = 1
    """
    site.write(cause)
    text = site.config.read_text().replace(
        'label = "Database"', 'label = "Database"\ndepends_on = ["network"]'
    )
    site.config.write_text(text + ROUTES[severity] + more)
    return site


def failed(site, count):
    wait_until(lambda: sum(one.ended_at is None for one in site.incidents()) == count)


@pytest.mark.parametrize(
    ("severity", "more"),
    [("low", ""), ("high", ""), ("critical", QUIET), ("critical", "silenced")],
    ids=["a digest", "no route", "in maintenance", "silenced"],
)
def test_a_cause_of_which_less_is_told_hides_nothing(site, severity, more):
    begin(site, severity, more if more != "silenced" else "")
    if more == "silenced":
        now = datetime.now(UTC)
        with site.store.transaction() as connection:
            incidents.add_silence(connection, now + timedelta(hours=1), now, checks=["network"])
    site.outcome("unhealthy connection refused")
    site.thread()
    wait_until(lambda: any(one.startswith(DOWN) for one in site.messages()))
    told = next(one for one in site.messages() if one.startswith(DOWN))
    assert "Quiet while it lasts" not in told


def test_a_cause_of_which_as_much_is_told_speaks_for_what_depends_on_it(site):
    begin(site, "critical").thread()
    wait_until(site.messages)
    site.outcome("unhealthy connection refused")
    failed(site, 2)
    (message,) = site.messages()
    assert message.startswith("🔴 Network is DOWN")
    assert message.splitlines()[-1] == "Quiet while it lasts: Database"


def test_what_a_quieter_cause_cannot_speak_for_is_not_listed_as_quiet(site):
    begin(site, "low", "").config.write_text(
        site.config.read_text().replace('digest = "24h"', 'remind_every = "1h"')
    )
    site.thread()
    wait_until(site.messages)
    assert site.messages()[0].startswith("🔴 Network is DOWN")
    assert "Quiet while it lasts" not in site.messages()[0]
