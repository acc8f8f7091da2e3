"""A fork copies connections, and two processes on one connection read each other's answers: the
child gives up what its parent owns, however it was forked."""

import os
import re
import subprocess
import sys
import textwrap
import threading

import pytest
import requests
from sqlalchemy import text

from healthkit._store.database import make_engine

PARENT = """
    import multiprocessing, os, sys, threading
    from healthkit import Health, configure_check, Settings, ServiceSettings, StoreSettings, Status
    from healthkit._builtin import Heartbeat
    from sqlalchemy import text

    TURNS = 60
    health = Health(Settings(
        service=ServiceSettings(name="x"),
        store=StoreSettings(url=sys.argv[1]),
        checks=[configure_check("job", Heartbeat(every="1h"), interval="100ms")],
    ))

    def session():
        with health.store.transaction() as connection:
            return connection.execute(text("SELECT pg_backend_pid()")).scalar_one()

    def use(name):
        "Asks for what only this process asks for, and gets it."
        for number in range(TURNS):
            with health.store.transaction() as connection:
                mine = connection.execute(text("SELECT :mine"), {"mine": f"{name}-{number}"})
                assert mine.scalar_one() == f"{name}-{number}", "the answer of another process"
            health.beat("job")

    def child(parents_session):
        assert session() != parents_session, "the child is in its parent's session"
        health.start(wait=5)
        assert health.report().result("job").outcome.status is Status.HEALTHY
        use("child")

    def fork_bare():
        pid = os.fork()
        if pid == 0:
            child(before)
            os._exit(0)  # what Celery's prefork and gunicorn do is this
        return lambda: os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])

    def fork_by_multiprocessing():
        process = multiprocessing.get_context("fork").Process(target=child, args=(before,))
        process.start()
        def ended():
            process.join()
            return process.exitcode
        return ended

    health.start(wait=5)
    before = session()
    ends = [fork() for fork in (fork_bare, fork_by_multiprocessing) for _ in range(2)]
    use("parent")
    assert [end() for end in ends] == [0] * len(ends)
    with health.store.transaction() as connection:
        alive = text("SELECT count(*) FROM pg_stat_activity WHERE pid = :pid")
        assert connection.execute(alive, {"pid": before}).scalar_one() == 1, "ended by a child"
    health.stop()
    print("ok")
"""


@pytest.mark.deep
def test_a_child_and_its_parent_never_share_a_session(postgres_url):
    script = textwrap.dedent(PARENT)
    done = subprocess.run(
        [sys.executable, "-c", script, postgres_url], capture_output=True, text=True, timeout=60
    )
    assert (done.stdout, done.stderr) == ("ok\n", "")


PRELOADED = """
    import os
    from healthkit import Health, configure_check, Settings, ServiceSettings, StoreSettings
    from healthkit._builtin import Heartbeat
    from healthkit.web.wsgi import HealthMiddleware

    health = Health(Settings(
        service=ServiceSettings(name="x"),
        store=StoreSettings(url=os.environ["STORE"]),
        checks=[configure_check(
            "job", Heartbeat(every="1h", token="9f1c27d84be05a36c1d8e74f20b93a65"),
            interval="100ms",
        )],
    ))
    health.start(wait=5)

    def pid(environ, start_response):
        start_response("200 OK", [])
        return [str(os.getpid()).encode()]

    application = HealthMiddleware(pid, health)
"""


@pytest.fixture
def preloaded(tmp_path, postgres_url):
    """The address of two gunicorn workers whose application was loaded, and started, before the
    fork."""
    (tmp_path / "preloaded.py").write_text(textwrap.dedent(PRELOADED))
    command = [sys.executable, "-m", "gunicorn", "--preload", "--workers=2", "--threads=4"]
    process = subprocess.Popen(
        [*command, "--bind=127.0.0.1:0", "preloaded"],
        cwd=tmp_path,
        env={**os.environ, "STORE": postgres_url},
        stderr=subprocess.PIPE,
        text=True,
    )
    for line in process.stderr:
        if found := re.search(r"Listening at: (\S+)", line):
            break
    drain = threading.Thread(target=process.stderr.read)
    drain.start()
    yield found[1]
    process.terminate()
    process.wait(30)
    drain.join()
    process.stderr.close()


