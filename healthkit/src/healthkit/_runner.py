"""Runs checks in the background and publishes what they found.

One native thread schedules: it alone owns the state, so there is no lock. Checks run on further
native threads, as many as run at once and never more than there are checks. Readers take
`runner.snapshot`, one attribute that is replaced whole.
"""

from __future__ import annotations

import logging
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from queue import Empty
from typing import Any, Generic, TypeVar

from healthkit import _outcomes, _threads
from healthkit._check import CheckContext, HeartbeatReader, OutboxReader
from healthkit._clock import SYSTEM_CLOCK, Clock
from healthkit._model.checks import CheckInfo, Outcome, Report, Result, Service, Status
from healthkit.errors import HealthkitError
from healthkit.fields import format_duration

log = logging.getLogger("healthkit")

Rendered = TypeVar("Rendered")

STALE_AFTER_INTERVALS = 3
TICK = 1.0
"""Seconds between two publications when no check has reported: the uptime moves on."""


@dataclass(frozen=True, slots=True)
class Snapshot(Generic[Rendered]):
    """A report with its two renderings, and until when the fresh one is true."""

    report: Report
    fresh_until: float
    """In seconds of the clock's `monotonic`."""
    fresh: Rendered
    stale: Rendered

    def current(self, monotonic: float) -> Rendered:
        """Returns the rendered report, or its stale form when nothing has renewed it."""
        return self.fresh if monotonic < self.fresh_until else self.stale


@dataclass(slots=True)
class _Job:
    info: CheckInfo
    check: Any
    last: Result
    due: float
    spread: bool = False
    """Whether its runs have left the beat of those that were started with it."""
    started: float | None = None
    deadline: float | None = None
    """The time at which a run in progress counts as overrun, again after each interval."""


@dataclass(frozen=True, slots=True)
class _Done:
    job: _Job
    outcome: Outcome
    ended: float


class _Stop:
    pass


class Runner(Generic[Rendered]):
    """Schedules `checks`, bounds each by its timeout, and publishes through `render`.

    `render(report)` is called on the scheduling thread for the fresh and the stale form of each
    report. Results go to the functions given to `subscribe`, on the same thread.

    Fifty services that are started together do not go on asking together: `chance` returns a number
    from 0 to 1 for each check, by which its second run comes up to half an interval early, and its
    first up to `start_within` seconds (a tenth of its interval at most) late.
    """

    def __init__(
        self,
        service: Service,
        checks: Sequence[tuple[CheckInfo, Any]],
        render: Callable[[Report], Rendered],
        heartbeats: HeartbeatReader | None = None,
        outbox: OutboxReader | None = None,
        clock: Clock = SYSTEM_CLOCK,
        *,
        start_within: float = 0.0,
        chance: Callable[[], float] = random.random,
    ) -> None:
        self._start_within = start_within
        self._chance = chance
        self._service = service
        self._checks = tuple(checks)
        self._render = render
        self._heartbeats = heartbeats
        self._outbox = outbox
        self._clock = clock
        self._listeners: list[Callable[[Result], None]] = []
        self._born = clock.monotonic()
        shortest = min((info.interval.total_seconds() for info, _ in checks), default=TICK)
        self._fresh_for = STALE_AFTER_INTERVALS * max(shortest, 0.1)
        self._tick = min(TICK, self._fresh_for / STALE_AFTER_INTERVALS)
        self._running = False
        self.needs_start = True
        """True until the runner was started or stopped in this process; a fork of a
        running one makes it true again, for threads do not cross a fork."""
        self._guard = _threads.unpatched("_thread", "allocate_lock")()
        self._inbox: Any = None
        self._tasks: Any = None
        self._stopped: Any = None
        self.snapshot = self._publish([])
        _threads.call_after_fork(self._after_fork)

    # What the owner calls

    def subscribe(self, listener: Callable[[Result], None]) -> None:
        """Hands every result to `listener`, which must not block."""
        self._listeners.append(listener)

    def start(self) -> None:
        """Starts the threads, once in each process."""
        with self._guard:
            self.needs_start = False
            if self._running:
                return
            self._inbox = _threads.unpatched("queue", "SimpleQueue")()
            self._tasks = _threads.unpatched("queue", "SimpleQueue")()
            self._stopped = _threads.unpatched("_thread", "allocate_lock")()
            self._stopped.acquire()
            _threads.start_native_thread(_Loop(self).run)
            self._running = True

    def stop(self, timeout: float = 5.0) -> None:
        """Ends the threads; one that hangs in a check ends when the check does."""
        with self._guard:
            self.needs_start = False
            if not self._running:
                return
            self._running = False
            self._inbox.put(_Stop())
            self._stopped.acquire(timeout=timeout)

    def run_once(self) -> Report:
        """Runs every check once, side by side, and returns when all have ended or overrun."""
        waiting = {info.name for info, _ in self._checks}
        results: Any = _threads.unpatched("queue", "SimpleQueue")()
        self.subscribe(results.put)
        self.start()
        try:
            while waiting:
                waiting.discard(results.get().check.name)
            # The loop publishes after it has called its listeners; its stop publishes as well.
        finally:
            self.stop()
            self._listeners.remove(results.put)
        return self.snapshot.report

    def _after_fork(self) -> None:
        """In the child: the parent's threads are not here, and its locks may be held for ever.
        The parent's last snapshot still serves until it is stale."""
        self._guard = _threads.unpatched("_thread", "allocate_lock")()
        self.needs_start = self.needs_start or self._running
        self._running = False

    # What the loop calls

    def context(self, info: CheckInfo) -> CheckContext:
        """Returns the context of a run that starts now."""
        timeout = info.timeout.total_seconds()
        return CheckContext(info.name, self._clock.now(), timeout, self._heartbeats, self._outbox)

    def _publish(self, jobs: Sequence[_Job]) -> Snapshot[Rendered]:
        now, monotonic = self._clock.now(), self._clock.monotonic()
        report = Report(
            service=self._service,
            at=now,
            uptime=timedelta(seconds=monotonic - self._born),
            results=tuple(job.last for job in jobs)
            if jobs
            else tuple(_not_yet(info, now) for info, _ in self._checks),
        )
        return Snapshot(
            report=report,
            fresh_until=monotonic + self._fresh_for,
            fresh=self._render(report),
            stale=self._render(_as_stale(report)),
        )


