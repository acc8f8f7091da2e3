"""setup.sh makes what a first start needs, once; a mistake is one line, and nothing is changed."""

import os
import shutil
import socket
import stat
import subprocess
from pathlib import Path

import pytest

from tests.deploy.stack import DEPLOY

ENGINE = """#!/bin/sh
case "$*" in
"version --format {{.Server.Version}}") echo "${ENGINE_VERSION:-20.10.24+dfsg1}" ;;
"compose version --short") echo "${COMPOSE_VERSION:-v2.26.1-4}" ;;
"info --format {{.DockerRootDir}}") echo / ;;
"compose -f docker-compose.prod.yml ps"*) echo "${RUNS:-}" ;;
*) exit 1 ;;
esac
[ -z "${ENGINE_DOWN:-}" ]
"""
DISK = "#!/bin/sh\necho Filesystem\necho /dev/x 9 9 $FREE_KB 9% /\n"


@pytest.fixture
def folder(tmp_path):
    """deploy/ as it is in a checkout, and an engine of which only the versions are asked."""
    if os.geteuid() != 0:
        pytest.skip("files are given to other users, which only root may")
    shutil.copytree(DEPLOY, tmp_path / "deploy")
    (tmp_path / "bin").mkdir()
    for name, text in {"docker": ENGINE, "df": DISK}.items():
        (tmp_path / "bin" / name).write_text(text)
        (tmp_path / "bin" / name).chmod(0o755)
    return tmp_path / "deploy"


def setup(folder: Path, *arguments: str, **environ: str) -> subprocess.CompletedProcess[str]:
    told = {"PATH": f"{folder.parent}/bin:{os.environ['PATH']}", "FREE_KB": str(20 << 20)}
    return subprocess.run(
        [str(folder / "setup.sh"), *arguments],
        env={**told, "HTTP_PORT": "18999", **environ},
        capture_output=True,
        text=True,
        check=False,
    )


def contents(folder):
    return {
        path.relative_to(folder): path.read_bytes() for path in folder.rglob("*") if path.is_file()
    }


def test_a_first_start_has_all_it_needs(folder):
    done = setup(folder, "pos.example.com")
    assert (done.returncode, done.stderr) == (0, "")
    assert (
        "CORS_ALLOWED_ORIGINS=https://pos.example.com\n" in (folder / ".env.production").read_text()
    )
    assert "COMPOSE_FILE=docker-compose.prod.yml\n" in (folder / ".env").read_text()
    for name in ("db_password", "jwt_secret", "backup_key", "health_token"):
        file = folder / "secrets" / name
        assert len(file.read_text()) == 65
        assert file.stat().st_uid == 10001
        assert not file.stat().st_mode & stat.S_IRWXO
    assert (folder / "secrets/db_password").stat().st_gid == 999
    assert (folder / "backups").stat().st_uid == 10001
    secrets = {path.read_text() for path in (folder / "secrets").iterdir()}
    assert len(secrets) == 5
    assert not [s for s in secrets if s.strip() and s.strip() in done.stdout]
    assert "fill in" in done.stdout


def test_a_second_run_changes_nothing_but_owners(folder):
    setup(folder, "pos.example.com")
    (folder / "secrets/jwt_secret").chmod(0o644)
    os.chown(folder / "secrets/jwt_secret", 0, 0)
    before = contents(folder)
    assert setup(folder).returncode == 0
    assert setup(folder, "other.example.com").returncode == 0
    assert contents(folder) == before
    found = (folder / "secrets/jwt_secret").stat()
    assert (found.st_uid, stat.S_IMODE(found.st_mode)) == (10001, 0o400)


def test_a_second_run_says_what_it_was_asked_and_does_not_do(folder):
    assert "stays as it is" not in setup(folder, "pos.example.com").stdout
    assert "stays as it is" not in setup(folder, "pos.example.com").stdout
    assert "stays as it is" not in setup(folder).stdout
    said = setup(folder, "other.example.com", HTTP_PORT="18998").stdout
    assert "to move to other.example.com, change CORS_ALLOWED_ORIGINS and POS_URL" in said
    assert "to move to 127.0.0.1:18998, change HTTP_BIND and HTTP_PORT" in said


