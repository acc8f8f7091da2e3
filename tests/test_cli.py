import json
import re
import signal
from importlib import import_module
from pathlib import Path
from urllib.request import Request, urlopen

import psutil
import psycopg2
import pytest

from healthkit.testing import wait_until
from posapp.cli import ROOMS
from posapp.runtime.postgres import DataDirectory


@pytest.fixture(scope="module")
def data_dir(tmp_path_factory):
    return tmp_path_factory.mktemp("commands")


@pytest.fixture
def posapp(me, data_dir):
    """Runs a command on the embedded server of this module, which nobody else keeps running."""

    def run(*arguments, **environ):
        return me.run(*arguments, environ={"POS_DATA_DIR": str(data_dir), **environ})

    return run


def address(url):
    return url.render_as_string(hide_password=False)


def one_line(done):
    assert done.returncode == 2
    assert len(done.stderr.splitlines()) == 1, done.stderr
    return done.stderr


def running_server(data_dir):
    return DataDirectory(Path(data_dir).resolve()).postmaster()


def test_help_names_every_command_and_the_version_is_told(posapp):
    text = posapp("--help").stdout
    for command in ("audit", "db", "demo", "health-check", "openapi", "seed", "serve", "users"):
        assert re.search(rf"^  {command} ", text, re.MULTILINE)
    assert posapp("--version").stdout == "posapp, version 1.0.0\n"


def test_each_rooms_commands_are_those_that_help_names():
    for module, names in ROOMS.items():
        assert sorted(names) == sorted(c.name for c in import_module(module).COMMANDS)


@pytest.mark.deep
def test_commands_start_the_embedded_server_and_stop_it_again(posapp, data_dir):
    first = posapp("db", "upgrade")
    assert (first.returncode, first.stderr) == (0, "")
    assert re.match(r"the schema is at \w+\n", first.stdout)
    assert posapp("db", "upgrade").stdout == first.stdout
    assert running_server(data_dir) is None


@pytest.mark.deep
def test_the_demo_is_written_once(posapp):
    assert posapp("seed").stdout == "the demo is written\n"
    again = posapp("seed")
    assert (again.returncode, again.stdout) == (
        0,
        "there is a menu already; it is left as it is\n",
    )


def add(me, data_dir, name, role="waiter", password="rendang-127000"):
    process = me.start(
        *("-m", "posapp", "users", "add", name, "--role", role),
        *("--full-name", "Siti Aminah", "--password-stdin"),
        environ={"POS_DATA_DIR": str(data_dir)},
        stdin=-1,
    )
    with process:
        output, errors = process.communicate(f"{password}\n", timeout=60)
    return process.returncode, output, errors


@pytest.mark.deep
def test_an_account_that_is_added_can_sign_in_at_the_running_till(running_pos, me):
    assert add(me, running_pos.data_dir, "siti") == (0, "siti is added, as waiter\n", "")
    body = json.dumps({"username": "siti", "password": "rendang-127000"}).encode()
    request = Request(
        f"{running_pos.url}/api/v1/auth/login", body, {"Content-Type": "application/json"}
    )
    with urlopen(request, timeout=60) as answer:
        assert json.load(answer)["user"]["name"] == "Siti Aminah"
    code, _, errors = add(me, running_pos.data_dir, "siti")
    assert code == 2
    assert len(errors.splitlines()) == 1
    assert running_server(running_pos.data_dir) is not None


