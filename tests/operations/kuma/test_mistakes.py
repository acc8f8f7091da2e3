"""A mistake at `posapp kuma` is one line that says what and how to mend it; nothing is changed."""

import http.server
import threading
from contextlib import contextmanager

import pytest

from posapp.operations.kuma import addresses, remote
from posapp.operations.kuma.declared import MONITORS, SHOWN

MONITOR = '[monitors.a]\nname = "a"\ntype = "http"\nurl = "https://x.example/"\ninterval = "60s"\n'
WINDOW = (
    f'{MONITOR}[maintenance.m]\ntitle = "t"\ndays = ["mon"]\nstart = "01:00"\nend = "02:00"\n'
    'monitors = ["a"]\n'
)
FILES = {
    "no TOML": ("monitors = [", "monitors.toml: "),
    "an unknown key": (f"{MONITOR}colour = 1", "monitors.a.colour"),
    "an unknown table": (f"{MONITOR}[monitor.b]", "monitor"),
    "no key of its type": (MONITOR.replace("http\"", 'keyword"', 1), "type keyword needs keyword"),
    "a key of another type": (f'{MONITOR}keyword = "x"', "type http knows no keyword"),
    "too often": (MONITOR.replace("60s", "5s"), "monitors.a.interval: 20s"),
    "no duration": (MONITOR.replace("60s", "often"), "monitors.a.interval"),
    "no address": (MONITOR.replace("https", "gopher"), "monitors.a.url"),
    "a bad identity": (MONITOR.replace(".a]", ".A_B]"), "monitors"),
    "nobody of that name": (f'{MONITOR}notifications = ["sms"]', "there is no sms"),
    "a page of others": (
        f'{MONITOR}[status_page]\nslug = "s"\ntitle = "t"\ngroups = {{ "g" = ["b"] }}',
        "status_page.groups.g: there is no b",
    ),
    "a window of others": (
        f'{MONITOR}[maintenance.m]\ntitle = "t"\ndays = ["mon"]\nstart = "01:00"\nend = "02:00"\n'
        'monitors = ["b"]',
        "maintenance.m.monitors: there is no b",
    ),
    "a form without a type": (f'{MONITOR}[notifications.n]\nname = "n"', "needs name and type"),
    "nested without end": (f"{MONITOR}x = {'[' * 5000}", "nested too deeply"),
    "a number of 5,000 digits": (f"{MONITOR}retries = {'9' * 5000}", "monitors.toml: "),
    "truth for a number": (f"{MONITOR}retries = true", "monitors.a.retries: a number"),
    "too seldom": (MONITOR.replace("60s", "300d"), "monitors.a.interval: 20s to 24d"),
    "half a second": (MONITOR.replace("60s", "20500ms"), "whole seconds"),
    "tried again at once": (f'{MONITOR}retry_interval = "1ms"', "monitors.a.retry_interval"),
    "a port beyond all": (MONITOR.replace("x.example", "x:99999"), "monitors.a.url"),
    "a name with a NUL": (MONITOR.replace('"a"', '"a\\u0000"', 1), "monitors.a.name"),
    "a key of two lines": (MONITOR.replace(".a]", '."a\\n"]'), "monitors.a\\n"),
    "one variable for two": (
        "".join(f'[monitors.{n}]\nname = "n"\ntype = "push"\nvariable = "X"\ninterval = "60s"\n'
                for n in "ab"),
        "variable X stands there twice",
    ),
    "a zone of Mars": (f'{WINDOW}timezone = "Mars/Olympus"', "maintenance.m.timezone"),
    "a window without length": (WINDOW.replace("02:00", "01:00"), "maintenance.m: start and end"),
    "a day twice": (WINDOW.replace('"mon"', '"mon", "mon"'), "maintenance.m.days: mon stands"),
    "a monitor twice": (WINDOW.replace('["a"]', '["a", "a"]'), "maintenance.m.monitors: a stands"),
    "a form of lists": (
        f'{MONITOR}[notifications.n]\nname = "n"\ntype = "t"\nx = []',
        "notifications.n.x: text, a whole number",
    ),
    "a missing variable": (MONITOR.replace("https://x.example", "${NOT_THERE}"), "NOT_THERE"),
    "a broken variable": (MONITOR.replace("https://x.example", "${no way}"), "${NAME}"),
}  # fmt: skip
ACCOUNT = {
    "KUMA_URL": "http://127.0.0.1:1",
    "KUMA_PASSWORD": "geheim-kata-88",
    "POS_URL": "http://x",
}


