"""Addresses as people write them into the environment: refused here, in words, and not by whatever
takes one apart later. Nothing of an address is said back where it may hold a secret."""

from __future__ import annotations

import string
from ipaddress import ip_address
from urllib.parse import SplitResult

from pydantic import SecretStr

from healthkit.fields import is_host_name, split_web_address

_BUCKET = frozenset(string.ascii_letters + string.digits + "-_.")


def origin(value: str) -> str:
    """A page's own address as browsers write it, or `*`. Raises ValueError."""
    if value == "*":
        return value
    hint = f"{_shown(value)} is not an origin; write it like https://your-domain.com"
    parts = _split(value, hint)
    if value.lower() != f"{parts.scheme}://{parts.netloc}".lower() or "@" in parts.netloc:
        raise ValueError(hint)
    return value.lower()


def web_address(value: str) -> str:
    """An address that paths are put behind. Raises ValueError."""
    hint = f"{_shown(value)} is not a web address; write it like http://127.0.0.1:3001"
    if _split(value, hint).query or "#" in value:
        raise ValueError(hint)
    return value.rstrip("/")


def page(value: str) -> str:
    """The address of one page. Raises ValueError."""
    _split(value, f"{_shown(value)} is not a web address; write it like https://your-domain.com/")
    return value


def push_address(value: SecretStr) -> SecretStr:
    """A web address whose path is the secret. Raises ValueError."""
    hint = "not a web address; write it like https://kuma/api/push/TOKEN"
    if _split(value.get_secret_value(), hint).query:
        raise ValueError(hint)
    return value


def webhook(value: SecretStr) -> SecretStr:
    """A web address with a secret anywhere in it. Raises ValueError."""
    _split(value.get_secret_value(), "not a web address; write it like https://host/hook")
    return value


def sentry_dsn(value: SecretStr) -> SecretStr:
    """Sentry's own rule. Its own parser would load all of Sentry, and gunicorn reads the settings
    before gevent has patched anything: what Sentry waits for would then stop the whole worker.

    Raises ValueError.
    """
    hint = "not a Sentry DSN; write it like https://key@host/1"
    parts = _split(value.get_secret_value(), hint)
    project = parts.path.rpartition("/")[2]
    if not parts.username or not (project.isascii() and project.isdecimal()):
        raise ValueError(hint)
    return value


def bind_address(value: str) -> str:
    """An address of this machine to listen on, ready for a port behind it. Raises ValueError."""
    bare = value[1:-1] if value.startswith("[") and value.endswith("]") else value
    try:
        address = ip_address(bare)
    except ValueError:
        if not is_host_name(value):
            raise ValueError(
                f"{value!r} is no address of a machine; write it like 127.0.0.1, the port is PORT"
            ) from None
        return value
    return f"[{address}]" if address.version == 6 else str(address)


def bucket(value: str) -> str:
    """The bare name of a bucket. Raises ValueError."""
    if not set(value) <= _BUCKET:
        raise ValueError(f"{value!r} is no bucket's name; write the name alone, without s3:// or /")
    return value


def _shown(value: str) -> str:
    """The address in quotes, unless it has a password."""
    return "it" if "@" in value else repr(value)


def _split(text: str, hint: str) -> SplitResult:
    """The parts of an address of the web. Raises ValueError with the hint."""
    try:
        return split_web_address(text)
    except ValueError:
        raise ValueError(hint) from None
