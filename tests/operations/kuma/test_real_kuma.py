"""`posapp kuma` on a real Uptime Kuma: from nothing to all of it, and again."""

import socket
import sqlite3
from contextlib import closing

import pytest
import requests
from uptime_kuma_api import MonitorStatus

from healthkit.testing import wait_until
from posapp.backup.notifications import Notifications
from posapp.operations.kuma.declared import MONITORS, KumaError
from posapp.operations.kuma.planning import Change
from posapp.operations.kuma.remote import _Api, opened
from posapp.settings import Settings
from tests.operations.kuma.server import NotToBeHad, started

pytestmark = [pytest.mark.deep, pytest.mark.timeout(900)]
PASSWORD = "Sate-Kambing-4831"
TOO_MANY = "or has had too many wrong ones"
CHANNELS = {
    "KUMA_TELEGRAM_TOKEN": "1:geheim",
    "KUMA_TELEGRAM_CHAT": "2",
    "KUMA_DISCORD_WEBHOOK": "http://127.0.0.1:9/geheim",
    **{
        f"KUMA_SMTP_{name}": "x@127.0.0.1"
        for name in ("HOST", "USERNAME", "PASSWORD", "FROM", "TO")
    },
}


@pytest.fixture(scope="module")
def server(need, tmp_path_factory):
    need("g++", "make", "python3")  # for SQLite, which npm gives as its sources
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    try:
        with started(port, tmp_path_factory.mktemp("kuma")) as kuma:
            yield kuma
    except NotToBeHad as error:
        pytest.skip(f"Uptime Kuma is not to be had: {error}")


def when_it_takes_a_sign_in(act):
    """What `act` returns as soon as Kuma takes one more: it takes twenty a minute, and some back
    each few seconds. A password that is wrong on purpose is no matter of time."""

    def done():
        found = act()
        return None if TOO_MANY in str(found) else (found,)

    return wait_until(done, 120)[0]


@pytest.fixture
def kuma(command, server):
    """`kuma("apply")`: runs the command on it; the lines that it prints."""

    def run(action, file=MONITORS, **environ):
        own = {"KUMA_URL": server.url, "KUMA_PASSWORD": PASSWORD, "POS_URL": "http://127.0.0.1:9"}
        env_file = server.folder / ".env.production"
        arguments = ("kuma", action, "--file", str(file), "--env-file", str(env_file))

        def once():
            done = command(*arguments, **{**CHANNELS, **own, **environ})
            assert "geheim" not in done.stdout + done.stderr
            return done.returncode, done.stdout.splitlines() or done.stderr.splitlines()

        return once() if "KUMA_PASSWORD" in environ else when_it_takes_a_sign_in(once)

    return run


@pytest.fixture(scope="module")
def api(server):
    """One for all: Kuma takes twenty sign-ins a minute."""
    found = _Api(server.url)
    found.login("admin", PASSWORD)
    yield found
    found.disconnect()


def variables(server):
    lines = (server.folder / ".env.production").read_text().splitlines()
    return dict(line.split("=", 1) for line in lines)


def written(tmp_path, old, new):
    path = tmp_path / "monitors.toml"
    text = MONITORS.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))
    return path


NOTHING = (0, ["Nothing to change."])


def test_a_plan_changes_nothing_and_apply_does_what_it_said(kuma, server):
    """Also the choice of the database and the first account."""
    code, planned = kuma("plan")
    assert code == 0
    assert planned[0] == "create the first account 'admin'"
    assert len(planned) == 15
    assert kuma("plan") == (0, planned)
    code, done = kuma("apply")
    assert code == 0
    assert done[:-1] == planned
    assert kuma("plan") == NOTHING
    assert kuma("apply") == NOTHING


def test_a_container_without_the_file_prints_the_addresses_alone(command, server):
    own = {"KUMA_URL": server.url, "KUMA_PASSWORD": PASSWORD, "POS_URL": "http://127.0.0.1:9"}
    done = command("kuma", "apply", "--env-file", "-", **own, **CHANNELS)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == (server.folder / ".env.production").read_text()


