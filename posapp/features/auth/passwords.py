"""Passwords: argon2id with OWASP's parameters (19 MiB, 2 passes, 1 lane), and not the commonest."""

from __future__ import annotations

from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from posapp.runtime.native import compute

COMMONEST = 10_000
"""Passwords that anybody tries first (NIST SP 800-63B, 5.1.1.2 asks to refuse them)."""

IS_NAME = "must not be the user name"
IS_COMMON = "is one of the passwords that everybody tries first"

_HASHER = PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1)
_DUMMY_HASH = (
    "$argon2id$v=19$m=19456,t=2,p=1$va1qvAaJzruf8z3yX/O30g"
    "$C3ashqYr+MyUUoKzab16d4yiLbV8zClB7RoGSsp4gMk"
)
"""Of a random password that nobody kept; written down, for each start would wait for a new one."""


def hash_password(password: str) -> str:
    """Returns the hash that is stored."""
    return compute(_HASHER.hash, password)


def verify_password(password: str, password_hash: str | None) -> bool:
    """Whether the password fits. Without a hash it takes as long and returns False, so that a
    stranger cannot find out which user names exist."""
    try:
        fits = compute(_HASHER.verify, password_hash or _DUMMY_HASH, password)
    except (VerificationError, InvalidHashError):
        return False
    return fits and password_hash is not None


def is_common(password: str) -> bool:
    """Whether the password is among the commonest, in any case."""
    return password.casefold() in compute(_commonest)


def is_name(password: str, username: str) -> bool:
    """Whether the password is the user name, in any case."""
    return password.strip().casefold() == username.casefold()


@cache
def _commonest() -> frozenset[str]:
    from zxcvbn.frequency_lists import FREQUENCY_LISTS  # a megabyte, for new passwords alone

    return frozenset(FREQUENCY_LISTS["passwords"][:COMMONEST])
