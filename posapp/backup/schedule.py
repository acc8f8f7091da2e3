"""Runs the nightly backups and the drills that prove them, in Jakarta's time, until it is stopped.

Each job is a command of its own, so that one that fails, or is killed, takes no other with it. One
job runs at a time; a job that is due meanwhile waits. Jobs that were missed while the machine was
off run at the start; the backups show which those are, so that nothing has to be remembered.
"""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from types import FrameType

from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.cron import CronTrigger

from posapp import JAKARTA
from posapp.backup.model.backup import Backup
from posapp.runtime.child import child_command, describe_exit

BASE: tuple[str, ...] = ("backup", "base", "--if-received")
"""The base backup of those who keep what they need to restore a moment."""
_NEVER = datetime.min.replace(tzinfo=JAKARTA)
_AHEAD = timedelta(minutes=1)
"""A base backup is dated a second after its end, and clocks are corrected by seconds."""
_LOOK = 30.0
"""Seconds between two looks at the clock."""
_PATIENCE = 10.0
"""Seconds that a job may take to end in good order."""


@dataclass(frozen=True)
class ScheduledJob:
    """A line of the timetable: a command of posapp, and its time as in cron(8)."""

    name: str
    command: tuple[str, ...]
    hour: int
    day: str = "*"
    weekday: str = "*"

    @property
    def trigger(self) -> CronTrigger:
        return CronTrigger(day=self.day, day_of_week=self.weekday, hour=self.hour, timezone=JAKARTA)


def timetable(reports: str) -> tuple[ScheduledJob, ...]:
    """Returns the runbook's timetable; reports of drills go to the folder `reports`."""
    drill = ("drill", "--report", reports)
    return (
        ScheduledJob("daily", ("backup", "daily"), hour=2),
        ScheduledJob("weekly", ("backup", "weekly"), hour=3, weekday="sun"),
        ScheduledJob("monthly", ("backup", "monthly"), hour=4, day="1"),
        ScheduledJob("weekly base", BASE, hour=4, weekday="sun"),
        ScheduledJob("weekly test restore", drill, hour=5, weekday="sun"),
        ScheduledJob("monthly drill", drill, hour=6, day="1"),
    )


def missed_jobs(
    jobs: Iterable[ScheduledJob],
    backups: list[Backup],
    now: datetime,
    bases: Sequence[datetime] | None = None,
) -> list[ScheduledJob]:
    """Returns the jobs that were due since they last ran. A kind without any intact backup is due
    at once; so is a drill where nothing was ever restored. `bases` are the times of the base
    backups; None where none are wanted."""

    def last_done(job: ScheduledJob) -> datetime:
        times = _times_done(job, backups)
        if job.command == BASE:
            times = [now] if bases is None else list(bases)
        # What a clock that was ahead has dated shows nothing.
        return max((at for at in times if at <= now + _AHEAD), default=_NEVER)

    return [job for job in jobs if _last_due(job, now) > last_done(job)]


def _last_due(job: ScheduledJob, now: datetime) -> datetime:
    """Returns when it was last due: within 31 days, the longest interval of the timetable."""
    due, trigger = now - timedelta(days=32), job.trigger
    while (following := trigger.get_next_fire_time(None, due + timedelta(seconds=1))) <= now:
        due = following
    return due


def _times_done(job: ScheduledJob, backups: list[Backup]) -> list[datetime]:
    if job.command[0] == "drill":
        return [
            at
            for backup in backups
            if backup.manifest
            for at in (backup.manifest.restored_at, backup.manifest.last_restored_at)
            if at
        ]
    return [backup.at for backup in backups if backup.intact and backup.kind == job.name]


def _distinct(jobs: Iterable[ScheduledJob]) -> list[ScheduledJob]:
    """Returns the jobs without those whose command an earlier one has."""
    chosen: dict[tuple[str, ...], ScheduledJob] = {}
    for job in jobs:
        chosen.setdefault(job.command, job)
    return list(chosen.values())


def follow_clock(scheduler: BackgroundScheduler, now: datetime) -> None:
    """Has a scheduler plan by the clock as it is now: it was set back, and all would wait for what
    it had shown before; or it jumped, as it does for a machine that slept."""
    planned = [(job, job.next_run_time) for job in scheduler.get_jobs()]
    for job, due in planned:
        following = job.trigger.get_next_fire_time(None, now + _AHEAD)
        if following is not None and due > following:
            job.modify(next_run_time=following)
    scheduler.wakeup()


class Schedule:
    """Runs the jobs until SIGTERM or SIGINT; `log` is called with a line for each event,
    `tell` with what nobody else could have told."""

    def __init__(
        self,
        jobs: Sequence[ScheduledJob],
        log: Callable[[str], None],
        tell: Callable[[str], None],
    ) -> None:
        self._log = log
        self._tell = tell
        self._ended = threading.Event()
        self._running: subprocess.Popen[bytes] | None = None
        self._scheduler = BackgroundScheduler(
            timezone=JAKARTA,
            executors={"default": ThreadPoolExecutor(1)},
            job_defaults={"coalesce": True, "misfire_grace_time": None},
        )
        for job in jobs:
            self._scheduler.add_job(self._run, job.trigger, [job], id=job.name, name=job.name)

    def run(self, first: Iterable[ScheduledJob] = ()) -> None:
        """Blocks; the jobs in `first` were missed and run at once."""
        before = {n: signal.signal(n, self._end) for n in (signal.SIGTERM, signal.SIGINT)}
        for job in _distinct(first):
            self._log(f"{job.name}: missed while this was off; it runs now")
            self._scheduler.add_job(self._run, args=[job])
        self._scheduler.start()
        for planned in sorted(self._scheduler.get_jobs(), key=lambda one: one.next_run_time):
            self._log(f"next {planned.name}: {planned.next_run_time:%Y-%m-%d %H:%M %Z}")
        try:
            while not self._ended.wait(_LOOK):
                follow_clock(self._scheduler, datetime.now(JAKARTA))
        finally:
            self._stop()
            for number, handler in before.items():
                signal.signal(number, handler)

    def _run(self, job: ScheduledJob) -> None:
        if self._ended.is_set():
            return
        program = [sys.executable, "-m", "posapp", *job.command]
        try:
            # The kernel ends it with this process, however this one ends.
            self._running = running = subprocess.Popen(child_command(program, signal.SIGTERM))
            if self._ended.is_set():  # between the question above and the start
                running.terminate()
            code = running.wait()
        except OSError as error:
            self._tell(f"❌ {job.name} could not be started: {error}")
            return
        self._running = None
        self._log(f"{job.name}: {describe_exit(code)}")
        if code < 0 and not self._ended.is_set():  # what was killed could not tell it itself
            self._tell(f"❌ {job.name} was {describe_exit(code)}")

    def _end(self, number: int, frame: FrameType | None) -> None:
        self._ended.set()

    def _stop(self) -> None:
        self._ended.set()
        running = self._running
        if running is not None:
            running.terminate()
            try:
                running.wait(_PATIENCE)
            except subprocess.TimeoutExpired:  # whatever holds it; the next run cleans up
                running.kill()
        self._scheduler.shutdown(wait=True)
