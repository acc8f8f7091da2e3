"""The status page: true, for everybody to read, and silent about the inside of the house."""

import base64
import hashlib
import json
import re
from datetime import UTC, date, datetime, timedelta
from importlib.resources import files
from xml.etree import ElementTree
from zoneinfo import ZoneInfo

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st
from werkzeug.test import Client

from healthkit import Check, Health, Outcome, hookimpl, load_settings
from healthkit._alerts.processor import ResultProcessor, SequencedResult
from healthkit._model.alerts import Level, State
from healthkit._model.checks import CheckInfo, Result, Status
from healthkit._model.uptime import Uptime
from healthkit._status import feeds, html
from healthkit._status.model import (
    Component,
    ComponentState,
    Day,
    Headline,
    PublicIncident,
    PublicStatus,
    Update,
    format_percentage,
    headline,
    percentage,
)
from healthkit._status.publisher import EVERY, PATHS, STALE_AFTER, StatusPublisher
from healthkit._status.reading import Reader
from healthkit._status.words import WORDS
from healthkit._store import bars, history, incidents, lease, notices
from healthkit._store.database import Store
from healthkit.cli import main
from healthkit.testing import ManualClock, wait_until
from healthkit.web.access import local_or_token
from healthkit.web.wsgi import HealthMiddleware

NOW = datetime(2026, 1, 20, 3, 30, tzinfo=UTC)  # 10:30 in Jakarta
JAKARTA = ZoneInfo("Asia/Jakarta")
TOKEN = "9c1e5a8d2460b7e9f1a3c5d802467f3b"
SECRETS = ("db-7.internal", "/srv/private", "connection refused by 10.1.2.3", "pg_main_01")
UP, DOWN, LIMITED, PLANNED, UNKNOWN = (
    ComponentState.OPERATIONAL,
    ComponentState.DOWN,
    ComponentState.DEGRADED,
    ComponentState.MAINTENANCE,
    ComponentState.UNKNOWN,
)

# The rules


def component(state, critical=False, label="Database"):
    return Component(label, "", critical, state, None, {}, ())


@pytest.mark.parametrize(
    ("components", "said"),
    [
        ([], Headline.UNKNOWN),
        ([component(UNKNOWN), component(UNKNOWN)], Headline.UNKNOWN),
        ([component(UP), component(UP)], Headline.OPERATIONAL),
        ([component(UP), component(UNKNOWN)], Headline.UNKNOWN),
        ([component(UP), component(PLANNED)], Headline.MAINTENANCE),
        ([component(LIMITED), component(PLANNED)], Headline.DEGRADED),
        ([component(UP), component(DOWN)], Headline.PARTIAL),
        ([component(UP), component(DOWN, critical=True)], Headline.MAJOR),
        ([component(DOWN), component(DOWN)], Headline.MAJOR),
        ([component(DOWN), component(UNKNOWN), component(LIMITED)], Headline.PARTIAL),
    ],
)
def test_one_rule_makes_the_headline(components, said):
    assert headline(components) is said


@given(st.integers(0, 10**12), st.integers(0, 10**12))
def test_an_uptime_is_never_rounded_up_and_whole_only_where_nothing_was_lost(good, lost):
    uptime = Uptime(good, good + lost)
    found = percentage(uptime)
    if not uptime.total:
        assert found is None
        return
    assert found * uptime.total <= good * 100 + uptime.total * 1e-6
    assert (found == 100) == (lost == 0)
    assert format_percentage(uptime) == f"{found:.2f}%"


def test_every_text_is_there_in_every_language():
    assert set(WORDS["en"]) == set(WORDS["id"])
    for key in WORDS["en"]:
        assert re.findall(r"{\w+}", WORDS["en"][key]) == re.findall(r"{\w+}", WORDS["id"][key])


