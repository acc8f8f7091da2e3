import os
import struct
import subprocess
import tempfile
import threading
from pathlib import Path

import pytest
from pydantic import ValidationError

import healthkit_disk
from healthkit import Health, Status, load_settings
from healthkit_disk import Disk, Usage, evaluate, measure
from healthkit_disk.mounts import Mount, missing_mount, mount_of, parse_mounts
from healthkit_disk.quota import Quota, parse_quota, read_quotas

GB = 10**9


def usage(used=50.0, free=10 * GB, inodes=10.0, quota=None, read_only=False):
    return Usage(used, free, inodes, quota, read_only)


@pytest.mark.parametrize(
    ("found", "status", "message"),
    [
        (usage(79.9), Status.HEALTHY, "79.9% used, 10.0 GB free"),
        (usage(80.0), Status.DEGRADED, "80% used, 10.0 GB free"),
        (usage(94.9), Status.DEGRADED, "94.9% used, 10.0 GB free"),
        (usage(95.0), Status.UNHEALTHY, "95% used, 10.0 GB free"),
        (usage(inodes=96.0), Status.UNHEALTHY, "96% of inodes used"),
        (usage(inodes=81.0), Status.DEGRADED, "81% of inodes used"),
        (usage(99.0, inodes=81.0), Status.UNHEALTHY, "99% used, 10.0 GB free"),
        (usage(99.0, inodes=98.0), Status.UNHEALTHY, "99% used, 10.0 GB free; 98% of inodes used"),
        (usage(inodes=None), Status.HEALTHY, "50% used, 10.0 GB free"),
        (usage(quota=79.9), Status.HEALTHY, "50% used, 10.0 GB free"),
        (usage(quota=80.0), Status.DEGRADED, "80% of the quota used"),
        (usage(quota=100.0), Status.UNHEALTHY, "100% of the quota used"),
        (usage(read_only=True), Status.UNHEALTHY, "mounted read-only"),
    ],
)
def test_a_disk_is_judged_by_bytes_and_inodes(found, status, message):
    outcome = evaluate(found, Disk(path="/"))
    assert (outcome.status, outcome.message) == (status, message)


def test_inodes_are_told_but_not_judged_when_they_are_switched_off():
    outcome = evaluate(usage(inodes=99.0), Disk(path="/", inodes=False))
    assert outcome.status is Status.HEALTHY
    assert outcome.details["inodes_used_percent"] == 99.0


def test_less_free_than_min_free_is_unhealthy_at_any_share():
    limits = Disk(path="/", min_free="2GB")
    outcome = evaluate(usage(10.0, free=1_500_000_000), limits)
    assert outcome.status is Status.UNHEALTHY
    assert outcome.message == "1.5 GB free, less than 2.0 GB"
    assert evaluate(usage(10.0, free=2 * GB), limits).status is Status.HEALTHY


def test_a_real_file_system_is_measured_as_df_measures_it(tmp_path):
    df = subprocess.run(
        ["df", "--output=pcent,avail", "-B1", str(tmp_path)], capture_output=True, text=True
    ).stdout.split()
    found = measure(tmp_path)
    assert abs(int(df[-2].rstrip("%")) - found.used_percent) <= 1.1  # df rounds up
    assert abs(int(df[-1]) - found.free_bytes) < 500_000_000  # others write meanwhile


def test_the_check_reports_what_it_measured(tmp_path, run_check):
    outcome = run_check(Disk(path=tmp_path, warn="99.8%", fail="99.9%", inodes=False))
    assert set(outcome.details) >= {"used_percent", "free_bytes"}
    assert 0 <= outcome.details["used_percent"] <= 100


def test_a_file_system_without_blocks_or_inodes_is_fine(run_check):
    outcome = run_check(Disk(path="/proc/self"))
    assert outcome.status is Status.HEALTHY
    assert outcome.details == {"used_percent": 0.0, "free_bytes": 0}


def test_a_missing_path_is_unhealthy_and_named(tmp_path, run_check):
    outcome = run_check(Disk(path=tmp_path / "gone"))
    assert outcome.status is Status.UNHEALTHY
    assert outcome.message == f"{tmp_path}/gone: does not exist"


@pytest.mark.parametrize(
    ("keys", "key", "message"),
    [
        ({"warn": "95%", "fail": "80%"}, "fail", "80% must be more than warn (95%)"),
        ({"warn": "97%"}, "fail", "95% must be more than warn (97%)"),
        ({"warn": "80"}, "warn", "is not a share"),
        ({"min_free": "lots"}, "min_free", "is not a size"),
        ({"treshold": "80%"}, "treshold", "Extra inputs"),
    ],
)
def test_a_mistake_names_its_key(keys, key, message):
    with pytest.raises(ValidationError, match=r".") as caught:
        Disk(path="/", **keys)
    (fault,) = caught.value.errors()
    assert fault["loc"] == (key,)
    assert message in fault["msg"]


