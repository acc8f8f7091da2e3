"""The front end's own sources: what can be told without a browser."""

from __future__ import annotations

import gzip
import json
import os
import re

import pytest

from tools import build_web

LOCK = json.loads((build_web.WEB / "package-lock.json").read_text())["packages"]


def test_its_unit_tests_pass() -> None:
    assert build_web.main(["--test"], os.environ) == 0


def test_what_the_order_screen_loads_first_is_under_200_kb_of_javascript() -> None:
    assert build_web.main([], os.environ) == 0
    dist = build_web.WEB / "dist"
    scripts = re.findall(r'"/(assets/[^"]+\.js)"', (dist / "index.html").read_text())
    weight = sum(len(gzip.compress((dist / name).read_bytes(), 9)) for name in scripts)
    assert 100_000 < weight <= 200_000


def test_the_lock_names_no_address_but_a_checksum_for_every_package() -> None:
    assert [name for name, entry in LOCK.items() if "resolved" in entry] == []
    assert [name for name, entry in LOCK.items() if name and "integrity" not in entry] == []


@pytest.mark.parametrize("machine", ["x64", "arm64"])
def test_the_lock_installs_on_both_kinds_of_linux_machine(machine: str) -> None:
    families = ("@rolldown/binding", "lightningcss", "@rollup/rollup")
    systems = [f"linux-{machine}-{libc}" for libc in ("gnu", "musl")]
    native = {f"node_modules/{family}-{system}" for family in families for system in systems}
    assert native <= set(LOCK)
    assert all(LOCK[name]["optional"] for name in native)
