"""deploy.sh and rollback.sh before they touch anything, on an engine that says all is well."""

import os
import shutil
import subprocess

import pytest

from tests.deploy.stack import DEPLOY

ENGINE = """#!/bin/sh
echo "$*" >>"$CALLS"
case "$*" in
"version --format {{.Server.Version}}") echo 20.10.24 ;;
"compose version --short") echo v2.26.1 ;;
"compose config -q") echo "${WARNING:-}" >&2 ;;
"info --format {{.DockerRootDir}}") echo / ;;
*"ps -q --status running"*) echo abc ;;
esac
"""
DISK = "#!/bin/sh\necho Filesystem\necho /dev/x 9 9 99999999 9% /\n"
ACTS = ("stop", "rm", "exec", "run", "up", "build")


@pytest.fixture
def folder(tmp_path):
    """deploy/ as setup.sh leaves it."""
    shutil.copytree(DEPLOY, tmp_path / "deploy")
    (tmp_path / "bin").mkdir()
    for name, text in {"docker": ENGINE, "df": DISK}.items():
        (tmp_path / "bin" / name).write_text(text)
        (tmp_path / "bin" / name).chmod(0o755)
    (tmp_path / "deploy/.env.production").touch()
    (tmp_path / "deploy/.env").write_text("POS_VERSION=1.3.0\nPREVIOUS_VERSION=1.2.0\n")
    return tmp_path / "deploy"


def environ(folder):
    calls = folder.parent / "calls"
    halved = "geheim" in (folder / ".env.production").read_text()
    warning = 'level=warning msg="The \\"geheim\\" variable is not set."' if halved else ""
    return {
        "WARNING": warning,
        "PATH": f"{folder.parent}/bin:{os.environ['PATH']}",
        "CALLS": str(calls),
    }


def run(folder, *command):
    return subprocess.run(
        command,
        cwd=folder,
        env=environ(folder),
        capture_output=True,
        text=True,
        check=False,
        timeout=20,
    )


def shell(folder, script):
    """What a script of this folder says, with what lib.sh has."""
    return run(folder, "bash", "-euc", f". ./lib.sh; LOG=var/deploy.log; mkdir -p var; {script}")


def refusal(folder, script, *arguments):
    """The one line of a refusal, before which nothing but questions was asked of the engine."""
    done = run(folder, str(folder / script), *arguments)
    assert done.returncode == 2, done.stdout + done.stderr
    assert len(done.stderr.splitlines()) == 1, done.stderr
    calls = folder.parent / "calls"
    asked = calls.read_text() if calls.exists() else ""
    assert not [act for act in ACTS if f"{act} " in asked], asked
    return done.stderr


@pytest.mark.parametrize("number", ["0", "two", "-1", "2.5", "100", '"0"'])
@pytest.mark.parametrize("script", [["deploy.sh", "1.4.0"], ["rollback.sh"]], ids=lambda it: it[0])
def test_a_number_of_backends_that_leaves_none_stops_none(folder, script, number):
    with (folder / ".env").open("a") as file:
        file.write(f"BACKENDS={number}\n")
    assert "BACKENDS=" in refusal(folder, *script)


def test_a_password_that_compose_would_halve_is_named_and_not_shown(folder):
    lines = "CALL_URL=a$$b\nKUMA_PASSWORD=pa$geheim\nEMAIL_URL='a$b'\nPOS_URL=${geheim}\n"
    (folder / ".env.production").write_text(lines)
    said = refusal(folder, "deploy.sh", "1.4.0")
    assert "KUMA_PASSWORD POS_URL in .env" in said
    assert "single quotes" in said
    assert "geheim" not in said


@pytest.mark.parametrize(
    "arguments",
    [[], [""], ["-v"], ["a b"], ["1.4.0", "--force"], ["1.4.0", "--accept-migrations", "now"]],
)
def test_arguments_that_are_none_are_refused(folder, arguments):
    assert refusal(folder, "deploy.sh", *arguments).startswith("deploy: ")


