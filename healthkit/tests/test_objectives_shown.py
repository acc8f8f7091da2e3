"""Objectives on the page, in `/metrics`, by the command and in alerts."""

import json

import pytest
from click.testing import CliRunner
from prometheus_client.parser import text_string_to_metric_families

from healthkit import CheckContext, Health, Status, hookimpl
from healthkit._alerts import messages
from healthkit._alerts.processor import ResultProcessor, SequencedResult
from healthkit._model.checks import Result
from healthkit._status.publisher import STALE_AFTER
from healthkit._store import incidents
from healthkit._store.database import Store
from healthkit._watcher.budgets import with_budget_checks
from healthkit.cli import main
from healthkit.testing import ManualClock, wait_until

from .objectives_kit import HOUR, MINUTE, NOW, Fine, add, settings_of

# Whoever reads it


@pytest.fixture
def lite_url(tmp_path):
    return f"sqlite:///{tmp_path}/lite.db"


@pytest.fixture
def lite(lite_url):
    store = Store(lite_url)
    yield store
    store.close()


@pytest.fixture
def burning(lite):
    """A database that has been down for the last ten minutes."""
    begin = NOW.replace(minute=0) - 30 * HOUR
    add(lite, "database", begin, 30 * 60 + 20)
    add(lite, "database", NOW - 10 * MINUTE, 10, "unhealthy")
    return lite


def test_the_page_says_it_in_both_languages_and_json_in_minutes(burning, lite_url):
    clock = ManualClock(NOW)
    settings = settings_of(lite_url, window="month", label="The tills <work>")
    health = Health(settings, clock=clock)
    page = health.status_page()
    page.refresh()
    english = page.response("html", "en").body.decode()
    assert "What we promise" in english
    assert "The tills &lt;work&gt;" in english
    assert "99.9% of the month" in english
    assert "At this pace the month&#39;s 44 minutes are gone in" in english
    indonesian = page.response("html", "id").body.decode()
    assert "Dengan laju ini jatah 44 menit bulan ini habis dalam" in indonesian
    (found,) = json.loads(page.response("json").body)["objectives"]
    assert found == {
        "label": "The tills <work>",
        "target": "99.9%",
        "window": "month",
        "state": "burning-fast",
        "budget_minutes": 44,
        "left_minutes": 34,
    }
    health.stop()


def test_what_is_not_public_is_not_on_the_page(burning, lite_url):
    health = Health(settings_of(lite_url, public=False), clock=ManualClock(NOW))
    health.status_page().refresh()
    assert json.loads(health.status_page().response("json").body)["objectives"] == []
    assert "What we promise" not in health.status_page().response("html").body.decode()
    health.stop()


@pytest.mark.parametrize("access", ["public", "off"])
def test_prometheus_reads_the_budgets_while_they_are_measured(burning, lite_url, access):
    clock = ManualClock(NOW)
    health = Health(settings_of(lite_url, more={"status": {"access": access}}), clock=clock)

    def samples():
        body = health.response("prometheus").body.decode()
        families = text_string_to_metric_families(body)
        return {
            (s.name, *sorted(s.labels.items())): s.value
            for family in families
            for s in family.samples
            if s.name.startswith("healthkit_slo")
        }

    assert samples() == {}  # nobody has read the store yet
    health._pages().refresh()
    name = ("slo", "open")
    found = samples()
    assert found["healthkit_slo_target_ratio", name] == 0.999
    assert found["healthkit_slo_budget_minutes", name] == 43
    assert found["healthkit_slo_budget_left_minutes", name] == 33
    assert found["healthkit_slo_state", name, ("state", "burning-fast")] == 1
    assert found["healthkit_slo_burn_rate", name, ("window", "5m0s")] == 1000
    assert (health.status_page() is None) is (access == "off")
    clock.advance(STALE_AFTER)
    assert samples() == {}
    health.stop()