@pytest.mark.parametrize(
    ("good", "total", "shade"),
    [(0, 0, None), (5, 5, 0), (999, 1000, 1), (98, 100, 2), (90, 100, 3), (1, 2, 4), (0, 1, 4)],
)
def test_a_bar_is_as_dark_as_the_share_that_was_lost(good, total, shade):
    assert Day(date(2026, 1, 1), Uptime(good, total)).shade == shade


# The store


def add_results(store, check, at, count=1, status="healthy", seconds=0.01):
    with store.transaction() as connection:
        rows = [
            history.Row(check, at + timedelta(seconds=n), status, seconds) for n in range(count)
        ]
        history.add(connection, rows, NOW)


def test_a_day_begins_at_midnight_in_the_services_zone(store):
    midnight = datetime(2026, 1, 19, 17, tzinfo=UTC)  # of the 20th in Jakarta
    add_results(store, "db", midnight - timedelta(minutes=5), 3)
    add_results(store, "db", midnight, 4, status="unhealthy")
    with store.transaction() as connection:
        assert bars.count_days(connection, NOW, JAKARTA, 90)["db"] == {
            date(2026, 1, 19): Uptime(3, 3),
            date(2026, 1, 20): Uptime(0, 4),
        }
        history.roll_up(connection, NOW)
        assert bars.count_days(connection, NOW, JAKARTA, 90)["db"] == {
            date(2026, 1, 19): Uptime(3, 3),
            date(2026, 1, 20): Uptime(0, 4),
        }


def test_sums_of_a_clock_that_was_ahead_hide_no_result_of_today(store):
    ahead = NOW + timedelta(days=400)
    add_results(store, "db", ahead, 2)
    with store.transaction() as connection:
        history.roll_up(connection, ahead + timedelta(hours=1), NOW)
    add_results(store, "db", NOW, 3)
    with store.reading() as connection:
        counted = bars.count_days(connection, NOW, JAKARTA, 90)["db"]
    assert counted == {date(2026, 1, 20): Uptime(3, 3)}


@pytest.mark.parametrize("zone", ["UTC", "Europe/Berlin", "America/New_York", "Asia/Kathmandu"])
def test_no_result_is_lost_or_counted_twice_where_clocks_change(tmp_path, zone):
    store = Store(f"sqlite:///{tmp_path}/store.db")
    now = datetime(2026, 4, 10, 12, tzinfo=UTC)
    for hours in range(0, 80 * 24, 7):
        add_results(store, "db", now - timedelta(hours=hours))
    with store.transaction() as connection:
        history.roll_up(connection, now)
        counted = bars.count_days(connection, now, ZoneInfo(zone), 90)["db"]
    assert sum(one.total for one in counted.values()) == len(range(0, 80 * 24, 7))
    assert max(counted) == now.astimezone(ZoneInfo(zone)).date()
    store.close()


def test_what_was_planned_counts_neither_as_up_nor_as_down(store):
    add_results(store, "db", NOW - timedelta(hours=3), 10)
    add_results(store, "db", NOW - timedelta(hours=2), 10, status=history.MAINTENANCE)
    add_results(store, "db", NOW - timedelta(hours=1), 10, status="unhealthy")
    with store.transaction() as connection:
        for _ in range(2):
            assert history.uptime(connection, NOW, timedelta(days=1))["db"] == Uptime(10, 20)
            assert bars.count_days(connection, NOW, JAKARTA, 90)["db"] == {
                date(2026, 1, 20): Uptime(10, 20)
            }
            history.roll_up(connection, NOW)
        assert history.uptime(connection, NOW, timedelta(days=60))["db"] == Uptime(10, 20)


# The page


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