# Mounted, and taking writes


MOUNTINFO = r"""
22 1 0:21 / / rw,relatime shared:1 - ext4 /dev/vda1 rw
23 22 0:22 / /mnt/backup rw,noatime - nfs4 nas:/backup rw,vers=4.2
24 22 0:23 / /mnt/with\040space\134 ro,nosuid master:2 - xfs /dev/vdb rw
25 22 0:24 / /mnt/broken rw - ext4 /dev/vdc rw,emergency_ro,errors=remount-ro
26 22 0:25 / /mnt/frozen rw - ext4 /dev/vdd ro
27 26 0:26 / /mnt/frozen rw - tmpfs tmpfs rw
""".strip()
FSTAB = r"""
# <file system> <mount point> <type> <options>
/dev/vda1 / ext4 errors=remount-ro 0 1
nas:/backup /mnt/backup nfs4 nofail 0 0
LABEL=data /mnt/data xfs
LABEL=inner /mnt/data/inner\040one xfs defaults
LABEL=stick /mnt/stick vfat user,noauto 0 0
/dev/vdz none swap sw 0 0
broken
"""


@pytest.mark.parametrize(
    ("path", "point", "read_only"),
    [
        ("/", "/", False),
        ("/mnt/backups", "/", False),
        ("/mnt/backup/daily", "/mnt/backup", False),
        ("/mnt/with space\\", "/mnt/with space\\", True),
        ("/mnt/broken/x", "/mnt/broken", True),
        ("/mnt/frozen", "/mnt/frozen", False),  # another one was mounted over it
    ],
)
def test_a_path_belongs_to_the_innermost_mount_and_of_several_to_the_uppermost(
    path, point, read_only
):
    mount = mount_of(Path(path), parse_mounts(MOUNTINFO))
    assert (mount.point, mount.read_only) == (Path(point), read_only)


@pytest.mark.parametrize(
    ("path", "missing"),
    [
        ("/mnt/backup/daily", None),
        ("/mnt/data", "/mnt/data"),
        ("/mnt/data/deep/down", "/mnt/data"),
        ("/mnt/data/inner one/x", "/mnt/data/inner one"),
        ("/mnt/database", None),
        ("/mnt/stick/x", None),
        ("/srv", None),
    ],
)
def test_a_disk_that_fstab_has_mounted_and_is_not_is_missed(path, missing):
    found = missing_mount(Path(path), parse_mounts(MOUNTINFO), FSTAB)
    assert found == (missing and Path(missing))


def test_a_folder_whose_disk_is_not_mounted_is_unhealthy(tmp_path, run_check, monkeypatch):
    fstab = tmp_path / "fstab"
    fstab.write_text(f"LABEL=data {tmp_path}/data ext4 defaults 0 2\n")
    monkeypatch.setattr(healthkit_disk, "FSTAB", fstab)
    (tmp_path / "data/daily").mkdir(parents=True)
    (tmp_path / "link").symlink_to("data/daily")
    for path in ("data", "data/daily", "data/gone", "link"):
        outcome = run_check(Disk(path=tmp_path / path))
        assert outcome.status is Status.UNHEALTHY
        assert outcome.message == f"{tmp_path}/data: the disk is not mounted"
    assert run_check(Disk(path=tmp_path / "data", mount=False)).details["free_bytes"] > 0
    assert run_check(Disk(path=tmp_path)).details["free_bytes"] > 0


def test_mount_true_wants_a_disk_at_the_very_path(tmp_path, run_check, small_disk):
    outcome = run_check(Disk(path=tmp_path, mount=True))
    assert outcome.status is Status.UNHEALTHY
    assert outcome.message == f"{tmp_path}: the disk is not mounted"
    disk = small_disk(2)
    (disk / "daily").mkdir()
    assert run_check(Disk(path=disk, mount=True)).status is Status.HEALTHY
    assert run_check(Disk(path=disk / "daily", mount=True)).status is Status.UNHEALTHY


def test_a_disk_that_became_read_only_is_unhealthy_unless_it_is_meant_to_be(small_disk, run_check):
    disk = small_disk(2)
    assert run_check(Disk(path=disk)).status is Status.HEALTHY
    subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)
    outcome = run_check(Disk(path=disk))
    assert (outcome.status, outcome.message) == (Status.UNHEALTHY, "mounted read-only")
    assert run_check(Disk(path=disk, read_only=True)).status is Status.HEALTHY


