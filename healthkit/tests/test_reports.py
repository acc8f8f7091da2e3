import json
from datetime import UTC, datetime, timedelta

import pytest

from healthkit import CheckInfo, Outcome, Report, Result, Role, Status, _rendering
from healthkit._model.checks import Service

AT = datetime(2025, 12, 26, 10, 30, tzinfo=UTC)
POOL = {"open": 5, "in_use": 2, "idle": 3}


def result(outcome, name="database", duration=0.0049, **more):
    info = CheckInfo(name=name, label=name, **more.pop("info", {}))
    return Result(info, outcome, AT, duration, **more)


def report(*results):
    service = Service("Steak Kenangan POS", "1.0.0", "production")
    return Report(service, AT, timedelta(hours=72, minutes=15, seconds=30), results)


def test_the_healthy_body_is_the_runbooks_to_the_letter():
    healthy = report(result(Outcome.healthy(connection_pool=POOL)))
    assert _rendering.health_body(healthy) == {
        "status": "healthy",
        "timestamp": "2025-12-26T10:30:00Z",
        "version": "1.0.0",
        "environment": "production",
        "checks": {
            "database": {"status": "healthy", "response_time": "5ms", "connection_pool": POOL},
            "api": {"status": "healthy", "uptime": "72h15m30s"},
        },
    }


def test_the_unhealthy_body_names_the_error_and_the_timeout():
    down = report(result(Outcome.unhealthy("connection refused"), duration=None, timed_out=True))
    body = _rendering.health_body(down)
    assert body["status"] == "unhealthy"
    assert body["checks"]["database"] == {
        "status": "unhealthy",
        "error": "connection refused",
        "response_time": "timeout",
    }
    assert _rendering.render_json(down).status == "503 Service Unavailable"


def test_a_degraded_check_is_200_and_says_why_as_a_warning():
    worn = report(result(Outcome.degraded("83 % used"), name="disk"))
    assert _rendering.health_body(worn)["checks"]["disk"]["warning"] == "83 % used"
    assert _rendering.render_json(worn).code == 200
    assert _rendering.health_body(worn)["status"] == "degraded"


def test_no_answer_may_be_stored_by_a_cache():
    for renderer in _rendering.RENDERERS.values():
        assert ("Cache-Control", "no-store") in renderer(report()).headers


@pytest.mark.parametrize(
    ("outcome", "word"),
    [
        (Outcome.healthy(), "pass"),
        (Outcome.degraded("w"), "warn"),
        (Outcome.unhealthy("x"), "fail"),
        (Outcome(Status.UNKNOWN), "fail"),
    ],
)
def test_the_ietf_form_says_pass_warn_or_fail(outcome, word):
    page = _rendering.render_health_json(report(result(outcome)))
    body = json.loads(page.body)
    assert body["status"] == word
    assert body["releaseId"] == "1.0.0"
    (entry,) = body["checks"]["database:responseTime"]
    assert (entry["status"], entry["observedUnit"]) == (word, "ms")
    assert ("Content-Type", "application/health+json") in page.headers


def test_prometheus_text_has_a_sample_for_each_check_and_escapes_its_name():
    from prometheus_client.parser import text_string_to_metric_families

    text = _rendering.prometheus_text(
        report(result(Outcome.healthy()), result(Outcome.healthy(), 'a"\\'))
    )
    families = {f.name: f for f in text_string_to_metric_families(text)}
    durations = families["healthkit_check_duration_seconds"].samples
    assert {s.labels["check"] for s in durations} == {"database", 'a"\\'}
    assert sum(s.value for s in families["healthkit_check_status"].samples) == 2


def test_prometheus_text_has_the_numbers_that_a_check_has_found():
    pool = {"in_use": 2, "open": 5}
    outcome = Outcome.healthy(used_percent=25.5, connection_pool=pool, odd=float("nan"), on=True)
    text = _rendering.prometheus_text(report(result(outcome)))
    lines = [line for line in text.splitlines() if line.startswith("healthkit_check_value{")]
    assert lines == [
        'healthkit_check_value{check="database",name="used_percent"} 25.5',
        'healthkit_check_value{check="database",name="connection_pool.in_use"} 2',
        'healthkit_check_value{check="database",name="connection_pool.open"} 5',
    ]


def test_prometheus_text_has_no_sample_twice_where_names_are_alike_once_they_are_masked():
    names = {"token=aaaaaaaaaa": 1, "token=bbbbbbbbbb": 2, "pool": {"open": 3}, "pool.open": 4}
    text = _rendering.prometheus_text(report(result(Outcome.healthy(**names))))
    found = [line.rpartition(" ")[0] for line in text.splitlines() if "check_value{" in line]
    assert len(found) == len(set(found)) == 2


def test_readiness_asks_the_required_checks_only():
    advisory = {"info": {"role": Role.ADVISORY}}
    bad, good = Outcome.unhealthy("x"), Outcome.healthy()
    assert _rendering.render_ready(report(result(good), result(bad, "b", **advisory))).code == 200
    advisory = {"info": {"role": Role.ADVISORY}}
    assert _rendering.render_ready(report(result(bad), result(good, "b", **advisory))).code == 503


def test_startup_passes_once_every_check_has_run():
    waiting = report(result(Outcome(Status.UNKNOWN)), result(Outcome.healthy(), "b"))
    assert _rendering.render_startup(waiting).code == 503
    assert _rendering.render_startup(report(result(Outcome.unhealthy("x")))).code == 200


def test_liveness_passes_whatever_the_checks_say():
    assert _rendering.render_live(report(result(Outcome.unhealthy("x")))).code == 200


def test_plain_text_has_a_line_for_each_check():
    text = _rendering.plain_text(report(result(Outcome.unhealthy("gone"))))
    assert text.splitlines() == [
        "Steak Kenangan POS: unhealthy",
        "  database  unhealthy       5ms  gone",
    ]


PLANTED = "password=hush redis://u:hu@sh@cache/0 ?%70in=hush"


@pytest.mark.parametrize("outcome", [Outcome.healthy, Outcome.degraded, Outcome.unhealthy])
def test_no_secret_that_a_check_tells_leaves_with_a_report(outcome):
    details = {"dsn": ["hush"], "nested": [{"a": PLANTED}], PLANTED: 1, "n": {PLANTED: 1.5}}
    told = report(result(outcome(f"{PLANTED} \x1b[2J", **details)))
    for name, render in _rendering.RENDERERS.items():
        body = render(told).body.decode()
        assert "hush" not in body, name
        assert "hu@sh" not in body, name
        assert "\x1b" not in body, name


def test_a_check_may_be_named_as_a_secret_is():
    body = _rendering.health_body(report(result(Outcome.healthy(n=1), name="session-token")))
    assert body["checks"]["session-token"] == {"status": "healthy", "response_time": "5ms", "n": 1}