def test_the_page_shows_the_state_that_the_watcher_has_confirmed(store, store_url):
    settings = settings_of(store_url)
    lead(store)
    put_state(store, "pg_main_01", Level.DOWN, NOW - timedelta(minutes=12))
    put_state(store, "cards", Level.HEALTHY)
    page = read_page(settings, store)
    database, cards = page.components
    assert (database.label, database.group, database.state) == ("Database", "Kitchen", DOWN)
    assert database.since == NOW - timedelta(minutes=12)
    assert cards.state is UP
    assert page.headline is Headline.MAJOR
    assert [len(day.outages) for day in database.days] == [0] * 89 + [1]
    (incident,) = page.incidents
    assert (incident.title, incident.ended_at) == ("Database", None)


def test_where_nobody_watches_nothing_is_known(store, store_url):
    put_state(store, "pg_main_01", Level.HEALTHY)
    page = read_page(settings_of(store_url), store)
    assert not page.watched
    assert page.headline is Headline.UNKNOWN


def test_an_outage_over_midnight_is_on_both_days(store, store_url):
    began = datetime(2026, 1, 18, 16, 30, tzinfo=UTC)  # 23:30 in Jakarta
    number = put_state(store, "pg_main_01", Level.DOWN, began)
    with store.transaction() as connection:
        incidents.close_incident(connection, number, began + timedelta(hours=1))
    days = read_page(settings_of(store_url), store).components[0].days
    assert [day.day.day for day in days if day.outages] == [18, 19]


def test_a_window_that_is_open_is_said_and_the_next_one_is_announced(store, store_url):
    windows = {
        "nightly": {"start": "10:00", "duration": "1h", "checks": ["cards"]},
        "weekly": {"start": "04:00", "duration": "2h", "days": ["thu"]},
    }
    lead(store)
    put_state(store, "pg_main_01", Level.HEALTHY)
    page = read_page(settings_of(store_url, more={"maintenance": windows}), store)
    assert [one.state for one in page.components] == [UP, PLANNED]
    nightly, weekly = page.planned
    assert nightly.began_at == datetime(2026, 1, 20, 3, tzinfo=UTC)
    assert nightly.components == ("<b>Cards</b> & co",)
    assert (weekly.began_at, weekly.components) == (datetime(2026, 1, 21, 21, tzinfo=UTC), ())


def test_response_times_are_the_median_and_the_95th_percentile_of_each_hour(store, store_url):
    begin = NOW.replace(minute=0) - timedelta(hours=2)
    with store.transaction() as connection:
        seconds = [n / 1000 for n in range(1, 101)]
        rows = [
            history.Row("cards", begin + timedelta(seconds=n), "healthy", s)
            for n, s in enumerate(seconds)
        ]
        history.add(connection, rows, NOW)
    (hour,) = read_page(settings_of(store_url), store).components[1].response_times
    assert (hour.hour, hour.p50, hour.p95) == (begin, 0.05, 0.095)


# What strangers get


@pytest.fixture
def site(store, store_url):
    """The page in front of an application, with a watcher that has found faults."""
    lead(store, datetime.now(UTC))
    began = datetime.now(UTC) - timedelta(minutes=12)
    put_state(store, "pg_main_01", Level.DOWN, began)
    add_results(store, "pg_main_01", began, 5, status="unhealthy")

    def serve(access="public", sees_details=None, **more):
        health = Health(settings_of(store_url, access=access, **more))
        health.status_page() and health.status_page().refresh()
        opened.append(health)
        return Client(HealthMiddleware(_application, health, None, sees_details))

    opened = []
    yield serve
    for health in opened:
        health.stop()


def _application(environ, start_response):
    start_response("404 Not Found", [("Content-Type", "text/plain")])
    return [b"the application's own"]


def test_no_form_of_the_page_has_a_host_a_path_an_error_or_a_name_in_it(site):
    client = site()
    for path in PATHS:
        for language in ("en", "id"):
            answer = client.get(f"{path}?lang={language}")
            assert answer.status_code == 200
            for secret in (*SECRETS, "10.1.2.3", "private-disk", "Hidden", "http://db", "refused"):
                assert secret not in answer.text, (path, secret)


