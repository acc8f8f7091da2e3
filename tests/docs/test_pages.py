"""Every page of healthkit's documentation runs, block after block, and a new page too."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from healthkit import ConfigError
from tests.docs import pages
from tests.docs.documents import codes, text_of

MOVING = "healthkit/docs/moving.md"


@pytest.mark.parametrize("page", pages.pages())
def test_every_block_of_a_page_runs(page: str, tmp_path: Path) -> None:
    assert pages.run(page, tmp_path) == []


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("```ruby\nputs 1\n```\n", "nothing runs 'ruby'"),
        ("```console\n$ rm -r x\n```\n", "nothing runs 'rm'"),
        ("```console\n$ pip install healthkit-core[flsk]\n```\n", "pip: healthkit-core[flsk]"),
        ("```console\n$ healthkit plugins\nnone\n```\n", "healthkit plugins prints no 'none'"),
        (
            "```python\nfrom flask import Flask\napp = Flask('x')\n```\n",
            "app: /health is 404",
        ),
    ],
)
def test_what_does_not_run_is_noticed(
    text: str, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tests.docs.documents.ROOT", tmp_path)
    (tmp_path / "page.md").write_text(text)
    assert pages.run("page.md", tmp_path) == [said]


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("```python\n1 / 0\n```\n", ZeroDivisionError),
        ('```toml\n[chanels.x]\nurl = ""\n```\n', ConfigError),
    ],
)
def test_a_mistake_in_a_block_is_raised(
    text: str, error: type[Exception], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tests.docs.documents.ROOT", tmp_path)
    (tmp_path / "page.md").write_text(text)
    with pytest.raises(error):
        pages.run("page.md", tmp_path)


def test_the_names_that_people_come_from_are_those_of_the_other_libraries() -> None:
    named = {
        code.split("(")[0]
        for code in codes(text_of(MOVING))
        if re.match(r"(health_check|healthcheck|flask_healthz)\.", code)
    }
    assert len(named) >= 12
    assert [name for name in sorted(named) if not pages.importable(name)] == []


def test_the_way_in_has_eleven_lines() -> None:
    for page in ("healthkit/README.md", "healthkit/docs/tutorial.md"):
        shown = [body for name, body in pages.fences(page) if name in ("python", "toml")][:2]
        assert sum(bool(line.strip()) for body in shown for line in body.splitlines()) == 11, page
