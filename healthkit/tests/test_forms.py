"""The report in the forms of other programs, held to their rules."""

import re
from datetime import UTC, datetime, timedelta
from xml.etree import ElementTree

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from healthkit import CheckInfo, Outcome, Report, Result, Role, Status
from healthkit._model.checks import Service
from healthkit.cli import _forms, main

NOW = datetime(2026, 1, 20, 3, 30, tzinfo=UTC)
PERFDATA = re.compile(r"'(?P<label>[^'=]+)'=(?P<value>U|[0-9.]+s);;(?P<critical>[0-9.]+);0;[0-9.]+")
"""As monitoring-plugins' guidelines have it: 'label'=value[UOM];warn;crit;min;max."""


def result(name, outcome, duration=0.01, role=Role.REQUIRED):
    info = CheckInfo(name, name.title(), role=role, timeout=timedelta(seconds=2))
    return Result(info, outcome, NOW, duration, timed_out=duration is None)


def report(*results):
    return Report(Service("Till"), NOW, timedelta(0), results)


def as_nagios_reads(output):
    """The first line, the lines behind it, and the numbers of each check."""
    text, _, numbers = output.partition("|")
    first, *more = text.rstrip().split("\n")
    parsed = [PERFDATA.fullmatch(word) for word in numbers.split()]
    assert all(parsed), numbers
    return first, more, {one["label"]: one["value"] for one in parsed}


@pytest.mark.parametrize(
    ("results", "code", "first"),
    [
        ([], 0, "HEALTHKIT OK: 0 checks are healthy"),
        ([result("db", Outcome.healthy("x"))], 0, "HEALTHKIT OK: 1 check is healthy"),
        ([result("db", Outcome.degraded("slow"))], 1, "HEALTHKIT WARNING: db degraded, slow"),
        ([result("db", Outcome.unhealthy("a|b"))], 2, "HEALTHKIT CRITICAL: db unhealthy, a/b"),
        (
            [result("db", Outcome.unhealthy("gone"), role=Role.ADVISORY)],
            1,
            "HEALTHKIT WARNING: db unhealthy, gone",
        ),
    ],
)
def test_nagios_gets_its_exit_code_and_one_line(results, code, first):
    found, output = _forms.nagios(report(*results))
    assert found == code
    assert as_nagios_reads(output)[0] == first


@pytest.mark.parametrize(
    ("seconds", "written"), [(2, "2"), (0.00001, "0.00001"), (20, "20"), (315_360_000, "315360000")]
)
def test_a_limit_is_written_without_an_exponent_which_nagios_cannot_read(seconds, written):
    info = CheckInfo("db", "Db", timeout=timedelta(seconds=seconds))
    _, output = _forms.nagios(report(Result(info, Outcome.healthy(), NOW, 0.01, timed_out=False)))
    as_nagios_reads(output)
    assert output.endswith(f";;{written};0;{written}")


@given(st.lists(st.text(max_size=300), max_size=4))
def test_no_text_breaks_the_form_that_nagios_reads(messages):
    results = [result(f"c{n}", Outcome.unhealthy(text)) for n, text in enumerate(messages)]
    late = result("late", Outcome.unhealthy("no answer within 2s"), None)
    _, output = _forms.nagios(report(*results, late))
    first, more, numbers = as_nagios_reads(output)
    assert len(first) <= 80
    assert len(more) == len(results) + 1
    assert numbers == {**{f"c{n}": "0.010000s" for n in range(len(messages))}, "late": "U"}
    output.encode()


@given(st.text(max_size=100), st.text(max_size=100))
def test_any_text_is_text_in_junits_xml(name, message):
    results = [result("db", Outcome.unhealthy(message)), result("disk", Outcome.degraded(message))]
    given_report = Report(Service(name), NOW, timedelta(0), tuple(results))
    suite = ElementTree.fromstring(_forms.junit(given_report))
    assert (suite.tag, suite.get("tests"), suite.get("failures")) == ("testsuite", "2", "1")
    bad, slow = suite.findall("testcase")
    assert bad.find("failure") is not None
    assert slow.find("failure") is None


def test_junit_says_what_failed_and_why():
    late = result("late", Outcome.unhealthy("no answer within 2s"), None)
    bad = result("db", Outcome.unhealthy("password=hunter2 refused"))
    fine = result("disk", Outcome.healthy())
    suite = ElementTree.fromstring(_forms.junit(report(late, bad, fine)))
    kinds = [one.get("type") for one in suite.iter("failure")]
    assert kinds == ["timeout", "unhealthy"]
    assert "hunter2" not in ElementTree.tostring(suite, "unicode")
    assert [one.get("time") for one in suite] == ["0.000000", "0.010000", "0.010000"]


@pytest.fixture
def run(tmp_path):
    config = tmp_path / "healthkit.toml"
    config.write_text(
        '[service]\nname = "Till"\n[checks.nightly]\ntype = "heartbeat"\nevery = "1h"\n'
    )

    def invoke(*words, config=config):
        return CliRunner().invoke(main, ["--config", str(config), "check", *words])

    return invoke