@pytest.mark.deep
def test_preloaded_workers_beat_and_report_beside_each_other(preloaded, postgres_url, until):
    codes, workers = [], set()

    def ask():
        for _ in range(15):
            beat = f"{preloaded}/health/beat/9f1c27d84be05a36c1d8e74f20b93a65"
            codes.append(requests.post(beat, timeout=60).status_code)
            workers.add(requests.get(preloaded, timeout=60).text)

    asking = [threading.Thread(target=ask) for _ in range(4)]
    for thread in asking:
        thread.start()
    for thread in asking:
        thread.join()
    assert codes == [200] * 60
    assert len(workers) == 2
    until(lambda: requests.get(f"{preloaded}/health", timeout=60).status_code == 200)
    sessions = text("SELECT count(*) FROM pg_stat_activity WHERE application_name = 'healthkit'")
    with make_engine(postgres_url).connect() as connection:
        assert connection.scalar(sessions) >= 3, "the master and each worker have their own"


EVENTLET = """
    import eventlet
    eventlet.monkey_patch()
    from healthkit import Health, Settings, ServiceSettings
    try:
        Health(Settings(service=ServiceSettings(name="x")))
    except Exception as error:
        print(type(error).__name__, error)
"""
EVENTLET_LATER = """
    import eventlet
    from healthkit import Health, Settings, ServiceSettings
    health = Health(Settings(service=ServiceSettings(name="x")))
    health.start()
    health.stop()
    eventlet.monkey_patch()
    try:
        health.start()
    except Exception as error:
        print(type(error).__name__, error)
"""


@pytest.mark.parametrize("script", [EVENTLET, EVENTLET_LATER])
def test_eventlet_is_refused_by_name_in_place_of_freezing(script):
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", textwrap.dedent(script)],
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.stdout.startswith("RuntimeError eventlet"), done.stderr
    assert "gevent" in done.stdout


TASKS = """
    import os
    from celery import Celery
    from healthkit import Health, configure_check, Settings, ServiceSettings, StoreSettings
    from healthkit._builtin import Heartbeat
    from sqlalchemy import text

    app = Celery("tasks", broker="filesystem://", backend="file://" + os.environ["RESULTS"])
    app.conf.broker_transport_options = {
        "data_folder_in": os.environ["QUEUE"], "data_folder_out": os.environ["QUEUE"],
    }
    health = Health(Settings(
        service=ServiceSettings(name="x"),
        store=StoreSettings(url=os.environ["STORE"]),
        checks=[configure_check("job", Heartbeat(every="1h"), interval="100ms")],
    ))

    def session():
        with health.store.transaction() as connection:
            return connection.execute(text("SELECT pg_backend_pid()")).scalar_one()

    if os.environ.get("WORKER"):
        health.start(wait=5)
        PARENT = os.getpid(), session()

    @app.task
    def use(number):
        "Asks for what only this process asks for, and gets it."
        health.start(wait=5)
        for turn in range(20):
            with health.store.transaction() as connection:
                mine = connection.execute(text("SELECT :mine"), {"mine": f"{number}-{turn}"})
                assert mine.scalar_one() == f"{number}-{turn}", "the answer of another process"
            health.beat("job")
        assert health.report().result("job").outcome.status == "healthy"
        return [PARENT, [os.getpid(), session()]]
"""


@pytest.mark.deep
def test_tasks_of_celerys_prefork_are_never_in_their_parents_session(
    tmp_path, postgres_url, monkeypatch
):
    pytest.importorskip("celery", reason="needs celery")
    (tmp_path / "celery_tasks.py").write_text(textwrap.dedent(TASKS))
    for name in ("QUEUE", "RESULTS"):
        (tmp_path / name).mkdir()
        monkeypatch.setenv(name, str(tmp_path / name))
    monkeypatch.setenv("STORE", postgres_url)
    monkeypatch.syspath_prepend(tmp_path)
    command = [sys.executable, "-m", "celery", "-A", "celery_tasks", "worker", "--pool=prefork"]
    quiet = ["--concurrency=2", "--without-gossip", "--without-mingle", "--without-heartbeat"]
    log = (tmp_path / "worker.log").open("w")
    worker = subprocess.Popen(
        [*command, *quiet],
        cwd=tmp_path,
        env={**os.environ, "WORKER": "yes"},
        stdout=log,
        stderr=log,
    )
    try:
        from celery_tasks import use

        sent = [use.delay(number) for number in range(8)]
        answers = [one.get(timeout=60, interval=0.1) for one in sent]
    finally:
        worker.terminate()
        worker.wait(30)
        log.close()
        print((tmp_path / "worker.log").read_text())
    assert len({tuple(parent) for parent, _ in answers}) == 1
    (parent, _), children = answers[0], {tuple(child) for _, child in answers}
    assert {pid for pid, _ in children}.isdisjoint({parent[0], os.getpid()})
    assert parent[1] not in {session for _, session in children}
