"""The file of variables (`.env.production`) from which watcher and backups read where to push."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from posapp.operations.kuma.declared import KumaError
from posapp.runtime.files import write_atomically


def differing(path: Path, wanted: Mapping[str, str]) -> list[str]:
    """Returns the variables that have another value in the file, or none. Raises KumaError."""
    found = dict(_assignment(line) for line in _lines(path))
    return [name for name, value in wanted.items() if found.get(name) != value]


def write(path: Path, wanted: Mapping[str, str]) -> None:
    """Gives variables their value, each in its line or in a new one; all else stays as it is. The
    file is for its owner alone. Raises KumaError."""
    lines, left = [], dict(wanted)
    for line in _lines(path):
        name, _ = _assignment(line)
        if name not in wanted:
            lines.append(line)
        elif name in left:
            lines.append(f"{name}={left.pop(name)}")
    lines += [f"{name}={value}" for name, value in left.items()]
    try:
        write_atomically(path, "".join(f"{line}\n" for line in lines).encode())
    except OSError as error:
        raise KumaError(f"{path}: {error.strerror}; name another with --env-file") from None


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text("utf-8").splitlines()
    except FileNotFoundError:
        return []
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "is no text"
        raise KumaError(f"{path}: {reason}; name another with --env-file") from None


def _assignment(line: str) -> tuple[str, str]:
    """The name and the value; the name is empty for a comment."""
    name, _, value = line.partition("=")
    return ("", "") if line.lstrip().startswith("#") else (name.strip(), value.strip())
