"""A whole watcher: what people are told of what the checks find."""

import threading
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text

from healthkit import hookimpl
from healthkit._store import incidents
from healthkit.testing import wait_until

DOWN, UP = "🔴 Database is DOWN", "✅ Database is back UP"
HOUR = timedelta(hours=1)


def check(site, name, depends_on="", severity="critical"):
    """A table of healthkit.toml for a check that reads a file of its own."""
    (site.folder / name).write_text("healthy")
    return f"""
    [checks.{name}]
    type = "from-file"
    file = "{site.folder}/{name}"
    severity = "{severity}"
    interval = "100ms"
    fail_after = 2
    recover_after = 1
    {depends_on and f'depends_on = ["{depends_on}"]'}
    """


def test_one_message_for_a_fault_and_one_for_its_end_in_the_runbooks_words(site):
    site.write().thread()
    wait_until(lambda: site.leader())
    site.outcome("unhealthy connection refused")
    site.told(DOWN)
    site.outcome("healthy")
    site.told(DOWN, UP)
    down, up = (message.splitlines() for message in site.messages())
    assert down[1:3] == ["URL: https://your-domain.com/health", "Error: connection refused"]
    assert down[3].startswith("Time: 20")
    assert down[3].endswith(" WIB")
    assert down[4].startswith("Duration: ")
    assert down[5:] == ["Action: Check logs immediately"]
    assert [line.partition(": ")[0] for line in up[1:]] == ["URL", "Downtime", "Recovered"]
    (incident,) = site.incidents()
    assert incident.ended_at > incident.began_at


def test_a_restart_repeats_nothing_and_forgets_nothing(site):
    watcher = site.write().thread()
    site.outcome("unhealthy connection refused")
    site.told(DOWN)
    site.end(watcher)
    site.thread()
    site.outcome("healthy")
    site.told(DOWN, UP)


def test_one_message_in_place_of_many_when_a_dependency_explains_the_rest(site):
    names = [f"part{i}" for i in range(10)]
    site.write("".join(check(site, name, "database") for name in names)).thread()
    wait_until(lambda: site.leader())
    site.outcome("unhealthy connection refused")
    wait_until(site.incidents)  # which of two checks fails first is the scheduler's affair
    for name in names:
        (site.folder / name).write_text("unhealthy no database")
    wait_until(lambda: len(site.incidents()) == 11)
    site.told(DOWN)
    hidden = ", ".join(f"Part{i}" for i in range(10))
    assert site.messages()[0].splitlines()[-1] == f"Quiet while it lasts: {hidden}"
    for name in names[1:]:
        (site.folder / name).write_text("healthy")
    wait_until(lambda: len([i for i in site.incidents() if i.ended_at is None]) == 2)
    site.outcome("healthy")
    # What outlives the dependency is told of then.
    site.told(DOWN, UP, "🔴 Part0 is DOWN")


def test_a_silenced_fault_is_told_when_the_silence_ends_and_it_is_still_there(site):
    now = datetime.now(UTC)
    with site.store.transaction() as connection:
        silence = incidents.add_silence(connection, now + HOUR, now, checks=["database"])
    site.write().thread()
    site.outcome("unhealthy connection refused")
    wait_until(site.incidents)
    assert site.messages() == []
    with site.store.transaction() as connection:
        incidents.end_silence(connection, silence, datetime.now(UTC))
    site.told(DOWN)


def test_reminders_and_the_escalation_come_until_somebody_acknowledges(site):
    route = 'remind_every = "500ms"\nescalate_after = "1s"\nescalate_to = ["telegram"]'
    site.write(route=route).thread()
    site.outcome("unhealthy connection refused")
    wait_until(lambda: len(site.messages()) >= 4, 60)
    with site.store.transaction() as connection:
        (incident,) = incidents.latest(connection, 1)
        incidents.acknowledge(connection, incident.id, "ani", datetime.now(UTC))
    titles = [message.splitlines()[0] for message in site.messages()]
    assert titles[0] == DOWN
    assert "🚨 Database is DOWN and nobody has acknowledged it" in titles
    assert "🔴 Database is still DOWN (reminder 1)" in titles
    assert any(f"healthkit ack {incident.id}" in message for message in site.messages())
    wait_until(lambda: not site.counts())
    before = len(site.messages())
    site.outcome("healthy")
    wait_until(lambda: site.messages()[-1].startswith(UP))
    assert len(site.messages()) <= before + 2


@pytest.mark.deep
def test_a_storm_of_five_hundred_is_a_handful_of_messages_and_one_says_how_many(site):
    names = [f"c{i:03}" for i in range(500)]
    more = "".join(check(site, name).replace('"100ms"', '"2s"') for name in names)
    site.write(more, alerts="").config.write_text(
        site.config.read_text().replace("burst = 100", "burst = 5")
    )
    site.thread()
    for name in names:
        (site.folder / name).write_text("unhealthy no network")
    wait_until(lambda: len(site.incidents()) == 500 and not site.counts(), 60)
    messages = site.messages()
    assert len(messages) <= 12
    assert any("So many came at once" in message for message in messages)
    told = 0
    for message in messages:
        title = message.splitlines()[0]
        told += int(title.split(": ")[1].split()[0]) if title.startswith("📋") else 1
    assert told == 500


