"""The backups of every night, and what proves them: for ever, in Jakarta's time.

Each job is a command of its own, so that one that fails, or is killed, takes no other with it. One
at a time: what is due while another runs waits. What was missed while the machine was off is made
up at the start; the catalogue tells that it was missed, so that nothing has to be remembered.
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

from posapp.backup.model.backup import ZONE
from posapp.backup.storage.folder import Entry
from posapp.runtime.child import child_command, describe_exit


@dataclass(frozen=True)
class Job:
    """One line of the timetable: what is run, and when, as in cron(8)."""

    name: str
    command: tuple[str, ...]
    hour: int
    day: str = "*"
    weekday: str = "*"

    @property
    def trigger(self) -> CronTrigger:
        return CronTrigger(day=self.day, day_of_week=self.weekday, hour=self.hour, timezone=ZONE)


def timetable(reports: str) -> tuple[Job, ...]:
    """The runbook's; reports of drills go to that folder."""
    drill = ("drill", "--report", reports)
    return (
        Job("daily", ("backup", "daily"), hour=2),
        Job("weekly", ("backup", "weekly"), hour=3, weekday="sun"),
        Job("monthly", ("backup", "monthly"), hour=4, day="1"),
        Job("weekly test restore", drill, hour=5, weekday="sun"),
        Job("monthly drill", drill, hour=6, day="1"),
    )


def missed(jobs: Iterable[Job], entries: list[Entry], now: datetime) -> list[Job]:
    """What should have run since it last did. Where a kind has no good backup at all it is due at
    once; where nothing was ever restored, a drill is."""
    return [job for job in jobs if _last_due(job, now) > _last_done(job, entries)]


def _last_due(job: Job, now: datetime) -> datetime:
    """When it last should have run: within the last 31 days, which is as far apart as they are."""
    due, trigger = now - timedelta(days=32), job.trigger
    while (following := trigger.get_next_fire_time(None, due + timedelta(seconds=1))) <= now:
        due = following
    return due


def _last_done(job: Job, entries: list[Entry]) -> datetime:
    never = datetime.min.replace(tzinfo=ZONE)
    if job.command[0] == "drill":
        restored = [
            at
            for entry in entries
            if entry.manifest
            for at in (entry.manifest.restored_at, entry.manifest.last_restored_at)
            if at
        ]
        return max(restored, default=never)
    made = [entry.name.at for entry in entries if entry.good and entry.name.kind == job.name]
    return max(made, default=never)


def _once(jobs: Iterable[Job]) -> list[Job]:
    """Without those that do what one before them does."""
    chosen: dict[tuple[str, ...], Job] = {}
    for job in jobs:
        chosen.setdefault(job.command, job)
    return list(chosen.values())


class Schedule:
    """Runs the jobs until SIGTERM or SIGINT; `say` is told what happens."""

    def __init__(self, jobs: Sequence[Job], say: Callable[[str], None]) -> None:
        self._say = say
        self._ended = threading.Event()
        self._running: subprocess.Popen[bytes] | None = None
        self._scheduler = BackgroundScheduler(
            timezone=ZONE,
            executors={"default": ThreadPoolExecutor(1)},
            job_defaults={"coalesce": True, "misfire_grace_time": None},
        )
        for job in jobs:
            self._scheduler.add_job(self._run, job.trigger, [job], id=job.name, name=job.name)

    def run(self, first: Iterable[Job] = ()) -> None:
        """Blocks; `first` is made up for at once."""
        before = {n: signal.signal(n, self._end) for n in (signal.SIGTERM, signal.SIGINT)}
        for job in _once(first):
            self._say(f"{job.name}: missed while this was off; it is made up for now")
            self._scheduler.add_job(self._run, args=[job])
        self._scheduler.start()
        for planned in sorted(self._scheduler.get_jobs(), key=lambda one: one.next_run_time):
            self._say(f"next {planned.name}: {planned.next_run_time:%Y-%m-%d %H:%M %Z}")
        try:
            self._ended.wait()
        finally:
            self._stop()
            for number, handler in before.items():
                signal.signal(number, handler)

    def _run(self, job: Job) -> None:
        if self._ended.is_set():
            return
        program = [sys.executable, "-m", "posapp", *job.command]
        # It ends with this process, however that one does.
        self._running = subprocess.Popen(child_command(program, signal.SIGTERM))
        how = describe_exit(self._running.wait())
        self._running = None
        self._say(f"{job.name}: {how}")

    def _end(self, number: int, frame: FrameType | None) -> None:
        self._ended.set()

    def _stop(self) -> None:
        self._ended.set()
        running = self._running
        if running is not None:
            running.terminate()
        self._scheduler.shutdown(wait=True)
