"""Reads the text of healthkit.toml: the document, its line numbers, and `${NAME}`."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from healthkit.errors import ConfigError, ConfigProblem

_VARIABLE = re.compile(r"\$\{(?P<name>[A-Za-z_][A-Za-z0-9_]*)(?::-(?P<default>[^}]*))?\}")


def read(path: Path) -> tuple[dict[str, Any], str]:
    """Returns a file as (document, text). Raises ConfigError."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "not UTF-8 text"
        hint = "; make one with: healthkit init" if isinstance(error, FileNotFoundError) else ""
        problem = ConfigProblem("", f"cannot be read: {reason}{hint}")
        raise ConfigError(str(path), [problem]) from None
    try:
        return tomllib.loads(text), text
    except RecursionError:
        problem = ConfigProblem("", "not valid TOML: nested too deeply")
        raise ConfigError(str(path), [problem]) from None
    except ValueError as error:  # TOMLDecodeError is one; so is a number of 5,000 digits
        raise ConfigError(str(path), [ConfigProblem("", f"not valid TOML: {error}")]) from None


def expand(
    value: Any, environ: Mapping[str, str], problems: list[ConfigProblem], key: str = ""
) -> Any:
    """Returns a value with `${NAME}` and `${NAME:-default}` replaced, at any depth."""

    def variable(match: re.Match[str]) -> str:
        name, default = match["name"], match["default"]
        found = environ.get(name) or default
        if found is None:
            hint = f"set it, or write ${{{name}:-default}}"
            message = f"the environment variable {name} is not set; {hint}"
            problems.append(ConfigProblem(key, message))
            return match[0]
        return found

    if isinstance(value, str):
        return _VARIABLE.sub(variable, value)
    if isinstance(value, Mapping):
        return {
            k: expand(v, environ, problems, f"{key}.{k}" if key else k) for k, v in value.items()
        }
    if isinstance(value, list):
        return [expand(item, environ, problems, f"{key}.{i}") for i, item in enumerate(value)]
    return value


def line_numbers(text: str) -> dict[str, int]:
    """Returns the line of each table and key, which tomllib does not give."""
    lines: dict[str, int] = {}
    table = ""
    for number, line in enumerate(text.split("\n"), start=1):
        if header := re.match(r"\s*\[\[?\s*([^\]]+?)\s*\]", line):
            table = header[1].replace('"', "").replace(" ", "")
            lines.setdefault(table, number)
            lines.setdefault(table.partition(".")[0], number)
        elif key := re.match(r"""\s*([\w."'-]+)\s*=""", line):
            name = key[1].replace('"', "").replace("'", "")
            lines.setdefault(f"{table}.{name}" if table else name, number)
    return lines


def line_of(key: str, lines: Mapping[str, int]) -> int:
    """Returns the line of a key, or of the nearest table around it; 0 when there is none."""
    while key:
        if key in lines:
            return lines[key]
        key = key.rpartition(".")[0]
    return 0
