"""A folder and an S3 bucket answer alike: each test runs against both."""

import hashlib
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from posapp.backup.errors import BackupError, Busy, Refused
from posapp.backup.model.backup import BackupName
from posapp.backup.storage.folder import FolderStorage, backup_at
from posapp.backup.storage.lookup import find_backup, list_all, storage_of
from tests.backup.kit import manifest_for, settings_of

NOON = datetime(2025, 12, 26, 5, 0, tzinfo=UTC)
NAME = BackupName(NOON, "daily")
BODY = b"a dump"


class FolderPlace:
    """A folder, and a way to it past the storage."""

    def __init__(self, root):
        self.root = root
        self.storage = FolderStorage(root)
        self.location = str(root)
        self.settings = settings_of(root)

    def put(self, key, body):
        path = self.root / key
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(body)

    def keys(self):
        return sorted(str(p.relative_to(self.root)) for p in self.root.rglob("*") if p.is_file())

    def break_it(self):
        self.root.rename(self.root.with_name("away"))
        self.root.write_text("a file in the place of the folder")


class S3Place:
    """A bucket, and a way to it past the storage."""

    def __init__(self, s3, folder):
        self.s3 = s3
        self.storage = s3.bucket()
        self.location = f"s3://{s3.name}"
        self.settings = settings_of(folder, **s3.environ)

    def put(self, key, body):
        self.s3.client.put_object(Bucket=self.s3.name, Key=key, Body=body)

    def keys(self):
        return self.s3.keys()

    def break_it(self):
        for key in self.s3.keys():  # noqa: SIM118  a method of S3
            self.s3.client.delete_object(Bucket=self.s3.name, Key=key)
        self.s3.client.delete_bucket(Bucket=self.s3.name)


@pytest.fixture(params=["folder", "s3"])
def place(request, tmp_path):
    if request.param == "folder":
        return FolderPlace(tmp_path / "backups")
    return S3Place(request.getfixturevalue("s3"), tmp_path / "none")


def put(place, name, body=BODY, **changes):
    """Puts a whole backup there, past the storage."""
    manifest = manifest_for(
        name, size_bytes=len(body), sha256=hashlib.sha256(body).hexdigest(), **changes
    )
    place.put(name.key, body)
    place.put(name.key_of(name.manifest), manifest.dump())
    place.put(name.key_of(name.globals), b"CREATE ROLE koki;")
    return manifest


def the_backup(place):
    (backup,) = place.storage.list_backups()
    return backup


def test_nothing_is_listed_where_nothing_was_ever_written(place):
    assert place.storage.list_backups() == []


def test_backups_of_all_kinds_are_listed_by_time(place):
    kinds = ["pre-restore", "weekly", "daily", "monthly", "pre-deploy"]
    written = [BackupName(NOON + timedelta(hours=n), kind) for n, kind in enumerate(kinds)]
    for name in reversed(written):
        put(place, name)
    assert [backup.name for backup in place.storage.list_backups()] == written


def test_a_listed_backup_has_its_size_manifest_and_location(place):
    manifest = put(place, NAME)
    backup = the_backup(place)
    assert (backup.kind, backup.at, backup.size) == ("daily", NOON, len(BODY))
    assert backup.manifest == manifest
    assert backup.location == f"{place.location}/daily/{NAME}"
    assert backup.in_s3 == place.location.startswith("s3://")
    assert backup.intact


def test_encrypted_backups_are_listed_too(place):
    put(place, BackupName(NOON, "daily", encrypted=True))
    assert the_backup(place).name.encrypted


@pytest.mark.parametrize(
    "key",
    [
        "daily/notes.txt",
        f"weekly/{NAME}",
        f"daily/deep/{NAME}",
        f"{NAME}",
        f"hourly/{NAME}",
        f"daily/{NAME}.part",
        f"daily/x{NAME}",
        f"daily/{NAME.manifest}",
        f"daily/{NAME.globals}",
    ],
)
def test_what_is_not_named_and_placed_like_a_backup_is_none(place, key):
    place.put(key, b"x")
    assert place.storage.list_backups() == []
    assert place.keys() == [key]


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"{}", b"\xff\xfe"])
def test_a_manifest_that_cannot_be_parsed_is_none(place, body):
    place.put(NAME.key, BODY)
    place.put(NAME.key_of(NAME.manifest), body)
    assert the_backup(place).manifest is None
    assert not the_backup(place).intact


