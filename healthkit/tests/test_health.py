"""The object that a service holds: what it does with the store, and the responses of one's own."""

from datetime import timedelta

import pytest

from healthkit import Health, RenderedResponse, ServiceSettings, Settings, StoreSettings
from healthkit._store import incidents
from healthkit.testing import ScriptedCheck, configured


@pytest.fixture
def health(tmp_path, clock):
    health = Health(
        Settings(
            service=ServiceSettings(name="Till"),
            store=StoreSettings(url=f"sqlite:///{tmp_path}/store.db"),
            checks=(configured("database", ScriptedCheck(), tags=("core",)),),
        ),
        {"mine": lambda report: RenderedResponse.json(418, {"at": report.at, "odd": {1, 2}})},
        clock=clock,
    )
    yield health
    health.stop()


def active(health, clock):
    with health.store.reading() as connection:
        return incidents.active_silences(connection, clock.now())


def test_a_silence_mutes_what_it_names_until_it_ends_by_itself(health, clock):
    hour = timedelta(hours=1)
    number = health.silence(hour, checks=["database"], tags=["core"], reason="works", by="ani")
    (silence,) = active(health, clock)
    assert (silence.id, silence.until) == (number, clock.now() + hour)
    assert (silence.checks, silence.tags) == (("database",), ("core",))
    assert (silence.reason, silence.by) == ("works", "ani")
    clock.advance(3600)
    assert active(health, clock) == []
    assert not health.end_silence(number), "it has ended by itself"


def test_a_silence_of_every_check_is_ended_by_its_number(health, clock):
    number = health.silence(timedelta(hours=1))
    assert health.end_silence(number)
    assert active(health, clock) == []
    assert not health.end_silence(number + 1)


@pytest.mark.parametrize("wrong", [{"checks": ["databse"]}, {"tags": ["cor"]}])
def test_a_silence_of_a_check_or_a_tag_that_is_not_there_is_refused(health, clock, wrong):
    with pytest.raises(KeyError):
        health.silence(timedelta(hours=1), **wrong)
    assert active(health, clock) == []


def test_a_response_of_ones_own_is_made_of_each_report(health, clock):
    response = health.response("mine")
    assert (response.code, response.content_type) == (418, "application/json")
    assert response.body == b'{"at": "2026-01-01T00:00:00Z", "odd": [1, 2]}'
    with pytest.raises(KeyError, match="yours"):
        health.response("yours")
