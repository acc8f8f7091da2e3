import gc
import os
import subprocess
import sys
import textwrap
import threading
import time
from datetime import timedelta

import pytest

from healthkit import Outcome, Role, Status
from healthkit.testing import ScriptedCheck as Answers
from healthkit.testing import wait_until

IMPATIENT = {"timeout": timedelta(seconds=0.2)}


def native_threads() -> int:
    return len(os.listdir("/proc/self/task"))


def status(health, name):
    return health.report().result(name).outcome.status


def test_before_the_first_results_a_required_check_fails_the_whole(make_health):
    health = make_health(a=Answers())
    assert health.report().status is Status.UNHEALTHY
    assert health.response("json").code == 503


def test_results_are_published_without_being_asked(make_health, until):
    check = Answers()
    health = make_health(a=check)
    health.start()
    until(lambda: status(health, "a") is Status.HEALTHY)
    seen = health.report().at
    until(lambda: len(check.runs) > 3 and health.report().at > seen)


def test_a_check_that_raises_anything_is_unhealthy_and_harms_no_other(make_health, until, caplog):
    def boom():
        raise SystemExit("postgresql://pos:sesame@db/x is gone")

    health = make_health(bad=Answers(outcome=boom), good=Answers())
    health.start()
    until(lambda: status(health, "bad") is Status.UNHEALTHY)
    until(lambda: status(health, "good") is Status.HEALTHY)
    message = health.report().result("bad").outcome.message
    assert "SystemExit" in message
    assert "sesame" not in message


@pytest.mark.parametrize("answer", [None, True, {"status": "healthy"}, Status.HEALTHY])
def test_a_check_that_returns_nonsense_is_unhealthy_and_says_so(make_health, answer):
    report = make_health(a=Answers(outcome=lambda: answer)).check_once()
    assert "where an Outcome is expected" in report.result("a").outcome.message


def test_details_that_json_lacks_do_not_break_the_page(make_health):
    odd = {"nan": float("nan"), "obj": object(), "deep": [[[[[[[[[[1]]]]]]]]]], "status": "lie"}
    health = make_health(a=Answers(outcome=lambda: Outcome(Status.HEALTHY, None, odd)))
    health.check_once()
    page = health.response("json")
    assert page.code == 200
    assert b'"nan": "nan"' in page.body
    assert b"lie" not in page.body


def test_a_check_that_overruns_is_reported_and_not_started_again_until_it_has_ended(
    make_health, until
):
    release = threading.Event()
    check = Answers(outcome=lambda: release.wait(60) and Outcome.healthy())
    health = make_health(slow=(check, IMPATIENT), good=Answers())
    health.start()
    result = until(lambda: (r := health.report().result("slow")).timed_out and r)
    # What follows it, once the check is due again, may be there already.
    assert result.outcome.message.startswith("no answer within 0.2s")
    assert health.response("json").code == 503
    until(lambda: "still hangs" in health.report().result("slow").outcome.message)
    assert len(check.runs) == 1
    assert status(health, "good") is Status.HEALTHY
    release.set()
    until(lambda: status(health, "slow") is Status.HEALTHY)
    assert len(check.runs) > 1


@pytest.mark.deep
def test_ten_thousand_overrun_checks_leak_no_thread(make_health, until):
    done = threading.Semaphore(0)

    def slow():
        time.sleep(0.002)
        done.release()
        return Outcome.healthy()

    quick = {"interval": timedelta(seconds=0.001), "timeout": timedelta(seconds=0.001)}
    health = make_health(**{f"c{i}": (Answers(outcome=slow), quick) for i in range(20)})
    before = native_threads()
    health.start()
    for _ in range(10_000):
        assert done.acquire(timeout=60)
    assert native_threads() <= before + 1 + 20
    health.stop()
    until(lambda: native_threads() <= before)


def test_no_more_threads_are_made_than_checks_run_at_once(make_health, until):
    checks = {f"c{i}": Answers() for i in range(50)}
    before = native_threads()
    health = make_health(**checks)
    health.start()
    until(lambda: all(len(c.runs) > 2 for c in checks.values()))
    assert native_threads() - before <= 51


def test_the_stop_does_not_wait_for_a_check_that_hangs(make_health, until):
    release, ended = threading.Event(), threading.Event()

    def says():
        release.wait(60)
        ended.set()
        return Outcome.healthy()

    health = make_health(slow=(Answers(outcome=says), IMPATIENT))
    health.start()
    until(lambda: health.report().result("slow").timed_out)
    health.stop()
    assert not ended.is_set()
    release.set()
    until(ended.is_set)


