"""Becomes another program that ends when the process that started it ends.

    python -IS launch.py PARENT SIGNAL USER PROGRAM ARGUMENT…

PARENT is the starter's process id, SIGNAL the number that the kernel sends when that one is gone,
USER `uid:gid` or `-` for the same user. A step of its own rather than a `preexec_fn`, which is not
safe beside threads. It needs nothing but the standard library.

PostgreSQL refuses to run as root, and what it needs may lie where only root gets to (a checkout
under a 0700 home). Then, and only then, the other user keeps one capability of root: the way
through folders to what it reads, CAP_DAC_READ_SEARCH, or CAP_DAC_OVERRIDE in a container whose root
has no other.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys
from collections.abc import Mapping, Sequence

_PR_SET_PDEATHSIG, _PR_SET_KEEPCAPS, _PR_SET_SECUREBITS = 1, 8, 28
_PR_CAP_AMBIENT, _PR_CAP_AMBIENT_RAISE = 47, 2
_SECBIT_NO_SETUID_FIXUP = 1 << 2
_WAYS = (2, 1)  # CAP_DAC_READ_SEARCH, CAP_DAC_OVERRIDE
_CAPABILITY_VERSION_3 = 0x20080522
_ANY_PROGRAM = (
    *("PATH", "HOME", "LANG", "LC_ALL", "LC_CTYPE", "LC_MESSAGES", "TZ", "TMPDIR"),
    *("LD_LIBRARY_PATH", "PYTHONPATH", "PYTHONDONTWRITEBYTECODE", "PYTHONUNBUFFERED"),
    *("SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE"),
)


def child_command(
    program: list[str], parent_death_signal: signal.Signals, user: tuple[int, int] | None = None
) -> list[str]:
    """The command line that runs `program` so, for a child of this process."""
    who = f"{user[0]}:{user[1]}" if user else "-"
    return [
        *(sys.executable, "-IS", __file__, str(os.getpid()), str(int(parent_death_signal)), who),
        *program,
    ]


def base_environment(environ: Mapping[str, str]) -> dict[str, str]:
    """The part of `environ` that any program needs: no secret, nothing that steers PostgreSQL."""
    return {name: environ[name] for name in _ANY_PROGRAM if name in environ}


def describe_exit(returncode: int) -> str:
    """`killed by SIGKILL` or `exit code 1`."""
    if returncode < 0:
        return f"killed by {signal.Signals(-returncode).name}"
    return f"exit code {returncode}"


def _drop_privileges(uid: int, gid: int, program: Sequence[str], libc: ctypes.CDLL) -> None:
    libc.prctl(_PR_SET_KEEPCAPS, 1, 0, 0, 0)
    # Else access(2), by which initdb looks for its companions, would not count the capability.
    libc.prctl(_PR_SET_SECUREBITS, _SECBIT_NO_SETUID_FIXUP, 0, 0, 0)
    os.setgroups([])
    os.setresgid(gid, gid, gid)
    os.setresuid(uid, uid, uid)
    permitted = _permitted(libc)
    _set_capabilities(libc, permitted=permitted, effective=0)
    kept = 0 if _reachable(program) else next((c for c in _WAYS if permitted >> c & 1), 0)
    mask = 1 << kept if kept else 0
    # Where even root lacks a capability the calls fail, and ordinary permissions decide.
    _set_capabilities(libc, permitted=mask, effective=mask)
    if kept:
        libc.prctl(_PR_CAP_AMBIENT, _PR_CAP_AMBIENT_RAISE, kept, 0, 0)


def _reachable(program: Sequence[str]) -> bool:
    """Whether this process gets to all paths in a command line."""
    for path in (argument.rpartition("=")[2] for argument in program):
        if path.startswith("/"):
            try:
                os.stat(path)
            except PermissionError:
                return False
            except OSError:  # not there: for the program to say
                pass
    return True


def _permitted(libc: ctypes.CDLL) -> int:
    data = (ctypes.c_uint32 * 6)()
    libc.capget((ctypes.c_uint32 * 2)(_CAPABILITY_VERSION_3, 0), data)
    return data[1]


def _set_capabilities(libc: ctypes.CDLL, permitted: int, effective: int) -> None:
    """Of the first 32, to which those of `_WAYS` belong; inheritable are those permitted."""
    header = (ctypes.c_uint32 * 2)(_CAPABILITY_VERSION_3, 0)
    libc.capset(header, (ctypes.c_uint32 * 6)(effective, permitted, permitted, 0, 0, 0))


def _main(parent: str, number: str, user: str, *program: str) -> None:
    libc = ctypes.CDLL(None)
    try:
        if user != "-":
            uid, gid = (int(part) for part in user.split(":"))
            _drop_privileges(uid, gid, program, libc)
        # After the change of user, which clears it: see prctl(2).
        libc.prctl(_PR_SET_PDEATHSIG, int(number), 0, 0, 0)
        if os.getppid() == int(parent):  # else it was gone before the kernel was told
            os.execv(program[0], program)  # noqa: S606  a list, never a shell
    except OSError as error:
        sys.exit(f"error: {program[0]} as {user}: {error.strerror}")
    sys.exit(1)


if __name__ == "__main__":
    _main(*sys.argv[1:])
