"""The install without containers: units with few rights, timers as the timetable says."""

import os
import re
import shutil
import stat
import subprocess

import pytest

from posapp.backup.schedule import timetable
from posapp.settings import Settings
from tests.deploy.stack import DEPLOY

UNITS = DEPLOY / "systemd"
SERVICES = sorted(path.name for path in UNITS.glob("*.service"))
TIMERS = sorted(path.name for path in UNITS.glob("*.timer"))
LARGEST_EXPOSURE = 25  # tenths


@pytest.mark.parametrize("name", SERVICES)
def test_systemd_itself_finds_a_unit_little_exposed(name, need, tmp_path):
    need("systemd-analyze")
    shutil.copy(UNITS / name, tmp_path / name)
    done = subprocess.run(
        [
            "systemd-analyze",
            "security",
            "--offline=yes",
            f"--threshold={LARGEST_EXPOSURE}",
            f"./{name}",
        ],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-300:] + done.stderr


@pytest.mark.parametrize("name", SERVICES)
def test_secrets_are_credentials_and_stand_in_no_unit(name):
    text = (UNITS / name).read_text()
    loaded = re.findall(r"^LoadCredential=(\w+):/etc/steak-kenangan/secrets/(\w+)$", text, re.M)
    assert [one for one, _ in loaded] == [two for _, two in loaded]
    assert {one for one, _ in loaded} == {"db_password", "jwt_secret", "backup_key", "health_token"}
    assert not re.search(r"^Environment=", text, re.M)
    for command in re.findall(r"^Exec\w+=(\S+)", text, re.M):
        assert command.endswith("deploy/container/with-secrets.sh")


def test_a_stop_has_more_time_than_the_requests_under_way():
    seconds = re.search(r"^TimeoutStopSec=(\d+)$", (UNITS / "posapp.service").read_text(), re.M)
    assert int(seconds[1]) > Settings().graceful_timeout


def test_the_timers_are_the_timetable():
    days = {"sun": "Sun "}
    expected = {}
    for job in timetable("reports"):
        if job.name == "monthly drill":
            continue  # the weekly one proves the same backup
        unit = "posapp-drill" if job.command[0] == "drill" else f"posapp-backup@{job.command[1]}"
        unit = unit.replace("backup@base", "base-backup")
        day = f"{int(job.day):02}" if job.day != "*" else "*"
        when = f"{days.get(job.weekday, '')}*-*-{day} {job.hour:02}:00:00 Asia/Jakarta"
        expected[f"{unit}.service"] = when
    found = {}
    for name in TIMERS:
        text = (UNITS / name).read_text()
        assert "Persistent=true" in text
        unit = re.search(r"^Unit=(.*)$", text, re.M)[1]
        found[unit] = re.search(r"^OnCalendar=(.*)$", text, re.M)[1]
    assert found == expected


def test_a_unit_runs_the_command_of_the_timetable():
    commands = {" ".join(job.command[:3]) for job in timetable("reports")}
    found = {
        re.search(r"^ExecStart=\S+ \S+/posapp (.*)$", (UNITS / name).read_text(), re.M)[1]
        for name in SERVICES
    }
    for kind in ("daily", "weekly", "monthly"):
        assert f"backup {kind}" in commands
    assert {"backup %i", "backup base --if-received"} <= found
    assert "backup base --if-received" in commands


def install(tmp_path, *arguments):
    return subprocess.run(
        [str(UNITS / "install.sh"), *arguments],
        env={"PATH": os.environ["PATH"], "DESTDIR": str(tmp_path / "root")},
        capture_output=True,
        text=True,
        check=False,
    )


def test_it_is_installed_with_secrets_of_its_own_and_twice_without_harm(tmp_path):
    done = install(tmp_path, "pos.example.com")
    assert (done.returncode, done.stderr) == (0, "")
    etc = tmp_path / "root/etc/steak-kenangan"
    secrets = {path.name: path.read_text() for path in (etc / "secrets").iterdir()}
    assert len(set(secrets.values())) == 4
    for path in (etc / "secrets").iterdir():
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    lines = (etc / "posapp.env").read_text().splitlines()
    told = dict(line.split("=", 1) for line in lines if "=" in line and not line.startswith("#"))
    settings = Settings.from_env({**told, **{k.upper(): v for k, v in secrets.items()}})
    assert settings.production
    assert settings.cors_allowed_origins == ("https://pos.example.com",)
    assert settings.database is not None
    units = sorted(path.name for path in (tmp_path / "root/etc/systemd/system").iterdir())
    assert units == sorted([*SERVICES, *TIMERS])
    (etc / "posapp.env").write_text("MINE=1\n")
    assert install(tmp_path, "pos.example.com").returncode == 0
    assert (etc / "posapp.env").read_text() == "MINE=1\n"
    assert {path.name: path.read_text() for path in (etc / "secrets").iterdir()} == secrets


@pytest.mark.parametrize(
    "arguments",
    [[], ["https://pos.example.com"], ["your-domain.com"], ["a.com", "b.com"], ["x;y.com"]],
)
def test_a_mistake_is_one_line_and_nothing_is_installed(tmp_path, arguments):
    done = install(tmp_path, *arguments)
    assert (done.returncode, len(done.stderr.splitlines())) == (2, 1)
    assert not (tmp_path / "root").exists()


@pytest.mark.parametrize("kind", ["empty", "a folder"])
def test_a_secret_that_holds_nothing_is_a_mistake(tmp_path, kind):
    install(tmp_path, "pos.example.com")
    path = tmp_path / "root/etc/steak-kenangan/secrets/jwt_secret"
    path.unlink()
    path.touch() if kind == "empty" else path.mkdir()
    done = install(tmp_path, "pos.example.com")
    assert (done.returncode, len(done.stderr.splitlines())) == (2, 1)
    assert "secrets/jwt_secret" in done.stderr


def test_a_second_installation_says_what_it_was_asked_and_does_not_do(tmp_path):
    assert "stays as it is" not in install(tmp_path, "pos.example.com").stdout
    assert "stays as it is" not in install(tmp_path, "pos.example.com").stdout
    said = install(tmp_path, "other.example.com").stdout
    assert "to move to other.example.com, change CORS_ALLOWED_ORIGINS and POS_URL" in said
