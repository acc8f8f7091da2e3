"""kill -9 and SIGSTOP at every step between a transition and its delivery."""

import os
import signal
import threading

import pytest

from healthkit.testing import StubResponse, wait_until

pytestmark = pytest.mark.fault

DOWN, UP = "🔴 Database is DOWN", "✅ Database is back UP"


@pytest.mark.deep
@pytest.mark.parametrize(
    ("step", "left", "downs"),
    [
        ("the transition is being committed", None, 1),
        ("the transition is committed", "waiting", 1),
        ("the claim is being committed", "waiting", 1),
        ("the claim is committed", "sending", 1),
        # The service has it and nobody could write that down: at least once means twice here.
        ("the result is being committed", "sending", 2),
    ],
)
def test_a_watcher_that_is_killed_loses_nothing_and_doubles_nothing_that_need_not(
    site, step, left, downs
):
    site.write()
    site.outcome("unhealthy connection refused")
    assert site.process(DIE_AT=step).wait(60) == -signal.SIGKILL
    assert len(site.messages()) == downs - 1
    assert site.counts() == ({("telegram", left): 1} if left else {})
    site.process()
    site.told(*[DOWN] * downs)
    site.outcome("healthy")
    site.told(*[DOWN] * downs, UP)
    assert len(site.incidents()) == 1


@pytest.mark.deep
def test_a_watcher_that_is_killed_while_the_service_takes_the_message_sends_it_again(site):
    watchers = []

    def kill_the_first(request):
        if len(site.sink.requests) == 1:
            watchers[0].kill()
            watchers[0].wait(60)
        return StubResponse()

    site.sink.respond_with(kill_the_first)
    site.write()
    site.outcome("unhealthy connection refused")
    watchers.append(site.process())
    watchers[0].wait(60)
    site.process()
    site.told(DOWN, DOWN)


@pytest.mark.deep
def test_a_watcher_that_is_killed_after_the_delivery_repeats_nothing(site):
    site.write()
    site.outcome("unhealthy connection refused")
    first = site.process()
    site.told(DOWN)
    began = site.incidents()[0].began_at
    first.kill()
    first.wait(60)
    site.outcome("healthy")
    site.process()
    site.told(DOWN, UP)
    (incident,) = site.incidents()
    assert incident.began_at == began
    lasted = int((incident.ended_at - began).total_seconds())
    assert f"\nDowntime: {lasted}s\n" in site.messages()[1], "the downtime counts the gap"


@pytest.mark.deep
def test_a_watcher_that_freezes_in_a_transaction_does_not_keep_the_others_from_leading(
    shared_site,
):
    site = shared_site.write()
    site.outcome("unhealthy connection refused")
    frozen = site.process(FREEZE_AT="the claim is being committed")
    wait_until((site.folder / "died").exists, 60)
    other = site.process()
    wait_until(lambda: site.leader_is(other), 60)
    site.told(DOWN)
    os.kill(frozen.pid, signal.SIGCONT)
    wait_until(lambda: "no longer leading" in site.log(frozen), 60)
    site.outcome("healthy")
    site.told(DOWN, UP)


@pytest.mark.deep
def test_a_watcher_that_freezes_before_it_sends_finds_on_waking_that_another_has_sent(
    shared_site,
):
    site = shared_site.write()
    site.outcome("unhealthy connection refused")
    frozen = site.process(FREEZE_AT="the claim is committed")
    wait_until((site.folder / "died").exists, 60)
    other = site.process()
    wait_until(lambda: site.leader_is(other), 60)
    site.told(DOWN)
    os.kill(frozen.pid, signal.SIGCONT)
    wait_until(lambda: "no longer leading" in site.log(frozen), 60)
    site.outcome("healthy")
    site.told(DOWN, UP)


@pytest.mark.deep
def test_of_three_watchers_on_one_postgresql_one_sends_whoever_dies_or_freezes(shared_site):
    site = shared_site.write()
    three = [site.process() for _ in range(3)]

    def leader():
        return next((p for p in three if p.poll() is None and site.leader_is(p)), None)

    first = wait_until(leader, 60)
    wait_until(lambda: all("watching" in site.log(process) for process in three))
    site.outcome("unhealthy connection refused")
    site.told(DOWN)
    first.kill()
    first.wait(60)
    second = wait_until(leader, 60)
    site.outcome("healthy")
    site.told(DOWN, UP)
    second.send_signal(signal.SIGSTOP)
    site.outcome("unhealthy again")
    third = wait_until(lambda: (p := leader()) is not second and p, 60)
    site.told(DOWN, UP, DOWN)
    second.send_signal(signal.SIGCONT)
    wait_until(lambda: "no longer leading" in site.log(second), 60)
    site.outcome("healthy")
    site.told(DOWN, UP, DOWN, UP)
    assert site.leader_is(third)
    assert len(site.incidents()) == 2


@pytest.mark.deep
def test_sigterm_ends_it_after_the_message_in_hand_and_another_leads_at_once(site):
    watchers = []

    def end_the_first(request):
        if len(site.sink.requests) == 1:
            watchers[0].terminate()
        return StubResponse()

    site.sink.respond_with(end_the_first)
    site.write()
    site.outcome("unhealthy connection refused")
    watchers.append(site.process())
    assert watchers[0].wait(60) == 0
    assert site.leader() is None
    assert site.counts() == {}
    site.process()
    site.outcome("healthy")
    site.told(DOWN, UP)


def test_a_mistake_in_the_configuration_is_one_line_and_exit_2(site):
    site.write(route='escalate_to = ["nobody"]')
    process = site.process()
    assert process.wait(60) == 2
    assert "unknown channel 'nobody'" in site.log(process)
    assert "Traceback" not in site.log(process)


@pytest.mark.deep
def test_under_gevent_a_channel_that_hangs_delays_no_other_either(site):
    release = threading.Event()

    def hang_on_slow(request):
        if request.path == "/slow":
            release.wait(60)
        return StubResponse()

    site.sink.respond_with(hang_on_slow)
    slow = site.sink.url("/slow", "json")
    site.write(f'[channels.slow]\nurl = "{slow}"\ntimeout = "15s"\n')
    text = site.config.read_text().replace('["telegram"]', '["slow", "telegram"]')
    site.config.write_text(text)
    patched = "from gevent import monkey; monkey.patch_all(); import healthkit.cli as c; c.main()"
    site.process("-c", patched)
    site.outcome("unhealthy connection refused")
    wait_until(lambda: {r.path for r in list(site.sink.requests)} == {"/slow", "/telegram"}, 60)
    site.outcome("healthy")
    wait_until(lambda: len(site.sink.requests) == 3, 60)
    assert site.counts()[("slow", "sending")] == 1
    release.set()
    wait_until(lambda: not site.counts(), 60)


@pytest.mark.deep
def test_a_store_that_cannot_be_opened_is_one_line_and_exit_2(site):
    (site.folder / "store.db").mkdir()
    process = site.write().process()
    assert process.wait(60) == 2
    assert "the store cannot be opened" in site.log(process)
    assert len(site.log(process).splitlines()) == 1
