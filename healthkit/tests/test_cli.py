import json
import os
import subprocess
import sys

import pytest
from click.testing import CliRunner

import healthkit
from healthkit.cli import main

PLUGIN = """
from healthkit import Check, Outcome, hookimpl
class Scripted(Check):
    says: str = "healthy"
    def run(self, context):
        return getattr(Outcome, self.says)("as it was told")
@hookimpl
def healthkit_check_types():
    return {"scripted": Scripted}
"""


@pytest.fixture
def run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "plugins").mkdir()
    (tmp_path / "plugins" / "scripted.py").write_text(PLUGIN)

    def invoke(*arguments, toml=None):
        if toml is not None:
            (tmp_path / "healthkit.toml").write_text('[service]\nname = "Till"\n' + toml)
        return CliRunner().invoke(main, ["--plugins-dir", "plugins", *arguments])

    return invoke


def test_check_exits_0_when_healthy_and_1_when_not(run):
    fine = run("check", toml='[checks.a]\ntype = "scripted"\n')
    assert fine.exit_code == 0
    assert "a      healthy" in fine.output
    assert fine.output.endswith("Till is healthy\n")
    assert run("check", toml='[checks.a]\ntype = "scripted"\nsays = "unhealthy"').exit_code == 1
    assert run("check", toml='[checks.a]\ntype = "scripted"\nsays = "degraded"').exit_code == 0


def test_check_json_is_the_body_of_health(run):
    result = run("check", "--json", toml='[checks.a]\ntype = "scripted"\n')
    assert json.loads(result.output)["checks"]["a"]["status"] == "healthy"


def test_a_mistake_in_the_file_is_one_line_on_stderr_and_exit_2(run):
    result = run("check", toml='[checks.a]\ntype = "scriptd"\n')
    assert result.exit_code == 2
    assert result.stdout == ""
    assert "did you mean scripted?" in result.stderr
    assert "Traceback" not in result.stderr


def test_the_configuration_is_named_before_or_after_the_command_or_by_the_environment(
    run, tmp_path, monkeypatch
):
    (tmp_path / "other.toml").write_text('[service]\nname = "Other"\n')
    assert "Other is healthy" in run("check", "--config", "other.toml").output
    assert "Other is healthy" in run("--config", "other.toml", "check").output
    monkeypatch.setenv("HEALTHKIT_CONFIG", "other.toml")
    assert "Other is healthy" in run("check").output


def test_init_writes_a_file_that_is_valid_and_never_over_another(run):
    assert run("init").exit_code == 0
    assert run("config", "check").exit_code == 0
    again = run("init")
    assert again.exit_code == 2
    assert "is there already" in again.stderr


def test_config_check_says_which_channels_are_off(run):
    result = run("config", "check", toml='[channels.telegram]\nurl = "${NOT_SET_AT_ALL:-}"\n')
    assert "channels.telegram has an empty url and is off" in result.output


def test_beat_is_heard_by_its_check_and_a_wrong_name_is_told(run):
    toml = '[checks.nightly]\ntype = "heartbeat"\nevery = "1h"\n'
    assert run("beat", "nightly", toml=toml).exit_code == 0
    assert "last_beat" in run("check", "--json").output
    wrong = run("beat", "nightl")
    assert wrong.exit_code == 2
    assert "did you mean nightly?" in wrong.stderr


def test_plugins_are_listed_with_what_they_offer_and_why_one_failed(run, tmp_path):
    (tmp_path / "plugins" / "broken.py").write_text("1/0")
    output = run("plugins").output
    assert "scripted" in output
    assert "failed: not loaded: ZeroDivisionError" in output


AS_USERS_DO = {n: v for n, v in os.environ.items() if n != "PYTHONUNBUFFERED"}
FULL = "the output cannot be written: No space left on device\n"


@pytest.mark.parametrize(
    ("words", "environment"),
    [
        (["config", "check"], AS_USERS_DO),
        pytest.param(
            ["config", "check"], AS_USERS_DO | {"PYTHONUNBUFFERED": "1"}, marks=pytest.mark.deep
        ),
        (["check", "--help"], AS_USERS_DO),
    ],
    ids=["a command", "unbuffered", "help"],
)
def test_a_disk_that_is_full_is_one_line_and_not_a_traceback(tmp_path, words, environment):
    config = tmp_path / "healthkit.toml"
    config.write_text('[service]\nname = "Till"\n')
    with open("/dev/full", "wb") as full:
        command = [sys.executable, "-m", "healthkit", "--config", config, *words]
        done = ended(command, environment, stdout=full, stderr=subprocess.PIPE)
    assert (done.returncode, done.stderr.decode()) == (2, FULL)


def test_a_mistake_keeps_its_code_where_nothing_can_be_written(tmp_path):
    command = [sys.executable, "-m", "healthkit", "--config", tmp_path / "none.toml", "check"]
    with open("/dev/full", "wb") as full:
        assert ended(command, AS_USERS_DO, stdout=full, stderr=full).returncode == 2


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["check"], 1),
        pytest.param(["check", "--json"], 1, marks=pytest.mark.deep),
        pytest.param(["check", "--nagios"], 2, marks=pytest.mark.deep),
        pytest.param(["--help"], 0, marks=pytest.mark.deep),
    ],
    ids=lambda words: " ".join(words) if isinstance(words, list) else None,
)
def test_a_reader_that_has_gone_changes_no_exit_code(tmp_path, words, code):
    """`healthkit check | grep -q unhealthy` reads no further than it has to."""
    (tmp_path / "sick.py").write_text(PLUGIN)
    config = tmp_path / "healthkit.toml"
    config.write_text(
        '[service]\nname = "Till"\n[checks.a]\ntype = "scripted"\nsays = "unhealthy"\n'
    )
    options = ["--config", config, "--plugins-dir", tmp_path]
    reader, writer = os.pipe()
    os.close(reader)
    with open(writer, "wb") as pipe:
        command = [sys.executable, "-m", "healthkit", *options, *words]
        done = ended(command, AS_USERS_DO, stdout=pipe, stderr=subprocess.PIPE)
    assert (done.returncode, done.stderr) == (code, b"")


def ended(command, environment, **streams):
    return subprocess.run(command, env=environment, timeout=60, check=False, **streams)


def test_what_is_public_is_named_in_all_and_importable():
    assert sorted(healthkit.__all__) == sorted(set(healthkit.__all__))
    for name in healthkit.__all__:
        assert getattr(healthkit, name) is not None
