"""A function is a check in three lines."""

import asyncio
import inspect

import pytest

from healthkit import ConfigError, Health, Outcome, Settings, Status


@pytest.fixture
def health():
    health = Health(Settings(service={"name": "Worker"}))
    yield health
    health.stop()


def outcome(health, name="queue"):
    report = health.check_once()
    return next(result.outcome for result in report.results if result.check.name == name)


@pytest.mark.parametrize(
    ("answer", "status", "message", "details"),
    [
        (None, Status.HEALTHY, None, {}),
        (True, Status.HEALTHY, None, {}),
        (False, Status.UNHEALTHY, "the check returned False", {}),
        ("12 jobs", Status.HEALTHY, "12 jobs", {}),
        (12, Status.HEALTHY, None, {"value": 12}),
        (10**400, Status.HEALTHY, None, {"value": str(10**400)}),
        (0.5, Status.HEALTHY, None, {"value": 0.5}),
        (float("nan"), Status.UNHEALTHY, "the check returned nan", {}),
        (Outcome.degraded("slow", jobs=3), Status.DEGRADED, "slow", {"jobs": 3}),
    ],
)
@pytest.mark.parametrize("kind", ["plain", "async", "with the context"])
def test_what_a_function_answers_is_what_the_check_finds(
    health, kind, answer, status, message, details
):
    if kind == "plain":
        health.check("queue")(lambda: answer)
    elif kind == "async":

        @health.check("queue")
        async def queue():
            await asyncio.sleep(0)
            return answer
    else:

        @health.check("queue")
        def queue_with(context):
            assert context.name == "queue"
            return answer

    found = outcome(health)
    assert (found.status, found.message, dict(found.details)) == (status, message, details)


@pytest.mark.parametrize("is_async", [False, True])
def test_what_it_raises_is_unhealthy_with_its_cause(health, is_async):
    def broken():
        raise ConnectionRefusedError("no broker at 10.1.2.3")

    async def broken_async():
        broken()

    health.check("queue")(broken_async if is_async else broken)
    found = outcome(health)
    assert found.status is Status.UNHEALTHY
    assert "ConnectionRefusedError: no broker" in found.message


def test_one_that_never_ends_is_bounded_and_the_others_are_told(health):
    @health.check("queue", timeout="200ms")
    async def queue():
        await asyncio.sleep(3600)

    @health.check("disk")
    def disk():
        return True

    report = health.check_once()
    found = {result.check.name: result.outcome.status for result in report.results}
    assert found == {"queue": Status.UNHEALTHY, "disk": Status.HEALTHY}


def test_the_settings_are_those_of_every_check(health):
    @health.check("queue", every="10s", severity="critical", label="Jobs", tags=["night"])
    def queue():
        """Stays a function."""

    (check,) = health.settings.checks
    assert check.info.interval.total_seconds() == 10
    assert (check.info.severity, check.info.label, check.info.tags) == (
        "critical",
        "Jobs",
        ("night",),
    )
    assert inspect.isfunction(queue)
    assert queue() is None


def test_mistakes_are_named_when_it_is_written(health):
    health.check("queue")(lambda: True)
    with pytest.raises(ConfigError, match="two checks have this name"):
        health.check("queue")(lambda: True)
    with pytest.raises(ConfigError, match="interval"):
        health.check("other", every="soon")(lambda: True)
    with pytest.raises(ConfigError, match="nowhere"):
        health.check("other", depends_on=["nowhere"])(lambda: True)
    with pytest.raises(TypeError, match="this one takes 2"):
        health.check("other")(lambda one, two: True)
    health.start()
    with pytest.raises(RuntimeError, match="before they start"):
        health.check("late")(lambda: True)