@pytest.mark.parametrize("path", PATHS)
def test_it_is_off_unless_it_is_set_and_for_whom_it_is_set(site, path):
    assert site(access="off").get(path).text == "the application's own"
    guarded = site(access="token", sees_details=local_or_token(TOKEN))
    stranger = {"REMOTE_ADDR": "203.0.113.9"}
    refused = guarded.get(path, environ_base=stranger)
    assert (refused.status_code, refused.headers["WWW-Authenticate"]) == (401, "Bearer")
    with_token = {"Authorization": f"Bearer {TOKEN}"}
    assert guarded.get(path, environ_base=stranger, headers=with_token).status_code == 200
    public = site(sees_details=local_or_token(TOKEN))
    assert public.get(path, environ_base=stranger).status_code == 200
    head = public.head(path, environ_base=stranger)
    assert (head.status_code, head.data) == (200, b"")
    assert int(head.headers["Content-Length"]) > 0
    assert public.post(path).status_code == 405


def test_the_page_needs_no_script_and_nothing_from_elsewhere(site):
    answer = site().get("/status")
    page = answer.text
    assert "<script" not in page
    assert not re.search(r"""(?:src|href)=["'](?!\?lang=|status)""", page)
    (style,) = re.findall(r"<style>(.*)</style>", page, re.S)
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    assert f"style-src 'sha256-{digest}'" in answer.headers["Content-Security-Policy"]
    assert " style=" not in page
    assert "&lt;b&gt;Cards&lt;/b&gt; &amp; co" in page
    assert page.count('<li class="shade-') == 2 * 90


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({}, "Major outage"),
        ({"query_string": "lang=id"}, "Gangguan besar"),
        ({"headers": {"Accept-Language": "id-ID,id;q=0.9,en;q=0.8"}}, "Gangguan besar"),
        ({"headers": {"Accept-Language": "ido"}}, "Major outage"),
        ({"headers": {"Accept-Language": "en-GB"}}, "Major outage"),
    ],
)
def test_it_speaks_the_readers_language(site, asked, said):
    assert said in site().get("/status", **asked).text


def test_json_has_every_figure_of_the_page(site):
    found = json.loads(site().get("/status.json").text)
    assert found["status"] == "major-outage"
    database = found["components"][0]
    assert database["uptime"]["24h"] == 0
    assert set(database["uptime"]) == {"24h", "7d", "30d", "90d", "365d"}
    assert found["components"][1]["uptime"]["24h"] is None
    assert len(database["days"]) == 90
    assert database["days"][-1]["outages"][0]["ended_at"] is None


def test_the_badge_is_what_shields_reads_and_a_picture_of_its_own(site):
    client = site()
    badge = json.loads(client.get("/status/badge.json").text)
    assert badge == {
        "schemaVersion": 1,
        "label": "status",
        "message": "Major outage",
        "color": "red",
        "isError": True,
        "cacheSeconds": 60,
    }
    picture = client.get("/status/badge.svg")
    assert picture.content_type == "image/svg+xml; charset=utf-8"
    assert "Major outage" in "".join(ElementTree.fromstring(picture.text).itertext())


# Whoever writes on it


