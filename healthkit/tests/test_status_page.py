"""The status page: true, for everybody to read, and silent about the inside of the house."""

import base64
import hashlib
import json
import re
from datetime import UTC, datetime, timedelta
from importlib.resources import files
from xml.etree import ElementTree

import pytest
from werkzeug.test import Client

from healthkit import Health
from healthkit._model.alerts import Level
from healthkit._status.html import html
from healthkit._status.model import Headline
from healthkit._status.publisher import PATHS
from healthkit._store import history, incidents, notices
from healthkit.web.access import local_or_token
from healthkit.web.wsgi import HealthMiddleware

from .status_kit import (
    DOWN,
    JAKARTA,
    NOW,
    PLANNED,
    SECRETS,
    UP,
    Secretive,
    add_results,
    lead,
    put_state,
    read_page,
    settings_of,
)

TOKEN = "9c1e5a8d2460b7e9f1a3c5d802467f3b"


# The page


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


def test_text_that_runs_from_right_to_left_turns_nothing_around_it(store, store_url):
    arabic, hebrew = "قاعدة البيانات (1)", "התשלום איטי."
    more = {"service": {"name": arabic, "timezone": "Asia/Jakarta"}}
    number = put_state(store, "pg_main_01", Level.DOWN, NOW - timedelta(minutes=12))
    with store.transaction() as connection:
        notices.add_note(connection, hebrew, "ani", NOW, incident=number)
    page = read_page(settings_of(store_url, more=more), store)
    text = html(page, "en", JAKARTA).decode()
    assert f'<h1 dir="auto">{arabic}</h1>' in text
    assert '<h3 dir="auto">Database</h3>' in text
    assert f"<bdi>{hebrew}</bdi>" in text


@pytest.mark.parametrize(
    ("began", "ended", "shown"),
    [
        (NOW - timedelta(minutes=20), None, 0),  # the window is open since 10:00 in Jakarta
        (NOW - timedelta(days=1, minutes=20), NOW - timedelta(days=1, minutes=10), 0),
        (NOW - timedelta(minutes=40), None, 1),
        (NOW - timedelta(days=1, minutes=20), NOW - timedelta(hours=20), 1),
        (NOW - timedelta(days=1, minutes=20), None, 1),
    ],
)
def test_what_is_down_within_a_planned_window_is_no_outage_for_strangers(
    store, store_url, began, ended, shown
):
    settings = settings_of(
        store_url, more={"maintenance": {"nightly": {"start": "10:00", "duration": "1h"}}}
    )
    number = put_state(store, "pg_main_01", Level.DOWN, began)
    if ended is not None:
        with store.transaction() as connection:
            incidents.close_incident(connection, number, ended)
    page = read_page(settings, store)
    outages = {outage for day in page.components[0].days for outage in day.outages}
    assert (len(outages), len(page.incidents)) == (shown, shown)
    assert (page.components[0].since is not None) is (shown == 1 and ended is None)
    with store.transaction() as connection:
        notices.add_note(connection, "It takes longer.", "ani", NOW, incident=number)
    assert len(read_page(settings, store).incidents) == 1


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


def test_paper_is_white_whatever_the_screen_is():
    style = files("healthkit._status").joinpath("page.css").read_text()
    screen, paper = style.split("@media print")
    colors = set(re.findall(r"--[a-z0-9]+(?=:)", screen))
    assert set(re.findall(r"--[a-z0-9]+(?=:)", paper)) == colors
    assert "--paper:#fff;" in paper
