"""How the figures of a file system are counted and where it is mounted, without a disk."""

import os
from pathlib import Path

import pytest
from pydantic import ValidationError

import healthkit_disk
from healthkit import Status
from healthkit_disk import Disk, Usage, evaluate, measure, mount_fault
from healthkit_disk.mounts import Mount

BACKUP = Path("/mnt/backup")


@pytest.fixture
def measured(monkeypatch):
    """Measures a file system of 1000 blocks and 300 inodes, of which some are root's alone."""

    def measured(read_only=False, mounts=(), **counts):
        whole = {"blocks": 1000, "bfree": 400, "bavail": 350, "files": 300, "ffree": 200}
        one = {**whole, "favail": 150, "flag": os.ST_RDONLY if read_only else 0, **counts}
        found = os.statvfs_result((65_536, 4096, *one.values(), 255))
        monkeypatch.setattr(os, "statvfs", lambda path: found)
        monkeypatch.setattr(healthkit_disk, "read_quotas", lambda path: [])
        return measure(BACKUP, mounts)

    return measured


def test_what_is_kept_for_root_counts_neither_as_used_nor_as_free(measured):
    """600 of 950 blocks, 100 of 250 inodes; a block has f_frsize bytes, not f_bsize."""
    assert measured() == Usage(63.2, 350 * 4096, 40.0, None, False)


def test_a_share_is_rounded_to_a_tenth_of_a_percent(measured):
    assert measured(files=201, ffree=200, favail=149).inodes_used_percent == 0.7
    assert measured(bfree=1, bavail=1).used_percent == 99.9


def test_a_file_system_that_counts_nothing_has_no_share_of_inodes(measured):
    none = measured(blocks=0, bfree=0, bavail=0, files=0, ffree=0, favail=0)
    assert none == Usage(0.0, 0, None, None, False)


@pytest.mark.parametrize(
    ("by_flag", "by_mount", "read_only"),
    [(False, False, False), (True, False, True), (False, True, True), (True, True, True)],
)
def test_a_disk_takes_no_writes_where_the_kernel_or_its_mount_says_so(
    measured, by_flag, by_mount, read_only
):
    mounts = [Mount(Path("/"), True), Mount(BACKUP, by_mount)]
    assert measured(by_flag, mounts).read_only is read_only


def test_what_was_not_measured_is_no_fault():
    outcome = evaluate(Usage(50.0, 10**10, None), Disk(path="/"))
    assert (outcome.status, outcome.details) == (
        Status.HEALTHY,
        {"used_percent": 50.0, "free_bytes": 10**10},
    )


@pytest.mark.parametrize(("warn", "fail"), [("80%", "80%"), ("80%", "79.9%"), ("95%", None)])
def test_fail_must_be_more_than_warn(warn, fail):
    with pytest.raises(ValidationError, match=rf"must be more than warn \({warn}\)"):
        Disk(path="/", warn=warn, **({"fail": fail} if fail else {}))
    assert Disk(path="/", warn="80%", fail="80.1%").fail == 80.1


def test_a_disk_is_mounted_where_the_table_of_mounts_or_the_system_says_so():
    mounts = [Mount(BACKUP, False)]
    assert mount_fault(BACKUP, mounts, True) is None
    assert mount_fault(Path("/"), [], True) is None, "a system without such a table"
    for path, table in ((BACKUP, []), (BACKUP / "daily", mounts), (Path("/mnt"), mounts)):
        assert mount_fault(path, table, True) == f"{path}: the disk is not mounted"
        assert mount_fault(path, table, False) is None


def test_where_fstab_says_so_a_disk_is_to_be_mounted(tmp_path, monkeypatch):
    fstab = tmp_path / "fstab"
    monkeypatch.setattr(healthkit_disk, "FSTAB", fstab)
    assert mount_fault(BACKUP, [], None) is None, "not every system has one"
    fstab.write_text(f"LABEL=backup {BACKUP} ext4 defaults 0 2\n")
    assert mount_fault(BACKUP, [Mount(BACKUP, False)], None) is None
    assert mount_fault(BACKUP / "daily", [], None) == f"{BACKUP}: the disk is not mounted"