def test_the_command_speaks_as_it_is_asked_to(run, tmp_path):
    file = tmp_path / "report.xml"
    found = run("--nagios", "--junit", str(file))
    assert found.exit_code == 0
    assert as_nagios_reads(found.output)[0] == "HEALTHKIT OK: 1 check is healthy"
    assert ElementTree.parse(file).getroot().get("tests") == "1"
    assert run("--junit", str(file)).output.startswith("CHECK")


def test_for_nagios_a_mistake_is_unknown_and_never_critical(run, tmp_path):
    broken = tmp_path / "broken.toml"
    broken.write_text('[service]\nname = "Till"\n[chekcs]\n')
    found = run("--nagios", config=broken)
    assert found.exit_code == 3
    assert found.stdout.splitlines()[0].startswith("HEALTHKIT UNKNOWN: ")
    assert "did you mean checks" in found.stdout
    assert run("--nagios", config=tmp_path / "none.toml").exit_code == 3
    nowhere = str(tmp_path / "none" / "x.xml")
    assert run("--nagios", "--junit", nowhere).exit_code == 3
    assert run("--junit", nowhere).exit_code == 2
    assert run("--json").exit_code == 0
    assert set(Status) == set(_forms._NAGIOS)


TOKEN = "hunter2" * 6


PICKY = """
from pydantic import field_validator, model_validator

from healthkit import Check, hookimpl


class Picky(Check):
    token: str = ""
    password: str = ""

    @field_validator("token")
    @classmethod
    def _known(cls, token):
        raise ValueError(f"{token} is not known here, nor is {token!r}")

    @model_validator(mode="before")
    @classmethod
    def _whole(cls, table):
        if table.get("password"):
            raise ValueError(f"nobody has the word {table['password']} here")
        return table


@hookimpl
def healthkit_check_types():
    return {"picky": Picky}
"""


def test_for_nagios_a_mistake_under_the_name_of_a_secret_can_be_read_and_shows_no_secret(
    run, tmp_path
):
    broken = tmp_path / "broken.toml"
    broken.write_text(
        '[service]\nname = "Till"\n[checks.nightly]\ntype = "heartbeat"\nevery = "24h"\n'
        f'token = "{TOKEN}"\n'
    )
    first, line = run("--nagios", config=broken).stdout.splitlines()
    assert first.startswith("HEALTHKIT UNKNOWN: line 6: checks.nightly.token: too repetitive; ")
    assert line.endswith(
        "checks.nightly.token: too repetitive; make one with: openssl rand -hex 16"
    )
    wrong = run("--nagios", f"--token={TOKEN}").stdout
    assert "No such option" in wrong
    assert TOKEN not in wrong


@pytest.mark.parametrize("key", ["token", "password"])
def test_a_plugin_that_quotes_a_secret_it_refuses_shows_it_nobody(tmp_path, key):
    folder = tmp_path / "plugins"
    folder.mkdir()
    (folder / "picky.py").write_text(PICKY)
    file = tmp_path / "healthkit.toml"
    file.write_text(f'[service]\nname = "Till"\n[checks.door]\ntype = "picky"\n{key} = "{TOKEN}"\n')
    options = ["--config", str(file), "--plugins-dir", str(folder)]
    for command in (["config", "check"], ["check", "--nagios"]):
        found = CliRunner().invoke(main, [*options, *command])
        assert found.exit_code in (2, 3)
        assert " here" in found.output
        assert TOKEN not in found.output


@pytest.mark.parametrize(
    "words", [["--json"], ["--no-such-option"], ["--junit"], ["surplus"], ["--config"]]
)
def test_for_nagios_a_wrong_option_is_unknown_too_and_stands_on_stdout(run, words):
    found = run("--nagios", *words)
    assert found.exit_code == 3
    assert as_nagios_reads(found.stdout)[0].startswith("HEALTHKIT UNKNOWN: ")
    assert run(*words).exit_code in (0, 2)


@pytest.mark.parametrize(
    "words",
    [["--bogus", "check"], ["chekc"], ["check", "--nagios", "-x"], ["--plugins-dir"], ["config"]],
)
def test_for_nagios_a_wrong_word_before_the_command_is_unknown_too(words):
    found = CliRunner().invoke(main, [*words, "--nagios"])
    assert found.exit_code == 3
    assert as_nagios_reads(found.stdout)[0].startswith("HEALTHKIT UNKNOWN: ")


def test_a_jobs_own_word_of_nagios_changes_no_exit_code():
    found = CliRunner().invoke(main, ["run", "--bogus", "--", "check_disk", "--nagios"])
    assert (found.exit_code, found.stdout) == (2, "")


def test_for_nagios_a_bug_is_unknown_and_its_traceback_stands_on_stderr(run, monkeypatch):
    def broken(_):
        raise ZeroDivisionError

    monkeypatch.setattr("healthkit._health.Health.check_once", broken)
    found = run("--nagios")
    assert (found.exit_code, found.stdout) == (
        3,
        "HEALTHKIT UNKNOWN: a bug: ZeroDivisionError, see stderr\n"
        "a bug: ZeroDivisionError, see stderr\n",
    )
    assert "Traceback" in found.stderr
