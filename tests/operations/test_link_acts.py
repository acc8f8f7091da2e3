"""What somebody does by the link in an alert stands in the audit log."""

import sqlite3
from datetime import timedelta
from functools import partial
from itertools import count, islice

import pytest
from loguru import logger
from sqlalchemy.exc import OperationalError

from healthkit import LinkAct
from healthkit.testing import ManualClock
from posapp.database.engine import open_session
from posapp.operations.link_acts import LinkActs, pauses
from posapp.settings import Settings

_numbers = count(7_000_000)


@pytest.fixture
def opens(database):
    return partial(open_session, database, Settings.from_env({}))


@pytest.fixture
def act():
    def make(what, **more):
        at = ManualClock().now()
        return LinkAct(what, next(_numbers), "database", "link in telegram", at, **more)

    return make


def entry(sign_in, act):
    listed = sign_in("admin").request(
        "GET", "/admin/audit", query_string={"entity": "incident", "action": "alert.*"}
    )
    return next(one for one in listed.json["entries"] if one["entity_id"] == act.incident)


def test_it_says_who_did_what_to_which_check_and_when(opens, sign_in, act):
    at = ManualClock().now()
    silenced = act("silenced", until=at + timedelta(hours=1))
    LinkActs(opens, ManualClock()).healthkit_act(silenced)
    shown = entry(sign_in, silenced)
    assert (shown["action"], shown["user"]) == ("alert.silenced", None)
    assert shown["at"] == at.strftime("%Y-%m-%dT%H:%M:%SZ")
    until = (at + timedelta(hours=1)).isoformat()
    assert shown["details"] == {"check": "database", "by": "link in telegram", "until": until}


def away(opens, tries):
    """Opens sessions of a database that is away for so many of them."""
    left = iter(range(tries))

    def open_one():
        if next(left, None) is not None:
            raise OperationalError("SELECT 1", {}, sqlite3.OperationalError("away"))
        return opens()

    return open_one


class Hurried(ManualClock):
    """Each wait is over at once."""

    def sleep(self, seconds):
        self.advance(seconds)


def test_an_act_on_the_fault_of_the_database_itself_is_written_when_it_is_back(opens, sign_in, act):
    clock = Hurried()
    begun, acknowledged = clock.monotonic(), act("acknowledged")
    LinkActs(away(opens, 4), clock).healthkit_act(acknowledged)
    assert clock.monotonic() - begun == sum(islice(pauses(), 4))
    assert entry(sign_in, acknowledged)["action"] == "alert.acknowledged"


def test_it_is_tried_for_a_day_and_then_said_in_the_log(opens, act):
    clock, lost, lines = Hurried(), act("acknowledged"), []
    begun, sink = clock.monotonic(), logger.add(lines.append, level="ERROR")
    LinkActs(away(opens, 10**6), clock).healthkit_act(lost)
    logger.remove(sink)
    assert 86_400 <= clock.monotonic() - begun < 90_000
    assert f"incident {lost.incident}: acknowledged by link in telegram" in lines[-1]


def test_the_application_observes_the_links_of_its_alerts(app, sign_in, act):
    done = act("acknowledged")
    app.extensions["healthkit"]._recorder.observe(done)
    assert entry(sign_in, done)["details"]["by"] == "link in telegram"