def test_a_stopped_runner_starts_again(make_health, until):
    check = Answers()
    health = make_health(a=check)
    health.start()
    health.start()
    until(lambda: check.runs)
    health.stop()
    health.stop()
    runs = len(check.runs)
    health.start()
    until(lambda: len(check.runs) > runs)


def test_checks_are_closed_with_the_runner(make_health):
    closed = []

    class Closing(Answers):
        def close(self):
            closed.append(True)
            raise RuntimeError("and may fail at it")

    make_health(a=Closing()).check_once()
    assert closed == [True]


def test_a_check_that_still_runs_at_the_stop_is_closed_when_it_has_ended(make_health, until):
    hangs, closed = threading.Event(), []

    class Closing(Answers):
        def close(self):
            closed.append(True)

    def says():
        hangs.wait(60)
        return Outcome.healthy()

    health = make_health(a=(Closing(outcome=says), IMPATIENT))
    health.start()
    until(lambda: health.report().result("a").timed_out)
    health.stop()
    assert closed == []
    hangs.set()
    until(lambda: closed)
    assert closed == [True]


def test_a_snapshot_that_nobody_renews_is_a_fault_to_its_reader(make_health, until):
    health = make_health(a=Answers())
    health.start()
    until(lambda: health.response("json").code == 200)
    health.stop()  # from here on nobody renews it
    page = until(lambda: (p := health.response("json")).code == 503 and p)
    assert b"stale: the checks have not reported since" in page.body
    assert health.response("ready").code == 503
    assert health.response("live").code == 200


def test_an_advisory_check_degrades_the_whole_and_a_required_one_fails_it(make_health):
    bad = Answers(outcome=lambda: Outcome.unhealthy("broken"))
    assert make_health(a=(bad, {"role": Role.ADVISORY})).check_once().status is Status.DEGRADED
    assert make_health(a=(bad, {"role": Role.REQUIRED})).check_once().status is Status.UNHEALTHY
    worn = Answers(outcome=lambda: Outcome.degraded("worn"))
    assert make_health(a=worn).check_once().status is Status.DEGRADED


def test_a_runner_with_no_checks_is_healthy_and_its_uptime_goes_on(make_health, until):
    health = make_health()
    health.start()
    first = until(lambda: health.report())
    assert health.response("json").code == 200
    until(lambda: health.report().uptime > first.uptime)


def test_a_reader_never_takes_a_lock_nor_serialises(make_health, monkeypatch):
    health = make_health(a=Answers())
    health.check_once()
    monkeypatch.setattr("json.dumps", None)
    monkeypatch.setattr(threading, "Lock", None)
    assert health.response("json") is health.response("json")


FORK = """
    import os
    from healthkit.testing import ScriptedCheck as Answers, configured, wait_until
    from healthkit import Health, Settings, Status
    from healthkit._config.service_tables import ServiceSettings

    check = Answers()
    health = Health(Settings(service=ServiceSettings(name="x"), checks=(configured("a", check),)))
    health.start(wait=5)
    assert health.report().result("a").outcome.status is Status.HEALTHY
    for generation in range(3):  # a worker that is replaced, and replaced again
        pid = os.fork()
        if pid == 0:
            runs = len(check.runs)
            assert health.needs_start, "the child must know that its threads are gone"
            assert health.response("json").code == 200, "the parent's snapshot serves meanwhile"
            health.start(wait=5)
            wait_until(lambda: len(check.runs) > runs + 2)
            health.stop()
            os._exit(0)
        _, code = os.waitpid(pid, 0)
        assert code == 0, code
    assert not health.needs_start
    health.stop()
    assert not health.needs_start, "a stop on purpose is not undone by a request"
    print("ok")
"""


def test_after_a_fork_the_child_runs_its_own_checks():
    script = textwrap.dedent(FORK)
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, timeout=60
    )
    assert done.stdout == "ok\n", done.stderr


