"""`healthkit new-plugin` writes a distribution that works as it is."""

import os
import re
import shlex
import subprocess
import sys
import tomllib
from importlib.util import find_spec

import pytest
from click.testing import CliRunner

from healthkit.cli import main
from healthkit.testing.conformance import CheckConformance


def run(*command, cwd, **environ):
    clean = {k: v for k, v in os.environ.items() if not k.startswith(("PYTEST", "PYTHON"))}
    done = subprocess.run(
        command, cwd=cwd, env=clean | environ, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-2000:]
    return done.stdout


@pytest.fixture
def written(tmp_path):
    done = CliRunner().invoke(main, ["new-plugin", "mail-queue", "--into", str(tmp_path)])
    assert done.exit_code == 0, done.output
    return tmp_path / "healthkit-mail-queue"


@pytest.mark.deep
def test_its_own_tests_pass_as_it_was_written(written):
    source = {"PYTHONPATH": str(written / "src")}
    said = run(sys.executable, "-m", "pytest", "-q", "-W", "error", cwd=written, **source)
    promised = [name for name in dir(CheckConformance) if name.startswith("test_")]
    (counts,) = re.findall(r"^(\d+) passed in ", said, re.MULTILINE)  # none failed, none skipped
    assert int(counts) > len(promised)
    project = tomllib.loads((written / "pyproject.toml").read_text())["project"]
    assert project["name"] == "healthkit-mail-queue"
    assert project["entry-points"] == {"healthkit": {"mail-queue": "healthkit_mail_queue"}}


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("Mail", "is no name of a type"),
        ("../mail", "is no name of a type"),
        ("a--b", "is no name of a type"),
        ("x" * 41, "is no name of a type"),
        ("heartbeat", "there is a check type heartbeat already; choose another name"),
        ("core", "healthkit-core is installed already; choose another name"),
        pytest.param(
            "fonnte",
            "healthkit-fonnte is installed already; choose another name",
            marks=pytest.mark.skipif(find_spec("healthkit_fonnte") is None, reason="needs fonnte"),
        ),
    ],
)
def test_a_name_that_is_none_is_refused_in_one_line(tmp_path, name, said):
    done = CliRunner().invoke(main, ["new-plugin", "--into", str(tmp_path), "--", name])
    assert done.exit_code == 2
    assert len(done.output.splitlines()) == 1
    assert said in done.output
    assert list(tmp_path.iterdir()) == []


@pytest.mark.deep
@pytest.mark.parametrize("name", ["test-queue", "testing"])
def test_pytest_takes_its_class_for_no_test_whatever_its_name(tmp_path, name):
    done = CliRunner().invoke(main, ["new-plugin", name, "--into", str(tmp_path)])
    assert done.exit_code == 0, done.output
    made = tmp_path / f"healthkit-{name}"
    source = {"PYTHONPATH": os.pathsep.join([str(made / "src"), *sys.path])}
    words = ("-q", "-W", "error", "--collect-only", "-p", "no:cacheprovider")
    assert "tests collected" in run(sys.executable, "-m", "pytest", *words, cwd=made, **source)


@pytest.mark.parametrize(
    "name", ["none", "class", "check", "outcome", "path", "health", "check-context", "mapping"]
)
def test_its_class_has_a_name_that_means_nothing_else_there(tmp_path, name):
    done = CliRunner().invoke(main, ["new-plugin", name, "--into", str(tmp_path)])
    assert done.exit_code == 0, done.output
    source = tmp_path / f"healthkit-{name}" / "src"
    module = f"healthkit_{name.replace('-', '_')}"
    code = (
        f"import {module} as made\n"
        "from healthkit.testing.conformance import CheckConformance\n"
        f"kind = made.healthkit_check_types()[{name!r}]\n"
        "assert kind(path='/', max_age='1h').run.__module__ == made.__name__\n"
        "assert issubclass(kind, made.Check) and kind is not made.Check\n"
    )
    run(
        sys.executable,
        "-c",
        code,
        cwd=tmp_path,
        PYTHONPATH=os.pathsep.join([str(source), *sys.path]),
    )
    (test,) = (tmp_path / f"healthkit-{name}" / "tests").iterdir()
    imported = re.findall(r"^from .* import (.*)$", test.read_text(), re.MULTILINE)
    names = [one for line in imported for one in line.split(", ")]
    assert len(names) == len(set(names))


def test_what_it_says_to_do_next_can_be_pasted_whatever_the_folder_is_called(tmp_path):
    folder = tmp_path / "my plugins; here"
    done = CliRunner().invoke(main, ["new-plugin", "mail-queue", "--into", str(folder)])
    words = shlex.split(done.output.partition(": pip ")[2])
    assert words[-1] == str(folder / "healthkit-mail-queue")
    first = CliRunner().invoke(main, ["--config", str(folder / "health.toml"), "init"])
    assert shlex.split(first.output)[-1] == str(folder / "health.toml")


def test_what_is_there_is_not_written_over(written):
    (written / "README.md").write_text("mine")
    done = CliRunner().invoke(main, ["new-plugin", "mail-queue", "--into", str(written.parent)])
    assert (done.exit_code, "File exists" in done.output) == (2, True)
    assert (written / "README.md").read_text() == "mine"


@pytest.mark.deep
@pytest.mark.slow
@pytest.mark.timeout(600)
def test_it_is_built_installed_and_found_by_its_entry_point(written, tmp_path):
    pytest.importorskip("hatchling", reason="needs hatchling to build")
    there = tmp_path / "there"
    pip = (sys.executable, "-m", "pip", "install", "-q", "--no-deps", "--no-build-isolation")
    run(*pip, "--target", str(there), str(written), cwd=tmp_path)
    on = {"PYTHONPATH": str(there)}
    assert "mail-queue" in run(sys.executable, "-m", "healthkit", "plugins", cwd=tmp_path, **on)
    run(sys.executable, "-m", "pytest", "-q", str(written / "tests"), cwd=tmp_path, **on)
