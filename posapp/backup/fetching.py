"""Gives a recovering server the files of WAL that it asks for, one by one, and nothing unsigned.

    python -m posapp.backup.fetching PLAN NAME TARGET

Exit code 0: it is there; 1: the end of what is known; 200: an error, which ends the recovery: a
copy that fails has lost nothing, and what is not ours is run by nobody.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path

from posapp.backup.signed_copy import UNSIGNED, Copy, copy_signed

GIVEN, END, ERROR = 0, 1, 200


def give(copies: Sequence[Copy], identity: str | None, target: Path) -> list[str]:
    """Writes the first copy that is whole. Returns why others are not, and [] for success at once;
    the target is there only then."""
    problems = []
    part = target.with_name(f"{target.name}.posapp")
    for one in copies:
        try:
            _write(one, identity, part)
            part.replace(target)
        except Exception as error:  # noqa: BLE001  whatever it is: another copy may be whole
            part.unlink(missing_ok=True)
            reason = error.strerror if isinstance(error, OSError) else None
            problems.append(f"{one.path}: {reason or error}")
        else:
            return []
    return problems


def _write(one: Copy, identity: str | None, target: Path) -> None:
    with open(one.path, "rb") as source, target.open("wb") as into:
        if not one.packed:
            copy_signed(source, into, one.size, one.sha256)
            return
        from posapp.backup.segments import unpack  # and what opens it, for what is packed alone

        unpack(source, into, one, Path(identity) if identity else None)


def main(arguments: Sequence[str]) -> int:
    """Gives one file; the exit code."""
    plan, name, target = arguments
    found = json.loads(Path(plan).read_bytes())
    if refused := found["refused"].get(name):
        sys.stderr.write(f"{refused}: {UNSIGNED}\n")
        return ERROR
    copies = [Copy(*one) for one in found["copies"].get(name, ())]
    problems = give(copies, found["identity"], Path(target))
    for problem in problems:
        sys.stderr.write(f"{problem}\n")
    if problems:
        return ERROR
    return GIVEN if copies else END


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