def test_who_has_another_password_is_refused_in_one_line(kuma):
    code, (line,) = kuma("plan", KUMA_PASSWORD="Sate-Ayam-1")
    assert code == 2
    assert "refuses KUMA_USERNAME 'admin' with KUMA_PASSWORD" in line


def test_the_addresses_in_the_file_are_those_of_the_push_monitors(server, api):
    environ = variables(server)
    beats = Notifications(Settings.from_env(environ), environ, print)
    beats._push("backup-daily")
    answer = requests.get(f"{environ['WATCH_HEARTBEAT']}?status=up&msg=OK", timeout=60)
    assert answer.json()["ok"]
    by_name = {one["name"]: one for one in api.get_monitors()}
    for name, variable in (("Watcher", "WATCH_HEARTBEAT"), ("Daily backup", "BACKUP_HEARTBEAT")):
        monitor = by_name[name]
        assert environ[variable].endswith(f"/api/push/{monitor['pushToken']}")
        assert len(monitor["pushToken"]) == 32
        wait_until(
            lambda number=monitor["id"]: api.get_monitor_status(number) is MonitorStatus.UP, 20
        )


def beats_of(server, number):
    """The ids of a monitor's beats, from Kuma's own database."""
    with closing(sqlite3.connect(f"file:{server.folder}/kuma.db?mode=ro", uri=True)) as database:
        query = "SELECT id FROM heartbeat WHERE monitor_id = ? ORDER BY id"
        return [row[0] for row in database.execute(query, [number])]


def test_a_change_in_the_file_changes_the_monitor_and_keeps_its_history(
    kuma, server, api, tmp_path
):
    before = next(one for one in api.get_monitors() if one["name"] == "Watcher")
    history = beats_of(server, before["id"])
    assert history
    file = written(tmp_path, 'name = "Watcher"', 'name = "The watcher"')
    assert kuma("apply", file) == (0, ["update monitor 'The watcher': name"])
    after = next(one for one in api.get_monitors() if one["name"] == "The watcher")
    assert (after["id"], after["pushToken"]) == (before["id"], before["pushToken"])
    assert beats_of(server, after["id"])[: len(history)] == history
    assert kuma("apply") == (0, ["update monitor 'Watcher': name"])


CHANGES = {
    "update monitor 'Backend API': interval, retryInterval": ('"120s"', '"150s"'),
    "update monitor 'Database (via backend)': expectedValue": ('"healthy"', '"fine"'),
    "update monitor 'Frontend': keyword": ('keyword = "<div', 'keyword = "<p'),
    "update monitor 'SSL Certificate': expiryNotification, notifications": (
        'certificate = true\ninterval = "1d"\nretries = 1\nnotifications = ["email"]',
        'certificate = false\ninterval = "1d"\nretries = 1\nnotifications = ["telegram"]',
    ),
    "update maintenance 'Update window': weekdays, start, monitors": (
        'days = ["tue"]\nstart = "04:15"                  # after the business day has ended and'
        ' the backups have run\nend = "05:00"\nmonitors = ["backend-health", ',
        'days = ["tue", "sun"]\nstart = "04:20"\nend = "05:00"\nmonitors = [',
    ),
    "update status page 'Steak': title, groups": (
        'title = "Steak Kenangan"\ngroups = { "Kasir" = ["frontend", ',
        'title = "Steak"\ngroups = { "Kasir" = [',
    ),
    "update notification 'POS Alerts - Telegram': telegramChatID": (
        "${KUMA_TELEGRAM_CHAT:-}",
        "3",
    ),
}


def test_each_kind_of_change_arrives_and_the_next_plan_is_empty(kuma, tmp_path):
    text = MONITORS.read_text()
    for old, new in CHANGES.values():
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    file = tmp_path / "monitors.toml"
    file.write_text(text)
    code, lines = kuma("apply", file)
    assert code == 0
    assert set(lines) == set(CHANGES)
    assert kuma("plan", file) == NOTHING
    assert len(kuma("apply")[1]) == len(CHANGES)
    assert kuma("plan") == NOTHING