GEVENT = """
    from gevent import monkey; monkey.patch_all()
    import ctypes, os, time
    import gevent
    from datetime import timedelta
    from healthkit.testing import ScriptedCheck as Answers, configured, wait_until
    from healthkit import Health, Outcome, Settings, Status
    from healthkit._config.service_tables import ServiceSettings

    libc = ctypes.CDLL(None)
    reading, writing = os.pipe()

    def blocks_in_c():
        # A driver waiting for a server that hangs: no greenlet of its thread can run.
        libc.read(reading, ctypes.create_string_buffer(1), 1)
        return Outcome.healthy()

    def uses_patched_sockets():
        import socket
        a, b = socket.socketpair()
        gevent.spawn_later  # the hub of this thread is a hub of its own
        b.sendall(b"x")
        assert a.recv(1) == b"x"
        time.sleep(0.01)
        a.close(); b.close()
        return Outcome.healthy()

    settings = Settings(service=ServiceSettings(name="x"), checks=(
        configured("blocks", Answers(outcome=blocks_in_c), timeout=timedelta(seconds=0.2)),
        configured("sockets", Answers(outcome=uses_patched_sockets)),
    ))
    health = Health(settings)
    health.start(wait=2)
    for _ in range(200):  # were the check in the way of the hub, it would block for ever
        gevent.sleep(0.005)
    wait_until(lambda: health.report().result("blocks").timed_out)
    wait_until(lambda: health.report().result("sockets").outcome.status is Status.HEALTHY)
    assert health.response("json").code == 503
    os.write(writing, b"x")
    health.stop()
    print("ok")
"""


@pytest.mark.deep
def test_under_gevent_a_check_that_blocks_in_c_stalls_no_greenlet():
    script = textwrap.dedent(GEVENT)
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, timeout=60
    )
    assert done.stdout == "ok\n", done.stderr


def test_a_thread_that_cannot_be_started_is_a_result_not_a_crash(make_health, monkeypatch, until):
    from healthkit import _threads

    health = make_health(a=Answers())
    real = _threads.start_native_thread
    calls = []

    def scarce(target):
        calls.append(target)
        if 1 < len(calls) < 4:
            raise RuntimeError("no thread could be started")
        real(target)

    monkeypatch.setattr(_threads, "start_native_thread", scarce)
    health.start()
    until(lambda: "no thread" in (health.report().result("a").outcome.message or ""))
    until(lambda: status(health, "a") is Status.HEALTHY)


def test_a_runner_that_is_let_go_can_be_collected_after_a_fork_hook_was_set(make_health):
    import weakref

    from healthkit import Health
    from healthkit._config.service_tables import ServiceSettings
    from healthkit._config.settings import Settings

    health = Health(Settings(service=ServiceSettings(name="x")))
    gone = weakref.ref(health)
    del health
    gc.collect()
    assert gone() is None


def test_fifty_services_that_start_together_do_not_go_on_asking_together(clock):
    from healthkit._model.checks import CheckInfo, Service
    from healthkit._runner import Runner

    interval = timedelta(seconds=60)
    chances = iter([0.0, 0.5, 1.0])
    checks = [(CheckInfo(name, name, interval=interval), Answers()) for name in "abc"]
    service = Service("x", "1", "test", "UTC")
    runner = Runner(service, checks, lambda _: None, clock=clock, chance=lambda: next(chances))
    runner.start()

    def runs():
        return [len(check.runs) for _, check in checks]

    def at(seconds, expected):
        clock.advance(seconds - (clock.monotonic() - begun))
        wait_until(lambda: runs() == expected)

    begun = clock.monotonic()
    wait_until(lambda: runs() == [1, 1, 1])
    wait_until(
        lambda: all(r.outcome.status is Status.HEALTHY for r in runner.snapshot.report.results)
    )
    at(31, [1, 1, 2])
    at(46, [1, 2, 2])
    at(61, [2, 2, 2])
    at(91, [2, 2, 3])  # from then on at even distances
    runner.stop()


def test_first_runs_are_spread_over_a_tenth_of_the_interval_and_no_longer_than_said():
    from healthkit._model.checks import CheckInfo, Service
    from healthkit._runner import Runner, _Loop

    def delays(chance, **intervals):
        checks = [
            (CheckInfo(name, name, interval=timedelta(seconds=seconds)), Answers())
            for name, seconds in intervals.items()
        ]
        runner = Runner(
            Service("x", "1", "test", "UTC"),
            checks,
            lambda _: None,
            start_within=3.0,
            chance=lambda: chance,
        )
        loop = _Loop(runner)
        return [round(loop._delay(info), 3) for info, _ in checks]

    assert delays(1.0, a=10, b=30, c=3600) == [1.0, 3.0, 3.0]
    assert delays(0.5, a=10, b=30, c=3600) == [0.5, 1.5, 1.5]
