"""Links in messages: what fetches them changes nothing, whoever follows one acts once."""

import re
import sqlite3
from contextlib import closing
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from werkzeug.test import Client

from healthkit import (
    CheckInfo,
    ConfigError,
    Event,
    EventKind,
    Health,
    LinkSettings,
    Outcome,
    load_settings,
)
from healthkit._alerts import links
from healthkit._alerts.links import Link
from healthkit._model.alerts import Level
from healthkit._status.words import length
from healthkit._store import incidents
from healthkit._store.tables import used_links
from healthkit.masking import mask
from healthkit.testing import ManualClock
from healthkit.web import _link_page
from healthkit.web.wsgi import HealthMiddleware

NOW = datetime(2026, 1, 20, 3, 30, tzinfo=UTC)
SECRET = "9c1e5a8d2460b7e9f1a3c5d802467f3b1d7f0c93be52a684"
URL = "https://pos.example/base"
ON = {"url": URL, "secret": SECRET}
CHECK = CheckInfo("database", "Data <base>")

names = st.text(st.characters(codec="utf-8", exclude_categories=["Cs"]), min_size=1, max_size=20)
any_link = st.builds(
    Link,
    st.integers(0, 2**62),
    names,
    names,
    st.integers(0, 2**62),
    st.integers(0, 2**33).map(lambda seconds: datetime.fromtimestamp(seconds, UTC)),
)


def event(kind=EventKind.DOWN, incident=1):
    return Event(kind, CHECK, NOW, Outcome.unhealthy("refused"), NOW, NOW, incident)


# The token


@given(any_link)
def test_a_link_is_read_as_it_was_signed_and_only_with_its_secret(link):
    token = links.sign(link, SECRET)
    assert re.fullmatch(r"[a-z2-7]+", token)
    assert links.read(token, SECRET) == link
    assert links.read(token, SECRET[::-1]) is None
    assert links.read(token, "") is None


@given(any_link, st.integers(0, 10_000), st.sampled_from("abcdefghijklmnopqrstuvwxyz234567"))
def test_a_token_with_another_letter_or_without_its_end_is_none(link, place, letter):
    token = links.sign(link, SECRET)
    place %= len(token)
    changed = token[:place] + letter + token[place + 1 :]
    assert links.read(changed, SECRET) in (None, link)  # the last letter has bits to spare
    if changed != token and place < len(token) - 1:
        assert links.read(changed, SECRET) is None
    assert links.read(token[: len(token) // 2], SECRET) is None


@pytest.mark.parametrize(
    "text", ["", "a", "!", "a" * 100_000, "ä" * 30, "=" * 8, "\0", "%00", "1/2"]
)
def test_no_text_of_a_stranger_is_a_link(text):
    assert links.read(text, SECRET) is None


def test_longest_names_make_a_token_that_is_read():
    link = Link(2**62, "c" * 64, "d" * 64, 2**62, NOW)
    assert links.read(links.sign(link, SECRET), SECRET) == link


@given(any_link, any_link)
def test_each_message_of_each_channel_has_a_use_of_its_own(one, other):
    same = (one.incident, one.message, one.channel) == (
        other.incident,
        other.message,
        other.channel,
    )
    assert (links.digest(one) == links.digest(other)) is same


# The message


def test_only_what_can_be_acted_on_has_a_link_and_a_resend_has_the_same():
    on = LinkSettings(**ON)
    found = links.address(event(), "people", 7, on)
    assert found.startswith("https://pos.example/base/health/act/")
    assert links.address(event(), "people", 7, on) == found
    assert links.address(event(), "people", 8, on) != found
    assert links.address(event(incident=None), "people", 7, on) is None
    assert links.address(event(), "people", 7, LinkSettings()) is None
    with_link = {kind for kind in EventKind if links.address(event(kind), "people", 7, on)}
    ends = {EventKind.UP, EventKind.RESTORED, EventKind.STEADY}
    assert with_link == set(EventKind) - ends


def test_a_message_ends_with_its_link_and_no_log_shows_it(site, caplog):
    site.write(more=f'[links]\nurl = "{URL}"\nsecret = "{SECRET}"\n')
    caplog.set_level("DEBUG")
    site.thread()
    site.outcome("unhealthy connection refused")
    site.told("🔴 Database is DOWN")
    (message,) = site.messages()
    last = message.splitlines()[-1]
    said, _, address = last.partition(": ")
    assert said == "Take it on, or silence it"
    token = address.removeprefix(f"{URL}/health/act/")
    link = links.read(token, SECRET)
    (incident,) = site.incidents()
    assert (link.incident, link.check, link.channel) == (incident.id, "database", "telegram")
    ours = [r.getMessage() for r in caplog.records if r.name.startswith("healthkit")]
    assert token not in "\n".join(ours)


def test_the_masking_hides_a_links_token():
    address = links.address(event(), "people", 7, LinkSettings(**ON))
    assert mask(f"GET {address} 200") == f"GET {URL}/health/act/***MASKED*** 200"


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"url": "pos.example", "secret": SECRET}, "links.url: must be an address"),
        ({"url": URL}, "links: a url needs a secret; make one with: openssl rand -hex 32"),
        ({"url": URL, "secret": "secret"}, "links.secret: too short, at least 128 bits"),
        ({"url": URL, "secret": SECRET, "valid_for": "0s"}, "links.valid_for: must be more"),
        ({"urls": URL}, "links.urls: unknown key"),
    ],
)
def test_each_mistake_is_named_by_its_key(given, said):
    with pytest.raises(ConfigError) as caught:
        load_settings({"service": {"name": "Till"}, "links": given}, environ={})
    assert said in "\n".join(caught.value.lines())


