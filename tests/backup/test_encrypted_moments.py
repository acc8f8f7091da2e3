"""What a moment is restored from is encrypted like the dumps, and lies in S3 like them."""

import hashlib
import os
import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from pyrage import x25519
from sqlalchemy.engine import URL

from healthkit import SYSTEM_CLOCK
from healthkit.testing import wait_until
from posapp.backup import received
from posapp.backup.archive import Archive
from posapp.backup.base_backup import create_base_backup, list_base_backups
from posapp.backup.base_upload import upload_bases
from posapp.backup.context import BackupContext, RunLog
from posapp.backup.coverage import coverage_of, look_in_bucket, read_coverage
from posapp.backup.errors import BackupError, Refused
from posapp.backup.keeping import Keeping
from posapp.backup.model.backup import format_local, format_stamp
from posapp.backup.model.base import BaseManifest
from posapp.backup.point_in_time import backup_as_of
from posapp.backup.recovery import KNOWN
from posapp.backup.storage.folder import FolderStorage
from posapp.operations.health import PosWal
from posapp.runtime.postgres import use_server
from tests.backup.kit import (
    S3,
    SMALL,
    SMALL_ROWS,
    address,
    context_on,
    environment,
    receiving,
    run_sql,
)
from tests.users import User

AGE = b"age-encryption.org/v1"
HIDDEN = b"Tamu rahasia"
RECEIVED = "SELECT flush_lsn >= pg_current_wal_flush_lsn() FROM pg_stat_replication"
GUESTS = SMALL_ROWS["guests"]


@dataclass
class Kept:
    """A server of which all is received, encrypted, and sent to a bucket."""

    url: URL
    folder: Path
    s3: S3
    context: BackupContext
    identity: Path
    after: datetime
    """When all guests were there."""

    @property
    def backups(self) -> Path:
        return self.folder / "backups"

    def copy(self, folder: Path, *what: str) -> BackupContext:
        """The same restaurant on another machine, which has a copy of so much of BACKUP_DIR."""
        for name in what:
            shutil.copytree(self.backups / name, folder / name)
        elsewhere = str(folder / "elsewhere")
        return context_on(
            self.url,
            folder,
            self.context.log,
            self.s3.bucket(),
            self.context.recipient,
            self.identity,
            POS_DATA_DIR=elsewhere,
        )

    def archive(self) -> Archive:
        manifest = list_base_backups(self.context.storage)[0].manifest
        assert manifest is not None
        key, bucket = self.context.key, self.s3.bucket()
        return Archive.of(bucket, key, manifest.identity, manifest.system_identifier or "")


@pytest.fixture(scope="module")
def kept(tmp_path_factory, s3_of_module) -> Iterator[Kept]:
    """The server has ended a segment after the base backup, and written into the next one."""
    me = User(os.geteuid(), os.getegid(), sys.executable, Path())
    folder, secret = tmp_path_factory.mktemp("encrypted"), x25519.Identity.generate()
    identity = folder / "key.txt"
    identity.write_text(f"{secret}\n")
    with use_server(folder / "live") as live:
        run_sql(live.url, SMALL)
        environ = {
            "DATABASE_URL": address(live.url),
            "BACKUP_DIR": str(folder / "backups"),
            "BACKUP_LOG": str(folder / "backup.log"),
            "BACKUP_AGE_RECIPIENT": str(secret.to_public()),
            "POS_DATA_DIR": str(folder / "data"),
            **s3_of_module.environ,
        }
        context = context_on(
            live.url,
            folder / "backups",
            RunLog(folder / "log", SYSTEM_CLOCK),
            s3_of_module.bucket(),
            secret.to_public(),
            identity,
            POS_DATA_DIR=str(folder / "data"),
        )
        with receiving(me, environ, live.url):
            with context.storage.lock() as lock:
                create_base_backup(context, lock)
            upload_bases(context)
            ended = list_base_backups(context.storage)[0].at
            run_sql(live.url, f"INSERT INTO guests VALUES (51, '{HIDDEN.decode()}')")
            run_sql(live.url, "SELECT pg_switch_wal()")
            wait_until(lambda: datetime.now(UTC) > ended)
            run_sql(live.url, "INSERT INTO guests VALUES (52, 'Dalam segmen yang baru')")
            after = datetime.now(UTC)
            run_sql(live.url, "SELECT pg_logical_emit_message(true, 'test', 'a later commit')")
            wait_until(lambda: read_coverage(context.storage).known is not None, 60)
            wait_until(lambda: run_sql(live.url, RECEIVED) == [(True,)], 60)
        # All that was received when it ended is packed; and sent when it begins the next time.
        with receiving(me, environ, live.url):
            wait_until(lambda: _sent(s3_of_module), 60)
        yield Kept(live.url, folder, s3_of_module, context, identity, after)