def test_staff_open_a_notice_write_updates_and_close_it(tmp_path, store, store_url):
    config = tmp_path / "healthkit.toml"
    config.write_text(f'[service]\nname = "Till"\n[store]\nurl = "{store_url}"\n')
    put_state(store, "pg_main_01", Level.DOWN, NOW)

    def run(*words):
        return CliRunner().invoke(main, ["--config", str(config), "incident", *words])

    opened = run("open", "Kartu  tidak\nbisa dipakai")
    assert (opened.exit_code, opened.output) == (0, "N1\n")
    assert run("note", "N1", "Kami menghubungi bank. password=hunter2").exit_code == 0
    assert run("note", "1", "We are on it").exit_code == 0
    assert run("close", "N1").exit_code == 0
    now = datetime.now(UTC)
    page = read_page(settings_of(store_url), store, now)
    texts = {one.title: [update.text for update in one.updates] for one in page.incidents}
    assert "Kartu tidak bisa dipakai" in texts
    assert "hunter2" not in str(texts)
    assert texts["Database"] == ["We are on it"]
    for words, said in [
        (("close", "N1"), "closed already"),
        (("close", "1"), "ends when its check recovers"),
        (("note", "N9", "x"), "there is none"),
        (("note", "9" * 30, "x"), "there is none"),
        (("note", "1; drop", "x"), "there is none"),
        (("open", "  "), "say something"),
        (("note", "1", "x" * 3_000), "at most 2000 characters"),
    ]:
        refused = run(*words)
        assert refused.exit_code == 2, words
        assert said in refused.output


texts = st.text(max_size=60) | st.sampled_from(
    [
        "<script>alert(1)</script>",
        "]]>",
        "&amp;",
        "\x00\x1b[2J",
        "\ud800",
        '"><img src=x>',
        "{{ 7*7 }}",
    ]
)


@given(texts, texts, texts)
def test_any_text_of_anybody_stays_text_in_every_form(label, title, said):
    incident = PublicIncident("notice-1", title, LIMITED, NOW, NOW, (Update("note-1", NOW, said),))
    day = Day(NOW.date(), Uptime(1, 2))
    shown = Component(label, title, True, DOWN, NOW, {"24h": Uptime(1, 2)}, (day,))
    page = PublicStatus(said or "x", NOW, True, (shown,), (incident,))
    for language in ("en", "id"):
        rendered = html.html(page, language, JAKARTA).decode()
        assert "<script>alert" not in rendered
        assert "<img" not in rendered
        ElementTree.fromstring(feeds.atom(page, language))
        ElementTree.fromstring(feeds.badge_svg(page, language))
        json.loads(feeds.status_json(page))


def test_the_feed_has_stable_ids_and_an_entry_for_each_end_and_update(store, store_url):
    number = put_state(store, "pg_main_01", Level.DOWN, NOW - timedelta(hours=2))
    with store.transaction() as connection:
        notices.add_note(connection, "On it", "dewi", NOW, incident=number)
        incidents.close_incident(connection, number, NOW)

    def ids(now):
        page = read_page(settings_of(store_url), store, now)
        space = {"a": "http://www.w3.org/2005/Atom"}
        root = ElementTree.fromstring(feeds.atom(page, "en"))
        return [one.text for one in root.findall("a:entry/a:id", space)]

    found = ids(NOW)
    assert sorted(found) == [
        "urn:healthkit:till:incident-1",
        "urn:healthkit:till:incident-1:end",
        "urn:healthkit:till:note-1",
    ]
    assert ids(NOW + timedelta(hours=3)) == found


# In memory


def test_it_is_renewed_by_itself_and_says_so_when_it_cannot_be(store, store_url):
    clock = ManualClock(NOW)
    broken = []

    def give():
        if broken:
            raise OSError("the database hangs")
        return store

    publisher = StatusPublisher(settings_of(store_url), give, clock)

    def said():
        return json.loads(publisher.response("badge.json", "en").body)["message"]

    assert said() == "The state is not known right now"
    lead(store)
    put_state(store, "pg_main_01", Level.HEALTHY)
    put_state(store, "cards", Level.HEALTHY)
    publisher.start()
    try:
        wait_until(lambda: said() == "All systems work" and clock.waiting())
        put_state(store, "cards", Level.DOWN, NOW)
        lead(store, clock.now())
        clock.advance(EVERY)
        wait_until(lambda: said() == "Some systems are down" and clock.waiting())
        broken.append(True)
        clock.advance(STALE_AFTER - 1)
        wait_until(clock.waiting)
        assert said() == "Some systems are down"
        clock.advance(2)
        assert said() == "The state is not known right now"
        assert b"Nobody has looked lately" in publisher.response("html", "en").body
    finally:
        publisher.stop()
        wait_until(lambda: not clock.waiting())


