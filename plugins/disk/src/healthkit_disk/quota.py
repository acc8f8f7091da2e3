"""The quota of the process's own user and group on a file system (quotactl(2))."""

from __future__ import annotations

import ctypes
import os
import struct
import sys
from dataclasses import dataclass
from pathlib import Path

_QUOTACTL_FD = 443
"""The system call, by the same number on every architecture; it needs no path of a device."""
_GET_QUOTA = 0x800007
_USER, _GROUP = 0, 1
_QUOTA_OF = {_USER: os.geteuid, _GROUP: os.getegid}
_IF_DQBLK = struct.Struct("=8QI4x")
_BLOCK = 1024


@dataclass(frozen=True, slots=True)
class Quota:
    """The use of a quota: percent of bytes and of inodes, and the bytes that are left.

    None where nothing is limited.
    """

    used_percent: float | None
    free_bytes: int | None
    inodes_used_percent: float | None


def read_quotas(path: Path) -> list[Quota]:
    """Returns the quotas that bound this process below `path`; none where they are off, or the
    system does not let it read them. Raises OSError where `path` cannot be opened."""
    if not sys.platform.startswith("linux"):
        return []
    descriptor = os.open(path, os.O_PATH)
    try:
        found = (_read(descriptor, kind, owner()) for kind, owner in _QUOTA_OF.items())
        return [parse_quota(block) for block in found if block is not None]
    finally:
        os.close(descriptor)


def _read(descriptor: int, kind: int, owner: int) -> bytes | None:
    block = ctypes.create_string_buffer(_IF_DQBLK.size)
    command = ctypes.c_uint(_GET_QUOTA << 8 | kind)
    call = ctypes.CDLL(None, use_errno=True).syscall
    failed = call(ctypes.c_long(_QUOTACTL_FD), descriptor, command, owner, block)
    return None if failed else block.raw


def parse_quota(block: bytes) -> Quota:
    """Returns what a `struct if_dqblk` says. The hard limit counts, else the soft one."""
    hard, soft, used, inodes_hard, inodes_soft, inodes, *_ = _IF_DQBLK.unpack(block)
    limit = (hard or soft) * _BLOCK
    return Quota(
        used_percent=_share(used, limit),
        free_bytes=max(0, limit - used) if limit else None,
        inodes_used_percent=_share(inodes, inodes_hard or inodes_soft),
    )


def _share(used: int, limit: int) -> float | None:
    return round(100 * used / limit, 1) if limit else None