def _sent(s3):
    found = s3.keys()
    return any(key.endswith(KNOWN) for key in found)


def test_nothing_of_it_lies_in_the_clear(kept):
    """The segment that is being written to lies beside the data, where it is in the clear too."""
    found = [path for name in ("base", "wal") for path in (kept.backups / name).rglob("*")]
    files = [path for path in found if path.is_file()]
    assert {path.suffix for path in files} == {".age", ".json", ".sig"}
    assert len(files) >= 5
    for path in files:
        assert path.stat().st_mode & 0o077 == 0
        assert path.suffix in (".json", ".sig") or path.read_bytes().startswith(AGE)
    keys = kept.s3.keys()
    for key in keys:
        body = kept.s3.client.get_object(Bucket=kept.s3.name, Key=key)["Body"].read()
        assert key.endswith(".json") or body.startswith(AGE), key


@pytest.mark.deep
@pytest.mark.parametrize("what", [("base", "wal"), ("base",), ()], ids=["all", "base", "nothing"])
def test_a_moment_comes_back_from_what_is_here_and_what_is_not_from_the_bucket(
    kept, tmp_path, what
):
    context = kept.copy(tmp_path / "backups", *what)
    scratch = FolderStorage(tmp_path / "scratch")
    with backup_as_of(kept.after.isoformat(), context, scratch) as (backup, moment):
        assert moment == kept.after
        assert backup.manifest.row_counts["guests"] == GUESTS + 2
        assert Path(backup.location).read_bytes().startswith(AGE)  # what is fetched, too


def test_the_key_that_opens_it_is_asked_for(kept, tmp_path):
    context = kept.copy(tmp_path / "backups", "base", "wal")
    context.settings = context.settings.model_copy(update={"backup_age_identity": None})
    with (
        pytest.raises(Refused, match="BACKUP_AGE_IDENTITY has to name"),
        backup_as_of(kept.after.isoformat(), context, FolderStorage(tmp_path / "scratch")),
    ):
        pass


@pytest.mark.deep
@pytest.mark.parametrize("what", [("base", "wal"), ("base",), ("wal",), ()], ids="-".join)
def test_list_dry_run_and_check_see_the_folder_and_the_bucket_alike(
    kept, tmp_path, what, command, run_check
):
    """Whatever lies here, what lies there can be restored, and each of them says so."""
    context = kept.copy(tmp_path / "backups", *what)
    environ = {
        "DATABASE_URL": address(kept.url),
        "BACKUP_DIR": str(tmp_path / "backups"),
        "BACKUP_LOG": str(tmp_path / "log"),
        "POS_DATA_DIR": str(tmp_path / "elsewhere"),
        **kept.s3.environ,
    }
    base, bucket = list_base_backups(kept.context.storage)[0], f"s3://{kept.s3.name}"
    listed = command("backup", "list", **environ)
    line = next(one for one in listed.stdout.splitlines() if one.endswith(f", in {bucket}"))
    assert f"To a moment (--at): every moment from {format_local(base.at)} until 2" in line
    there = f", in {tmp_path / 'backups'}\n" in listed.stdout
    assert there == bool(what)
    done = command("restore", "--at", "latest", "--dry-run", **environ)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Obstacle" not in done.stdout
    assert f"What can be restored: every moment from {format_local(base.at)}" in done.stdout
    assert ("It would be fetched first" in done.stdout) == ("base" not in what)
    assert not (tmp_path / "backups" / "fetched").exists()
    known = look_in_bucket(kept.archive()).known.at
    with environment(**environ):
        found = PosWal(url=address(kept.url), location=context.storage.root, bucket=kept.s3.name)
        outcome = run_check(found, now=known + timedelta(minutes=1))
    faults = outcome.message.split("; ")
    assert faults[-1].startswith("nothing receives what is written")  # and it is right
    assert len(faults) == {("base",): 2, ("wal",): 2}.get(what, 1), faults


