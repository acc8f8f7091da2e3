"""The runbook runs: each command that can be run here, in one demo, with what it is said to print.

The chapters on logs, errors and incidents are run by tests/observability/test_runbook_logs.py, that
on backups by tests/backup/test_runbook_backup.py: they need a server with faults, and a bucket.
"""

import os
import re
import sys
import tomllib
from contextlib import closing
from pathlib import Path

import psycopg2
import pytest
import yaml

from posapp.operations.doctor.findings import ADVICE, DATABASE, OTHER
from posapp.runtime.postgres import running_database
from tests.docs.documents import ROOT, anchors, rows
from tests.docs.runbook import blocks, missing_lines, run

DOCUMENT = "docs/runbook.md"
BIN = Path(sys.executable).parent
BLOCKS = list(blocks())
ELSEWHERE = {"Logging and Debugging", "Error Tracking", "Incident Response", "Backup and Restore"}
HERE = [one for one in BLOCKS if not one.mark and one.chapter not in ELSEWHERE]
CHAPTERS = """Overview · Monitoring Setup · Health Endpoints · Alert Configuration ·
Logging and Debugging · Error Tracking · Common Operations · Backup and Restore ·
Incident Response · Troubleshooting · Appendix"""


@pytest.fixture(scope="module")
def place(need, running_pos, tmp_path_factory):
    """A folder like an operator's, and the environment of the demo that runs."""
    need("bash", "curl", "jq")
    folder = tmp_path_factory.mktemp("operator")
    (folder / "deploy").symlink_to(ROOT / "deploy")
    environ = {
        "PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}",
        "HOME": str(folder),
        "POS_DATA_DIR": str(running_pos.data_dir),
        "PORT": str(running_pos.port),
    }
    return folder, environ, running_pos


def name(block):
    return f"{block.heading} {block.commands[0]}"[:70]


def worth(block):
    """A command that loads the POS takes seconds."""
    marks = pytest.mark.deep if block.commands[0].startswith("posapp") else ()
    return pytest.param(block, id=name(block), marks=marks)


@pytest.mark.parametrize("block", [worth(one) for one in HERE if one.language == "bash"])
def test_the_commands_work_and_print_what_is_said(place, block):
    folder, environ, pos = place
    done = run(block.code, folder, environ, pos.url)
    assert done.returncode == 0, done.stdout + done.stderr
    assert missing_lines(block.output, done.stdout) == [], done.stdout


@pytest.mark.parametrize("block", [one for one in HERE if one.language == "sql"], ids=name)
def test_the_queries_work(place, block):
    _, _, pos = place
    url = running_database(pos.data_dir).set(drivername="postgresql")
    with closing(psycopg2.connect(url.render_as_string())) as connection:
        for statement in filter(str.strip, block.code.split(";")):
            with connection.cursor() as cursor:
                cursor.execute(statement)
                assert cursor.fetchall()


def test_every_chapter_of_the_old_book_is_there():
    assert list(dict.fromkeys(one.strip() for one in CHAPTERS.split("·"))) == re.findall(
        r"^## (.+)$", (ROOT / DOCUMENT).read_text(), re.MULTILINE
    )


def test_what_is_not_run_here_is_listed_and_nothing_else_is():
    listed = [
        (mark.strip("`"), command.strip("`").replace("&#124;", "|"))
        for mark, command in rows(DOCUMENT, "mark | command")
    ]
    found = [
        (one.mark, command) for one in BLOCKS if one.mark not in ("", "cause")
        for command in one.commands
    ]  # fmt: skip
    assert sorted(listed) == sorted(found)


def test_each_mark_is_explained():
    explained = {mark.strip("`") for mark, *_ in rows(DOCUMENT, "mark | needs")}
    assert explained == {one.mark for one in BLOCKS} - {""}


def test_what_compose_is_asked_for_is_in_its_file():
    services = yaml.safe_load((ROOT / "deploy" / "docker-compose.prod.yml").read_text())["services"]
    flags = {
        "up",
        "-d",
        "--wait",
        "--force-recreate",
        "--build",
        "restart",
        "ps",
        "exec",
        "-T",
        "logs",
    }
    asked = [
        c for one in BLOCKS if one.mark == "compose" for c in one.commands if "compose -f" in c
    ]
    assert len(asked) > 8
    for command in asked:
        words = command.partition(" posapp ")[0].split("compose.prod.yml ")[1].split()
        unknown = [w for w in words if w not in flags and w not in services]
        assert [w for w in unknown if w != "--scale" and not re.fullmatch(r"backend=\d", w)] == []


# What links here


def test_every_check_leads_to_a_page_that_is_there():
    document = tomllib.loads((ROOT / "healthkit.toml").read_text())
    assert document["service"]["runbook"].endswith(f":-{DOCUMENT}}}")
    pages = {key: check.get("runbook", "") for key, check in document["checks"].items()}
    assert {key: page for key, page in pages.items() if page[1:] not in anchors(DOCUMENT)} == {}


def test_the_doctor_has_an_advice_for_every_type_of_check_that_the_pos_has():
    checks = tomllib.loads((ROOT / "healthkit.toml").read_text())["checks"]
    assert {check["type"] for check in checks.values()} <= set(ADVICE)


@pytest.mark.parametrize("advice", [*ADVICE.values(), DATABASE, OTHER], ids=lambda one: one.chapter)
def test_every_advice_of_the_doctor_leads_to_a_page_that_is_there(advice):
    assert advice.anchor in anchors(DOCUMENT)


# The tests of this file can fail


def test_a_stated_line_that_is_not_printed_is_noticed():
    assert missing_lines("a … c\n", "x\na b c\n") == []
    assert missing_lines("a\nb\n", "b\na\n") == ["b"]
    assert missing_lines("a … c\n", "a b\n") == ["a … c"]
