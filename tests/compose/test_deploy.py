"""A version is replaced, rolled back and refused while tills sell: nothing is lost."""

import shutil
import signal
import socket
import subprocess
import threading

import pytest

from healthkit.testing import wait_until
from tests.compose.production import Tills, need_engine, production
from tests.deploy.stack import ROOT

pytestmark = [pytest.mark.deep, pytest.mark.compose_long, pytest.mark.timeout(1800)]

STEPS = ("build", "lint", "configuration", "backup", "migrate", "roll", "publish", "smoke")


def docker(*arguments, text=None):
    subprocess.run(["docker", *arguments], check=True, capture_output=True, input=text, text=True)


@pytest.fixture(scope="module")
def stack(tmp_path_factory):
    need_engine()
    for kind in ("backend", "frontend"):
        for version in ("v1", "v2"):
            labelled = f'FROM steak-kenangan/{kind}:local\nLABEL version="{version}"\n'
            docker("build", "-t", f"steak-kenangan/{kind}:{version}", "-", text=labelled)
    broken = "FROM steak-kenangan/backend:local\nENV PORT=many\n"
    docker("build", "-t", "steak-kenangan/backend:misconfigured", "-", text=broken)
    dies = 'FROM steak-kenangan/backend:local\nCMD ["sh", "-c", "echo no luck; exit 3"]\n'
    docker("build", "-t", "steak-kenangan/backend:dies", "-", text=dies)
    for version in ("misconfigured", "dies"):
        docker("tag", "steak-kenangan/frontend:local", f"steak-kenangan/frontend:{version}")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with production(tmp_path_factory.mktemp("production"), port) as found:
        found.environ |= {"CHECKOUT": str(ROOT), "BUILD_NETWORK": "host"}
        found.compose("exec", "-T", "backup", "posapp", "backup", "daily")
        yield found


def deploy(stack, script, *arguments):
    return subprocess.run(
        [str(stack.folder / script), *arguments],
        env=stack.environ,
        capture_output=True,
        text=True,
        check=False,
        timeout=600,
    )


def served(stack):
    images = {stack.inspect(c)["Config"]["Image"] for c in stack.containers("backend")}
    return {image.rpartition(":")[2] for image in images}


def test_nothing_is_lost_over_a_deploy_a_rollback_and_a_version_that_is_refused(stack):
    with Tills(stack, 6) as tills:
        for script, arguments, version in (
            ("deploy.sh", ["v1"], "v1"),
            ("deploy.sh", ["v2"], "v2"),
            ("rollback.sh", [], "v1"),
        ):
            done = deploy(stack, script, *arguments)
            assert done.returncode == 0, done.stdout + done.stderr
            assert served(stack) == {version}
            assert f"POS_VERSION={version}\n" in (stack.folder / ".env").read_text()
        for version, word in (("misconfigured", "configuration"), ("dies", "going back to v1")):
            done = deploy(stack, "deploy.sh", version)
            assert done.returncode == 1
            assert word in done.stdout
            assert served(stack) == {"v1"}
        tills.sell_on(50)
    tills.report("deploy, deploy, rollback, two refused")
    tills.each_order_once()
    assert set(tills.answers) <= {201, 0}
    log = (stack.folder / "var/deploy.log").read_text().splitlines()
    assert all(line.split()[0].endswith("Z") and len(line.split()) > 2 for line in log)


def test_two_at_once_are_one(stack):
    results = []
    both = [
        threading.Thread(target=lambda: results.append(deploy(stack, "deploy.sh", "v2")))
        for _ in range(2)
    ]
    for one in both:
        one.start()
    for one in both:
        one.join()
    codes = sorted(done.returncode for done in results)
    assert codes == [0, 2]
    refused = next(done for done in results if done.returncode == 2)
    assert len(refused.stderr.splitlines()) == 1
    assert "another deployment" in refused.stderr


@pytest.mark.parametrize("step", STEPS)
def test_a_deployment_that_is_killed_after_a_step_is_finished_by_the_next(stack, step):
    target = ({"v1", "v2"} - served(stack)).pop()
    log = stack.folder / "var/deploy.log"
    known = log.read_text().count(f"{target}: {step}\n")
    with Tills(stack, 2) as tills:
        killed = subprocess.Popen(
            [str(stack.folder / "deploy.sh"), target],
            env=stack.environ,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        wait_until(lambda: log.read_text().count(f"{target}: {step}\n") > known, 300)
        killed.send_signal(signal.SIGKILL)
        killed.wait()
        tills.sell_on(10)
        done = deploy(stack, "deploy.sh", target)
        assert done.returncode == 0, done.stdout + done.stderr
        assert served(stack) == {target}
        tills.sell_on(10)
    tills.each_order_once()


MISTAKES = {
    "no version": ([], "name the version"),
    "a path": (["../x"], "name the version"),
    "an option": (["-x"], "name the version"),
    "another": (["v1", "--force"], "--force"),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_a_mistake_is_one_line_and_changes_nothing(stack, name):
    arguments, word = MISTAKES[name]
    before = (served(stack), (stack.folder / ".env").read_text())
    done = deploy(stack, "deploy.sh", *arguments)
    assert (done.returncode, len(done.stderr.splitlines())) == (2, 1)
    assert word in done.stderr
    assert before == (served(stack), (stack.folder / ".env").read_text())


def test_without_a_young_backup_nothing_is_deployed(stack):
    daily = stack.folder / "backups/daily"
    hidden = daily.with_name("hidden")
    shutil.move(daily, hidden)
    try:
        done = deploy(stack, "deploy.sh", "v1")
    finally:
        shutil.move(hidden, daily)
    assert (done.returncode, len(done.stderr.splitlines())) == (2, 1)
    assert "26 hours" in done.stderr
