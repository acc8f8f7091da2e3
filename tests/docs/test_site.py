"""healthkit's documentation as a site: whole, and nothing in it is loaded from elsewhere."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import pytest

import healthkit
from tests.docs.documents import ROOT, codes, text_of

DOCS = ROOT / "healthkit" / "docs"
pytestmark = [pytest.mark.deep, pytest.mark.slow, pytest.mark.timeout(600)]
NOWHERE = "http://127.0.0.1:9"
LOADED = {"script": "src", "img": "src", "iframe": "src", "source": "src", "object": "data"}
LOADED_LINKS = {"stylesheet", "icon", "preload", "prefetch", "preconnect", "dns-prefetch"}
OUTSIDE = re.compile(r"(?:[a-z]+:)?//", re.IGNORECASE)
IN_STYLES = re.compile(r"""(?:@import\s+|url\(\s*)["']?([^"')\s]+)""")
IN_SCRIPTS = re.compile(r"""(?:fetch|import|importScripts|open)\(\s*["'`]((?:https?:)?//[^"'`]+)""")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site, built as `make docs` does it, where every way out leads nowhere."""
    folder = tmp_path_factory.mktemp("site")
    (command,) = re.findall(r"\.venv/bin/python (-m sphinx .+) \S+$", text_of("Makefile"), re.M)
    shut = dict.fromkeys(("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"), NOWHERE)
    done = subprocess.run(
        [sys.executable, *command.split(), "-d", str(folder / "trees"), str(folder / "html")],
        cwd=ROOT,
        env={**os.environ, **shut},
        capture_output=True,
        text=True,
        timeout=500,
    )
    assert done.returncode == 0, done.stderr
    return folder / "html"


class Assets(HTMLParser):
    """The addresses of what a page loads by itself."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[str] = []
        self._in_style = False
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        self._in_style = tag == "style"
        if tag in LOADED and LOADED[tag] in given:
            self.found.append(given[LOADED[tag]])
        if tag == "link" and LOADED_LINKS & set(given.get("rel", "").split()):
            self.found.append(given["href"])
        self.found += IN_STYLES.findall(given.get("style", ""))
        self.found += [one.split()[0] for one in given.get("srcset", "").split(",") if one.strip()]

    def handle_data(self, data: str) -> None:
        if self._in_style:
            self.found += IN_STYLES.findall(data)


def assets(path: Path) -> list[str]:
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".html":
        return Assets(text).found
    return (IN_STYLES if path.suffix == ".css" else IN_SCRIPTS).findall(text)


def test_no_page_style_or_script_loads_anything_from_elsewhere(site: Path) -> None:
    files = [path for path in site.rglob("*") if path.suffix in (".html", ".css", ".js")]
    found = {path.name: assets(path) for path in files}
    assert len([path for path in files if path.suffix == ".html"]) > 25
    assert sum(map(len, found.values())) > 100
    outside = {name: [one for one in of if OUTSIDE.match(one)] for name, of in found.items()}
    assert {name: of for name, of in outside.items() if of} == {}


def test_what_a_page_loads_is_noticed() -> None:
    page = (
        '<link rel="preconnect" href="//fonts.example"><script src="https://cdn.example/x.js">'
        '</script><img srcset="http://a.example/x 2x"><style>@import "https://b.example";'
        "x { background: url(//c.example/y) }</style><a href='https://fine.example'>"
    )
    outside = [one for one in Assets(page).found if OUTSIDE.match(one)]
    assert outside == [
        "//fonts.example",
        "https://cdn.example/x.js",
        "http://a.example/x",
        "https://b.example",
        "//c.example/y",
    ]
    assert IN_SCRIPTS.findall("fetch('https://d.example/z')") == ["https://d.example/z"]


def test_every_page_is_in_the_site_and_can_be_reached(site: Path) -> None:
    written = {path.relative_to(DOCS).with_suffix(".html") for path in DOCS.rglob("*.md")}
    assert {path for path in written if not (site / path).is_file()} == set()


def test_the_reference_has_every_public_name_every_hook_and_every_key(site: Path) -> None:
    modules = (site / "reference" / "modules.html").read_text(encoding="utf-8")
    assert [name for name in healthkit.__all__ if f'id="healthkit.{name}"' not in modules] == []
    names = re.findall(r"^\| `(healthkit_\w+)", text_of("healthkit/docs/reference/hooks.md"), re.M)
    assert len(names) >= 7
    assert [name for name in names if f'id="healthkit._hookspecs.{name}"' not in modules] == []
    keys = (site / "reference" / "configuration.html").read_text(encoding="utf-8")
    tables = [code for code in codes(text_of("healthkit/CONFIGURATION.md")) if code[0] == "["]
    assert [one for one in tables if one not in keys] == []
