"""Reads the text of healthkit.toml: the document, its line numbers, and `${NAME}`."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from healthkit.errors import ConfigError, ConfigProblem

_VARIABLE = re.compile(r"\$\{(?P<name>[A-Za-z_][A-Za-z0-9_]*)(?::-(?P<default>[^}]*))?\}")
_ENDS = {
    "'''": re.compile(r"(?:[^']|'(?!''))*+'{3}"),
    '"""': re.compile(r"""(?:[^"\\]|\\.|"(?!""))*+\"{3}"""),
}
"""Of a text of several lines, by the quotes that begin it."""
_PART = re.compile(r"""\"{3}|'{3}|"(?:[^"\\]|\\.)*+"|'[^']*+'|[#\[\]]""")
"""Of valid TOML: quotes of a text of several lines, one of a line, a comment, a list or table."""
_HALF = re.compile("[\ud800-\udfff]")
"""Python's stand-in for a byte of the environment that is no UTF-8."""
_LONGEST_KEY = 100
"""Characters of a key's path in a mistake about its depth."""
LARGEST = 10_000_000
"""Bytes of a file that are read; thousands of checks need a tenth of it."""
DEEPEST = 50
"""Tables and lists within each other."""


def read(path: Path) -> tuple[dict[str, Any], str]:
    """Returns a file as (document, text). Raises ConfigError."""
    text = _text_of(path)
    try:
        return tomllib.loads(text), text
    except tomllib.TOMLDecodeError as error:
        fault = str(error)
    except ValueError:
        fault = "a number has thousands of digits"  # Python's own bound, which tomllib lets pass
    except RecursionError:
        fault = "lists or tables are nested too deeply"
    raise _unusable(path, f"not valid TOML: {fault}")


def _text_of(path: Path) -> str:
    """Returns a file's text, its lines ended as everywhere. Raises ConfigError."""
    try:
        with path.open("rb") as file:
            raw = file.read(LARGEST + 1)
        if len(raw) > LARGEST:
            raise _unusable(path, "cannot be read: larger than 10 MB")
        text = raw.decode("utf-8-sig")
    except FileNotFoundError as error:
        hint = "; make one with: healthkit init"
        raise _unusable(path, f"cannot be read: {error.strerror}{hint}") from None
    except OSError as error:
        raise _unusable(path, f"cannot be read: {error.strerror or error}") from None
    except UnicodeDecodeError:
        raise _unusable(path, "cannot be read: not UTF-8 text") from None
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _unusable(path: Path, reason: str) -> ConfigError:
    return ConfigError(str(path), [ConfigProblem("", reason)])


def expand(
    value: Any,
    environ: Mapping[str, str],
    problems: list[ConfigProblem],
    key: str = "",
    depth: int = 0,
) -> Any:
    """Returns a value with `${NAME}` and `${NAME:-default}` replaced, down to `DEEPEST`: what is
    deeper is a mistake, and left out."""
    if depth > DEEPEST:
        problems.append(ConfigProblem(key[:_LONGEST_KEY], f"deeper than {DEEPEST} levels"))
        return None

    def variable(match: re.Match[str]) -> str:
        name, default = match["name"], match["default"]
        found = environ.get(name) or default
        if found is None:
            hint = f"set it, or write ${{{name}:-default}}"
            message = f"the environment variable {name} is not set; {hint}"
            problems.append(ConfigProblem(key, message))
            return match[0]
        if _HALF.search(found):
            problems.append(
                ConfigProblem(key, f"the environment variable {name} is not UTF-8 text")
            )
            return match[0]
        return found

    if isinstance(value, str):
        return _VARIABLE.sub(variable, value)
    if isinstance(value, Mapping):
        named = {k: v for k, v in value.items() if isinstance(k, str)}
        for other in value.keys() - named.keys():  # of a document in Python
            problems.append(ConfigProblem(key, f"the key {other!r} is no text"))
        return {
            k: expand(v, environ, problems, f"{key}.{k}" if key else k, depth + 1)
            for k, v in named.items()
        }
    if isinstance(value, list):
        return [
            expand(item, environ, problems, f"{key}.{i}", depth + 1) for i, item in enumerate(value)
        ]
    return value


def line_numbers(text: str) -> dict[str, int]:
    """Returns the line of each table and key, which tomllib does not give."""
    lines: dict[str, int] = {}
    table = ""
    for number, line in enumerate(_beginnings(text), start=1):
        if (header := _header(line)) is not None:
            table = header
            lines.setdefault(table, number)
            lines.setdefault(table.partition(".")[0], number)
        elif "=" in line and (name := _dotted(line.partition("=")[0])):
            lines.setdefault(f"{table}.{name}" if table else name, number)
    return lines


def _beginnings(text: str) -> Iterator[str]:
    """Yields each line; as nothing where it goes on with a text or a list of the lines before, in
    which anything may look like a table or a key."""
    quotes, depth = "", 0
    for line in text.split("\n"):
        yield "" if quotes or depth else line
        quotes, depth = _still_open(line, quotes, depth)


def _still_open(line: str, quotes: str, depth: int) -> tuple[str, int]:
    """Returns what a line leaves open: the quotes of a text, how many lists."""
    at = 0
    while True:
        if quotes:
            end = _ENDS[quotes].match(line, at)
            if end is None:
                break
            at, quotes = end.end(), ""
        match = _PART.search(line, at)
        if match is None or match[0] == "#":
            break
        at = match.end()
        if match[0] in _ENDS:
            quotes = match[0]
        depth += (match[0] == "[") - (match[0] == "]")
    return quotes, depth


def _header(line: str) -> str | None:
    """Returns the name of the table that a line begins; None for another line."""
    if not line.lstrip().startswith("["):
        return None
    name, closed, rest = line.strip().lstrip("[").partition("]")
    rest = rest.lstrip("]").strip()
    return _dotted(name) or None if closed and (not rest or rest.startswith("#")) else None


def _dotted(name: str) -> str:
    """Returns a key as a path, without its quotes."""
    if '"' in name or "'" in name:
        return name.strip().replace('"', "").replace("'", "")
    return name.replace(" ", "").strip()


def line_of(key: str, lines: Mapping[str, int]) -> int:
    """Returns the line of a key, or of the nearest table around it; 0 when there is none."""
    while key:
        if key in lines:
            return lines[key]
        key = key.rpartition(".")[0]
    return 0