def _not_yet(info: CheckInfo, now: datetime) -> Result:
    return Result(info, Outcome(Status.UNKNOWN, "not checked yet"), at=now)


def _as_stale(report: Report) -> Report:
    """Returns the report in its stale form: no check is known to be healthy."""
    since = report.at.strftime("%Y-%m-%dT%H:%M:%SZ")
    outcome = Outcome.unhealthy(f"stale: the checks have not reported since {since}")
    results = tuple(replace(result, outcome=outcome, timed_out=True) for result in report.results)
    return replace(report, results=results, stale=True)


class _Loop:
    """The scheduling thread of one start: its state ends with it."""

    def __init__(self, runner: Runner[Any]) -> None:
        self._runner = runner
        self._inbox = runner._inbox
        self._tasks = runner._tasks
        self._stopped = runner._stopped
        self._threads = 0
        self._busy = 0
        self._dirty = False
        self._publish_from = 0.0
        self._clock = runner._clock
        now = self._clock.monotonic()
        self._jobs = [
            _Job(info, check, _not_yet(info, self._clock.now()), due=now + self._delay(info))
            for info, check in runner._checks
        ]
        self._over = False
        self._unclosed = {job.info.name: job for job in self._jobs}

    def _delay(self, info: CheckInfo) -> float:
        """Returns the seconds until a check's first run."""
        longest = min(self._runner._start_within, info.interval.total_seconds() / 10)
        return longest * self._runner._chance() if longest > 0 else 0.0

    def run(self) -> None:
        try:
            while self._guarded_step():
                pass
        finally:
            self._end()

    def _guarded_step(self) -> bool:
        """The last net: what fails in one step must not end the checks for ever."""
        try:
            return self._step()
        except Exception:
            log.exception("scheduling the checks failed")
            self._clock.sleep(TICK)  # it may fail at once, and again
            return True

    def _step(self) -> bool:
        """Starts what is due, publishes, waits, and takes what has ended."""
        now = self._clock.monotonic()
        self._dirty |= self._time_passes(now)
        if self._dirty:
            self._publish(now)
        wake = min((job.deadline or job.due for job in self._jobs), default=now + TICK)
        wake = min(wake, self._publish_from if self._dirty else now + self._runner._tick)
        try:
            message = self._clock.receive(self._inbox, max(0.0, wake - self._clock.monotonic()))
        except Empty:
            self._dirty = True
            return True
        while not isinstance(message, _Stop):
            self._take(message)
            try:
                message = self._clock.receive(self._inbox, 0)
            except Empty:
                return True
        self._publish_from = 0.0
        self._publish(self._clock.monotonic())
        return False

    def _time_passes(self, now: float) -> bool:
        """Starts what is due and reports what has overrun. Returns whether a result changed."""
        changed = False
        for job in self._jobs:
            if job.started is None and job.due <= now:
                changed |= self._dispatch(job, now)
            elif job.started is not None and job.deadline is not None and job.deadline <= now:
                self._overrun(job, now)
                changed = True
        return changed

    def _dispatch(self, job: _Job, now: float) -> bool:
        """Hands a check to a thread. Returns whether that failed, which is a result."""
        interval = job.info.interval.total_seconds()
        job.due = now + (interval if job.spread else interval * (1 - self._runner._chance() / 2))
        job.spread = True
        try:
            if self._busy >= self._threads:
                _threads.start_native_thread(self._work)
                self._threads += 1
        except RuntimeError as error:
            self._record(job, Outcome.unhealthy(f"not run: {error}"), None)
            return True
        self._busy += 1
        job.started = now
        job.deadline = now + job.info.timeout.total_seconds()
        self._tasks.put(job)
        return False

    def _overrun(self, job: _Job, now: float) -> None:
        started = job.started if job.started is not None else now
        limit = _seconds(job.info.timeout)
        message = f"no answer within {limit}"
        running = timedelta(seconds=now - started)
        if running > job.info.timeout + job.info.interval:
            message += f"; the check started {format_duration(running)} ago still hangs"
        self._record(job, Outcome.unhealthy(message), None, timed_out=True)
        job.deadline = now + job.info.interval.total_seconds()

    def _take(self, done: _Done) -> None:
        """Records a run that has ended. One that was reported as overrun is only cleared away: its
        check runs again when it is due, which is mostly at once."""
        job, self._busy = done.job, self._busy - 1
        took = done.ended - (job.started if job.started is not None else done.ended)
        if took > job.info.timeout.total_seconds():
            if not job.last.timed_out:
                self._overrun(job, done.ended)
        else:
            self._record(job, done.outcome, took)
        self._dirty = True
        job.started = job.deadline = None

    def _record(
        self, job: _Job, outcome: Outcome, took: float | None, *, timed_out: bool = False
    ) -> None:
        job.last = Result(job.info, outcome, self._clock.now(), took, timed_out)
        for listener in tuple(self._runner._listeners):
            try:
                listener(job.last)
            except Exception:
                log.exception("a listener failed on the result of check %s", job.info.name)

    def _publish(self, now: float) -> None:
        """Renews the snapshot, spending at most a tenth of the time on it in a storm."""
        if now < self._publish_from:
            return
        self._dirty = False
        try:
            self._runner.snapshot = self._runner._publish(self._jobs)
        except Exception:
            # Readers then see the old snapshot grow stale, which is a fault, not a lie.
            log.exception("the report could not be published")
        ended = self._clock.monotonic()
        self._publish_from = ended + 9 * (ended - now)

    def _work(self) -> None:
        """A worker thread: checks from the queue, one after another, until None."""
        while (job := self._tasks.get()) is not None:
            outcome = _run_check(job.info, job.check, self._runner.context(job.info))
            self._inbox.put(_Done(job, outcome, self._clock.monotonic()))
            if self._over:
                self._close(job)
            del job

    def _end(self) -> None:
        """Closes the checks; one that still runs is closed by its thread, when it has ended."""
        self._over = True
        for _ in range(self._threads):
            self._tasks.put(None)
        while not self._inbox.empty():
            if isinstance(message := self._inbox.get(), _Done):
                message.job.started = None
        for job in self._jobs:
            if job.started is None:
                self._close(job)
        self._stopped.release()

    def _close(self, job: _Job) -> None:
        """Once, whoever comes first: taking a key out of a dictionary is one step."""
        if self._unclosed.pop(job.info.name, None) is not None:
            _close(job)


def _run_check(info: CheckInfo, check: Any, context: CheckContext) -> Outcome:
    """Returns the outcome of one run, whatever the check does."""
    try:
        answer = check.run(context)
    except BaseException as error:
        outcome = _outcomes.of_exception(error)
        is_bug = not isinstance(error, HealthkitError)  # the others say themselves what to mend
        log.warning("check %s raised %s", info.name, outcome.message, exc_info=is_bug)
        return outcome
    return _outcomes.make_whole(answer)


def _close(job: _Job) -> None:
    try:
        if (close := getattr(job.check, "close", None)) is not None:
            close()
    except BaseException:
        log.warning("check %s did not close", job.info.name, exc_info=True)


def _seconds(value: timedelta) -> str:
    return f"{value.total_seconds():g}s"