def test_a_missing_manifest_is_none(place):
    place.put(NAME.key, BODY)
    assert the_backup(place).manifest is None


def test_a_dump_of_another_size_than_its_manifest_is_not_intact(place):
    put(place, NAME)
    place.put(NAME.key, BODY[:-1])
    assert not the_backup(place).intact


def test_an_opened_backup_gives_its_bytes(place):
    put(place, NAME)
    with place.storage.open(the_backup(place)) as file:
        assert file.read() == BODY


def test_a_local_copy_has_the_bytes_and_leaves_nothing_in_the_scratch_folder(place, tmp_path):
    put(place, NAME)
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    with place.storage.local_copy(the_backup(place), scratch) as file:
        assert file.read() == BODY
    assert list(scratch.iterdir()) == []
    assert len(place.keys()) == 3


def test_a_written_manifest_replaces_the_one_before(place):
    manifest = put(place, NAME).with_timestamps(restored_at=NOON)
    place.storage.write_manifest(the_backup(place), manifest)
    assert the_backup(place).manifest.restored_at == NOON
    assert len(place.keys()) == 3


def test_a_removed_backup_is_gone_with_its_companions_and_no_other(place):
    other = BackupName(NOON + timedelta(seconds=1), "daily")
    put(place, NAME)
    put(place, other)
    place.storage.remove(NAME)
    assert place.keys() == sorted(other.key_of(file) for file in other.files)


def test_removing_what_is_not_there_is_no_error(place):
    place.storage.remove(NAME)
    put(place, NAME)
    place.storage.remove(NAME)
    place.storage.remove(NAME)
    assert place.keys() == []


def open_it(storage, backup, scratch):
    with storage.open(backup) as file:
        file.read()


def copy_it(storage, backup, scratch):
    with storage.local_copy(backup, scratch):
        pass


def list_it(storage, backup, scratch):
    storage.list_backups()


def write_it(storage, backup, scratch):
    storage.write_manifest(backup, backup.manifest)


def remove_it(storage, backup, scratch):
    storage.remove(backup.name)


@pytest.mark.parametrize("act", [open_it, copy_it])
def test_a_backup_that_has_been_removed_meanwhile_is_an_error_that_names_it(place, tmp_path, act):
    put(place, NAME)
    backup = the_backup(place)
    place.storage.remove(NAME)
    with pytest.raises(BackupError) as caught:
        act(place.storage, backup, tmp_path)
    assert str(caught.value).startswith(f"{backup.location}: ")
    assert not isinstance(caught.value, Refused)


@pytest.mark.parametrize("act", [list_it, open_it, copy_it, write_it, remove_it])
def test_a_storage_that_fails_is_an_error_that_begins_with_its_location(place, tmp_path, act):
    put(place, NAME)
    backup = the_backup(place)
    place.break_it()
    with pytest.raises(BackupError) as caught:
        act(place.storage, backup, tmp_path)
    assert str(caught.value).startswith(place.location)
    assert len(str(caught.value).splitlines()) == 1


def test_the_storage_of_a_backup_is_found_by_its_location(place):
    put(place, NAME)
    backup = the_backup(place)
    assert storage_of(backup, place.settings).list_backups() == [backup]


def test_the_newest_intact_one_is_found_and_never_one_before_a_restore(place):
    older = BackupName(NOON, "weekly")
    broken = BackupName(NOON + timedelta(hours=1), "daily")
    before_restore = BackupName(NOON + timedelta(hours=2), "pre-restore")
    put(place, older)
    put(place, broken, verified_at=None)
    put(place, before_restore)
    assert find_backup("latest", place.settings).name == older


# A folder alone


