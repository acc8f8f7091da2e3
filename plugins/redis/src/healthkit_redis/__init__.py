"""The check type `redis`: a Redis or Valkey answers, takes our password and has memory left."""

from __future__ import annotations

import ssl
import time
from collections.abc import Mapping
from typing import Annotated, Any
from urllib.parse import SplitResult, unquote, urlsplit

from pydantic import AfterValidator, SecretStr

from healthkit import Check, CheckContext, Outcome, hookimpl
from healthkit.fields import Percent, PositiveDuration
from healthkit_redis.protocol import Connection, RedisError, fault_of

_SHARE = 0.9
"""Of the check's timeout: there is time left to say what did not answer."""


def _address(value: SecretStr) -> SecretStr:
    try:
        parts = urlsplit(value.get_secret_value())
        known = parts.scheme in ("redis", "rediss") and parts.hostname and parts.port != 0
        host = parts.hostname or ""
        host.encode("idna")  # which an empty label is too short for, and one of 64 letters too long
        known = known and host.isprintable()
    except ValueError:
        known = False
    if not known or not _database(parts).isascii() or not _database(parts).isdigit():
        raise ValueError("no address of a Redis; write it like redis://user:password@host:6379/0")
    return value


def _database(parts: SplitResult) -> str:
    return parts.path.strip("/") or "0"


class Redis(Check):
    """Connects to `url`, signs in where it has a password, and asks PING and INFO, all within the
    check's timeout. With `warn_memory` it is degraded from that share of `maxmemory` on."""

    url: Annotated[SecretStr, AfterValidator(_address)]
    """The address: `redis://user:password@host:6379/0`; `rediss://` with TLS."""
    warn_memory: Percent | None = None
    """The share of `maxmemory` in use from which it is degraded; none where it has no limit."""
    slow_after: PositiveDuration | None = None
    """The time from which the answers are degraded, connecting included."""

    def run(self, context: CheckContext) -> Outcome:
        began = time.monotonic()
        try:
            info = self._ask(began + context.timeout * _SHARE)
        except RedisError as error:
            return Outcome.unhealthy(str(error))
        except OSError as error:
            return Outcome.unhealthy(fault_of(error))
        took = time.monotonic() - began
        slow_after = None if self.slow_after is None else self.slow_after.total_seconds()
        return evaluate(info, took, slow_after, self.warn_memory)

    def target(self) -> str:
        parts = urlsplit(self.url.get_secret_value())
        host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname
        return f"{parts.scheme}://{host}:{parts.port or 6379}/{_database(parts)}"

    def _ask(self, deadline: float) -> Mapping[str, str]:
        """Returns what the server says of itself. Raises RedisError or OSError."""
        parts = urlsplit(self.url.get_secret_value())
        host, tls = parts.hostname or "", parts.scheme == "rediss"
        context = ssl.create_default_context() if tls else None
        with Connection(host, parts.port or 6379, deadline, context) as connection:
            if parts.password is not None:
                names = [unquote(parts.username)] if parts.username else []
                connection.ask("AUTH", *names, unquote(parts.password))
            if _database(parts) != "0":
                connection.ask("SELECT", _database(parts))
            if (pong := connection.ask("PING")) != "PONG":
                raise RedisError(f"PING is answered with {pong[:40]!r}")
            return _parse(connection.ask("INFO"))


def _parse(text: str) -> dict[str, str]:
    pairs = (line.partition(":") for line in text.splitlines())
    return {name: value for name, colon, value in pairs if colon}


def evaluate(
    info: Mapping[str, str], took: float, slow_after: float | None, warn_memory: float | None
) -> Outcome:
    """Returns the outcome of what INFO says (fields by name) and of the time it took, in seconds;
    `warn_memory` is a share in per cent."""
    used, limit = _number(info, "used_memory"), _number(info, "maxmemory")
    details: dict[str, Any] = {
        "seconds": round(took, 4),
        "used_memory_bytes": used,
        "max_memory_bytes": limit,
        "connected_clients": _number(info, "connected_clients"),
    }
    if info.get("loading") == "1":
        return Outcome.unhealthy("it still loads its data", **details)
    if info.get("role") == "slave" and info.get("master_link_status") == "down":
        return Outcome.degraded("a replica that has lost its primary", **details)
    if warn_memory is not None and limit and 100 * used >= warn_memory * limit:
        share = 100 * used / limit
        return Outcome.degraded(f"{share:.0f}% of its memory is in use", **details)
    if slow_after is not None and took > slow_after:
        what = f"slow: {took:.2f} s, at most {slow_after:g} s are expected"
        return Outcome.degraded(what, **details)
    return Outcome.healthy(**details)


def _number(info: Mapping[str, str], name: str) -> int:
    value = info.get(name, "")
    return int(value) if value.isascii() and value.isdigit() and len(value) < 19 else 0


@hookimpl
def healthkit_check_types() -> Mapping[str, type[Check]]:
    return {"redis": Redis}
