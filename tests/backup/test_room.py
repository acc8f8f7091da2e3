"""Room on the disks: asked for before anything is written, and watched while it is."""

import threading
from pathlib import Path

import pytest

from posapp.backup import room
from posapp.backup.base_backup import create_base_backup
from posapp.backup.create import create_backup
from posapp.backup.errors import BackupError, Refused
from posapp.backup.postgres.client import PostgresClient
from posapp.backup.postgres.databases import list_replaced
from posapp.backup.room import Need
from posapp.runtime.postgres import use_server
from tests.backup.kit import SMALL, agree, context_on, make, restore, rewrite, run_sql
from tests.backup.test_backup_faults import NOISE
from tests.servers import UNSYNCED

MB = 1_000_000


def test_what_lies_on_the_same_disk_adds_up(tmp_path, small_disk):
    other = small_disk(8)
    free = room.free_of(tmp_path)
    half = Need(tmp_path, free * 6 // 10, "half")
    assert room.shortages([half], 0) == []
    assert room.shortages([half, Need(other, MB, "little")], 0) == []
    (line,) = room.shortages([half, half], 0)
    assert "half needs about" in line
    assert "BACKUP_DISK_RESERVE" in line
    (line,) = room.shortages([half, Need(other, 9 * MB, "much")], 0)
    assert line.startswith(f"{other}: ")


def test_the_reserve_is_what_is_set_or_a_twentieth(tmp_path, small_disk):
    disk = small_disk(20)
    assert room.reserve_of(disk, 7) == 7
    assert room.reserve_of(disk, None) == (20 << 20) // 20
    assert room.reserve_of(tmp_path, None) <= 1_000_000_000
    free = room.free_of(disk)
    assert room.shortages([Need(disk, free, "all")], 0) == []
    assert len(room.shortages([Need(disk, free, "all")], 1)) == 1


@pytest.mark.parametrize("kind", ["daily", "pre-restore"])
def test_the_disk_of_a_kind_has_its_reserve_too(small, small_disk, tmp_path, log, kind):
    """A folder of BACKUP_DIR may lie on a disk of its own."""
    disk = small_disk(8)
    context = context_on(small, tmp_path / "backups", log, reserve=20 * MB)
    usual = make("weekly", context)
    (context.storage.root / kind).symlink_to(disk)
    with pytest.raises(Refused, match=f"{context.storage.root}/{kind}: .* free; the backup needs"):
        restore(usual, context) if kind == "pre-restore" else make(kind, context)
    assert list(disk.rglob("*.gz")) == []


def test_a_disk_that_comes_to_its_reserve_stops_the_work(small_disk):
    disk, stopped = small_disk(8), threading.Event()

    def work(reserve, size):
        with room.watched([disk], reserve, stopped.set):
            (disk / "much").write_bytes(b"x" * size)
            assert size < MB or stopped.wait(60)
            raise ValueError("what the work itself says")

    with pytest.raises(BackupError, match="stopped at the reserve of"):
        work(2 * MB, 7 * MB)
    with pytest.raises(ValueError, match="what the work itself says"):
        work(0, 1)


@pytest.fixture(scope="module")
def own_server(small_disk):
    """A server on a file system of its own, with 30 MB in its database."""
    disk = small_disk(400)
    with use_server(disk / "server", UNSYNCED) as one:
        run_sql(one.url, SMALL)
        run_sql(one.url, NOISE.format(9000))
        yield one.url, disk


@pytest.fixture
def made(own_server, tmp_path, log):
    url, _ = own_server
    return make("daily", context_on(url, tmp_path, log))


def left(url):
    found = run_sql(url, "SELECT datname FROM pg_database WHERE datname LIKE '%restore%'")
    return found, run_sql(url, "SELECT count(*) FROM bills")


@pytest.mark.deep
def test_a_restore_for_which_there_is_no_room_writes_nothing(own_server, tmp_path, log, made):
    url, disk = own_server
    context = context_on(url, tmp_path, log, reserve=room.free_of(disk) - 40 * MB)
    asked = []
    with pytest.raises(
        Refused, match=rf"{disk}/.* free; the restored database needs about .* its WAL"
    ):
        restore(made, context, confirm=asked.append)
    assert asked == []
    assert left(url) == ([], [(400,)])
    assert [one.kind for one in context.storage.list_backups()] == ["daily"]


def test_a_load_that_comes_to_the_reserve_is_stopped_and_dropped_and_the_server_lives(
    own_server, tmp_path, log, made
):
    """It was asked for less than it takes: somebody else filled the disk meanwhile, say."""
    url, disk = own_server
    backup = made.__class__(
        made.name, made.size, rewrite(made, tmp_path, database_bytes=MB), made.location
    )
    context = context_on(url, tmp_path, log, reserve=room.free_of(disk) - 20 * MB)
    with pytest.raises(
        BackupError, match=r"stopped at the reserve of .* what was begun is removed"
    ):
        restore(backup, context, pre_restore_backup=False)
    assert left(url) == ([], [(400,)])


def test_a_backup_and_a_base_backup_ask_for_room_too(own_server, tmp_path, log, made):
    url, _ = own_server
    context = context_on(url, tmp_path, log, reserve=room.free_of(tmp_path))
    with context.storage.lock() as lock:
        with pytest.raises(Refused, match="the backup needs about"):
            create_backup("daily", context, lock)
        with pytest.raises(Refused, match="the base backup needs about"):
            create_base_backup(context, lock)
    assert list(tmp_path.glob("base/*")) == []


@pytest.mark.deep
def test_databases_that_restores_have_replaced_are_bounded(small, tmp_path, log, clock):
    context = context_on(small, tmp_path, log)
    made = make("daily", context)
    for _ in range(5):
        clock.forward(minutes=1)
        restore(made, context, pre_restore_backup=False, confirm=agree)
    client = PostgresClient(small).on("postgres")
    with client.connect() as connection:
        found = [name for name, size in list_replaced(connection, small.database) if size]
    assert len(found) == context.settings.backup_keep_before == 3
    assert found[-1].endswith("_before_20251226_120500")
    assert "newer ones are kept (BACKUP_KEEP_BEFORE)" in Path(log.path).read_text()
