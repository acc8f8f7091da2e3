"""Every check type and channel type of this repository passes healthkit's own suite."""

from collections.abc import Mapping
from importlib.metadata import entry_points
from typing import Any, ClassVar

from healthkit.testing.conformance import (
    CANARY,
    ChannelConformance,
    CheckConformance,
    NetworkCheckConformance,
)
from healthkit_backup_freshness import BackupFreshness
from healthkit_command import Command
from healthkit_database import Database
from healthkit_disk import Disk
from healthkit_dns import Dns
from healthkit_http import Http
from healthkit_memory import Load, Memory
from healthkit_ping import Ping
from healthkit_process import Process
from healthkit_redis import Redis
from healthkit_ssl_expiry import SslExpiry
from healthkit_tcp import Tcp
from posapp.operations import health as pos
from posapp.operations.requests_check import Requests

AWAY = f"postgresql://pos:{CANARY}@127.0.0.1:1/pos"


class TestBackupFreshness(CheckConformance):
    check_type = BackupFreshness
    settings: ClassVar[Mapping[str, Any]] = {"location": "no-such-folder"}


class TestCommand(CheckConformance):
    check_type = Command
    settings: ClassVar[Mapping[str, Any]] = {"command": ["sh", "-c", "echo fine"]}


class TestDisk(CheckConformance):
    check_type = Disk
    settings: ClassVar[Mapping[str, Any]] = {"path": "/"}


class TestDns(CheckConformance):
    check_type = Dns
    settings: ClassVar[Mapping[str, Any]] = {
        "name": "localhost",
        "record": "A",
        "resolver": "127.0.0.1:1",
    }


class TestLoad(CheckConformance):
    check_type = Load


class TestMemory(CheckConformance):
    check_type = Memory


class TestProcess(CheckConformance):
    check_type = Process
    settings: ClassVar[Mapping[str, Any]] = {"contains": "pytest"}


class TestPing(CheckConformance):
    check_type = Ping
    settings: ClassVar[Mapping[str, Any]] = {"host": "127.0.0.1", "count": 1}


class TestRedis(NetworkCheckConformance):
    check_type = Redis
    settings: ClassVar[Mapping[str, Any]] = {"url": "redis://127.0.0.1:1"}

    def secret_settings(self):
        return {"url": f"redis://:{CANARY}@127.0.0.1:1"}

    def address(self, host, port):
        return {"url": f"redis://{host}:{port}"}


class TestTcp(NetworkCheckConformance):
    check_type = Tcp
    settings: ClassVar[Mapping[str, Any]] = {"address": "127.0.0.1:1"}

    def address(self, host, port):
        return {"address": f"{host}:{port}", "expect": "220 ready"}


class TestHttp(NetworkCheckConformance):
    check_type = Http
    settings: ClassVar[Mapping[str, Any]] = {"url": "http://127.0.0.1:1/"}

    def address(self, host, port):
        return {"url": f"http://{host}:{port}/"}


class TestSslExpiry(NetworkCheckConformance):
    check_type = SslExpiry
    settings: ClassVar[Mapping[str, Any]] = {"host": "127.0.0.1:1"}

    def address(self, host, port):
        return {"host": f"{host}:{port}"}


class OfDatabase(NetworkCheckConformance):
    """A check with the address of a database."""

    settings: ClassVar[Mapping[str, Any]] = {"url": AWAY}

    def secret_settings(self):
        return {"url": AWAY}

    def address(self, host, port):
        return {"url": f"postgresql://pos:x@{host}:{port}/pos"}


class TestDatabase(OfDatabase):
    check_type = Database


class TestMigrations(OfDatabase):
    check_type = pos.Migrations


class OfPos(CheckConformance):
    """A check that asks the database as `Migrations` does, which is tried in full."""

    settings: ClassVar[Mapping[str, Any]] = {"url": AWAY}
    secret_settings = OfDatabase.secret_settings


class TestBooks(OfPos):
    check_type = pos.Books


class TestPosClock(OfPos):
    check_type = pos.PosClock


class TestPosWal(OfPos):
    check_type = pos.PosWal
    settings: ClassVar[Mapping[str, Any]] = {"url": AWAY, "location": "no-such-folder"}


class TestPosBackup(CheckConformance):
    check_type = pos.PosBackupFreshness
    settings: ClassVar[Mapping[str, Any]] = {"location": "no-such-folder"}


class TestRequests(NetworkCheckConformance):
    check_type = Requests
    settings: ClassVar[Mapping[str, Any]] = {"url": "http://127.0.0.1:1/metrics", "within": "500ms"}

    def address(self, host, port):
        return {"url": f"http://{host}:{port}/metrics"}


class TestFonnte(ChannelConformance):
    schema = "fonnte"

    def url(self, sink, monkeypatch):
        from healthkit_fonnte.notify import NotifyFonnte

        monkeypatch.setattr(NotifyFonnte, "notify_url", sink.url("/send"))
        return f"fonnte://{CANARY}/628123456789"


def test_no_type_of_ours_is_left_out():
    ours = {
        name: cls
        for point in entry_points(group="healthkit")
        if point.value.startswith(("healthkit_", "posapp"))
        if hasattr(point.load(), "healthkit_check_types")
        for name, cls in point.load().healthkit_check_types().items()
    }
    tried = {value.check_type for value in globals().values() if hasattr(value, "check_type")}
    assert len(ours) > 15
    assert {name for name, cls in ours.items() if cls not in tried} == set()
