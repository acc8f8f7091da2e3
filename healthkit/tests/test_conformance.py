"""The suite for check types: healthkit's own pass it, and those that are wrong do not."""

import pytest
from pydantic import SecretStr

from healthkit import Check, Outcome, Status
from healthkit._builtin import Alerting, Heartbeat, Pushed
from healthkit.testing.conformance import CheckConformance

HOURLY = {"every": "1h"}


class TestHeartbeat(CheckConformance):
    check_type = Heartbeat
    settings = HOURLY


class TestPushed(CheckConformance):
    check_type = Pushed
    settings = HOURLY


class TestAlerting(CheckConformance):
    check_type = Alerting


# The suite can fail


class Ends(Check):
    def run(self, context):
        raise SystemExit


class Mute(Check):
    def run(self, context):
        return Outcome(Status.UNHEALTHY)


class Odd(Check):
    def run(self, context):
        return "fine"


class Leaks(Check):
    key: SecretStr = SecretStr("")

    def run(self, context):
        return Outcome.unhealthy(f"no entry with the word of {self.key.get_secret_value()}")


@pytest.mark.parametrize("bad", [Ends, Mute, Odd])
def test_a_run_that_ends_without_a_whole_outcome_is_found(bad, tmp_path):
    with pytest.raises(AssertionError):
        suite(bad).test_a_run_ends_with_an_outcome_in_one_line(tmp_path)


def test_a_secret_that_is_said_is_found(tmp_path, caplog):
    with pytest.raises(AssertionError):
        suite(Leaks).test_no_secret_of_its_settings_leaves_it(tmp_path, caplog)


def suite(bad):
    made = CheckConformance()
    made.check_type = bad
    return made