# The page


class Place:
    """A mount with an open incident, and the link of a message of it."""

    def __init__(self, folder):
        self.url = f"sqlite:///{folder}/store.db"
        self.clock = ManualClock(NOW)
        document = {
            "service": {"name": "Till <x>", "timezone": "Asia/Jakarta"},
            "store": {"url": self.url},
            "checks": {
                "database": {"type": "heartbeat", "every": "1h", "label": "Data <base>"},
            },
            "links": ON,
        }
        self.health = Health(load_settings(document, environ={}), clock=self.clock)
        with self.health.store.transaction() as connection:
            self.incident = incidents.open_incident(connection, CHECK, Level.DOWN, "x", NOW)
        self.client = Client(HealthMiddleware(_application, self.health))

    def path(self, message=7, incident=None):
        made = event(incident=incident or self.incident)
        address = links.address(made, "people", message, self.health.settings.links)
        return address.removeprefix(URL)

    def changes(self):
        with self.health.store.reading() as connection:
            (found,) = incidents.latest(connection, 5)
            silences = incidents.active_silences(connection, self.clock.now())
            used = connection.execute(used_links.select()).all()
        return found.acknowledged_by, [(one.checks, one.by) for one in silences], len(used)


def _application(environ, start_response):
    start_response("404 Not Found", [("Content-Type", "text/plain")])
    return [b"the application's own"]


@pytest.fixture
def place(tmp_path):
    place = Place(tmp_path)
    place.health._runner.needs_start = False  # its checks have nothing to do here
    yield place
    place.health.stop()


def test_what_only_fetches_a_link_changes_nothing_and_is_asked_first(place):
    for _ in range(3):
        for method in ("GET", "HEAD"):
            answer = place.client.open(place.path(), method=method)
            assert answer.status_code == 200
    assert place.changes() == ("", [], 0)
    page = place.client.get(place.path()).text
    assert "Data &lt;base&gt;: incident 1" in page
    assert "Till &lt;x&gt;" in page
    assert "until 2026-01-21 10:30:00 WIB" in page
    assert '<form method="post">' in page
    assert "<script" not in page
    assert place.client.delete(place.path()).status_code == 405


def test_no_header_lets_the_link_go_elsewhere(place):
    headers = place.client.get(place.path()).headers
    assert headers["Referrer-Policy"] == "no-referrer"
    assert headers["Cache-Control"] == "no-store"
    assert "default-src 'none'" in headers["Content-Security-Policy"]
    assert "form-action 'self'" in headers["Content-Security-Policy"]


def test_whoever_follows_it_acknowledges_once(place):
    answer = place.client.post(place.path(), data={"act": "acknowledge"})
    assert (answer.status_code, "Acknowledged." in answer.text) == (200, True)
    assert place.changes() == ("link in people", [], 1)
    for act in ("acknowledge", "silence"):
        again = place.client.post(place.path(), data={"act": act})
        assert (again.status_code, "has been used" in again.text) == (409, True)
    assert place.changes() == ("link in people", [], 1)
    other = place.client.post(place.path(message=8), data={"act": "silence"})
    assert other.status_code == 200


def test_whoever_follows_it_silences_the_check_for_the_time_that_is_set(place):
    answer = place.client.post(place.path(), data={"act": "silence"})
    assert "new faults of Data &lt;base&gt; tell nobody for 1 hour" in answer.text
    assert place.changes() == ("", [(("database",), "link in people")], 1)
    place.clock.advance(3601)
    assert place.changes()[1] == []