def test_links_and_folders_named_like_backups_are_listed_as_no_files(tmp_path):
    place = FolderPlace(tmp_path)
    put(place, NAME)
    link, folder = (BackupName(NOON + timedelta(hours=n), "daily") for n in (1, 2))
    (tmp_path / link.key).symlink_to(tmp_path / NAME.key)
    (tmp_path / folder.key).mkdir()
    listed = {backup.name: backup.problem for backup in place.storage.list_backups()}
    assert listed == {NAME: "", link: "not a file", folder: "not a file"}
    assert backup_at(tmp_path / link.key) is backup_at(tmp_path / folder.key) is None


def test_a_folder_in_the_place_of_a_manifest_is_no_manifest(tmp_path):
    place = FolderPlace(tmp_path)
    place.put(NAME.key, BODY)
    (tmp_path / NAME.key_of(NAME.manifest)).mkdir()
    assert the_backup(place).manifest is None


def test_leftovers_are_temporary_files_and_companions_without_their_dump(tmp_path):
    place = FolderPlace(tmp_path)
    put(place, NAME)
    put(place, BackupName(NOON, "weekly", encrypted=True))
    whole = place.keys()
    gone = BackupName(NOON + timedelta(hours=1), "daily")
    theirs = ["daily/notes.part", "daily/somebody.globals.sql", "other/steak_kenangan_x.part"]
    ours = [
        f"daily/{gone}.part",
        "steak_kenangan_anything.part",
        gone.key_of(gone.manifest),
        gone.key_of(gone.globals),
    ]
    for key in (*theirs, *ours):
        place.put(key, b"x")
    with place.storage.lock() as lock:
        removed = place.storage.remove_leftovers(lock)
    assert sorted(removed) == sorted(Path(key).name for key in ours)
    assert place.keys() == sorted([*whole, *theirs, ".lock"])


def test_only_the_holder_of_the_lock_may_remove_leftovers(tmp_path):
    storage, other = FolderStorage(tmp_path / "one"), FolderStorage(tmp_path / "other")
    with (
        storage.lock() as lock,
        pytest.raises(ValueError, match=r"the lock of .*other is not held"),
    ):
        other.remove_leftovers(lock)
    with pytest.raises(ValueError, match=r"the lock of .*one is not held"):
        storage.remove_leftovers(lock)


def test_the_lock_is_held_by_one_run_at_a_time(tmp_path):
    storage = FolderStorage(tmp_path)
    with storage.lock(), pytest.raises(Busy, match="nothing was done"), storage.lock():
        pass
    with storage.lock(wait=True):
        pass


# Both together


def test_a_backup_that_lies_in_both_is_listed_from_both(tmp_path, s3):
    places = [FolderPlace(tmp_path / "backups"), S3Place(s3, tmp_path)]
    for place in places:
        put(place, NAME)
    found = list_all([place.storage for place in places])
    assert [backup.location for backup in found] == [
        f"{place.location}/daily/{NAME}" for place in places
    ]


@pytest.mark.fault
def test_a_connection_that_is_cut_while_a_backup_is_read_is_an_error_of_the_storage(
    s3, proxy, tmp_path
):
    place = S3Place(s3, tmp_path)
    put(place, NAME, body=b"x" * 1_000_000)
    proxy.cut_response_after = 300_000
    storage = s3.bucket(proxy.endpoint, timeout=2, attempts=1)
    with pytest.raises(BackupError, match=f"^{place.location}/daily/"):
        open_it(storage, the_backup(place), tmp_path)
    with pytest.raises(BackupError, match=f"^{place.location}/daily/"):
        copy_it(storage, the_backup(place), tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_manifest_that_is_removed_while_backups_are_listed_is_none(s3, proxy, tmp_path):
    place = S3Place(s3, tmp_path)
    put(place, NAME)

    def rotate(block):
        if block.startswith(b"GET") and b"manifest.json" in block.split(b"\r\n")[0]:
            s3.client.delete_object(Bucket=s3.name, Key=NAME.key_of(NAME.manifest))

    proxy.before = rotate
    (backup,) = s3.bucket(proxy.endpoint).list_backups()
    assert backup.manifest is None
