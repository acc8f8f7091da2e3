"""The server freezes, dies and comes back, under a running Health."""

import subprocess
import sys
import textwrap
from datetime import timedelta

import pytest
from sqlalchemy import create_engine

from healthkit import Status
from healthkit_database import Database

pytestmark = pytest.mark.fault


def outcome(health):
    return health.report().result("database").outcome


def healthy(health):
    return outcome(health).status is Status.HEALTHY


@pytest.mark.deep
def test_a_server_that_is_restarted_between_two_runs_is_never_told_as_down(postgres, run_check):
    check = Database(url=postgres.text)
    assert run_check(check).status is Status.HEALTHY
    postgres.restart()
    assert run_check(check).status is Status.HEALTHY
    check.close()


def test_a_frozen_server_is_unhealthy_until_it_thaws_and_after_it_is_replaced(
    postgres, make_health, until
):
    engine = create_engine(postgres.url)
    quick = {"timeout": timedelta(seconds=0.3), "interval": timedelta(seconds=0.1)}
    health = make_health(database=(Database(engine=engine), quick))
    health.start()
    until(lambda: healthy(health))
    postgres.freeze()
    try:
        until(lambda: (outcome(health).message or "").startswith("no answer within 0.3s"))
        assert health.response("json").code == 503
    finally:
        postgres.thaw()
    until(lambda: healthy(health))
    postgres.freeze()
    until(lambda: not healthy(health))
    postgres.restart()
    until(lambda: healthy(health))
    assert set(outcome(health).details["connection_pool"]) == {"open", "in_use", "idle"}
    engine.dispose()


UNDER_GEVENT = """
    from gevent import monkey; monkey.patch_all()
    from psycogreen.gevent import patch_psycopg; patch_psycopg()
    import sys
    from datetime import timedelta
    import gevent
    from healthkit.testing import configured
    from healthkit import Health, ServiceSettings, Settings, Status
    from healthkit_database import Database
    from sqlalchemy import create_engine, text

    def tell(word):
        print(word, flush=True)
        sys.stdin.readline()

    def await_(condition):
        for _ in range(1500):
            if condition():
                return
            gevent.sleep(0.01)
        raise AssertionError(health.report())

    def outcome():
        return health.report().result("database").outcome

    # A native thread's beat of 5 ms: on a busy machine it slows down as the hub does.
    native_sleep = monkey.get_original("time", "sleep")
    beats = []

    def beat():
        while True:
            native_sleep(0.005)
            beats.append(None)

    monkey.get_original("_thread", "start_new_thread")(beat, ())

    engine = create_engine(sys.argv[1], pool_size=2, max_overflow=0)
    quick = {"timeout": timedelta(seconds=0.3), "interval": timedelta(seconds=0.1)}
    check = configured("database", Database(engine=engine), **quick)
    health = Health(Settings(service=ServiceSettings(name="x"), checks=(check,)))
    busy = [engine.connect(), engine.connect()]
    waiting = gevent.spawn(engine.connect)  # a request that waits for the exhausted pool
    health.start()
    await_(lambda: outcome().status is Status.HEALTHY)
    assert outcome().details["connection_pool"] == {"open": 2, "in_use": 2, "idle": 0}
    tell("freeze")
    longest, last = 0, len(beats)
    for _ in range(200):
        gevent.sleep(0.005)
        now = len(beats)
        longest, last = max(longest, now - last), now
    assert last > 10
    assert longest < 100, f"the hub stood still for {longest} ticks of another thread"
    await_(lambda: (outcome().message or "").startswith("no answer within"))
    assert health.response("json").code == 503
    tell("thaw")
    await_(lambda: outcome().status is Status.HEALTHY)
    tell("restart")
    await_(lambda: outcome().status is Status.HEALTHY)
    health.stop()
    print("ok", flush=True)
"""


@pytest.mark.deep
def test_under_gevent_and_psycogreen_a_frozen_server_stalls_no_greenlet_and_heals_by_itself(
    postgres,
):
    script = textwrap.dedent(UNDER_GEVENT)
    process = subprocess.Popen(
        [sys.executable, "-c", script, postgres.text],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    acts = {"freeze": postgres.freeze, "thaw": postgres.thaw, "restart": postgres.restart}
    said = []
    try:
        while word := process.stdout.readline().strip():
            said.append(word)
            if word in acts:
                acts[word]()
                process.stdin.write("done\n")
                process.stdin.flush()
        errors = process.communicate(timeout=30)[1]
    finally:
        process.kill()
        process.wait()
        postgres.thaw()
    assert said == ["freeze", "thaw", "restart", "ok"], errors
