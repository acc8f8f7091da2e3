"""Becomes another program that ends when the process that started it ends.

    python -IS launch.py PARENT SIGNAL USER PROGRAM ARGUMENT…

PARENT is the starter's process id, SIGNAL the number that the kernel sends when that one is gone,
USER `uid:gid` or `-` for the same user. A step of its own rather than a `preexec_fn`, which is not
safe beside threads. It needs nothing but the standard library.

PostgreSQL refuses to run as root, and what it needs may lie where only root gets to (a checkout
under a 0700 home). So the other user keeps one capability of root, CAP_DAC_OVERRIDE: the way to
files, and nothing else. That is less than the application has, which runs beside it as root.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys

_PR_SET_PDEATHSIG, _PR_SET_KEEPCAPS, _PR_SET_SECUREBITS = 1, 8, 28
_PR_CAP_AMBIENT, _PR_CAP_AMBIENT_RAISE = 47, 2
_SECBIT_NO_SETUID_FIXUP = 1 << 2
_CAP_DAC_OVERRIDE = 1
_CAPABILITY_VERSION_3 = 0x20080522


def child_command(
    program: list[str], parent_death_signal: signal.Signals, user: tuple[int, int] | None = None
) -> list[str]:
    """The command line that runs `program` so, for a child of this process."""
    who = f"{user[0]}:{user[1]}" if user else "-"
    return [
        *(sys.executable, "-IS", __file__, str(os.getpid()), str(int(parent_death_signal)), who),
        *program,
    ]


def describe_exit(returncode: int) -> str:
    """`killed by SIGKILL` or `exit code 1`."""
    if returncode < 0:
        return f"killed by {signal.Signals(-returncode).name}"
    return f"exit code {returncode}"


def _drop_privileges(uid: int, gid: int, libc: ctypes.CDLL) -> None:
    libc.prctl(_PR_SET_KEEPCAPS, 1, 0, 0, 0)
    # Else access(2), by which initdb looks for its companions, would not count the capability.
    libc.prctl(_PR_SET_SECUREBITS, _SECBIT_NO_SETUID_FIXUP, 0, 0, 0)
    os.setgroups([])
    os.setresgid(gid, gid, gid)
    os.setresuid(uid, uid, uid)
    header = (ctypes.c_uint32 * 2)(_CAPABILITY_VERSION_3, 0)
    kept = 1 << _CAP_DAC_OVERRIDE
    libc.capset(header, (ctypes.c_uint32 * 6)(kept, kept, kept, 0, 0, 0))
    # Where even root lacks a capability the calls fail, and ordinary permissions decide.
    libc.prctl(_PR_CAP_AMBIENT, _PR_CAP_AMBIENT_RAISE, _CAP_DAC_OVERRIDE, 0, 0)


def _main(parent: str, number: str, user: str, *program: str) -> None:
    libc = ctypes.CDLL(None)
    try:
        if user != "-":
            uid, gid = (int(part) for part in user.split(":"))
            _drop_privileges(uid, gid, libc)
        # After the change of user, which clears it: see prctl(2).
        libc.prctl(_PR_SET_PDEATHSIG, int(number), 0, 0, 0)
        if os.getppid() == int(parent):  # else it was gone before the kernel was told
            os.execv(program[0], program)  # noqa: S606  a list, never a shell
    except OSError as error:
        sys.exit(f"error: {program[0]} as {user}: {error.strerror}")
    sys.exit(1)


if __name__ == "__main__":
    _main(*sys.argv[1:])