@pytest.fixture(params=["plan", "apply"])
def kuma(command, request, tmp_path):
    """Runs `posapp kuma plan` or `apply`, which must refuse; returns its one line."""

    def run(*options, **environ):
        env_file = tmp_path / "none.env"
        arguments = ("kuma", request.param, "--env-file", str(env_file), *options)
        done = command(
            *arguments, **{"KUMA_URL": "", "KUMA_PASSWORD": "", "POS_URL": "", **environ}
        )
        assert (done.returncode, done.stdout) == (2, "")
        assert "geheim" not in done.stderr
        assert not env_file.exists()
        (line,) = done.stderr.splitlines()
        return line

    return run


@pytest.mark.parametrize("mistake", FILES)
def test_a_mistake_in_the_file_is_named(kuma, tmp_path, mistake):
    text, named = FILES[mistake]
    (tmp_path / "monitors.toml").write_text(text)
    assert named in kuma("--file", str(tmp_path / "monitors.toml"), **ACCOUNT)


def test_of_many_mistakes_the_first_are_named_and_the_rest_counted(command, tmp_path):
    path = tmp_path / "monitors.toml"
    path.write_text("".join(f"[monitors.m{n}]\nname = 1\n" for n in range(500)))
    said = command("kuma", "plan", "--file", str(path), **ACCOUNT).stderr.splitlines()
    assert len(said) == SHOWN + 1
    assert said[-1].endswith(f"and {500 * 3 - SHOWN} more")


def test_a_file_that_is_not_there_is_named_with_the_option(kuma):
    assert "--file" in kuma("--file", "/nowhere/monitors.toml", **ACCOUNT)


@pytest.mark.parametrize("name", ["KUMA_URL", "KUMA_PASSWORD", "POS_URL"])
def test_a_missing_variable_is_named(kuma, name):
    line = kuma(**{**ACCOUNT, name: ""})
    assert name in line
    assert "not set" in line


def test_a_kuma_that_is_not_there_is_one_line(kuma):
    assert "nothing listens at http://127.0.0.1:1: start Uptime Kuma" in kuma(**ACCOUNT)


@contextmanager
def serving(status, body):
    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(status)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (200, b"<html>"),
        (404, b""),
        (502, b"bad"),
        (200, b'{"type":"entryPage"}'),
        (200, b"[]"),
        (200, b"7"),
        (200, b"{}"),
    ],
)
def test_another_server_in_its_place_is_one_line(kuma, monkeypatch, status, body):
    monkeypatch.setattr(remote, "START_LIMIT", 0.3)
    with serving(status, body) as url:
        assert url in kuma(**{**ACCOUNT, "KUMA_URL": url})


def test_a_file_of_variables_that_cannot_be_read_is_told_before_anything(command, tmp_path):
    options = ("kuma", "apply", "--file", str(MONITORS), "--env-file", str(tmp_path))
    done = command(*options, **ACCOUNT)
    assert done.returncode == 2
    assert "--env-file" in done.stderr


# The file of variables


def test_a_variable_is_written_in_its_line_and_all_else_stays(tmp_path):
    path = tmp_path / ".env"
    path.write_text(
        "# WATCH_HEARTBEAT=no\nPORT=80\nWATCH_HEARTBEAT=old\nX='a=b'\nWATCH_HEARTBEAT=two\n"
    )
    wanted = {"WATCH_HEARTBEAT": "http://k/1", "BACKUP_HEARTBEAT": "http://k/2"}
    assert addresses.differing(path, wanted) == [*wanted]
    addresses.write(path, wanted)
    assert path.read_text() == (
        "# WATCH_HEARTBEAT=no\nPORT=80\nWATCH_HEARTBEAT=http://k/1\nX='a=b'\n"
        "BACKUP_HEARTBEAT=http://k/2\n"
    )
    assert path.stat().st_mode & 0o777 == 0o600
    assert addresses.differing(path, wanted) == []


def test_without_a_file_one_is_made_for_its_owner_alone(tmp_path):
    addresses.write(tmp_path / "new", {"A": "b"})
    assert (tmp_path / "new").read_text() == "A=b\n"
    assert (tmp_path / "new").stat().st_mode & 0o777 == 0o600
