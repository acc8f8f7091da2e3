"""Runs backups and restores that can be killed, without paying for their imports each time.

    python -m tests.backup.killable

Reads a job (JSON) from each line, forks, and answers with the process id of the child; when that
one has ended, with how. The child leads a process group of its own.
"""

import json
import os
import sys
from datetime import datetime
from pathlib import Path

from sqlalchemy.engine import make_url

from posapp.backup import restore as restoring
from posapp.backup.context import RunLog
from posapp.backup.storage.lookup import find_backup, verify_checksum
from posapp.backup.storage.s3 import S3Storage
from tests.backup.kit import context_on, make


def context_of(job):
    bucket = None
    if job.get("bucket"):
        bucket = S3Storage(job["bucket"], job["endpoint"], ("key", "secret"), 5)
    folder = Path(job["folder"])
    log = RunLog(folder / "backup.log", lambda: datetime.fromisoformat(job["now"]))
    return context_on(make_url(job["url"]), folder, log, bucket)


def run(job):
    context = context_of(job)
    if job["do"] == "backup":
        make(job.get("kind", "daily"), context)
        return
    backup = find_backup(job.get("what", "latest"), context.settings)
    verify_checksum(backup, Path(backup.location))
    with context.storage.lock() as lock:
        restoring.restore(backup, Path(backup.location), context, lock, lambda question: None)


def main():
    for line in sys.stdin:
        child = os.fork()
        if child == 0:
            os.setpgid(0, 0)
            os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
            try:
                run(json.loads(line))
            except BaseException as error:
                print(f"{type(error).__name__}: {error}", file=sys.stderr, flush=True)
                os._exit(1)
            os._exit(0)
        print(child, flush=True)
        _, status = os.waitpid(child, 0)
        print(os.waitstatus_to_exitcode(status), flush=True)


if __name__ == "__main__":
    main()