@pytest.mark.deep
def test_what_the_bucket_lacks_is_a_fault_and_so_is_a_bucket_that_is_silent(
    kept, tmp_path, run_check
):
    """A copy that is not elsewhere is none."""
    context = kept.copy(tmp_path / "backups", "base", "wal")
    known = look_in_bucket(kept.archive()).known.at
    url, at = address(kept.url), context.storage.root

    def look(now, **environ):
        with environment(**{**kept.s3.environ, **environ}):
            bucket = os.environ["BACKUP_S3_BUCKET"]
            return run_check(PosWal(url=url, location=at, bucket=bucket), now=now).message

    place = f"s3://{kept.s3.name}"
    assert place not in look(known)
    assert f"{place}: known until 2h0m0s ago" in look(known + timedelta(hours=2))
    first = kept.archive().base_names()[0]
    archive = kept.archive()
    key = f"base/{archive.identity}/{archive.system}/{first}/base.json"
    got = kept.s3.client.get_object(Bucket=kept.s3.name, Key=key)
    body, metadata = got["Body"].read(), got["Metadata"]
    kept.s3.client.delete_object(Bucket=kept.s3.name, Key=key)
    try:
        assert f"{place}: there is no base backup" in look(known)
    finally:
        kept.s3.client.put_object(Bucket=kept.s3.name, Key=key, Body=body, Metadata=metadata)
    assert place not in look(known)
    assert "s3://not-there: the bucket does not exist" in look(known, BACKUP_S3_BUCKET="not-there")


@pytest.mark.parametrize("change", ["another text", "of another place", "unsigned"])
def test_what_an_enemy_writes_into_the_bucket_is_not_run(kept, tmp_path, change):
    """A server runs what is in a base backup and in WAL. Whatever object it is."""
    client, bucket, archive = kept.s3.client, kept.s3.name, kept.archive()
    for name in sorted(archive.list_wal())[:1]:
        key = f"wal/{archive.identity}/{archive.system}/{name}"
        keys = kept.s3.keys()
        other = next(k for k in keys if k.startswith("wal/") and k != key)
        before, another = (client.get_object(Bucket=bucket, Key=k) for k in (key, other))
        body, signed = before["Body"].read(), before["Metadata"]
        put = {
            "another text": (body[:-1] + bytes([body[-1] ^ 1]), signed),
            "of another place": (another["Body"].read(), another["Metadata"]),
            "unsigned": (body, {}),
        }
        new, metadata = put[change]
        client.put_object(Bucket=bucket, Key=key, Body=new, Metadata=metadata)
        with pytest.raises(BackupError, match="not signed by BACKUP_KEY"):
            archive.fetch_wal([name], tmp_path)
        assert not (tmp_path / name).exists()
        client.put_object(Bucket=bucket, Key=key, Body=body, Metadata=signed)
        archive.fetch_wal([name], tmp_path)


