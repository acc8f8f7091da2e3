"""Staff write on the status page, and every text in it stays text, in each of its forms."""

import json
from datetime import UTC, datetime, timedelta
from xml.etree import ElementTree

from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from healthkit._model.alerts import Level
from healthkit._model.uptime import Uptime
from healthkit._status import feeds, html
from healthkit._status.model import Component, Day, PublicIncident, PublicStatus, Update
from healthkit._store import incidents, notices
from healthkit.cli import main

from .status_kit import DOWN, JAKARTA, LIMITED, NOW, put_state, read_page, settings_of


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


def test_an_incident_that_is_open_stays_on_the_page_however_many_come_after_it(
    store, store_url, monkeypatch
):
    monkeypatch.setattr("healthkit._status.reading._MOST_INCIDENTS", 3)
    began = NOW - timedelta(days=60)
    put_state(store, "pg_main_01", Level.DOWN, began)
    for minute in range(5):
        number = put_state(store, "cards", Level.DOWN, NOW - timedelta(minutes=60 - minute))
        with store.transaction() as connection:
            incidents.close_incident(connection, number, NOW - timedelta(minutes=59 - minute))
    page = read_page(settings_of(store_url), store)
    assert [one.id for one in page.incidents] == [
        *(f"incident-{n}" for n in (6, 5, 4)),
        "incident-1",
    ]
    database = next(one for one in page.components if one.label == "Database")
    assert database.since == began
    assert all(day.outages for day in database.days if day.day > began.date())


def test_an_incident_keeps_its_updates_however_long_it_is_open_and_whatever_else_is_said(
    store, store_url
):
    began = NOW - timedelta(days=60)
    old = put_state(store, "pg_main_01", Level.DOWN, began)
    busy = put_state(store, "cards", Level.DOWN, NOW)
    with store.transaction() as connection:
        first = notices.open_notice(connection, "Kartu", began)
        for number in range(notices.MOST):
            passing = notices.open_notice(connection, f"Lain {number}", NOW)
            notices.close_notice(connection, passing, NOW)
        notices.add_note(connection, "We are on it", "staff", began, incident=old)
        notices.add_note(connection, "Bank sudah tahu", "staff", began, notice=first)
        for number in range(300):
            notices.add_note(connection, f"Step {number}", "staff", NOW, incident=busy)
    page = read_page(settings_of(store_url), store)
    texts = {one.id: [update.text for update in one.updates] for one in page.incidents}
    assert texts[f"incident-{old}"] == ["We are on it"]
    assert texts[f"notice-{first}"] == ["Bank sudah tahu"]
    newest = texts[f"incident-{busy}"]
    assert newest == [f"Step {number}" for number in reversed(range(300))][: len(newest)]
    assert len(newest) >= 50


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
