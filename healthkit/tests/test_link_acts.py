"""What a digest lets people act on, and what plugins are told of it."""

import re
import threading
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from werkzeug.test import Client

from healthkit import (
    CheckInfo,
    Event,
    EventKind,
    Health,
    LinkAct,
    LinkSettings,
    Outcome,
    StoreError,
    hookimpl,
)
from healthkit._alerts import links
from healthkit._model.alerts import Level
from healthkit._store import incidents
from healthkit._store.acts import Act, ActAnswer
from healthkit._store.acts import perform as really_perform
from healthkit.web.wsgi import HealthMiddleware

NOW = datetime(2026, 1, 20, 3, 30, tzinfo=UTC)
SECRET = "9c1e5a8d2460b7e9f1a3c5d802467f3b1d7f0c93be52a684"
ON = LinkSettings(url="https://pos.example", secret=SECRET)
OVER = (EventKind.UP, EventKind.RESTORED, EventKind.STEADY)


def event(kind, incident):
    check = CheckInfo(f"check-{incident}", f"Check {incident}")
    return Event(kind, check, NOW, Outcome.unhealthy("x"), NOW, NOW, incident)


events = st.lists(
    st.builds(event, st.sampled_from(EventKind), st.one_of(st.none(), st.integers(1, 9))),
    max_size=20,
)


@given(events)
def test_a_digest_has_a_link_for_each_incident_that_it_does_not_end(given):
    chosen = links.to_act_on(given)
    last = {one.incident: one.kind for one in given if one.incident is not None}
    still = [incident for incident, kind in last.items() if kind not in OVER]
    assert len(chosen) == min(len(still), links.MOST)
    assert {one.incident for one in chosen} <= set(still)
    assert len({one.incident for one in chosen}) == len(chosen)
    assert all(links.address(one, "a", 1, ON) for one in chosen)


def test_a_digest_ends_with_its_links_and_each_is_of_its_own_incident(post, http_sink):
    post.links = ON
    post.open(a={"url": http_sink.url("/a", "json")})
    given = [event(EventKind.DOWN, n) for n in range(1, 4)] + [event(EventKind.UP, 2)]
    post.owe("a", *given, digest=True)
    post.until(lambda: http_sink.requests)
    lines = http_sink.requests[0].json()["message"].splitlines()
    found = re.findall(r"^Take it on, or silence it: (Check \d): .*/health/act/(\w+)$",
                       "\n".join(lines[-2:]), re.MULTILINE)  # fmt: skip
    read = [(label, links.read(token, SECRET)) for label, token in found]
    assert [(label, link.incident, link.check) for label, link in read] == [
        ("Check 1", 1, "check-1"),
        ("Check 3", 3, "check-3"),
    ]
    assert len({links.digest(link) for _, link in read}) == 2, "each is used by itself"


class Observer:
    """Keeps what it is told; `hangs` until it is let go."""

    def __init__(self, hangs=False, error=None):
        self.acts = []
        self.free = threading.Event()
        self.error = error
        if not hangs:
            self.free.set()

    @hookimpl
    def healthkit_act(self, act):
        self.acts.append(act)
        self.free.wait(60)
        if self.error is not None:
            raise self.error


@pytest.fixture
def place(tmp_path):
    """A mount with links for two open incidents; `place(plugin)` is (health, post)."""
    config = tmp_path / "healthkit.toml"
    config.write_text(
        '[service]\nname = "Till"\n[store]\nurl = "sqlite:///x.db"\n[checks.check-1]\n'
        'type = "heartbeat"\nevery = "1h"\n[links]\n'
        f'url = "https://pos.example"\nsecret = "{SECRET}"\nsilence_for = "2h"\n'
    )
    made = []

    def make(plugin):
        health = Health.from_file(config, plugins=[plugin])
        made.append(health)
        with health.store.transaction() as connection:
            check = CheckInfo("check-1", "Check 1")
            incident = incidents.open_incident(connection, check, Level.DOWN, "x", NOW)
        client = Client(HealthMiddleware(lambda environ, start: [b""], health))
        fresh = Event(
            EventKind.DOWN, check, health.now(), Outcome.unhealthy("x"), incident=incident
        )

        def follow(act, message=1):
            address = links.address(fresh, "people", message, health.settings.links)
            path = address.removeprefix("https://pos.example")
            return client.post(path, data={"act": act}).status_code

        return health, follow

    yield make
    for health in made:
        health.stop()


def test_healthkit_act_is_told_what_was_done_by_whom_and_when_and_once(place, until):
    observer = Observer()
    health, follow = place(observer)
    before = health.now()
    assert follow("acknowledge") == 200
    assert follow("acknowledge") == 409, "it is used"
    assert follow("silence", message=2) == 200
    until(lambda: len(observer.acts) == 2)
    done, silenced = sorted(observer.acts, key=lambda act: act.what)
    assert before <= done.at <= silenced.at <= health.now()
    assert done == LinkAct("acknowledged", 1, "check-1", "link in people", done.at)
    assert (silenced.what, silenced.until) == ("silenced", silenced.at + timedelta(hours=2))


@pytest.mark.parametrize("observer", [Observer(hangs=True), Observer(error=SystemExit(3))])
def test_an_observer_that_hangs_or_raises_holds_up_no_act(place, until, observer):
    _, follow = place(observer)
    try:
        assert [follow("acknowledge"), follow("silence", message=2)] == [200, 200]
        until(lambda: len(observer.acts) == 2)
    finally:
        observer.free.set()


def test_what_is_stored_is_said_to_be_though_another_act_of_the_same_moment_fails(
    place, monkeypatch
):
    health, *_ = place(Observer())
    wishes = [Act(name, "silence", 1, "check-1", "link", timedelta(hours=1)) for name in "ab"]

    def perform(connection, act, now):
        if act is wishes[1]:
            raise StoreError("the store cannot be written: disk full")
        return really_perform(connection, act, now)

    monkeypatch.setattr("healthkit._store.acts.perform", perform)
    monkeypatch.setattr(health._recorder._acts, "_start", lambda: None)
    stored, failed = map(health.act_steps, wishes)
    assert next(stored)
    assert next(failed)
    health._recorder._acts._write_all()
    assert list(stored) == []
    assert wishes[0].answer is ActAnswer.SILENCED
    with pytest.raises(StoreError, match="disk full"):
        list(failed)