def test_backups_are_looked_for_where_env_has_them(folder):
    said = "no daily backup is younger"
    (folder / ".env").write_text('POS_VERSION=1.3.0\nBACKUPS="../other disk"\n')
    assert said in refusal(folder, "deploy.sh", "1.4.0")
    (folder.parent / "other disk/daily").mkdir(parents=True)
    (folder.parent / "other disk/daily/1.dump.gz").touch()
    done = run(folder, str(folder / "deploy.sh"), "1.4.0")
    assert "1.4.0: begins" in done.stdout
    assert said not in done.stderr


def test_a_folder_of_logs_that_cannot_be_written_is_said(folder):
    (folder / "var").write_text("a file")
    assert "cannot be written" in refusal(folder, "deploy.sh", "1.4.0")


@pytest.mark.parametrize(
    "line",
    [
        "BACKENDS=3",
        "BACKENDS=3\r",
        'BACKENDS="3"',
        'BACKENDS="3" # three\r',
        "BACKENDS='3'",
        "BACKENDS=3 # three",
        "BACKENDS=3  ",
        "  BACKENDS=3",
        "BACKENDS = 3",
        "export BACKENDS=3",
    ],
)
def test_what_compose_reads_in_env_the_scripts_read_too(folder, line):
    (folder / ".env").write_text(f"BACKENDS=2\n{line}\n", newline="")
    assert shell(folder, "setting BACKENDS 9").stdout == "3\n"


@pytest.mark.parametrize("locale", ["C", "C.UTF-8"])
def test_a_mark_that_windows_writes_first_hides_no_setting(folder, locale):
    (folder / ".env").write_text("POS_VERSION=1.4\r\n", encoding="utf-8-sig", newline="")
    assert shell(folder, f"LC_ALL={locale} setting POS_VERSION local").stdout == "1.4\n"


@pytest.mark.parametrize("before", ["", "POS_VERSION=1", "POS_VERSION=1\n", "A=b#c", "A=b\r\n"])
def test_a_setting_is_written_whatever_stands_there(folder, before):
    (folder / ".env").write_text(before, newline="")
    done = shell(folder, "set_setting POS_VERSION 2; setting POS_VERSION; setting A")
    assert done.stdout.splitlines() == [
        "2",
        before.strip().removeprefix("A=") if "A" in before else "",
    ]


@pytest.mark.parametrize(
    "way", ["LOG=/dev/full; note back", "LOG=/; note back", "note back >/dev/full"]
)
def test_a_full_disk_or_a_terminal_that_is_gone_does_not_stop_the_way_back(folder, way):
    done = shell(folder, f"{way}; echo brought back >&2")
    assert (done.returncode, done.stderr) == (0, "brought back\n")


KILLER = """#!/bin/sh
/bin/mv "$@" && case $* in *.env) kill -9 "$PPID" ;; esac
"""
PASSING = "roll() { :; }\npublish() { :; }\nsmoke() { :; }\nhas_image() { :; }\n"


@pytest.mark.parametrize(
    ("command", "serves", "before"),
    [(["deploy.sh", "1.4.0"], "1.4.0", "1.3.0"), (["rollback.sh"], "1.2.0", "1.3.0")],
    ids=["deploy", "rollback"],
)
def test_one_that_is_killed_while_it_writes_the_versions_leaves_both_or_none(
    folder, command, serves, before
):
    """Else a rollback would go to the version that it has just left, and know none before."""
    (folder / "backups/daily").mkdir(parents=True)
    (folder / "backups/daily/1.dump.gz").touch()
    with (folder / "lib.sh").open("a") as lib:
        lib.write(PASSING)
    (folder.parent / "bin/mv").write_text(KILLER)
    (folder.parent / "bin/mv").chmod(0o755)
    done = run(folder, str(folder / command[0]), *command[1:])
    assert done.returncode == -9, done.stdout + done.stderr
    (folder.parent / "bin/mv").unlink()
    found = shell(folder, "setting POS_VERSION; setting PREVIOUS_VERSION").stdout.split()
    assert found == [serves, before]