MISTAKES = {
    "no domain": ([], {}, "name the domain"),
    "two": (["a.example.com", "b.example.com"], {}, "one domain"),
    "an address": (["https://pos.example.com"], {}, "no domain"),
    "a name": (["localhost"], {}, "no domain"),
    "sed's words": (["a.com/;w x"], {}, "no domain"),
    "the example": (["your-domain.com"], {}, "your own"),
    "a port that is none": (["pos.example.com"], {"HTTP_PORT": "99999"}, "HTTP_PORT"),
    "port nought": (["pos.example.com"], {"HTTP_PORT": "080"}, "HTTP_PORT"),
    "an address that is none": (["pos.example.com"], {"HTTP_BIND": "here"}, "HTTP_BIND"),
    "an address of the next protocol": (["pos.example.com"], {"HTTP_BIND": "::1"}, "IPv4"),
    "half an address": (["pos.example.com"], {"HTTP_BIND": "127.0.0"}, "HTTP_BIND"),
    "an address beyond all": (["pos.example.com"], {"HTTP_BIND": "256.1.1.1"}, "HTTP_BIND"),
    "a domain beyond all": ([".".join(["a" * 60] * 5) + ".com"], {}, "no domain"),
    "an old engine": (["pos.example.com"], {"ENGINE_VERSION": "19.03.1"}, "20.10"),
    "an old compose": (["pos.example.com"], {"COMPOSE_VERSION": "1.29.2"}, "2.20"),
    "an engine that is down": (["pos.example.com"], {"ENGINE_DOWN": "1"}, "does not answer"),
    "no space": (["pos.example.com"], {"FREE_KB": "1000000"}, "GB free"),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_a_mistake_is_one_line_and_nothing_is_changed(folder, name):
    arguments, environ, word = MISTAKES[name]
    before = contents(folder)
    done = setup(folder, *arguments, **environ)
    assert done.returncode == 2
    assert len(done.stderr.splitlines()) == 1
    assert done.stderr.startswith("setup: ")
    assert word in done.stderr
    assert contents(folder) == before


@pytest.mark.parametrize("kind", ["empty", "a folder"])
def test_a_secret_that_holds_nothing_is_a_mistake(folder, kind):
    """A power cut leaves a file empty, and an engine makes a folder of one that it misses."""
    (folder / "secrets").mkdir()
    path = folder / "secrets/jwt_secret"
    path.touch() if kind == "empty" else path.mkdir()
    done = setup(folder, "pos.example.com")
    assert (done.returncode, len(done.stderr.splitlines())) == (2, 1)
    assert "secrets/jwt_secret" in done.stderr
    assert not (folder / ".env").exists()


def test_a_domain_of_another_script_is_one(folder):
    assert setup(folder, "pos.xn--j1amh.xn--p1ai").returncode == 0


def test_the_port_that_env_has_in_quotes_stands(folder):
    """compose takes the quotes away, and so does whoever looks whether the port is free."""
    setup(folder, "pos.example.com")
    text = (folder / ".env").read_text().replace("HTTP_PORT=18999", 'HTTP_PORT="18999"\r')
    (folder / ".env").write_text(text, newline="")
    assert setup(folder, HTTP_PORT="").returncode == 0


def test_a_port_in_use_is_a_mistake_unless_it_is_our_own(folder):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        done = setup(folder, "pos.example.com", HTTP_PORT=port)
        assert (done.returncode, len(done.stderr.splitlines())) == (2, 1)
        assert "in use" in done.stderr
        assert setup(folder, "pos.example.com", HTTP_PORT=port, RUNS="abc").returncode == 0


WITH_SECRETS = DEPLOY / "container/with-secrets.sh"


def with_secrets(tmp_path, **environ):
    """What a program sees of its environment."""
    (tmp_path / "posapp").write_text(
        WITH_SECRETS.read_text().replace('/app/.venv/bin/$(basename "$0")', str(tmp_path / "shown"))
    )
    (tmp_path / "shown").write_text('#!/bin/sh\nenv; echo "arguments: $*"\n')
    for name in ("posapp", "shown"):
        (tmp_path / name).chmod(0o755)
    return subprocess.run(
        [str(tmp_path / "posapp"), "a b", "c"],
        env={"PATH": os.environ["PATH"], **environ},
        capture_output=True,
        encoding="utf-8",
        check=False,
    )


@pytest.mark.parametrize("variable", ["SECRETS_DIR", "CREDENTIALS_DIRECTORY"])
def test_each_file_of_secrets_is_a_variable_unless_it_has_a_value(tmp_path, variable):
    folder = tmp_path / "secrets"
    folder.mkdir()
    for name, text in {
        "jwt_secret": "one $(touch x) `id` 'two'\n",
        "empty": "\n",
        "db_password": "file",
        "not-a-name": "x",
        "1bad": "x",
    }.items():
        (folder / name).write_text(text)
    done = with_secrets(tmp_path, **{variable: str(folder)}, DB_PASSWORD="given", JWT_SECRET="")
    lines = done.stdout.splitlines()
    assert "JWT_SECRET=one $(touch x) `id` 'two'" in lines
    assert "DB_PASSWORD=given" in lines
    assert "arguments: a b c" in lines
    assert not [x for x in lines if x.startswith(("EMPTY=", "NOT", "1BAD"))]


def test_the_marks_of_an_editor_on_windows_are_no_part_of_a_secret(tmp_path):
    folder = tmp_path / "secrets"
    folder.mkdir()
    for name in ("backup_key", "health_token", "empty", "db_password"):
        text = "" if name == "empty" else f"of {name}"
        (folder / name).write_bytes(b"\xef\xbb\xbf" + text.encode() + b"\r\n")
    done = with_secrets(tmp_path, SECRETS_DIR=str(folder))
    lines = done.stdout.splitlines()
    assert "BACKUP_KEY=of backup_key" in lines
    assert "HEALTH_TOKEN=of health_token" in lines
    assert not [line for line in lines if line.startswith("EMPTY=")]
    assert "DB_PASSWORD=\ufeffof db_password" in lines  # PostgreSQL's image takes them along


def test_a_secret_that_cannot_be_read_stops_the_start_with_one_line(tmp_path):
    folder = tmp_path / "secrets"
    folder.mkdir()
    (folder / "jwt_secret").mkdir()  # no file: left out
    assert with_secrets(tmp_path, SECRETS_DIR=str(folder)).returncode == 0