@pytest.fixture
def rendered(monkeypatch):
    """The languages in which the page for people was rendered, one after another."""
    languages = []

    def spy(page, language, zone, real=html.html):
        languages.append((language, page.watched))
        return real(page, language, zone)

    monkeypatch.setattr(html, "html", spy)
    return languages


def test_a_form_is_rendered_when_it_is_asked_for_and_once_for_each_page(store, store_url, rendered):
    clock = ManualClock(NOW)
    publisher = StatusPublisher(settings_of(store_url), lambda: store, clock)
    lead(store)
    publisher.refresh()
    clock.advance(EVERY)
    publisher.refresh()
    assert rendered == []
    assert publisher.response("html", "en") is publisher.response("html", "en")
    assert rendered == [("en", True)]
    put_state(store, "cards", Level.DOWN, NOW)
    publisher.refresh()
    assert rendered == [("en", True)] * 2, "a reader of the page before waits for none"
    put_state(store, "cards", Level.HEALTHY)
    publisher.refresh()
    assert rendered == [("en", True)] * 2, "nobody asked for the one before"
    clock.advance(STALE_AFTER)
    assert b"Nobody has looked lately" in publisher.response("html", "en").body
    assert rendered[2:] == [("en", False)]


def test_where_nothing_has_changed_the_same_bytes_stay_and_are_fresh(store, store_url):
    clock = ManualClock(NOW)
    publisher = StatusPublisher(settings_of(store_url), lambda: store, clock)
    lead(store)

    def look(seconds):
        clock.advance(seconds)
        lead(store, clock.now())
        publisher.refresh()
        return publisher.response("json", "en")

    first = look(0)
    assert look(STALE_AFTER - 5) is first
    assert json.loads(first.body)["watched"]
    later = look(30)
    assert later is not first, "its time would be too old"
    clock.jump(timedelta(days=-1))
    assert json.loads(look(0).body)["at"].startswith("2026-01-19"), "a clock that was set back"


def test_paper_is_white_whatever_the_screen_is():
    style = files("healthkit._status").joinpath("page.css").read_text()
    screen, paper = style.split("@media print")
    colors = set(re.findall(r"--[a-z0-9]+(?=:)", screen))
    assert set(re.findall(r"--[a-z0-9]+(?=:)", paper)) == colors
    assert "--paper:#fff;" in paper


def test_a_check_of_a_watcher_in_its_window_is_kept_out_of_the_history(store, store_url):
    """The whole way: a result within a planned window reaches the history as planned."""
    window = {"nightly": {"start": "10:00", "duration": "1h", "checks": ["cards"]}}
    settings = settings_of(store_url, more={"maintenance": window})
    info = next(check.info for check in settings.checks if check.info.name == "cards")
    lead(store)
    with store.transaction() as connection:
        processor = ResultProcessor(settings, 1)
        processor.load(connection)
        bad = Result(info, Outcome(Status.UNHEALTHY, "x"), at=NOW, duration=0.1)
        processor.process(connection, [SequencedResult(1, bad)], NOW)
        assert history.uptime(connection, NOW, timedelta(days=1)) == {}


def test_what_the_watcher_alone_runs_is_on_the_page_too(tmp_path):
    config = tmp_path / "healthkit.toml"
    config.write_text(
        """
        [service]
        name = "Till"
        [status]
        access = "public"
        [checks.front]
        type = "secretive"
        url = "x"
        label = "Front"
        watch_only = true
        """
    )
    health = Health.from_file(config, environ={}, plugins=[Secretive()])
    assert health.report().results == ()
    found = json.loads(health.status_page().response("json").body)
    assert [one["label"] for one in found["components"]] == ["Front"]
