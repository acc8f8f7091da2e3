"""Every command of the runbook's chapter on backups, as it stands there and in its order."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.backup.kit import KEY, ROOT, address, run_sql

CHAPTER = (
    (ROOT / "docs" / "runbook.md")
    .read_text()
    .split("\n## Backup and Restore\n")[1]
    .split("\n## ")[0]
)
BLOCKS = re.findall(r"```bash\n(.*?)```", CHAPTER, re.DOTALL)
COMPOSE = re.findall(r"```bash compose\n(.*?)```", CHAPTER, re.DOTALL)


@pytest.fixture(scope="module")
def place(postgres, template_database, s3_of_module, tmp_path_factory):
    """A checkout as the operator has it, with a database, a bucket and no backup yet."""
    folder = tmp_path_factory.mktemp("operator")
    (folder / "deploy").symlink_to(ROOT / "deploy")
    (folder / ".venv" / "bin").mkdir(parents=True)
    for program in ("posapp", "python"):
        (folder / ".venv" / "bin" / program).symlink_to(Path(sys.executable).parent / program)
    url = postgres.create("runbook_backup", template_database)
    yield (
        folder,
        {
            "PATH": os.environ["PATH"],
            "HOME": str(folder),
            "DATABASE_URL": address(url),
            "BACKUP_LOG": str(folder / "log" / "backup.log"),
            "BACKUP_KEY": KEY,
            "HEALTHKIT_STORE": f"sqlite:///{folder}/store.db",
            **s3_of_module.environ,
        },
    )
    for (name,) in run_sql(postgres.url, "SELECT datname FROM pg_database"):
        if name.startswith("runbook_backup"):
            postgres.drop(name)


def title(number):
    lines = [line for line in BLOCKS[number].splitlines() if not line.startswith("#")]
    return f"{number:02} {lines[0][:40]}"


@pytest.mark.deep
@pytest.mark.parametrize("number", range(1, len(BLOCKS)), ids=title)
def test_the_commands_work_in_their_order(place, number):
    folder, environ = place
    done = subprocess.run(
        ["bash", "-euc", f"{BLOCKS[0]}\n{BLOCKS[number]}"],
        cwd=folder,
        env=environ,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip()
    assert "❌" not in done.stdout


def test_what_needs_an_engine_of_containers_is_named(place):
    """These are left to the tests of the images."""
    assert [line for block in COMPOSE for line in block.splitlines()] == [
        "docker compose -f deploy/docker-compose.prod.yml exec backup posapp backup list",
        "docker compose -f deploy/docker-compose.prod.yml exec backup posapp drill",
        "docker compose -f deploy/docker-compose.prod.yml logs backup",
    ]


def test_every_message_that_the_chapter_explains_is_one_of_ours():
    sources = "".join(
        re.sub(r'"\s*\n\s*f?"', "", path.read_text())
        for folder in ("posapp/backup", "plugins/backup-freshness/src")
        for path in (ROOT / folder).rglob("*.py")
    )
    section = CHAPTER.split("### Troubleshooting")[1].split("\n### ")[0]
    headings = " ".join(re.findall(r"#### (.*)", section))
    quoted = re.findall(r'"(.+?)"', headings)
    assert len(quoted) > 6
    for text in quoted:
        for part in text.split("…"):
            assert part.strip(", ") in sources + "Connection refused", text