def test_flapping_is_told_once_at_its_start_and_once_at_its_end(site):
    site.write(alerts="flap_window = 6").thread()
    titles = ["🟠 Database is FLAPPING", "🟢 Database is steady again"]
    for i in range(400):
        if any(message.startswith(titles[0]) for message in site.messages()):
            break
        site.outcome("healthy" if i % 2 else "unhealthy x")
        seen = len(rows(site))
        wait_until(lambda seen=seen: len(rows(site)) > seen)
    site.outcome("healthy")
    wait_until(lambda: any(message.startswith(titles[1]) for message in site.messages()))
    told = [message.splitlines()[0] for message in site.messages()]
    assert [told.count(title) for title in titles] == [1, 1]
    assert 0 <= told.count(DOWN) - told.count(UP) <= 1


def rows(site):
    with site.store.reading() as connection:
        return connection.execute(text("SELECT id FROM healthkit_history")).all()


def test_a_degraded_check_is_told_as_such(site):
    site.write().thread()
    site.outcome("degraded 85 % full")
    site.told("⚠️ Database is DEGRADED")
    site.outcome("healthy")
    site.told("⚠️ Database is DEGRADED", "✅ Database is healthy again")


# Plugins


class Hanging:
    def __init__(self):
        self.release = threading.Event()

    @hookimpl
    def healthkit_event(self, event):
        self.release.wait(60)


def test_a_plugin_that_hangs_on_an_event_delays_no_alert(site):
    plugin = Hanging()
    site.write().thread(plugin)
    site.outcome("unhealthy connection refused")
    site.told(DOWN)
    site.outcome("healthy")
    site.told(DOWN, UP)
    plugin.release.set()


class Hearing:
    def __init__(self):
        self.events = []

    @hookimpl
    def healthkit_event(self, event):
        self.events.append(event.kind.value)

    @hookimpl
    def healthkit_message(self, event, language):
        return (f"{event.check.label}: {event.kind}", "in my own words")


def test_plugins_observe_every_event_and_may_word_it(site):
    plugin = Hearing()
    site.write().thread(plugin)
    site.outcome("unhealthy connection refused")
    site.told("Database: down")
    assert site.messages() == ["Database: down\nin my own words"]
    wait_until(lambda: plugin.events == ["down"])


# The configuration, read again


def test_a_new_configuration_is_taken_without_losing_what_was_told(site):
    watcher = site.write().thread()
    site.outcome("unhealthy connection refused")
    site.told(DOWN)
    site.write(check(site, "oven"))
    (site.folder / "oven").write_text("unhealthy cold")
    watcher.reload()
    site.told(DOWN, "🔴 Oven is DOWN")
    site.outcome("healthy")
    site.told(DOWN, "🔴 Oven is DOWN", UP)


def test_a_new_configuration_with_mistakes_is_refused_with_its_lines_and_the_old_goes_on(
    site, caplog
):
    caplog.set_level("INFO")
    watcher = site.write().thread()
    wait_until(lambda: site.leader())
    site.write('[channels.sms]\nurl = "nonsense://x"\nfallback = "sm"\n')
    watcher.reload()
    wait_until(lambda: "the new configuration is refused" in caplog.text)
    assert "channels.sms.url: no Apprise address: 'nonsense'" in caplog.text
    assert "channels.sms.fallback: unknown channel 'sm'" in caplog.text
    site.url = "sqlite:///elsewhere.db"
    site.write()
    watcher.reload()
    wait_until(lambda: "store.url: cannot change while the watcher runs" in caplog.text)
    site.outcome("unhealthy connection refused")
    site.url = f"sqlite:///{site.folder}/store.db"
    site.told(DOWN)


def test_messages_for_a_channel_that_is_gone_are_given_up_and_not_forgotten(site):
    gone = '[channels.sms]\nurl = "json://127.0.0.1:9/x"\n'
    told = site.write(gone, route="").config.read_text()
    site.config.write_text(told.replace('["telegram"]', '["telegram", "sms"]'))
    watcher = site.thread()
    site.outcome("unhealthy connection refused")
    wait_until(lambda: len(site.messages()) == 1 and ("sms", "waiting") in site.counts())
    site.write()
    watcher.reload()
    wait_until(lambda: site.counts() == {("sms", "dead"): 1})


@pytest.mark.parametrize("sms", ["", '[channels.sms]\nurl = ""\nfallback = "telegram"\n'])
def test_what_a_channel_owes_that_is_gone_or_off_goes_to_its_fallback_or_its_route(site, sms):
    unreached = '[channels.sms]\nurl = "json://127.0.0.1:9/x"\n'
    told = site.write(unreached).config.read_text()
    site.config.write_text(told.replace('["telegram"]', '["sms"]'))
    watcher = site.thread()
    site.outcome("unhealthy connection refused")
    wait_until(lambda: ("sms", "waiting") in site.counts())
    site.write(sms)
    watcher.reload()
    site.told(DOWN)
    assert "(Meant for sms, which does not take it.)" in site.messages()[0]
