import subprocess

import pytest
from pydantic import ValidationError

from healthkit import Status, load_settings
from healthkit_disk import Disk, Usage, evaluate, measure

GB = 10**9


def usage(used=50.0, free=10 * GB, inodes=10.0):
    return Usage(used, free, inodes)


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


def test_the_installed_plugin_answers_for_its_type():
    document = {"service": {"name": "x"}, "checks": {"disk": {"type": "disk", "path": "/"}}}
    (configured,) = load_settings(document, environ={}).checks
    assert isinstance(configured.check, Disk)
    assert configured.info.target == "/"
