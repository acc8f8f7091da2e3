"""Runs backups and restores that can be killed, without paying for their imports each time.

    python -m tests.backup.killable

Reads a job (JSON) from each line, forks, and answers with the process id of the child; when that
one has ended, with how. The child leads a process group of its own.

A job may name the step at which it dies by SIGKILL, before that step has had any effect. A step is
a call by which the main thread changes something outside itself (a file, a process, a statement,
a request to S3). Its name is the functions of posapp that lead there, and it is numbered from its
second time on: `make > make_locked > _dumped > _dump_once: os.rename`; the last is `the end`. With
`steps` a job writes the names of all of them, in order, into that file.
"""

import json
import os
import signal
import sys
import threading
from collections import Counter
from datetime import datetime
from functools import partial
from pathlib import Path

import psycopg2
import psycopg2.extensions
from sqlalchemy.engine import make_url

import posapp
from posapp.backup.context import RunLog
from posapp.backup.storage.lookup import find_backup
from posapp.backup.storage.s3 import S3Storage
from tests.backup.kit import Clock, context_on, make, restore

PRODUCT = str(Path(posapp.__file__).parent)
LOG = sys.modules[RunLog.__module__].__file__
EVENTS = {"os.rename", "os.remove", "os.rmdir", "os.mkdir", "os.chmod"}
CALLS = {"write", "fsync", "fork_exec"}
WRITING = os.O_WRONLY | os.O_RDWR
S3_CALL = "_make_api_call"
READING = ("SELECT", "SHOW", "SET", "WITH")


class Steps:
    """Tells each step of the main thread, and dies at one of them."""

    def __init__(self, die_at, names):
        self._die_at = die_at
        self._names = os.open(names, os.O_CREAT | os.O_WRONLY | os.O_TRUNC) if names else None
        self._seen = Counter()
        self._main = threading.get_ident()

    def begin(self):
        steps = self

        class Cursor(psycopg2.extensions.cursor):
            def execute(self, statement, values=None):
                if isinstance(statement, bytes):
                    text = statement.decode()
                else:
                    text = statement if isinstance(statement, str) else statement.as_string(self)
                words = text.upper().split()
                if words[0] not in READING:
                    steps.reached(sys._getframe(1), " ".join(words[:2]))
                return super().execute(statement, values)

        psycopg2.connect = partial(psycopg2.connect, cursor_factory=Cursor)
        sys.addaudithook(self._audit)
        sys.setprofile(self._profile)

    def _audit(self, event, values):
        writing = event == "open" and values[2] & WRITING and values[0] != os.devnull
        if writing or event in EVENTS:
            self.reached(sys._getframe(1), event)

    def _profile(self, frame, event, called):
        if event == "c_call" and called.__name__ in CALLS:
            self.reached(frame, called.__name__)
        elif event == "call" and frame.f_code.co_name == S3_CALL:
            self.reached(frame.f_back, frame.f_locals["operation_name"])

    def reached(self, frame, effect):
        if threading.get_ident() == self._main and (way := way_to(frame)):
            self.at(f"{' > '.join(way)}: {effect}")

    def at(self, name):
        self._seen[name] += 1
        if self._seen[name] > 1:
            name += f" ({self._seen[name]})"
        if self._names is not None:
            os.write(self._names, f"{name}\n".encode())
        if name == self._die_at:
            os.kill(os.getpid(), signal.SIGKILL)


def way_to(frame):
    """The functions of posapp that lead to a frame, the outermost first; none where it is none of
    the steps: a call to S3 is one as a whole, and what is written to the log is not one."""
    way = []
    while frame:
        if frame.f_code.co_name in (S3_CALL, "at") or frame.f_code.co_filename == LOG:
            return []
        if frame.f_code.co_filename.startswith(PRODUCT):
            way.insert(0, frame.f_code.co_name)
        frame = frame.f_back
    return way


def context_of(job):
    bucket = None
    if job.get("bucket"):
        bucket = S3Storage(job["bucket"], job["endpoint"], ("key", "secret"), 5)
    folder = Path(job["folder"])
    log = RunLog(folder / "backup.log", Clock(datetime.fromisoformat(job["now"])))
    return context_on(make_url(job["url"]), folder, log, bucket)


def run(job):
    context = context_of(job)
    if job["do"] == "backup":
        make(job.get("kind", "daily"), context)
        return
    backup = find_backup(job.get("what", "latest"), context.settings)
    restore(backup, context, pre_restore_backup=job.get("backs_up", True))


def child(job):
    os.setpgid(0, 0)
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    steps = Steps(job.get("die_at"), job.get("steps"))
    if "die_at" in job or "steps" in job:
        steps.begin()
    try:
        run(job)
        steps.at("the end")
    except BaseException as error:
        print(f"{type(error).__name__}: {error}", file=sys.stderr, flush=True)
        os._exit(1)
    os._exit(0)


def main():
    for line in sys.stdin:
        pid = os.fork()
        if pid == 0:
            child(json.loads(line))
        print(pid, flush=True)
        _, status = os.waitpid(pid, 0)
        print(os.waitstatus_to_exitcode(status), flush=True)


if __name__ == "__main__":
    main()
