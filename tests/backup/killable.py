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
from posapp.backup.create import Work, make
from posapp.backup.journal import Journal
from posapp.backup.postgres.client import Access
from posapp.backup.storage.folder import Folder
from posapp.backup.storage.lookup import find, verify_bytes
from posapp.backup.storage.s3 import Bucket
from posapp.settings import Settings


def work(job):
    bucket = None
    if job.get("bucket"):
        bucket = Bucket(job["bucket"], job["endpoint"], ("key", "secret"), 5)
    folder = Path(job["folder"])
    journal = Journal(folder / "backup.log", lambda: datetime.fromisoformat(job["now"]))
    access = Access(make_url(job["url"]))
    return Work(access, Folder(folder), bucket, None, lambda: None), journal


def run(job):
    having, journal = work(job)
    if job["do"] == "backup":
        make(job.get("kind", "daily"), having, journal)
        return
    settings = Settings(backup_dir=having.folder.root)
    entry = find(job.get("what", "latest"), settings)
    verify_bytes(entry, Path(entry.where))
    with having.folder.locked():
        restoring.restore(entry, Path(entry.where), having, journal, lambda question: None)


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
