"""One file for a stick: signed, encrypted, and restored where there is nothing else."""

import errno
import io
import os
import tarfile
from pathlib import Path

import pyrage
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pyrage import x25519

from posapp.backup import export as exporting
from posapp.backup.context import RunLog
from posapp.backup.errors import BackupError, Refused
from posapp.backup.export import export
from posapp.backup.restore import Asking
from posapp.backup.restore import restore as restore_backup
from posapp.backup.storage.lookup import find_backup, source_of, verify_checksum
from tests.backup.kit import (
    KEY,
    SMALL,
    SMALL_ROWS,
    Clock,
    address,
    agree,
    context_on,
    make,
    restore,
    run_sql,
)

SECRET = x25519.Identity.generate()
FEW = settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@pytest.fixture(scope="module")
def stick(postgres, tmp_path_factory):
    """A machine with a backup, and what it has written to a stick: in the clear, and encrypted."""
    url, folder = postgres.create("exported"), tmp_path_factory.mktemp("exporting")
    run_sql(url, SMALL)
    identity = folder / "key.txt"
    identity.write_text(f"{SECRET}\n")
    log = RunLog(folder / "log", Clock())
    context = context_on(url, folder / "backups", log, identity=identity)
    backup = make("daily", context)
    (folder / "stick").mkdir()
    paths = {
        recipient is not None: export(backup, folder / "stick", context, recipient)
        for recipient in (None, SECRET.to_public())
    }
    yield context, backup, paths
    postgres.drop("exported")


def files_of(folder):
    return sorted(path.name for path in folder.rglob("*"))


@pytest.mark.parametrize("encrypted", [False, True])
def test_it_is_restored_on_an_empty_server_as_any_backup_is(stick, postgres, tmp_path, encrypted):
    context, backup, paths = stick
    assert paths[encrypted].stat().st_mode & 0o077 == 0
    url = postgres.create("from_a_stick")
    try:
        there = context_on(
            url, tmp_path / "b", context.log, identity=context.settings.backup_age_identity
        )
        found = find_backup(str(paths[encrypted]), there.settings, there.own, there.is_good)
        assert (found.name, found.size, found.manifest) == (
            backup.name,
            backup.size,
            backup.manifest,
        )
        scratch = there.storage.prepare("fetched")
        with (
            source_of(found, there.settings).local_copy(found, scratch) as dump,
            there.storage.lock() as lock,
        ):
            verify_checksum(found, dump)
            done = restore_backup(found, dump, there, lock, Asking(agree))
        assert done.rows == sum(SMALL_ROWS.values())
        assert files_of(scratch) == []
    finally:
        for (name,) in run_sql(postgres.url, "SELECT datname FROM pg_database"):
            if name.startswith("from_a_stick"):
                postgres.drop(name)


def test_anybody_with_the_key_opens_it_without_the_pos(stick, tmp_path):
    """By age and tar alone."""
    context, backup, paths = stick
    plain = pyrage.decrypt(paths[True].read_bytes(), [SECRET])
    with tarfile.open(fileobj=io.BytesIO(plain)) as tar:
        assert tar.getnames() == [backup.name.manifest, str(backup.name), backup.name.globals]
        content = {name: tar.extractfile(name).read() for name in tar.getnames()}
    folder = context.storage.root / "daily"
    assert content == {name: (folder / name).read_bytes() for name in content}


def test_nothing_of_an_encrypted_one_is_readable(stick):
    _, backup, paths = stick
    written = paths[True].read_bytes()
    assert written.startswith(b"age-encryption.org/v1")
    for told in (b"steak_kenangan", backup.manifest.sha256.encode(), b"postgres"):
        assert told not in written


@pytest.mark.parametrize("encrypted", [False, True])
@given(data=st.data())
@FEW
def test_a_changed_byte_anywhere_is_refused_or_changes_nothing(stick, tmp_path, encrypted, data):
    context, backup, paths = stick
    whole = bytearray(paths[encrypted].read_bytes())
    at = data.draw(st.integers(0, len(whole) - 1))
    whole[at] ^= data.draw(st.integers(1, 255))
    _assert_ours_or_refused(context, backup, tmp_path, bytes(whole))


@pytest.mark.parametrize("encrypted", [False, True])
@given(data=st.data())
@FEW
def test_one_that_ends_early_is_refused(stick, tmp_path, encrypted, data):
    context, backup, paths = stick
    whole = paths[encrypted].read_bytes()
    _assert_ours_or_refused(
        context, backup, tmp_path, whole[: data.draw(st.integers(0, len(whole) - 1))]
    )


@given(start=st.sampled_from([b"", b"age-encryption.org/v1\n-> X25519 "]), rest=st.binary())
@FEW
def test_a_file_of_any_bytes_is_no_export(stick, tmp_path, start, rest):
    context, _, _ = stick
    with pytest.raises(BackupError):
        _read(context, tmp_path, start + rest)


