"""The runbook, taken apart: its blocks with their mark, and what they are said to print."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from tests.docs.documents import text_of

_BLOCK = re.compile(
    r"^```(?P<language>bash|sql)(?: (?P<mark>\w+))?\n(?P<code>.*?)^```\n"
    r"(?:\n```\n(?P<output>.*?)^```\n)?",
    re.MULTILINE | re.DOTALL,
)


@dataclass(frozen=True)
class Block:
    """One block of commands; without a mark it is run here."""

    chapter: str
    heading: str
    language: str
    mark: str
    code: str
    output: str

    @property
    def commands(self) -> list[str]:
        return [line for line in self.code.splitlines() if line.strip() and line[0] != "#"]


def blocks() -> Iterable[Block]:
    for chapter in re.split(r"^(?=## )", text_of("docs/runbook.md"), flags=re.MULTILINE)[1:]:
        for section in re.split(r"^(?=###+ )", chapter, flags=re.MULTILINE):
            heading = section.splitlines()[0].lstrip("# ")
            for found in _BLOCK.finditer(section):
                yield Block(
                    chapter.splitlines()[0].lstrip("# "),
                    heading,
                    found["language"],
                    found["mark"] or "",
                    found["code"],
                    found["output"] or "",
                )


def run(
    code: str, folder: Path, environ: Mapping[str, str], url: str, seconds: float = 150
) -> subprocess.CompletedProcess[str]:
    """Runs a block as an operator types it; the address is the test's."""
    return subprocess.run(
        ["bash", "-euo", "pipefail", "-c", code.replace("http://127.0.0.1:8080", url)],
        cwd=folder,
        env=dict(environ),
        capture_output=True,
        text=True,
        timeout=seconds,
    )


def missing_lines(stated: str, printed: str) -> list[str]:
    """The stated lines that were not printed in their order; `…` stands for anything."""
    left, missing = printed.splitlines(), []
    for line in stated.splitlines():
        pattern = ".*".join(re.escape(part.strip()) for part in line.split("…"))
        place = next((n for n, one in enumerate(left) if re.search(pattern, one)), None)
        if place is None:
            missing.append(line)
        else:
            left = left[place:]
    return missing
