"""Hooks, offers and alerts of a plugin that raises anything: it is named, and nothing ends."""

import contextlib
import signal
from datetime import UTC, datetime, timedelta

import pytest

from healthkit import Check, CheckInfo, EventKind, Outcome, Status, hookimpl
from healthkit._alerts import apprise_client, messages
from healthkit._config import loader
from healthkit._plugins import PluginManager
from healthkit._store import incidents
from healthkit.testing import ScriptedCheck, wait_until

from .odd_values import ODD, Unspeakable

DOWN = "🔴 Database is DOWN"
NOW = datetime(2026, 1, 1, tzinfo=UTC)
ENDS = (SystemExit, KeyboardInterrupt, GeneratorExit, BaseException, RuntimeError)


class Raises:
    def __init__(self, error, hooks):
        self.error = error
        for hook in hooks:
            setattr(self, hook, self._hook(hook))

    def _hook(self, hook):
        arguments = {
            "healthkit_event": "event",
            "healthkit_message": "event, language",
        }.get(hook, "")
        scope = {"error": self.error}
        exec(f"def {hook}({arguments}): raise error('no')", scope)
        return hookimpl(scope[hook])


@pytest.mark.parametrize("error", ENDS)
@pytest.mark.parametrize(
    "hook", ["healthkit_check_types", "healthkit_checks", "healthkit_commands", "healthkit_logging"]
)
def test_a_hook_that_raises_anything_ends_nothing_and_is_named(error, hook):
    plugins = PluginManager([Raises(error, [hook])], entry_points=False)
    assert "heartbeat" in plugins.check_types()
    for each in ("healthkit_checks", "healthkit_commands", "healthkit_logging"):
        assert plugins.call_all(each) == []
    assert f"{hook} raised {error.__name__}: no" in plugins.failures["Raises"]


@pytest.mark.parametrize("error", ENDS)
def test_a_plugin_that_raises_anything_as_it_is_imported_is_named(error, tmp_path):
    (tmp_path / "ends.py").write_text(f"raise {error.__name__}('no')\n")
    plugins = PluginManager(directory=tmp_path, entry_points=False)
    assert plugins.failures == {"ends": f"not loaded: {error.__name__}: no"}


class Offers:
    def __init__(self, offer):
        self.offer = offer

    @hookimpl
    def healthkit_checks(self):
        return self.offer


def loaded(*offers, checks=""):
    document = {"service": {"name": "x"}, "checks": checks or {}}
    return loader.load(document, PluginManager(map(Offers, offers), entry_points=False))


@pytest.mark.parametrize("offer", [1, "text", object(), [1], [(1, 2)], [None], Unspeakable(), ODD])
def test_an_offer_that_is_no_checks_is_told_by_a_check_of_its_own(offer):
    good = (CheckInfo("good", "Good"), ScriptedCheck())
    good_one, stand_in = loaded(offer, [good]).checks
    assert good_one.info.name == "good"
    assert stand_in.info.name == "plugin-Offers"
    outcome = stand_in.check.run(None)
    assert outcome.status is Status.UNHEALTHY
    assert outcome.message.startswith("healthkit_checks: ")


@pytest.mark.parametrize(
    "wrong",
    [
        {"name": "a b"},
        {"name": "x" * 65},
        {"name": "uptime"},
        {"name": 3},
        {"severity": "grave"},
        {"interval": timedelta(0)},
        {"interval": "soon"},
        {"fail_after": 0},
        {"tags": 3},
    ],
)
def test_an_offered_check_with_settings_that_the_file_could_not_have_is_refused(wrong):
    info = CheckInfo(**{"name": "a", "label": "A", **wrong})
    (stand_in,) = loaded([(info, ScriptedCheck())]).checks
    assert "healthkit_checks: " in stand_in.check.run(None).message


def test_dependencies_of_offered_checks_never_go_round_or_into_nothing():
    def offered(name, *depends_on):
        return CheckInfo(name, name, depends_on=depends_on), ScriptedCheck()

    ring = [offered(f"c{i}", f"c{(i + 1) % 2000}", "nowhere") for i in range(900)]
    more = [offered(f"c{i}", f"c{(i + 1) % 2000}") for i in range(900, 1800)]
    last = [offered(f"c{i}", f"c{(i + 1) % 2000}") for i in range(1800, 2000)]
    links = {check.info.name: check.info.depends_on for check in loaded(ring, more, last).checks}
    assert len(links) == 2000
    assert sum(map(len, links.values())) == 1999