def _assert_ours_or_refused(context, backup, tmp_path, content):
    """What is read all the same is, to the last byte, what was signed."""
    try:
        found, dump = _read(context, tmp_path, content)
    except BackupError:
        return
    assert found.manifest == backup.manifest
    assert dump == Path(backup.location).read_bytes()


def _read(context, tmp_path, content):
    path = tmp_path / "from-the-stick"
    path.write_bytes(content)
    found = find_backup(str(path), context.settings, context.own, context.is_good)
    context.key.require(found)
    with source_of(found, context.settings).local_copy(found, tmp_path) as dump:
        verify_checksum(found, dump)
        return found, dump.read()


def test_a_tar_with_something_else_in_it_is_none(stick, tmp_path):
    """Links, devices, sizes beyond all disks, names that lead out of the folder."""
    context, backup, _ = stick
    manifest = backup.manifest.dump()
    for kind, name, size in (
        (tarfile.SYMTYPE, backup.name.manifest, 0),
        (tarfile.CHRTYPE, backup.name.manifest, 0),
        (tarfile.XHDTYPE, "pax", 1 << 40),
        (tarfile.GNUTYPE_LONGNAME, "long", 1 << 40),
        (tarfile.REGTYPE, backup.name.manifest, 1 << 62),
        (tarfile.REGTYPE, "../../outside.manifest.json", len(manifest)),
    ):
        member = tarfile.TarInfo(name)
        member.type, member.size = kind, size
        header = member.tobuf(tarfile.GNU_FORMAT)
        with pytest.raises(Refused, match="not named like a backup"):
            _read(context, tmp_path, header + manifest)


def test_one_that_another_key_has_signed_is_not_restored(stick, tmp_path):
    context, _, paths = stick
    other = context_on(
        context.client.url,
        tmp_path,
        context.log,
        BACKUP_KEY=KEY[::-1],
        identity=context.settings.backup_age_identity,
    )
    found = find_backup(str(paths[True]), other.settings)
    with pytest.raises(BackupError, match="not signed by BACKUP_KEY"):
        other.key.require(found)
    assert not other.is_good(found)


def test_what_has_been_changed_here_is_not_exported(stick, tmp_path, log, small):
    context = context_on(small, tmp_path / "b", log)
    backup = make("daily", context)
    for file in (str(backup.name), backup.name.globals):
        path = context.storage.root / "daily" / file
        before = path.read_bytes()
        path.write_bytes(bytes([before[0] ^ 1]) + before[1:])
        with pytest.raises(BackupError, match="manifest says"):
            export(backup, tmp_path / "file", context, None)
        path.write_bytes(before)
        assert [p.name for p in tmp_path.iterdir() if p.name.startswith("file")] == []
    export(backup, tmp_path / "file", context, None)


@pytest.mark.parametrize(
    ("number", "said"),
    [(errno.EFBIG, "exFAT"), (errno.ENOSPC, "no room left"), (errno.EIO, "Input/output error")],
)
def test_a_stick_that_refuses_is_told_and_keeps_no_half_file(
    stick, tmp_path, monkeypatch, number, said
):
    context, backup, _ = stick

    def refuse(descriptor):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(exporting.os, "fsync", refuse)
    with pytest.raises(BackupError, match=said):
        export(backup, tmp_path, context, None)
    assert list(tmp_path.iterdir()) == []


def test_a_stick_that_gives_back_something_else_is_told(stick, tmp_path, monkeypatch):
    context, backup, _ = stick
    monkeypatch.setattr(exporting.compression, "checksum", lambda file: ("0" * 64, 1))
    with pytest.raises(BackupError, match="does not give back what was written"):
        export(backup, tmp_path, context, None)
    assert list(tmp_path.iterdir()) == []


def test_what_is_there_is_never_written_over_but_for_what_a_killed_run_has_left(stick, tmp_path):
    context, backup, _ = stick
    (tmp_path / "file").write_text("somebody's")
    with pytest.raises(Refused, match="is there already"):
        export(backup, tmp_path / "file", context, None)
    assert (tmp_path / "file").read_text() == "somebody's"
    (tmp_path / "other.part").write_text("half")
    export(backup, tmp_path / "other", context, None)
    assert files_of(tmp_path) == ["file", "other"]


@pytest.mark.parametrize("name", [".", "daily", "daily/file", "other/../file", "link"])
def test_nothing_is_exported_into_the_folder_of_the_backups_itself(stick, tmp_path, name):
    context, backup, _ = stick
    root = context.storage.root
    before = files_of(root)
    (tmp_path / "link").symlink_to(root)
    place = tmp_path / "link" if name == "link" else root / name
    with pytest.raises(Refused, match="is in BACKUP_DIR"):
        export(backup, place, context, None)
    assert files_of(root) == before