def test_the_command_shows_what_is_left(burning, lite_url, tmp_path):
    (tmp_path / "plugin.py").write_text(
        "from healthkit import Check, Outcome, hookimpl\n"
        "class Fine(Check):\n    def run(self, context): return Outcome.healthy()\n"
        "@hookimpl\ndef healthkit_check_types(): return {'fine': Fine}\n"
    )
    (tmp_path / "healthkit.toml").write_text(
        f'[service]\nname = "Till"\n[store]\nurl = "{lite_url}"\n'
        '[checks.database]\ntype = "fine"\n[checks.new]\ntype = "fine"\n'
        '[slo.open]\nchecks = ["database"]\ntarget = "99%"\n'
        '[slo.new]\nchecks = ["new"]\ntarget = "99.9%"\nwindow = "month"\n'
    )
    options = ["--config", str(tmp_path / "healthkit.toml"), "--plugins-dir", str(tmp_path)]
    done = CliRunner().invoke(main, ["status", *options], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    (known,) = [line.split() for line in done.output.splitlines() if line.startswith("open ")]
    assert known[:4] == ["open", "99%", "of", "30"]
    (new,) = [
        line for line in done.output.splitlines() if line.startswith("new ") and "99.9%" in line
    ]
    assert "not-enough-data" in new
    assert "Not enough data yet." in new
    done = CliRunner().invoke(main, ["silence", "add", "slo-open", "--for", "1h", *options])
    assert done.exit_code == 0, done.output


# Alerts


@pytest.fixture
def watched(lite, lite_url):
    """Runs the objective's check as a watcher does, and returns the events with their words."""

    def run(now, times=2, **given):
        settings = with_budget_checks(settings_of(lite_url, **given), lite.measure)
        (one,) = [c for c in settings.checks if c.info.name == "slo-open"]
        processor = state.setdefault("processor", ResultProcessor(settings, 0))
        told = []
        for _ in range(times):
            state["number"] = state.get("number", 0) + 1
            outcome = one.check.run(CheckContext(one.info.name, now, 5.0))
            # through the store's own form, as every result goes
            result = SequencedResult(state["number"], Result(one.info, outcome, now))
            with lite.transaction() as connection:
                if state["number"] == 1:
                    processor.load(connection)
                told += processor.process(connection, [result], now)
        return [messages.compose(event, settings) for event in told]

    state = {}
    return run


def test_staff_are_told_when_it_goes_too_fast_and_when_it_lasts_again(burning, watched):
    (down,) = watched(NOW, window="month")
    assert down.title == "🔴 Open: too much is being lost"
    assert down.lines[0].startswith("At this pace the month's 44 minutes are gone in ")
    assert down.lines[1] == "Of the month's 44 minutes, 34 minutes are left."
    assert down.lines[2:4] == ("Target: 99.9%", "Time: 2026-01-20 10:30:00 WIB")
    (incident,) = [i for i in incidents_of(burning) if i.check == "slo-open"]
    assert incident.ended_at is None
    add(burning, "database", NOW, 12 * 60)
    reminder, again = watched(NOW + 12 * HOUR, window="month")
    assert reminder.lines[-1].startswith("Reminder 1. To stop these reminders: healthkit ack ")
    assert again.title == "✅ Open: the budget lasts again"


def incidents_of(store):
    with store.reading() as connection:
        return incidents.latest(connection, 10)


def test_in_indonesian_too(burning, watched):
    (down,) = watched(NOW, more={"messages": {"language": "id"}})
    assert down.title == "🔴 Open: terlalu banyak yang hilang"
    assert down.lines[0].startswith("Dengan laju ini jatah 43 menit untuk 30 hari habis dalam ")


def test_one_failed_result_tells_nobody(lite, watched):
    begin = NOW.replace(minute=0) - 30 * HOUR
    add(lite, "database", begin, 30 * 60 + 29)
    add(lite, "database", NOW - MINUTE, 1, "unhealthy")
    assert watched(NOW) == []


def test_absent_data_is_told(lite, watched):
    add(lite, "database", NOW - 30 * HOUR, 29 * 60)
    (down,) = watched(NOW)
    assert down.title == "⚠️ Open: it is not being measured"
    assert "Not measured right now: no result has come lately." in down.lines


def test_a_new_service_tells_nobody(lite, watched):
    add(lite, "database", NOW - 10 * MINUTE, 10, "unhealthy")
    assert watched(NOW) == []


def test_a_watcher_runs_it_and_a_server_does_not(site):
    site.write(more='[slo.open]\nchecks = ["database"]\ntarget = "99.9%"\n').thread()

    def seen():
        with site.store.reading() as connection:
            return "slo-open" in incidents.load_states(connection)

    wait_until(seen)
    site.told()
    health = Health.from_file(site.config, plugins_dir=None, plugins=[FromFile()], environ={})
    assert [check.info.name for check in health.settings.checks] == ["database"]
    assert health.check_once().result("database").outcome.status is Status.HEALTHY
    health.stop()


class FromFile:
    """The type that the site's check is of."""

    @hookimpl
    def healthkit_check_types(self):
        return {"from-file": _Reads}


class _Reads(Fine):
    file: str