@pytest.mark.parametrize("error", ENDS)
def test_a_check_whose_parts_raise_anything_is_loaded_or_named(error):
    def refuse(*_):
        raise error("no")

    class Plain:
        run = refuse
        target = refuse

    class Property:
        run = refuse

        @property
        def target(self):
            raise error("no")

    class Constructor:
        run = refuse

        def __init__(self):
            raise error("no")

    class Types:
        @hookimpl
        def healthkit_check_types(self):
            return {"plain": Plain, "property": Property, "constructor": Constructor}

    from healthkit import ConfigError

    plugins = PluginManager([Types()], entry_points=False)
    document = {
        "service": {"name": "x"},
        "checks": {"a": {"type": "plain"}, "b": {"type": "property"}},
    }
    found = loader.load(document, plugins)
    assert [check.info.target for check in found.checks] == [None, None]
    with pytest.raises(ConfigError, match=rf"checks.c: {error.__name__}: no"):
        loader.load({"service": {"name": "x"}, "checks": {"c": {"type": "constructor"}}}, plugins)


# Alerts


class Forever(Check):
    """A certificate that the year 9999 ends, and other details that no calendar has."""

    expires: str

    def run(self, context):
        return Outcome.degraded("expires", days_left=10**9, expires_at=self.expires)


def test_events_that_cannot_be_worded_go_out_barely_and_the_next_ones_follow(site, monkeypatch):
    for number, expires in enumerate(["9999-12-31T23:59:59+00:00", "0001-01-01T00:00:00+00:00"]):
        site.write(route='remind_every = "1h"')
        info = CheckInfo(
            f"certificate{number}", "Certificate", fail_after=1, interval=timedelta(seconds=0.1)
        )
        offer = Offers([(info, Forever(expires=expires))])
        break_wording = monkeypatch.context if number else contextlib.nullcontext
        with break_wording() as patched:
            if patched:
                patched.setattr(messages, "_variables", lambda *_: 1 / 0)
            high = '\n[routes.high]\nchannels = ["telegram"]\n'
            site.config.write_text(site.config.read_text() + high)
            watcher = site.thread(offer)
            wait_until(lambda: any("ertificate" in one for one in site.messages()))
            site.outcome("unhealthy connection refused")
            wait_until(lambda: any("atabase" in one for one in site.messages()))
            site.end(watcher)
        site.sink.requests.clear()
        site.outcome("healthy")


@pytest.mark.parametrize(
    "body", ["", "{", "[]", '{"kind": "gone", "check": {"name": "a"}}', "null"]
)
def test_an_event_in_the_store_that_cannot_be_read_is_sent_as_what_can_be(body):
    event = incidents.load_event(body)
    assert event.kind is EventKind.DOWN
    assert event.outcome.message == "the event in the store cannot be read"


@pytest.mark.parametrize("error", ENDS)
def test_a_send_that_raises_anything_ends_no_courier(site, monkeypatch, error):
    sent, failing = apprise_client.send, [True]

    def send(*args):
        if failing:
            failing.clear()
            raise error("no")
        return sent(*args)

    monkeypatch.setattr(apprise_client, "send", send)
    site.write().thread()
    site.outcome("unhealthy connection refused")
    site.told(DOWN)


def test_a_courier_whose_step_fails_or_whose_thread_ends_is_told_and_goes_on(
    site, monkeypatch, kuma
):
    from healthkit._alerts.delivery import Courier

    works, ends = Courier._write_result, Courier._guarded_step
    broken = [MemoryError("no"), OverflowError("no")]

    def write(self, *args):
        if broken:
            raise broken.pop()
        return works(self, *args)

    monkeypatch.setattr(Courier, "_write_result", write)
    site.write().thread()
    site.outcome("unhealthy connection refused")
    wait_until(lambda: len(site.messages()) >= 3)  # sent, and not known to be: again, each time
    assert {one.splitlines()[0] for one in site.messages()} == {DOWN}
    wait_until(lambda: not site.counts())

    gone = [True]

    def end(self):
        if gone:
            gone.clear()
            raise SystemExit
        return ends(self)

    monkeypatch.setattr(Courier, "_guarded_step", end)
    site.outcome("healthy")
    wait_until(lambda: "✅ Database is back UP" in site.messages()[-1])


# Reading the configuration again


@pytest.mark.parametrize("error", ENDS)
def test_a_reload_that_raises_anything_leaves_the_old_configuration_running(site, error, caplog):
    watcher = site.write().thread()
    wait_until(site.leader)
    load, raised = watcher._load, []

    def fails():
        raised.append(True)
        raise error("no")

    watcher._load = fails
    watcher.reload()
    wait_until(lambda: "the old one stays in force" in caplog.text and raised)
    watcher._load = load
    site.outcome("unhealthy connection refused")
    site.told(DOWN)


@pytest.mark.deep
def test_sighup_beside_a_plugin_that_ends_the_process_on_its_import_ends_nothing(site):
    process = site.write().process()
    wait_until(lambda: site.leader_is(process))
    site.config.write_text(site.config.read_text() + "[checks.odd]\ntype = 'nothing'\n")
    process.send_signal(signal.SIGHUP)
    wait_until(lambda: "the old one stays in force" in site.log(process))
    site.outcome("unhealthy connection refused")
    site.told(DOWN)
