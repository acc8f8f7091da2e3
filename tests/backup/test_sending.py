"""What is received is sent to the bucket for ever: no error ends that, and none goes untold."""

import gzip
import hashlib
import socket
import threading

import pytest

from healthkit.testing import wait_until
from posapp.backup import sending
from posapp.backup.archive import Archive
from posapp.backup.notifications import Notifications
from posapp.backup.sending import Sending
from posapp.backup.signing import SigningKey
from posapp.backup.wal_signing import WalKey, beside
from tests.backup.kit import KEY, context_on, settings_of

NAME, NEXT = "000000010000000000000007", "000000010000000000000008"
UNFORESEEN = [
    KeyError("ETag"),
    RuntimeError("cannot schedule new futures"),
    MemoryError(),
    RecursionError("too deep"),
    UnicodeDecodeError("utf-8", b"\xff", 0, 1, "invalid start byte"),
    AssertionError(),
    StopIteration(),
]


@pytest.fixture
def key():
    return WalKey(SigningKey(KEY), "4711")


@pytest.fixture
def wal(tmp_path, key):
    folder = tmp_path / "backups" / "wal"
    folder.mkdir(parents=True)
    signed_segment(folder, NAME, key)
    return folder


def signed_segment(folder, name, key, content=b"written"):
    (folder / name).write_bytes(content)
    key.sign(folder / name, len(content), hashlib.sha256(content).hexdigest())


class Failing(Archive):
    """A bucket whose library fails in a way that nobody has thought of, for so many times."""

    error: BaseException
    left: int

    def send_wal(self, signed, recipient):
        if self.left:
            object.__setattr__(self, "left", self.left - 1)
            raise self.error
        super().send_wal(signed, recipient)


def failing(s3, error, times):
    archive = Failing(s3.bucket(), SigningKey(KEY), "identity", "4711")
    object.__setattr__(archive, "error", error)
    object.__setattr__(archive, "left", times)
    return archive


def sent(s3):
    found = s3.keys()
    return [key.rpartition("/")[2] for key in found]


@pytest.mark.parametrize("error", UNFORESEEN, ids=lambda one: type(one).__name__)
def test_an_error_that_nobody_has_thought_of_is_told_and_ends_nothing(
    wal, s3, postgres, log, monkeypatch, error
):
    monkeypatch.setattr(sending, "SEND_EVERY", 0.05)
    context = context_on(postgres.url, wal.parent, log, s3.bucket())
    with Sending(context, wal, failing(s3, error, 3)):
        wait_until(lambda: f"{NAME}.gz" in sent(s3), 30)
    written = log.path.read_text()
    told = [line for line in written.splitlines() if "Not sent to the bucket" in line]
    assert len(told) == 1  # and once, however often it happens
    assert type(error).__name__ in told[0]


def test_a_webhook_that_answers_with_anything_ends_nothing(wal, s3, postgres, log, monkeypatch):
    """Neither the sending nor a backup: a notification that fails is a line in the log."""
    monkeypatch.setattr(sending, "SEND_EVERY", 0.05)
    with socket.create_server(("127.0.0.1", 0)) as server:

        def answer():
            while True:
                try:
                    connection, _ = server.accept()
                except OSError:
                    return
                with connection:
                    connection.recv(65_536)
                    connection.sendall(b"220 smtp.example.com ready\r\n")

        thread = threading.Thread(target=answer, daemon=True)
        thread.start()
        url = f"http://127.0.0.1:{server.getsockname()[1]}/hook"
        context = context_on(postgres.url, wal.parent, log, s3.bucket(), ALERT_WEBHOOK=url)
        with Sending(context, wal, failing(s3, RuntimeError("x"), 2)):
            wait_until(lambda: f"{NAME}.gz" in sent(s3), 30)
        beats = settings_of(wal.parent, BACKUP_HEARTBEAT=url)
        with Notifications(beats, {}, log.write).job("backup-daily"):
            pass
        server.shutdown(socket.SHUT_RDWR)
    thread.join(60)
    written = log.path.read_text()
    assert "ALERT_WEBHOOK was not reached" in written
    assert "the heartbeat backup-daily was not pushed" in written


def test_what_nobody_has_signed_here_is_signed_nowhere_else_and_told(wal, s3, postgres, log, key):
    """Else whoever can write to the folder had only to wait until it lies in the bucket."""
    signed_segment(wal, NEXT, key)
    beside(wal / NEXT).unlink()
    context = context_on(postgres.url, wal.parent, log, s3.bucket())
    one = Sending(context, wal, failing(s3, RuntimeError(), 0))
    assert one.send_all() == {}  # it may have become whole just now
    assert list(one.send_all()) == [NEXT]
    assert sent(s3) == [f"{NAME}.gz"]
    (wal / NEXT).write_bytes(b"changed")
    key.sign(wal / NEXT, 7, hashlib.sha256(b"written").hexdigest())
    with pytest.raises(Exception, match="not signed by BACKUP_KEY, or was changed"):
        one.send_all()
    assert sent(s3) == [f"{NAME}.gz"]


def test_what_somebody_else_has_laid_in_its_place_keeps_no_segment_from_the_bucket(
    wal, s3, postgres, log
):
    """After a new start nothing is sent twice, and what is not ours is none of it."""
    context = context_on(postgres.url, wal.parent, log, s3.bucket())
    key = f"wal/identity/4711/{NAME}.gz"
    Sending(context, wal, failing(s3, RuntimeError(), 0)).send_all()
    Sending(context, wal, failing(s3, RuntimeError("sent again"), 1)).send_all()
    s3.client.put_object(Bucket=s3.name, Key=key, Body=b"foreign", Metadata={"sha256": "0"})
    Sending(context, wal, failing(s3, RuntimeError(), 0)).send_all()
    assert (
        gzip.decompress(s3.client.get_object(Bucket=s3.name, Key=key)["Body"].read()) == b"written"
    )
