"""publish.sh puts a build where nginx serves it, and leaves no old tab without its files."""

import os
import shutil
import subprocess

import pytest

from tests.deploy import nginx
from tests.deploy.stack import DEPLOY

DSN = "https://abc@sentry.example.com/7"


@pytest.fixture
def publish(tmp_path):
    (tmp_path / "hashes").write_text("\n".join(nginx.HASHES))
    (tmp_path / "pages").mkdir()

    def publish(name, **environ):
        build = tmp_path / f"build-{name}"
        if not build.exists():
            nginx.small_build(build, name)
        return subprocess.run(
            [str(DEPLOY / "nginx/publish.sh"), str(build), str(tmp_path / "pages")],
            env={"PATH": os.environ["PATH"], "STYLE_HASHES": str(tmp_path / "hashes"), **environ},
            capture_output=True,
            text=True,
            check=False,
        )

    return publish


def assets(tmp_path):
    return sorted(path.name for path in (tmp_path / "pages/assets").iterdir())


def served(tmp_path):
    return (tmp_path / "pages/current/index.html").read_text()


def test_the_files_of_the_last_two_builds_stay_and_older_ones_go(publish, tmp_path):
    for number, name in enumerate("abcde"):
        assert publish(name).returncode == 0
        for folder in (tmp_path / "pages/builds").iterdir():  # each is a minute older than the next
            times = folder.stat()
            os.utime(folder, (times.st_atime - 60, times.st_mtime - 60))
        assert f">{name}<" in served(tmp_path)
        expected = [f"index-{one}.js" for one in "abcde"[max(0, number - 2) : number + 1]]
        assert assets(tmp_path) == expected


def test_the_build_before_is_published_again_by_a_rollback(publish, tmp_path):
    publish("a")
    publish("b")
    publish("a")
    assert ">a<" in served(tmp_path)
    assert assets(tmp_path) == ["index-a.js", "index-b.js"]


def test_what_is_published_twice_is_there_once(publish, tmp_path):
    first = publish("a").stdout
    assert publish("a").stdout == first
    assert len(list((tmp_path / "pages/builds").iterdir())) == 1


def test_a_publication_that_was_killed_is_done_again_whole(publish, tmp_path):
    publish("a")
    half = tmp_path / "pages/.coming-000000000000"
    shutil.copytree(tmp_path / "build-a", half)
    assert publish("b").returncode == 0
    assert not half.exists()
    assert ">b<" in served(tmp_path)


def test_the_pages_are_told_where_to_report_faults_and_may(publish, tmp_path):
    assert publish("a", VITE_SENTRY_DSN=DSN).returncode == 0
    assert f'<meta name="sentry-dsn" content="{DSN}"></head>' in served(tmp_path)
    policy = (tmp_path / "pages/current/.policy").read_text()
    assert "connect-src 'self' https://sentry.example.com;" in policy


@pytest.mark.parametrize(
    "dsn",
    ["sentry", "https://host/1", "https://k@h/x", 'https://k@h/1"><script>', "https://k@h; x/1"],
)
def test_an_address_that_is_none_changes_nothing(publish, tmp_path, dsn):
    publish("a")
    done = publish("b", VITE_SENTRY_DSN=dsn)
    assert done.returncode == 2
    assert len(done.stderr.splitlines()) == 1
    assert done.stderr.startswith("publish: VITE_SENTRY_DSN: ")
    assert ">a<" in served(tmp_path)
    assert assets(tmp_path) == ["index-a.js"]


def test_no_build_is_one_line(publish, tmp_path):
    (tmp_path / "build-x").mkdir()
    done = publish("x")
    assert (done.returncode, len(done.stderr.splitlines())) == (2, 1)