def test_what_a_person_made_and_changed_by_hand_stays(kuma, api, tmp_path):
    mine = api._call(
        "addNotification", ({"name": "mine", "type": "webhook", "webhookURL": "http://x"}, None)
    )
    number = api.add_monitor(type="http", name="Frontend", url="http://127.0.0.1:9/mine")[
        "monitorID"
    ]
    ours = next(one for one in api.get_monitors() if one["name"] == "Frontend" and one["tags"])
    linked = [*ours["notificationIDList"], mine["id"]]
    api.edit_monitor(ours["id"], notificationIDList=linked, description="by hand", resendInterval=5)
    assert kuma("plan") == NOTHING
    file = written(tmp_path, 'name = "Frontend"', 'name = "Front"')
    assert kuma("apply", file)[0] == 0
    kept = api.get_monitor(ours["id"])
    assert (kept["name"], kept["description"], kept["resendInterval"]) == ("Front", "by hand", 5)
    assert sorted(kept["notificationIDList"]) == sorted(linked)
    assert api.get_monitor(number)["name"] == "Frontend"
    assert kuma("apply")[0] == 0


def test_what_is_declared_no_more_goes_and_comes_back(kuma, api, tmp_path):
    text = MONITORS.read_text()
    start, end = text.index("[monitors.backup-drill]"), text.index("# Who is told")
    file = tmp_path / "monitors.toml"
    file.write_text(text[:start] + text[end:])
    assert kuma("apply", file) == (0, ["remove monitor 'Weekly restore drill'"])
    code, lines = kuma("apply")
    assert code == 0
    assert lines[0] == "create monitor 'Weekly restore drill'"
    assert lines[1].startswith("write DRILL_HEARTBEAT into")
    assert kuma("plan") == NOTHING


@pytest.fixture
def doctor(command, server, tmp_path):
    """`doctor()`: the lines of `posapp doctor` on Kuma, with the addresses that apply wrote."""

    def lines(**environ):
        own = {"KUMA_URL": server.url, "KUMA_PASSWORD": PASSWORD, "POS_URL": "http://127.0.0.1:9"}
        told = {**CHANNELS, **variables(server), **own, "POS_DATA_DIR": str(tmp_path), **environ}

        def once():
            done = command("doctor", **told)
            assert "geheim" not in done.stdout + done.stderr
            return [line for line in done.stdout.splitlines() if line.startswith("kuma: ")]

        return once() if "KUMA_PASSWORD" in environ else when_it_takes_a_sign_in(once)

    return lines


def test_the_doctor_finds_nothing_wrong_with_what_is_as_declared(doctor):
    assert doctor() == []
    assert doctor(KUMA_PASSWORD="") == []


def test_the_doctor_names_what_is_not_as_declared_and_changes_nothing(doctor, kuma, api):
    ours = next(one for one in api.get_monitors() if one["name"] == "Backend API")
    api.edit_monitor(ours["id"], interval=150)
    (line,) = doctor(WATCH_HEARTBEAT="http://127.0.0.1:9/geheim")
    assert "update monitor 'Backend API': interval; WATCH_HEARTBEAT is another address" in line
    assert "posapp kuma apply" in line
    assert api.get_monitor(ours["id"])["interval"] == 150
    assert kuma("apply") == (0, ["update monitor 'Backend API': interval"])
    assert doctor() == []


def test_the_doctor_says_that_it_may_not_look(doctor):
    (line,) = doctor(KUMA_PASSWORD="Sate-Ayam-1")
    assert "refuses KUMA_USERNAME 'admin' with KUMA_PASSWORD" in line


def test_a_kuma_that_dies_in_the_middle_is_one_line(server):
    """The last test: nobody finds it running after this one."""
    step = Change("create", "monitor", "x", "x", form={"type": "push", "notifications": []})

    def interrupted():
        with opened(server.url, "admin", PASSWORD, set_up=False) as kuma:
            server.process.kill()
            server.process.wait()
            wait_until(lambda: not kuma._api.sio.connected)
            kuma.apply(step)

    def refusal():
        with pytest.raises(KumaError) as caught:
            interrupted()
        return str(caught.value)

    assert when_it_takes_a_sign_in(refusal).startswith(f"Uptime Kuma at {server.url}: ")
