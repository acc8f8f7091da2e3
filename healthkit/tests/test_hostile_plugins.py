"""What a plugin may return, raise and do: the other checks, their alerts and the process go on."""

import contextlib
import enum
import json
import signal
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from healthkit import Check, CheckInfo, EventKind, Outcome, Status, hookimpl
from healthkit._alerts import apprise_client, messages
from healthkit._config import loader
from healthkit._model.alerts import Event
from healthkit._outcomes import LONGEST_MESSAGE, MOST_VALUES, make_whole, of_exception
from healthkit._plugins import PluginManager
from healthkit._rendering import RENDERERS, RenderedResponse
from healthkit._store import incidents
from healthkit.masking import escape_controls
from healthkit.testing import ScriptedCheck, configured, wait_until

DOWN = "🔴 Database is DOWN"
NOW = datetime(2026, 1, 1, tzinfo=UTC)
ENDS = (SystemExit, KeyboardInterrupt, GeneratorExit, BaseException, RuntimeError)


class Unspeakable:
    """Raises whatever is asked of it."""

    def __init__(self, error=RuntimeError):
        self.error = error

    def refuse(self, *_):
        raise self.error("no")

    __str__ = __len__ = __iter__ = __bool__ = refuse


class Endless(Mapping):
    def __getitem__(self, key):
        return self

    def __iter__(self):
        number = 0
        while True:
            yield (number := number + 1)

    def __len__(self):
        return 1


class Sly(str):
    __slots__ = ()

    def __str__(self):
        raise RuntimeError("no")

    __len__ = __iter__ = __str__


class Zone(tzinfo):
    def utcoffset(self, _):
        raise RuntimeError("no")


class Number(enum.IntEnum):
    ONE = 1


def _circle():
    circle = {}
    circle["again"] = [circle]
    return circle


def _deep():
    deep = []
    for _ in range(100_000):
        deep = [deep]
    return deep


ODD = [
    *(None, True, 0, 2**63, -(2**200), 10**5000, float("nan"), float("inf"), Number.ONE),
    *(
        "",
        "two\nlines",
        "nul \0",
        "\ud800",
        "\x1b[2J",
        "x" * 1_000_000,
        b"\xff\x00",
        bytearray(b"a"),
    ),
    *(Decimal("NaN"), Fraction(10**5000), Sly("sly"), Unspeakable(), Unspeakable(SystemExit)),
    *(ValueError("wrong"), ValueError(Unspeakable()), object, object(), lambda: None, iter([1])),
    *(
        {1: {2: {3: [4]}}},
        {None: None},
        _circle(),
        _deep(),
        Endless(),
    ),
    *(datetime.max, datetime.min, NOW),  # noqa: DTZ901
    timedelta.max,
    datetime.max.replace(tzinfo=timezone(timedelta(hours=-12))),
    datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC),
]
odd = st.sampled_from(ODD) | st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
)
answers = odd | st.builds(
    Outcome, st.sampled_from(list(Status)) | odd, odd, st.dictionaries(st.text(), odd) | odd
)


@pytest.mark.filterwarnings("ignore:Generating overly large repr")
@settings(deadline=None)  # some are huge
@given(answers)
@example(Outcome(None, "x" * 1001))
def test_every_answer_becomes_an_outcome_that_all_can_render_and_the_store_can_hold(answer):
    outcome = make_whole(answer)
    assert type(outcome.status) is Status
    message = outcome.message or ""
    assert len(message) <= LONGEST_MESSAGE
    assert escape_controls(message) == message
    assert len(message.splitlines()) <= 1
    stored = incidents._dump_event(Event(EventKind.DOWN, CheckInfo("a", "A"), NOW, outcome))
    stored.encode()
    assert len(stored) < 2_000_000
    assert incidents.load_event(stored).outcome.message == outcome.message
    assert json.loads(stored)["outcome"]["details"].keys() == outcome.details.keys()


def test_a_moment_in_a_zone_that_cannot_be_reckoned_with_becomes_text():
    at = datetime(2026, 1, 1, tzinfo=Zone())
    assert make_whole(Outcome.healthy(at=at)).details == {"at": "<datetime>"}


@settings(deadline=None)
@given(st.lists(odd, min_size=1, max_size=5))
def test_details_are_bounded_plain_and_told_as_they_are_where_they_can_be(values):
    details = make_whole(Outcome.healthy(**{f"v{i}": value for i, value in enumerate(values)}))
    text = json.dumps(details.details, default=lambda moment: moment.isoformat(), allow_nan=False)
    assert text.count(",") <= 2 * MOST_VALUES + 10
    plain = make_whole(Outcome.healthy("fine", size=3, share=0.5, at=NOW, name="a", many=[1, 2]))
    assert plain == Outcome.healthy("fine", size=3, share=0.5, at=NOW, name="a", many=[1, 2])


@pytest.mark.parametrize("error", ENDS)
@pytest.mark.parametrize("text", ["no", "two\nlines \x1b[2J", Unspeakable()])
def test_whatever_a_check_raises_is_told_on_one_line(error, text):
    outcome = of_exception(error(text))
    assert outcome.status is Status.UNHEALTHY
    assert outcome.message.startswith(error.__name__)
    assert outcome.message.isprintable()


def test_hostile_checks_leave_health_and_metrics_of_the_others_as_they_are(make_health):
    hostile = {f"odd{i}": ScriptedCheck(outcome=lambda v=v: v) for i, v in enumerate(ODD)}
    odd_outcomes = {
        f"outcome{i}": ScriptedCheck(outcome=lambda v=v: Outcome(Status.DEGRADED, v, {"value": v}))
        for i, v in enumerate(ODD)
    }
    roles = {"interval": timedelta(seconds=30), "timeout": timedelta(seconds=20)}
    given = {name: (check, roles) for name, check in {**hostile, **odd_outcomes}.items()}
    health = make_health(fine=(ScriptedCheck(), roles), **given)
    report = health.check_once()
    assert report.result("fine").outcome.status is Status.HEALTHY
    assert {report.result(f"outcome{i}").outcome.status for i in range(len(ODD))} == {
        Status.DEGRADED
    }
    body = json.loads(RENDERERS["json"](report).body)
    assert body["checks"]["fine"]["status"] == "healthy"
    assert len(body["checks"]) == len(given) + 2
    for name in RENDERERS:
        assert health.response(name).code in (200, 503)
        assert b"could not be rendered" not in health.response(name).body


def test_a_result_that_a_renderer_cannot_take_costs_the_others_nothing(tmp_path, until):
    from healthkit import Health
    from healthkit._config.service_tables import ServiceSettings
    from healthkit._config.settings import Settings

    def renderer(report):
        if any(
            result.check.name == "odd" and not result.outcome.message for result in report.results
        ):
            raise SystemExit("no")
        statuses = {r.check.name: r.outcome.status.value for r in report.results}
        return RenderedResponse.json(200, statuses)

    checks = (configured("odd", ScriptedCheck()), configured("fine", ScriptedCheck()))
    given = Settings(service=ServiceSettings(name="x"), checks=checks)
    with Health(given, {"own": renderer}) as health:
        said = until(lambda: (r := health.response("own")).body.count(b"healthy") == 2 and r.body)
    assert json.loads(said) == {"odd": "unhealthy", "fine": "healthy"}


# Hooks


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
