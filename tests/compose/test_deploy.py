"""A version is replaced, rolled back and refused while tills sell: nothing is lost."""

import shutil
import socket
import subprocess
import threading
import time

import pytest

from healthkit.testing import wait_until
from posapp.database.schema import HEAD
from tests.compose.crowd import Crowd
from tests.compose.production import Tills, need_engine, production
from tests.deploy.stack import ROOT

pytestmark = [pytest.mark.deep, pytest.mark.compose_long, pytest.mark.timeout(1800)]

STEPS = ("build", "lint", "configuration", "backup", "migrate", "roll", "publish", "smoke")
LEAST = 120
"""Seconds of selling over deployments that are nothing special."""
NEXT = "0012_next"
MIGRATION = f'''
from alembic import op

revision, down_revision, branch_labels, depends_on = "{NEXT}", "{HEAD}", None, None


def upgrade() -> None:
    op.execute("ALTER TABLE orders ADD COLUMN next_note text")
'''
VERSIONS = ("v1", "v2", "next", "misconfigured", "dies")


def docker(*arguments, text=None):
    subprocess.run(["docker", *arguments], check=True, capture_output=True, input=text, text=True)


def remove_images():
    for image in ("backend", "frontend", "migrations"):
        for version in VERSIONS:
            name = f"steak-kenangan/{image}:{version}"
            subprocess.run(["docker", "rmi", "-f", name], capture_output=True, check=False)


@pytest.fixture(scope="module")
def stack(tmp_path_factory):
    need_engine()
    remove_images()
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
    remove_images()


@pytest.fixture(scope="module")
def next_checkout(tmp_path_factory):
    """The version after this one, which has a migration more: whoever deploys it builds it."""
    place = tmp_path_factory.mktemp("checkout") / "next"
    unneeded = ("var", ".git", ".venv", "node_modules", "dist", "__pycache__", ".*_cache", "tests")
    shutil.copytree(ROOT, place, ignore=shutil.ignore_patterns(*unneeded), symlinks=True)
    schema = place / "posapp/database/schema.py"
    text = schema.read_text()
    assert f'HEAD = "{HEAD}"' in text
    schema.write_text(text.replace(f'HEAD = "{HEAD}"', f'HEAD = "{NEXT}"'))
    (place / f"posapp/database/migrations/versions/{NEXT}.py").write_text(MIGRATION)
    return {"CHECKOUT": str(place)}


def deploy(stack, script, *arguments, **environ):
    return subprocess.run(
        [str(stack.folder / script), *arguments],
        env={**stack.environ, **environ},
        capture_output=True,
        text=True,
        check=False,
        timeout=600,
    )


def served(stack):
    images = {stack.inspect(c)["Config"]["Image"] for c in stack.containers("backend")}
    return {image.rpartition(":")[2] for image in images}


def revision(stack):
    return stack.sql("SELECT version_num FROM alembic_version")


def test_nothing_is_lost_over_deployments_a_rollback_and_versions_that_are_refused(
    stack, next_checkout
):
    """One of them widens the schema, and is rolled back: the version before runs on it."""
    with Crowd(stack) as crowd, Tills(stack, 3) as tills:
        for script, arguments, version, environ in (
            ("deploy.sh", ["v1"], "v1", {}),
            ("deploy.sh", ["next"], "next", next_checkout),
            ("rollback.sh", [], "v1", {}),
        ):
            done = deploy(stack, script, *arguments, **environ)
            assert done.returncode == 0, done.stdout + done.stderr
            assert served(stack) == {version}
            assert f"POS_VERSION={version}\n" in (stack.folder / ".env").read_text()
            tills.sell_on(10)
        assert revision(stack) == NEXT
        for version, word in (("misconfigured", "configuration"), ("dies", "going back to v1")):
            done = deploy(stack, "deploy.sh", version)
            assert done.returncode == 1
            assert word in done.stdout
            assert served(stack) == {"v1"}
        wait_until(lambda: time.monotonic() - crowd.began > LEAST, 2 * LEAST)
        tills.sell_on(10)
    crowd.report("deploy, deploy, rollback, two refused")
    tills.report("  and meanwhile")
    tills.each_order_once()
    assert set(tills.answers) == {201}
    assert crowd.unmeant == []
    log = (stack.folder / "var/deploy.log").read_text().splitlines()
    assert all(line.split()[0].endswith("Z") and len(line.split()) > 2 for line in log)


def test_the_version_before_starts_on_the_schema_of_the_next(stack):
    """As after a power cut: compose asks the one that migrates before any backend."""
    said = stack.compose("run", "--rm", "-T", "--no-deps", "migrate")
    assert f"the schema is at {NEXT}, which is newer than this version's {HEAD}" in said
    assert stack.ready()


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


def kill_after(stack, target, step):
    """Begins to deploy, and kills the script alone as soon as the log has the step."""
    log = stack.folder / "var/deploy.log"
    log.parent.mkdir(exist_ok=True)
    log.touch()
    said = stack.folder / "var/killed.txt"
    known = log.read_text().count(f"{target}: {step}\n")
    with said.open("w") as output:
        killed = subprocess.Popen(
            [str(stack.folder / "deploy.sh"), target],
            env=stack.environ,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )

    def there():
        assert killed.poll() is None, said.read_text()
        return log.read_text().count(f"{target}: {step}\n") > known

    try:
        wait_until(there, 600)
    finally:
        killed.kill()
        killed.wait()


def test_deployments_that_are_killed_after_each_step_are_gone_on_with_by_the_next(stack):
    """Each run begins where one was killed in the midst of a step, and gets to the step after."""
    target = ({"v1", "v2"} - served(stack)).pop()
    with Tills(stack, 2) as tills:
        for step in STEPS:
            kill_after(stack, target, step)
            tills.sell_on(10)
        done = deploy(stack, "deploy.sh", target)
        assert done.returncode == 0, done.stdout + done.stderr
        assert served(stack) == {target}
        tills.sell_on(10)
    tills.report("killed after each step")
    tills.each_order_once()
    assert set(tills.answers) == {201}
    assert len(stack.containers("backend")) == 2


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
