import re
import tomllib
from pathlib import Path

import pytest
from pydantic import ValidationError

from healthkit import Health, Status, load_settings
from healthkit_memory import (
    Load,
    Memory,
    MemoryUsage,
    evaluate_load,
    evaluate_memory,
    measure_memory,
)
from healthkit_memory.cgroup import Limit, read_limit

README = Path(__file__).parent.parent / "README.md"
GB = 10**9


def usage(used, **more):
    return MemoryUsage(total=100 * GB, available=(100 - used) * GB, **more)


@pytest.mark.parametrize(
    ("found", "status", "message"),
    [
        (usage(84), Status.HEALTHY, "84% used, 16.0 GB available"),
        (usage(85), Status.DEGRADED, "85% used, 15.0 GB available"),
        (usage(95), Status.UNHEALTHY, "95% used, 5.0 GB available"),
        (usage(10, swap_total=10, swap_used=9), Status.UNHEALTHY, "90.0% of the swap used"),
        (usage(10, swap_total=10, swap_used=8), Status.HEALTHY, "10% used, 90.0 GB available"),
        (
            usage(10, limit=Limit(2 * GB, int(1.9 * GB))),
            Status.UNHEALTHY,
            "95% used, 90.0 GB available, 1.9 GB of the container's 2.0 GB",
        ),
        (MemoryUsage(0, 0), Status.HEALTHY, "0% used, 0 B available"),
    ],
)
def test_memory_is_judged_by_the_share_that_cannot_be_had(found, status, message):
    outcome = evaluate_memory(found, Memory(swap_fail="90%"))
    assert (outcome.status, outcome.message) == (status, message)


@pytest.mark.parametrize(
    ("average", "cores", "status"),
    [
        (2.9, 2, Status.HEALTHY),
        (3.0, 2, Status.DEGRADED),
        (6.0, 2, Status.UNHEALTHY),
        (6.0, 8, Status.HEALTHY),
        (1.0, 0, Status.HEALTHY),
    ],
)
def test_the_load_is_judged_for_each_core(average, cores, status):
    outcome = evaluate_load(average, cores, Load())
    assert outcome.status is status
    assert outcome.message == f"load {average:.2f} on {cores} cores in 5 min"


@pytest.mark.parametrize(
    ("kind", "keys"),
    [
        (Memory, {"warn": "95%", "fail": "95%"}),
        (Memory, {"fail": "50%"}),
        (Load, {"warn": 5, "fail": 2}),
        (Load, {"warn": 0}),
        (Load, {"minutes": 10}),
    ],
)
def test_limits_that_cannot_be_meant_are_refused(kind, keys):
    with pytest.raises(ValidationError):
        kind(**keys)


@pytest.fixture
def group(tmp_path):
    """`group("a/b", most="1000", current=900, cached=100)` writes a cgroup's files."""

    def write(path, most, current, cached):
        folder = tmp_path / "cgroup" / path
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "memory.max").write_text(f"{most}\n")
        (folder / "memory.current").write_text(f"{current}\n")
        (folder / "memory.stat").write_text(f"anon 1\ninactive_file {cached}\n")

    return write


def limit_at(tmp_path, line):
    (tmp_path / "own").write_text(line)
    return read_limit(tmp_path / "cgroup", tmp_path / "own")


def test_the_tightest_limit_above_the_process_counts_without_cached_files(tmp_path, group):
    group("", "max", 5000, 0)
    group("slice", 1000, 950, 100)
    group("slice/service", 2000, 900, 0)
    assert limit_at(tmp_path, "0::/slice/service\n") == Limit(1000, 850)
    assert limit_at(tmp_path, "0::/\n") is None, "no limit"


@pytest.mark.parametrize("line", ["", "1:memory:/x\n", "0::/none\n", "0::/../..\n"])
def test_where_no_limit_can_be_read_there_is_none(tmp_path, line):
    assert limit_at(tmp_path, line) is None


def test_odd_files_are_no_limit(tmp_path, group):
    group("a", "x", 1, 0)
    group("b", 0, 1, 0)
    group("c", 100, 50, "x")
    assert limit_at(tmp_path, "0::/a\n") is None
    assert limit_at(tmp_path, "0::/b\n") is None
    assert limit_at(tmp_path, "0::/c\n") == Limit(100, 50)
    assert read_limit(tmp_path, tmp_path / "missing") is None


def test_this_machine_has_memory():
    found = measure_memory()
    assert found.total > found.available > 0


def test_the_readmes_example_runs():
    (example,) = re.findall(r"```toml\n(.*?)```", README.read_text(), re.DOTALL)
    settings = load_settings({"service": {"name": "x"}, **tomllib.loads(example)})
    report = Health(settings).check_once()
    assert report.result("memory").outcome.details["used_percent"] > 0
    assert report.result("load").outcome.details["cores"] >= 1