def test_a_foreign_base_backup_is_in_nobodys_way(kept, tmp_path):
    """It has the newest name of all, and takes the place of nothing: here or in the bucket."""
    archive = kept.archive()
    place = f"base/{archive.identity}/{archive.system}/base_20990101_000000/"
    for file in ("base.json", "base.tar.gz.age"):
        kept.s3.client.put_object(Bucket=kept.s3.name, Key=place + file, Body=b"{}")
    (ours,) = archive.list_bases(tmp_path)
    upload_bases(kept.context)
    assert [base.path.name for base in archive.list_bases(tmp_path)] == [ours.path.name]
    for file in ("base.json", "base.tar.gz.age"):
        kept.s3.client.delete_object(Bucket=kept.s3.name, Key=place + file)


@pytest.mark.deep
def test_a_foreign_segment_is_in_nobodys_way_unless_it_is_needed(kept, tmp_path):
    """Whoever may write to the bucket keeps no moment from coming back by one more object."""
    client, bucket, archive = kept.s3.client, kept.s3.name, kept.archive()
    (base,), place = kept.archive().list_bases(tmp_path), f"wal/{archive.identity}/{archive.system}"
    needed = base.manifest.first_segment
    beyond = f"{place}/{needed[:8]}00000000000000FF.gz.age"
    client.put_object(Bucket=bucket, Key=beyond, Body=b"foreign")
    (at_hand,) = (name for name in archive.list_wal() if name.startswith(needed))
    got = client.get_object(Bucket=bucket, Key=f"{place}/{at_hand}")
    body, metadata = got["Body"].read(), got["Metadata"]
    try:
        context, scratch = kept.copy(tmp_path / "backups"), FolderStorage(tmp_path / "scratch")
        with backup_as_of(kept.after.isoformat(), context, scratch) as (backup, _):
            assert backup.manifest.row_counts["guests"] == GUESTS + 2
        client.put_object(Bucket=bucket, Key=f"{place}/{at_hand}", Body=b"foreign")
        with (
            pytest.raises(BackupError, match="not signed by BACKUP_KEY"),
            backup_as_of(kept.after.isoformat(), context, FolderStorage(tmp_path / "again")),
        ):
            pass
    finally:
        client.delete_object(Bucket=bucket, Key=beyond)
        client.put_object(Bucket=bucket, Key=f"{place}/{at_hand}", Body=body, Metadata=metadata)


@pytest.mark.deep
def test_a_foreign_timeline_keeps_no_moment_from_coming_back_and_counts_as_no_gap(kept, tmp_path):
    """A recovering server asks for each timeline that there might be."""
    client, bucket, archive = kept.s3.client, kept.s3.name, kept.archive()
    place = f"wal/{archive.identity}/{archive.system}"
    foreign = [f"{place}/00000002.history", f"{place}/0000000200000000000000FF.gz.age"]
    try:
        for key in foreign:
            client.put_object(Bucket=bucket, Key=key, Body=b"1\t0/1\tforeign\n")
        context, scratch = kept.copy(tmp_path / "backups"), FolderStorage(tmp_path / "scratch")
        with backup_as_of(kept.after.isoformat(), context, scratch) as (backup, _):
            assert backup.manifest.row_counts["guests"] == GUESTS + 2
        assert coverage_of(look_in_bucket(archive)).missing == 0
    finally:
        for key in foreign:
            client.delete_object(Bucket=bucket, Key=key)


def test_two_base_backups_stay_in_the_bucket_with_what_was_written_since(kept, tmp_path):
    archive = kept.archive()
    (base,) = list_base_backups(kept.context.storage)
    context = kept.copy(tmp_path / "backups")
    root, first = (
        context.storage.prepare("base"),
        received.following(base.manifest.first_segment, base.manifest.segment_bytes),
    )
    for days in (7, 14):
        later = root / f"base_{base.at + timedelta(days=days):%Y%m%d_%H%M%S}"
        shutil.copytree(base.path, later)
        timeline = base.manifest.first_segment[:8]
        facts = {"first_segment": timeline + first, "signature": None}
        manifest = base.manifest.model_copy(update=facts)
        signature = context.key.sign_text(manifest.signed_text)
        signed = manifest.model_copy(update={"signature": signature})
        (later / "base.json").write_bytes(signed.dump())
    upload_bases(context)
    assert archive.base_names() == sorted(path.name for path in root.iterdir())
    assert min(name[8:24] for name in archive.list_wal()) >= first


