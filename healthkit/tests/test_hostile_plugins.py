"""What a plugin may return, raise and do: the other checks, their alerts and the process go on."""

import json
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from healthkit import CheckInfo, EventKind, Outcome, Status
from healthkit._model.alerts import Event
from healthkit._outcomes import LONGEST_MESSAGE, MOST_VALUES, make_whole, of_exception
from healthkit._rendering import RENDERERS, RenderedResponse
from healthkit._store import incidents
from healthkit.masking import escape_controls
from healthkit.testing import ScriptedCheck, configured

from .odd_values import ODD, Unspeakable, Zone

DOWN = "🔴 Database is DOWN"
NOW = datetime(2026, 1, 1, tzinfo=UTC)
ENDS = (SystemExit, KeyboardInterrupt, GeneratorExit, BaseException, RuntimeError)


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