@pytest.mark.deep
def test_a_backup_in_the_bucket_that_is_encrypted_itself_is_exported_too(
    small, tmp_path, log, s3, postgres
):
    identity = tmp_path / "key.txt"
    identity.write_text(f"{SECRET}\n")
    context = context_on(
        small,
        tmp_path / "b",
        log,
        s3.bucket(),
        SECRET.to_public(),
        identity,
        **s3.environ,
    )
    make("daily", context)
    (there,) = s3.bucket().list_backups()
    path = export(there, tmp_path, context, SECRET.to_public())
    found = find_backup(str(path), context.settings, context.own, context.is_good)
    assert found.name == there.name.plain
    with source_of(found, context.settings).local_copy(found, tmp_path) as dump:
        verify_checksum(found, dump)
    assert restore(make("daily", context), context).rows == sum(SMALL_ROWS.values())


# The commands


@pytest.fixture
def exported_by(small, tmp_path, command):
    environ = {
        "DATABASE_URL": address(small),
        "BACKUP_DIR": str(tmp_path / "backups"),
        "BACKUP_LOG": str(tmp_path / "backup.log"),
        "HEALTHKIT_STORE": f"sqlite:///{tmp_path}/store.db",
    }
    assert command("backup", "daily", **environ).returncode == 0
    (tmp_path / "stick").mkdir()

    def run(*arguments, **more):
        return command(*arguments, **{**environ, **more})

    return run, tmp_path / "stick"


def test_what_cannot_be_encrypted_is_said_and_written_only_where_that_is_typed(exported_by):
    run, stick = exported_by
    done = run("backup", "export", str(stick))
    assert (done.returncode, len(done.stderr.splitlines())) == (2, 1)
    assert "BACKUP_AGE_RECIPIENT is not set" in done.stderr
    assert "--unencrypted" in done.stderr
    assert list(stick.iterdir()) == []
    done = run("backup", "export", str(stick), "--unencrypted")
    assert (done.returncode, done.stderr) == (0, "")
    (path,) = stick.iterdir()
    assert str(path) in done.stdout
    assert path.suffix == ".tar"


def test_it_is_verified_drilled_and_restored_by_the_commands_that_there_are(exported_by, tmp_path):
    run, stick = exported_by
    keys = {"BACKUP_AGE_RECIPIENT": str(SECRET.to_public())}
    assert run("backup", "export", str(stick / "mine"), **keys).returncode == 0
    path = str(stick / "mine")
    done = run("backup", "verify", path)
    assert done.returncode == 2
    assert "BACKUP_AGE_IDENTITY" in done.stderr
    identity = tmp_path / "key.txt"
    identity.write_text(f"{SECRET}\n")
    keys = {"BACKUP_AGE_IDENTITY": str(identity)}
    assert "whole" in run("backup", "verify", path, **keys).stdout
    done = run("restore", path, "--dry-run", **keys)
    assert done.returncode == 0, done.stdout
    assert "Obstacle" not in done.stdout
    done = run("restore", path, "--skip-confirm", **keys)
    assert done.returncode == 0, done.stderr
    assert "✅ Restore completed successfully!" in done.stdout


def test_another_restaurants_stick_asks_for_its_name(exported_by, small):
    run, stick = exported_by
    assert run("backup", "export", str(stick / "theirs"), "--unencrypted").returncode == 0
    run_sql(small, "UPDATE installation SET identity = 'ffff0000ffff0000'")
    done = run("restore", str(stick / "theirs"), "--skip-confirm")
    assert done.returncode == 2
    assert "another restaurant" in done.stderr


@pytest.mark.deep
def test_roles_that_are_missing_are_created_on_a_new_machine_and_nowhere_else(
    small, postgres, tmp_path, log
):
    run_sql(small, "CREATE ROLE koki_lama; GRANT SELECT ON guests TO koki_lama")
    try:
        context = context_on(small, tmp_path / "b", log)
        backup = make("daily", context)
        run_sql(small, "DROP OWNED BY koki_lama; DROP ROLE koki_lama")
        with pytest.raises(Refused, match="roles that own parts of it are missing here"):
            restore(backup, context)
        url = postgres.create("new_machine")
        there = context_on(url, tmp_path / "c", log)
        assert restore(backup, there).rows == sum(SMALL_ROWS.values())
        granted = "SELECT has_table_privilege('koki_lama', 'guests', 'SELECT'), rolcanlogin"
        assert run_sql(url, f"{granted} FROM pg_roles WHERE rolname = 'koki_lama'") == [
            (True, False)
        ]
    finally:
        for (name,) in run_sql(postgres.url, "SELECT datname FROM pg_database"):
            if name.startswith("new_machine"):
                postgres.drop(name)
        run_sql(small, "DROP ROLE IF EXISTS koki_lama")
