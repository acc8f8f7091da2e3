"""The production server's settings; every name is gunicorn's own.

posapp/settings/ reads the environment, and says what each variable means: PORT, BIND,
WEB_CONCURRENCY (each worker has up to 1000 requests under way), LOG_LEVEL, GRACEFUL_TIMEOUT.

A proxy in front must let go of idle connections before `keepalive` does (nginx's
`keepalive_timeout` in `upstream` is 60 s by default), or it sends a request into a closing one.
"""

import gc
import glob
import os
import resource
import shutil
import signal
import sys
import tempfile
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))  # where wsgi.py is

from posapp.observability import logs, tracing
from posapp.runtime import running
from posapp.runtime.boot_signals import end_while_booting
from posapp.runtime.errors import CommandError
from posapp.settings import Settings, SettingsError

_DATABASE_SILENCE = 15.0
"""Seconds that a request waits for a word of the database: more than the server's own limit on a
statement (10 s), so that this one speaks only when the server does not."""

_FIRST_RESULTS = 3.0
"""Seconds that a new worker waits at most for its required checks: more than the database's has."""

_FILES = 4096
"""Open files of a worker: its connections, those to the database, and what it reads."""

os.umask(0o077)
_upgrading = "GUNICORN_PID" in os.environ
"""Set by gunicorn for the program that takes over (SIGUSR2), which inherits lock and metrics."""

try:
    _settings = Settings.from_env(os.environ)
    _lock = running.lock_path(_settings.pos_data_dir, _settings.port)
    _alone = running.hold(_lock) if not _upgrading else False
except (SettingsError, CommandError) as error:
    sys.stderr.write(f"{error}\n")
    sys.exit(2)

wsgi_app = "wsgi:app"
bind = f"{_settings.bind}:{_settings.port}"
worker_class = "gevent"
workers = _settings.web_concurrency
worker_connections = 1000
_soft, _hard = resource.getrlimit(resource.RLIMIT_NOFILE)
if _soft < _FILES <= _hard:  # each connection is an open file; many systems give 1024
    resource.setrlimit(resource.RLIMIT_NOFILE, (_FILES, _hard))
worker_tmp_dir = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None  # noqa: S108  the heartbeat must not wait for a disk
umask = 0o077
timeout = 30
graceful_timeout = _settings.graceful_timeout
keepalive = 65
max_requests = 1_000_000
max_requests_jitter = 100_000
accesslog = None  # the application logs its requests itself
# A header is no word of a proxy: neither SCRIPT_NAME nor a scheme is taken from one. How many
# proxies are trusted is said by TRUSTED_PROXIES, and the application alone acts on it.
forwarder_headers = ""
forwarded_allow_ips = ""
logger_class = "posapp.observability.gunicorn_logger.JsonLogger"
loglevel = {"WARN": "warning"}.get(_settings.log_level, _settings.log_level.lower())

# Where the workers add up their metrics; before any of them imports prometheus_client.
# Below the data it is emptied at the next start, should this one be killed. The folder is searched
# by a pattern, so that its name must not look like one.
if "PROMETHEUS_MULTIPROC_DIR" not in os.environ:  # a reload keeps it
    _metrics = str(_lock.with_name(f"metrics-{_settings.port}"))
    if _alone and not glob.has_magic(_metrics):
        shutil.rmtree(_metrics, ignore_errors=True)
        os.mkdir(_metrics)
    else:
        _metrics = tempfile.mkdtemp(prefix="posapp-metrics-")
    os.environ["PROMETHEUS_MULTIPROC_DIR"] = _metrics

# Before any worker is forked and gevent has patched anything: the workers inherit it.
end_while_booting()
logs.configure(_settings.log_level)
control_socket_disable = True  # one way in is enough


def post_fork(server: Any, worker: Any) -> None:
    """Has a query yield to other requests while it waits, and never for ever."""
    if worker.cfg.worker_class_str != "gevent":
        return
    import psycopg2.extensions
    from psycogreen.gevent import gevent_wait_callback

    def wait(connection: Any) -> None:
        try:
            gevent_wait_callback(connection, timeout=_DATABASE_SILENCE)
        except TimeoutError:
            raise psycopg2.OperationalError(
                f"the database has not answered for {_DATABASE_SILENCE:g} s"
            ) from None

    psycopg2.extensions.set_wait_callback(wait)


def post_worker_init(worker: Any) -> None:
    """Starts the health checks before the first request and gives them time to report: else the
    worker would turn requests away as not ready. Takes SIGUSR1 from gunicorn, which would reopen
    log files that there are none of. Guards the connections, before the first of them is there."""
    from posapp.http import gunicorn_doors  # only now: gevent has patched what it imports

    gunicorn_doors.install(worker, worker.wsgi.extensions["posapp.settings"].trusted_proxies)
    if not worker.alive:  # told to end while it was loading
        return
    signal.signal(signal.SIGUSR1, logs.toggle_debug)
    worker.wsgi.extensions["healthkit"].start(wait=_FIRST_RESULTS)
    worker.wsgi.extensions["posapp.pruner"].start()
    # What is loaded by now stays: to look through it for garbage takes 100 ms, in which no request
    # goes on.
    gc.collect()
    gc.freeze()


def pre_request(worker: Any, req: Any) -> None:
    """The head of a request is complete."""
    req.unreader.sock.begin_body()


def post_request(worker: Any, req: Any, environ: Any, resp: Any) -> None:
    """The answer is out."""
    req.unreader.sock.begin_idle()


def child_exit(server: Any, worker: Any) -> None:
    """What a worker that has ended still counted stays counted; its gauges go."""
    from prometheus_client import multiprocess

    multiprocess.mark_process_dead(worker.pid)


def on_exit(server: Any) -> None:
    shutil.rmtree(os.environ["PROMETHEUS_MULTIPROC_DIR"], ignore_errors=True)


def worker_exit(server: Any, worker: Any) -> None:
    gc.unfreeze()  # or what is left at the end is taken apart after the modules that it needs
    if hasattr(worker, "wsgi"):  # else it has failed to load
        worker.wsgi.extensions["healthkit"].stop()
        worker.wsgi.extensions["posapp.pruner"].stop()
    tracing.flush()
    logs.flush()