def test_inodes_that_run_out_are_told_of_a_real_disk(small_disk, run_check):
    disk = small_disk(2)
    subprocess.run(["mount", "-o", "remount,nr_inodes=20", str(disk)], check=True)
    for number in range(19):
        (disk / str(number)).touch()
    outcome = run_check(Disk(path=disk))
    assert (outcome.status, outcome.message) == (Status.UNHEALTHY, "100% of inodes used")


def block(*numbers):
    return struct.pack("=8QI4x", *numbers, 0, 0, 0)


@pytest.mark.parametrize(
    ("numbers", "quota"),
    [
        ((1000, 500, 512_000, 100, 50, 96), Quota(50.0, 512_000, 96.0)),
        ((0, 500, 512_000, 0, 50, 25), Quota(100.0, 0, 50.0)),
        ((0, 500, 1_024_000, 0, 0, 25), Quota(200.0, 0, None)),
        ((0, 0, 512_000, 0, 0, 25), Quota(None, None, None)),
    ],
)
def test_a_quota_is_read_by_its_hard_limit_else_by_its_soft_one(numbers, quota):
    assert parse_quota(block(*numbers)) == quota


def test_a_quota_bounds_what_is_free_and_its_inodes_count(tmp_path, monkeypatch):
    quotas = [parse_quota(block(1000, 0, 1_000_000, 10, 0, 10)), parse_quota(block(*[0] * 6))]
    monkeypatch.setattr(healthkit_disk, "read_quotas", lambda path: quotas)
    found = measure(tmp_path)
    assert (found.free_bytes, found.quota_used_percent) == (24_000, 97.7)
    assert found.inodes_used_percent == 100.0


def test_where_quotas_are_off_there_are_none(small_disk):
    assert read_quotas(small_disk(2)) == []
    assert read_quotas(Path(tempfile.gettempdir())) == [] or os.geteuid() != 0


@pytest.mark.parametrize("odd", ["\x0b", "\x0c", "\r", "\x1c", "\x85", "\u2028"])
def test_a_mount_whose_name_has_an_odd_sign_is_one_mount_and_hides_no_other(odd):
    """The kernel escapes blanks, tabs, line feeds and backslashes, and nothing else."""
    name = f"/mnt/a{odd}b"
    text = f"30 28 0:45 / {name} rw - fuse f rw\n31 28 8:1 / /mnt/disk ro - ext4 d ro\n"
    assert parse_mounts(text) == [Mount(Path(name), False), Mount(Path("/mnt/disk"), True)]
    assert missing_mount(Path(name), [], f"/dev/sdb1 {name} ext4\n") == Path(name)


@pytest.mark.parametrize("odd", ["\r", "\x0c", "\udcff"])
def test_a_disk_is_judged_by_its_own_mount_beside_an_odd_one(odd, tmp_path, run_check, monkeypatch):
    file, path = tmp_path / "mountinfo", tmp_path / f"a{odd}b"
    path.mkdir()
    file.write_bytes(os.fsencode(f"30 28 0:45 / {path} ro - fuse f ro\n"))
    monkeypatch.setattr(healthkit_disk, "MOUNTINFO", file)
    assert "mounted read-only" in run_check(Disk(path=path, mount=True)).message


def test_a_line_that_is_no_mount_is_left_out():
    assert parse_mounts("\nodd\n31 28 8:1 / /mnt ro - ext4 d ro") == [Mount(Path("/mnt"), True)]


def test_a_network_mount_that_hangs_is_told_and_holds_up_nothing(tmp_path, monkeypatch):
    answers = threading.Event()
    statvfs = os.statvfs

    def hang(path):
        if Path(path).name == "nfs":
            answers.wait(60)
        return statvfs(path)

    monkeypatch.setattr(os, "statvfs", hang)
    (tmp_path / "nfs").mkdir()
    table = {"type": "disk", "path": str(tmp_path), "warn": "99.8%", "fail": "99.9%"}
    checks = {"near": table, "far": {**table, "path": str(tmp_path / "nfs"), "timeout": "100ms"}}
    health = Health(load_settings({"service": {"name": "x"}, "checks": checks}, environ={}))
    report = {result.check.name: result.outcome for result in health.check_once().results}
    answers.set()
    assert report["far"].message == "no answer within 0.1s"
    assert "used" in report["near"].message


def test_the_installed_plugin_answers_for_its_type():
    document = {"service": {"name": "x"}, "checks": {"disk": {"type": "disk", "path": "/"}}}
    (configured,) = load_settings(document, environ={}).checks
    assert isinstance(configured.check, Disk)
    assert configured.info.target == "/"
