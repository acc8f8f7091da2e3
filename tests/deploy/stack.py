"""What production is made of, as its files say."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[2]
DEPLOY = ROOT / "deploy"
COMPOSE = DEPLOY / "docker-compose.prod.yml"


@cache
def stack() -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load(COMPOSE.read_text())
    return found


def services() -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = stack()["services"]
    return found


def seconds(duration: str) -> int:
    """`30s` or `2m`, as compose writes them."""
    return int(duration[:-1]) * {"s": 1, "m": 60}[duration[-1]]


def example() -> dict[str, tuple[str, bool]]:
    """The variables of .env.production.example: value, and whether the line is on."""
    found = {}
    for line in (DEPLOY / ".env.production.example").read_text().splitlines():
        name, equals, value = line.removeprefix("# ").partition("=")
        if equals and name.isupper() and " " not in name:
            found[name] = (value, not line.startswith("#"))
    return found