def test_an_account_has_a_whole_life_at_the_command_line(command, database):
    told = {"DATABASE_URL": address(database)}

    def users(*arguments, typed=None):
        given = [*arguments, *(["--password-stdin"] if typed else [])]
        return command("users", *given, typed=typed, **told)

    added = users("add", "dian", "--role", "waiter", "--full-name", "Dian", typed="dian-kenangan-1")
    assert (added.returncode, added.stdout) == (0, "dian is added, as waiter\n"), added.stderr
    assert users("role", "dian", "cashier").stdout == "dian is cashier now\n"
    changed = users("password", "dian", typed="dian-kenangan-2")
    assert changed.stdout == "dian has another password\n"
    assert users("deactivate", "dian").stdout == "dian is dismissed\n"
    (row,) = [line for line in users("list").stdout.splitlines() if line.startswith("dian ")]
    assert row.split() == ["dian", "cashier", "dismissed", "Dian"]
    assert users("activate", "dian").stdout == "dian is active again\n"
    assert "no account nobody" in one_line(users("deactivate", "nobody"))
    assert "no account" in one_line(users("role", "\udcff", "admin"))
    assert "at least 10" in one_line(users("password", "dian", typed="short"))
    assert "last admin" in one_line(users("deactivate", "admin"))
    log = command("audit", "--action", "user.*", "--entity", "user", **told).stdout
    for action in ("user.created", "user.role", "user.password", "user.deactivated"):
        assert action in log
    assert json.loads(command("audit", "--limit", "1", "--json", **told).stdout)["next"] is not None
    assert "--limit" in one_line(command("audit", "--limit", "1000", **told))


def test_production_does_not_start_while_a_demo_password_opens_an_account(command, database):
    refused = command(
        "serve",
        DATABASE_URL=address(database),
        ENVIRONMENT="production",
        JWT_SECRET="7f3b9c1e5a8d2460b7e9f1a3c5d80246",
    )
    line = one_line(refused)
    assert "admin, cashier, kitchen, manager, waiter" in line
    assert "posapp users password" in line


def test_a_wrong_account_is_one_line(command, database):
    told = {"DATABASE_URL": address(database)}
    new = ("users", "add", "wati", "--full-name", "Wati", "--role")
    assert "password" in one_line(command(*new, "waiter", "--password-stdin", typed="", **told))
    assert "give --password-stdin" in one_line(command(*new, "waiter", **told))
    wrong = command(*new, "cook", **told)
    assert wrong.returncode == 2
    assert "'kitchen'" in wrong.stderr


def test_health_check_exits_0_when_the_database_is_well_and_1_when_not(command, database):
    well = command("health-check", DATABASE_URL=address(database))
    assert (well.returncode, well.stderr) == (0, "")
    assert "healthy" in well.stdout
    assert "disk" not in well.stdout
    away = command("health-check", DATABASE_URL="postgresql://nobody@127.0.0.1:1/none")
    assert away.returncode == 1
    assert "unhealthy" in away.stdout
    assert "Traceback" not in away.stderr


def test_health_check_on_an_empty_database_says_what_to_run(command, postgres):
    empty = command("health-check", DATABASE_URL=address(postgres.create("empty_for_check")))
    assert empty.returncode == 1
    assert "posapp db upgrade" in empty.stdout


def test_openapi_prints_the_document_sorted(command):
    text = command("openapi").stdout
    document = json.loads(text)
    assert document["openapi"].startswith("3.1")
    assert text == json.dumps(document, indent=1, sort_keys=True, ensure_ascii=False) + "\n"


@pytest.mark.parametrize("words", [["db", "upgrade"], ["seed"], ["serve"]])
def test_a_database_that_is_away_is_one_line(command, words):
    away = command(*words, DATABASE_URL="postgresql://nobody@127.0.0.1:1/none")
    assert "refused" in one_line(away)


@pytest.mark.parametrize("arguments", [("backup", "verify"), ("restore", "--skip-confirm")])
def test_a_name_that_no_disk_takes_is_one_line(command, database, arguments):
    done = command(*arguments, "a" * 5000)
    assert done.returncode == 2
    assert done.stderr.splitlines()[-1].endswith("File name too long")
    assert "Traceback" not in done.stderr


def test_a_database_without_the_schema_is_not_served(command, postgres):
    url = address(postgres.create("empty_for_serve"))
    assert "run: posapp db upgrade" in one_line(command("serve", DATABASE_URL=url))
    assert "run: posapp db upgrade" in one_line(command("seed", DATABASE_URL=url))


# The production server alone