def test_what_was_received_in_the_clear_is_packed_once_there_is_a_recipient(kept, tmp_path):
    context = kept.copy(tmp_path / "backups")
    wal = context.storage.prepare("wal")
    names = ["000000010000000000000007", "000000010000000000000008.partial"]
    for name in names:
        (wal / name).write_bytes(HIDDEN)
    (context.storage.prepare("wal/before-gap") / "000000010000000000000003").write_bytes(HIDDEN)
    keeping = Keeping(context, wal, "4711", 16 << 20)
    assert [path.name for path in keeping.folder.iterdir()] == names[1:]  # where it goes on
    packed = sorted(str(path.relative_to(wal)) for path in wal.rglob("*") if path.is_file())
    assert packed == [
        *(f"{name}.gz.age" for name in names),
        "before-gap/000000010000000000000003.gz.age",
    ]
    assert all((wal / name).read_bytes().startswith(AGE) for name in packed)
    context.recipient = None  # and back again
    assert Keeping(context, wal, "4711", 16 << 20).folder == wal
    assert (wal / names[1]).read_bytes() == HIDDEN


def base_of(context, day, segment):
    """Returns the name of a base backup that says that it was made in 2026, by a server that had
    written so much."""
    content, ended = b"a server", datetime(2026, 1, 1, tzinfo=UTC) + timedelta(days=day)
    name = f"base_{format_stamp(ended)}"
    folder = context.storage.prepare(f"base/{name}")
    manifest = BaseManifest(
        ended_at=ended,
        size_bytes=len(content),
        sha256=hashlib.sha256(content).hexdigest(),
        tar_bytes=len(content),
        encrypted=False,
        identity="0123456789abcdef",
        system_identifier="4711",
        server_version="17.0",
        first_segment=f"{segment:024X}",
        segment_bytes=16 << 20,
    )
    signature = context.key.sign_text(manifest.signed_text)
    (folder / "base.json").write_bytes(manifest.model_copy(update={"signature": signature}).dump())
    (folder / "base.tar.gz").write_bytes(content)
    return name


@pytest.mark.deep
def test_base_backups_of_a_clock_that_was_ahead_are_the_older_ones_in_the_bucket_too(
    small, tmp_path, log, s3
):
    context = context_on(small, tmp_path / "backups", log, s3.bucket())
    archive = Archive.of(context.bucket, context.key, "0123456789abcdef", "4711")
    base_of(context, 400, 2)
    upload_bases(context)
    made = [base_of(context, day, segment) for day, segment in ((401, 3), (7, 4))]
    upload_bases(context)
    assert [one.path.name for one in archive.list_bases(tmp_path)] == made
    made.append(base_of(context, 14, 5))
    shutil.rmtree(context.storage.root / "base" / made[0])
    upload_bases(context)
    assert archive.base_names() == made[1:]


def test_a_foreign_object_under_the_name_of_a_base_backup_is_not_taken_for_it(
    small, tmp_path, log, s3
):
    context = context_on(small, tmp_path / "backups", log, s3.bucket())
    archive = Archive.of(context.bucket, context.key, "0123456789abcdef", "4711")
    name = base_of(context, 0, 1)
    place = f"base/{archive.identity}/{archive.system}/{name}/base.json"
    s3.client.put_object(Bucket=s3.name, Key=place, Body=b"{}")
    upload_bases(context)
    assert [one.path.name for one in archive.list_bases(tmp_path)] == [name]
