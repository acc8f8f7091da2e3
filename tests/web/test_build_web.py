"""The build of the front end, with a real Node on a project small enough to be quick."""

from __future__ import annotations

import json
import os
import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tools import build_web

BUILD = """
import { appendFileSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
const out = process.argv[2].replace("--outDir=", "");
const source = readFileSync("src/page.txt", "utf8");
if (source.includes("broken")) throw new Error("page.txt is broken");
mkdirSync(out, { recursive: true });
writeFileSync(`${out}/index.html`, source);
appendFileSync(process.env.BUILDS, `${process.version}\\n`);
"""


class Project:
    """A front end of one page that counts its builds."""

    def __init__(self, folder: Path) -> None:
        self.web = folder / "web"
        self.builds = folder / "builds"
        (self.web / "src").mkdir(parents=True)
        manifest = {"name": "small", "version": "1.0.0", "scripts": {"build": "node build.mjs"}}
        lock = {
            "name": "small",
            "version": "1.0.0",
            "lockfileVersion": 3,
            "packages": {"": manifest},
        }
        (self.web / "package.json").write_text(json.dumps(manifest))
        (self.web / "package-lock.json").write_text(json.dumps(lock))
        (self.web / "build.mjs").write_text(BUILD)
        self.write("first")

    def write(self, text: str) -> None:
        (self.web / "src" / "page.txt").write_text(text)

    def build(self, path: str = os.environ["PATH"]) -> int:
        return build_web.main([], {"PATH": path}, self.web)

    @property
    def built(self) -> str:
        return (self.web / "dist" / "index.html").read_text()

    @property
    def nodes(self) -> list[str]:
        """The version of Node of every build so far."""
        return self.builds.read_text().split() if self.builds.exists() else []


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    found = Project(tmp_path)
    monkeypatch.setenv("BUILDS", str(found.builds))
    return found


@pytest.fixture
def bare_path(tmp_path: Path) -> Path:
    """A PATH on which there is a shell and nothing else."""
    folder = tmp_path / "bin"
    folder.mkdir()
    (folder / "sh").symlink_to(shutil.which("sh") or "/bin/sh")
    return folder


def test_it_builds_once_and_again_only_when_a_source_has_changed(project: Project) -> None:
    assert project.build() == 0
    assert project.build() == 0
    assert (project.built, len(project.nodes)) == ("first", 1)
    project.write("second")
    assert project.build() == 0
    assert (project.built, len(project.nodes)) == ("second", 2)


@pytest.mark.deep
def test_a_source_that_is_only_touched_builds_nothing(project: Project) -> None:
    project.build()
    os.utime(project.web / "src" / "page.txt", (1, 1))
    project.build()
    assert len(project.nodes) == 1


@pytest.mark.deep
def test_packages_are_installed_again_only_when_the_lock_has_changed(project: Project) -> None:
    project.build()
    kept = project.web / "node_modules" / "kept"
    kept.touch()
    project.write("second")
    project.build()
    assert kept.exists()
    lock = project.web / "package-lock.json"
    lock.write_text(lock.read_text() + "\n")
    project.build()
    assert not kept.exists(), "npm ci begins with an empty folder"


@pytest.mark.deep
def test_a_build_that_fails_says_so_in_one_line_and_keeps_the_one_before(
    project: Project, capfd: pytest.CaptureFixture[str]
) -> None:
    project.build()
    project.write("broken")
    capfd.readouterr()
    assert project.build() == 2
    *_, line = capfd.readouterr().err.splitlines()
    assert line.startswith("build_web: npm run build failed: ")
    assert "page.txt is broken" in line
    assert "to see all of it: cd " in line
    assert project.built == "first"
    project.write("mended")
    assert project.build() == 0
    assert project.built == "mended"


def test_packages_that_cannot_be_fetched_are_a_failure_in_one_line(
    project: Project, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("npm_config_offline", "true")
    manifest = json.loads((project.web / "package.json").read_text())
    manifest["dependencies"] = {"out-of-reach": "1.0.0"}
    (project.web / "package.json").write_text(json.dumps(manifest))
    assert project.build() == 2
    *_, line = capfd.readouterr().err.splitlines()
    assert line.startswith("build_web: npm ci failed: npm error")
    assert "out-of-reach" in line


def test_without_node_on_the_path_the_wheel_brings_it(project: Project, bare_path: Path) -> None:
    assert project.build(str(bare_path)) == 0
    assert project.built == "first"
    assert len(project.nodes) == 1


@pytest.mark.deep
@pytest.mark.parametrize("version", ["v18.20.4", "v20.18.3", "v21.7.3", "nonsense"])
def test_a_node_that_is_too_old_is_passed_over(
    project: Project, bare_path: Path, version: str
) -> None:
    for name in ("node", "npm"):
        (bare_path / name).write_text(f"#!/bin/sh\necho {version}\n")
        (bare_path / name).chmod(0o755)
    assert project.build(str(bare_path)) == 0
    assert version not in project.nodes


@pytest.mark.deep
def test_two_at_once_build_once(project: Project) -> None:
    with ThreadPoolExecutor(2) as pool:
        assert [one.result() for one in [pool.submit(project.build) for _ in range(2)]] == [0, 0]
    assert len(project.nodes) == 1
    assert project.built == "first"