@pytest.fixture
def serve(me, tmp_path, free_port):
    """Starts `posapp serve`; gives its process and its URL when it answers."""
    started = []

    def start(**environ):
        log = (tmp_path / "serve.log").open("wb")
        process = me.start(
            *("-m", "posapp", "serve"),
            environ={
                "PORT": str(free_port),
                "WEB_CONCURRENCY": "1",
                "POS_DATA_DIR": str(tmp_path),
                **environ,
            },
            stderr=log,
        )
        log.close()
        started.append(process)
        url = f"http://127.0.0.1:{free_port}"
        wait_until(lambda: process.poll() is not None or answers(f"{url}/livez"), seconds=30)
        assert process.poll() is None, (tmp_path / "serve.log").read_text()
        return process, url

    yield start
    for process in started:
        process.terminate()
        process.communicate(timeout=30)


def answers(url):
    try:
        with urlopen(url, timeout=5) as answer:
            return answer.status == 200
    except OSError:
        return False


@pytest.mark.deep
def test_serve_becomes_the_server_on_the_database_it_is_given(serve, database):
    process, url = serve(DATABASE_URL=address(database))
    assert "gunicorn" in " ".join(psutil.Process(process.pid).cmdline())
    wait_until(lambda: answers(f"{url}/readyz"))
    assert answers(f"{url}/api/v1/public/menu")


@pytest.mark.deep
def test_serve_starts_on_a_newer_schema_so_that_one_can_roll_back(serve, postgres, database):
    url = postgres.create("newer", "pos_template")
    connection = psycopg2.connect(host=url.query["host"], user=url.username, dbname="newer")
    with connection, connection.cursor() as cursor:
        cursor.execute("UPDATE alembic_version SET version_num = '9999_next'")
    connection.close()
    _, served = serve(DATABASE_URL=address(url))
    assert answers(f"{served}/api/v1/public/menu")


@pytest.mark.deep
@pytest.mark.fault
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_serve_keeps_the_embedded_server_for_as_long_as_it_runs(serve, tmp_path, number):
    process, url = serve(POS_DATA_DIR=str(tmp_path / "var"))
    wait_until(lambda: answers(f"{url}/readyz"))
    server = psutil.Process(running_server(tmp_path / "var").pid)
    process.send_signal(number)
    process.wait(timeout=30)
    server.wait(timeout=60)


@pytest.mark.deep
def test_healthkit_is_told_where_the_pos_is(me, tmp_path):
    data = {"POS_DATA_DIR": str(tmp_path / "data")}
    assert me.run("seed", environ=data).returncode == 0
    done = me.run("healthkit", "check", environ=data)
    assert done.returncode == 0, done.stderr
    assert "Steak Kenangan POS is degraded" in done.stdout, "no watcher runs beside it"
    wrong = me.run("healthkit", "chekc", environ=data)
    assert wrong.returncode == 2
    assert "chekc" in wrong.stderr


@pytest.mark.deep
def test_an_own_menu_is_written_whole_or_not_at_all(me, postgres, tmp_path):
    url = address(postgres.create("own_menu"))
    assert me.run("db", "upgrade", environ={"DATABASE_URL": url}).returncode == 0
    menu = tmp_path / "menu.csv"
    menu.write_text(me.run("seed", "--template", "csv").stdout)

    def seed(file=menu):
        return me.run("seed", "--menu", str(file), environ={"DATABASE_URL": url})

    wrong = tmp_path / "wrong.csv"
    wrong.write_text(menu.read_text().replace("12000", "dua belas"))
    assert one_line(seed(wrong)) == "wrong.csv: row 13: price: must be a whole number, like 89000\n"
    done = seed()
    assert done.stdout == "menu.csv: 2 products in 2 categories are written\n", done.stderr
    assert "there is a menu already" in one_line(seed())
    assert "no such file" in one_line(seed(tmp_path / "none.csv"))
    with psycopg2.connect(host=postgres.url.query["host"], user="postgres", dbname="own_menu") as c:
        cursor = c.cursor()
        cursor.execute("SELECT name_id, price FROM products ORDER BY id")
        assert cursor.fetchall() == [("Sirloin Lokal", 89_000), ("Air Mineral", 12_000)]
        cursor.execute("SELECT count(*) FROM users")
        assert cursor.fetchone() == (0,), "nobody of the demo comes with it"
    c.close()
    postgres.drop("own_menu")