def test_an_old_link_and_one_of_an_incident_that_is_over_change_nothing(place):
    with place.health.store.transaction() as connection:
        incidents.close_incident(connection, place.incident, NOW)
    assert place.client.post(place.path(), data={"act": "acknowledge"}).status_code == 410
    assert (
        place.client.post(place.path(incident=99), data={"act": "acknowledge"}).status_code == 410
    )
    place.clock.advance(24 * 3600)
    for method in ("GET", "POST"):
        answer = place.client.open(place.path(), method=method, data={"act": "silence"})
        assert (answer.status_code, "has expired" in answer.text) == (410, True)
    assert place.changes() == ("", [], 0)


@pytest.mark.parametrize(
    "body", [b"", b"act=", b"act=drop", b"act" * 50_000, b"\xff\xfe&act=\xff", b"a=1&" * 60]
)
def test_a_form_that_is_none_is_asked_again(place, body):
    answer = place.client.post(place.path(), data=body)
    assert (answer.status_code, "Choose one" in answer.text) == (422, True)
    assert place.changes() == ("", [], 0)


@given(st.text(max_size=700))
def test_no_path_of_a_stranger_is_more_than_not_valid(text):
    place = Shared.place
    answer = place.client.get(f"/health/act/{text}")
    assert answer.status_code == 404


class Shared:
    """One place for all examples of a property."""

    place = None


@pytest.fixture(autouse=True)
def _shared(request, tmp_path):
    if "stranger_is_more" not in request.node.name:
        yield
        return
    Shared.place = Place(tmp_path)
    Shared.place.health._runner.needs_start = False
    yield
    Shared.place.health.stop()


@pytest.mark.deep
def test_a_store_that_is_locked_is_said_and_the_link_works_afterwards(place, tmp_path):
    with closing(sqlite3.connect(tmp_path / "store.db", isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        assert place.client.get(place.path()).status_code == 200  # asks no store
        answer = place.client.post(place.path(), data={"act": "acknowledge"})
        assert (answer.status_code, "could not be stored" in answer.text) == (503, True)
        other.execute("ROLLBACK")
    assert place.client.post(place.path(), data={"act": "acknowledge"}).status_code == 200


def test_it_speaks_the_readers_language_in_every_sentence(place):
    answer = place.client.get(f"{place.path()}?lang=id")
    assert "Saya tangani: tanpa pengingat lagi" in answer.text
    english, indonesian = _link_page.WORDS["en"], _link_page.WORDS["id"]
    assert set(english) == set(indonesian) >= set(_link_page.CODES)
    for key, text in english.items():
        assert set(re.findall(r"{\w+}", text)) == set(re.findall(r"{\w+}", indonesian[key]))


def test_without_an_address_the_path_is_the_applications(place):
    path = place.path()
    off = Health(place.health.settings.model_copy(update={"links": LinkSettings()}))
    off._runner.needs_start = False
    assert Client(HealthMiddleware(_application, off)).get(path).text == "the application's own"
    off.stop()


def test_without_an_address_a_body_for_that_path_is_left_to_the_application(place):
    def echo(environ, start_response):
        start_response("200 OK", [("Content-Type", "text/plain")])
        return [environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"]))]

    off = Health(place.health.settings.model_copy(update={"links": LinkSettings()}))
    off._runner.needs_start = False
    client = Client(HealthMiddleware(echo, off))
    assert client.post("/health/act/own", data=b"an act of the application's").data
    off.stop()


def test_used_links_are_forgotten_after_a_quarter(place):
    place.client.post(place.path(), data={"act": "acknowledge"})
    place.clock.advance(timedelta(days=93).total_seconds())
    with place.health.store.transaction() as connection:
        incidents.open_incident(connection, CHECK, Level.DOWN, "x", place.clock.now())
    made = Event(EventKind.DOWN, CHECK, place.clock.now(), Outcome.unhealthy("x"), incident=2)
    address = links.address(made, "people", 9, place.health.settings.links)
    place.client.post(address.removeprefix(URL), data={"act": "acknowledge"})
    with place.health.store.reading() as connection:
        assert len(connection.execute(used_links.select()).all()) == 1


@pytest.mark.parametrize(
    ("seconds", "english", "indonesian"),
    [
        (0, "0 seconds", "0 detik"),
        (1, "1 second", "1 detik"),
        (3600, "1 hour", "1 jam"),
        (5400, "1 hour 30 minutes", "1 jam 30 menit"),
        (7261, "2 hours 1 minute 1 second", "2 jam 1 menit 1 detik"),
    ],
)
def test_the_page_says_a_length_of_time_in_words(seconds, english, indonesian):
    assert length(timedelta(seconds=seconds), "en") == english
    assert length(timedelta(seconds=seconds), "id") == indonesian
