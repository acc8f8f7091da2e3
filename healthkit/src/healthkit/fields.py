"""Durations, sizes, shares and more as people write them in healthkit.toml, and back again.

Each is an annotated type for pydantic models: `interval: Duration`, `min_size: Size`.
"""

from __future__ import annotations

import logging
import math
import re
import string
from datetime import timedelta
from functools import cache
from importlib.util import find_spec
from ipaddress import ip_address
from itertools import pairwise
from typing import TYPE_CHECKING, Annotated, Any
from urllib.parse import SplitResult, unquote, urlsplit
from zoneinfo import available_timezones

from pydantic import AfterValidator, BeforeValidator

if TYPE_CHECKING:
    from sqlalchemy import URL

_log = logging.getLogger("healthkit")

_DURATION = re.compile(r"(\d+(?:\.\d+)?)(ms|s|m|h|d|w)", re.ASCII)
_SECONDS = {"ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}
_SIZE = re.compile(r"(\d{1,30}(?:\.\d{1,30})?)\s*+([KMGT]?i?)B?", re.ASCII | re.IGNORECASE)
_LONGEST = timedelta(days=3660)
_PRISMA = frozenset(
    {
        *("connection_limit", "pool_timeout", "socket_timeout", "statement_cache_size"),
        *("pgbouncer", "schema", "sslaccept", "sslidentity"),
    }
)
"""Parameters of a database URL that are Prisma's own ("PostgreSQL connector", its manual)."""
_LEAST_BITS = 128
_LEAST_DIFFERENT = 8
_MOST_PORTS = 65535
_HEXADECIMAL = "0123456789abcdef"
_OF_NAMES = frozenset(string.ascii_letters + string.digits + "-_")
_LONGEST_NAME, _LONGEST_LABEL = 253, 63


def parse_duration(value: Any) -> timedelta:
    """Returns `"1h30m"`, `"500ms"`, `"0s"` or a timedelta as timedelta. Raises ValueError."""
    if isinstance(value, timedelta):
        return value
    if not isinstance(value, str) or not _DURATION.fullmatch(value.strip()):
        text = value.strip() if isinstance(value, str) else ""
        if not text or not re.fullmatch(f"(?:{_DURATION.pattern})+", text, re.ASCII):
            raise ValueError(f"{value!r} is not a duration; write it like 500ms, 10s, 1h30m or 7d")
    seconds = sum(float(n) * _SECONDS[unit] for n, unit in _DURATION.findall(value))
    if seconds > _LONGEST.total_seconds():
        raise ValueError(f"{value!r} is longer than ten years")
    return timedelta(seconds=seconds)


def parse_size(value: Any) -> int:
    """Returns `"1MB"` (10^6), `"1MiB"` (2^20) or a number of bytes as bytes. Raises ValueError."""
    if isinstance(value, bool) or (isinstance(value, int) and value < 0):
        raise ValueError(f"{value!r} is not a size; write it like 500KB, 1MB or 2GiB")
    if isinstance(value, int):
        return value
    match = _SIZE.fullmatch(value.strip()) if isinstance(value, str) else None
    if not match:
        raise ValueError(f"{value!r} is not a size; write it like 500KB, 1MB or 2GiB")
    prefix = match[2].upper()
    power = "KMGT".index(prefix[0]) + 1 if prefix else 0
    if prefix == "I":
        raise ValueError(f"{value!r} is not a size; write it like 500KB, 1MB or 2GiB")
    base = 1024 if prefix.endswith("I") else 1000
    return round(float(match[1]) * float(base**power))


def parse_percent(value: Any) -> float:
    """Returns `"80%"` as 80.0. Raises ValueError outside 0 to 100."""
    text = value.strip() if isinstance(value, str) else ""
    match = re.fullmatch(r"([0-9]++(?:\.[0-9]++)?+)\s*+%", text)
    if not match or float(match[1]) > 100:
        raise ValueError(f"{value!r} is not a share; write it like 80%")
    return float(match[1])


def secret_weakness(secret: str) -> str | None:
    """Returns why a secret of a machine can be guessed, or None: it has less than 128 bits by the
    kinds of its characters, or repeats itself. One that UTF-8 cannot hold is none."""
    if re.search("[\ud800-\udfff]", secret):
        return "not UTF-8 text"
    if len(secret) * math.log2(_alphabet(secret)) < _LEAST_BITS:
        return "too short, at least 128 bits"
    if len(set(secret)) < _LEAST_DIFFERENT or _foreseen(secret) > len(secret) / 4:
        return "too repetitive"
    return None


def _alphabet(secret: str) -> int:
    """The number of characters that it seems to be drawn from."""
    rest = set(secret)
    for digits in (string.digits, _HEXADECIMAL, _HEXADECIMAL.upper()):
        if rest <= set(digits):
            return len(digits)
    size = 0
    for kind in (string.digits, string.ascii_lowercase, string.ascii_uppercase):
        if rest & set(kind):
            size += len(kind)
            rest -= set(kind)
    return size + 2 if rest else size


def _foreseen(secret: str) -> int:
    """The number of characters that follow from those before: the same four in a row again, or a
    series such as aaa, abc or 321."""
    foreseen, seen, last = 0, set(), ""
    for character in secret:
        last = (last + character)[-4:]
        steps = {ord(b) - ord(a) for a, b in pairwise(last[-3:])}
        series = len(last) >= 3 and len(steps) == 1 and abs(*steps) <= 1
        foreseen += series or last in seen
        if len(last) == 4:
            seen.add(last)
    return foreseen


def _known_zone(name: str) -> str:
    if name not in available_timezones():
        raise ValueError(f"{name!r} is not a time zone; write it like Asia/Jakarta")
    return name


def _positive(value: timedelta) -> timedelta:
    if value <= timedelta(0):
        raise ValueError("must be more than 0s")
    return value


Duration = Annotated[timedelta, BeforeValidator(parse_duration)]
PositiveDuration = Annotated[timedelta, BeforeValidator(parse_duration), AfterValidator(_positive)]
Size = Annotated[int, BeforeValidator(parse_size)]
Percent = Annotated[float, BeforeValidator(parse_percent)]
TimeZoneName = Annotated[str, AfterValidator(_known_zone)]


def format_duration(value: timedelta) -> str:
    """Returns `72h15m30s`: the largest parts first, whole seconds, as in the runbook."""
    seconds = max(0, int(value.total_seconds()))
    hours, rest = divmod(seconds, 3600)
    minutes, seconds = divmod(rest, 60)
    if hours:
        return f"{hours}h{minutes}m{seconds}s"
    return f"{minutes}m{seconds}s" if minutes else f"{seconds}s"


def format_size(value: float) -> str:
    """Returns `5.2 MB`, in powers of 1000."""
    for unit in ("B", "KB", "MB", "GB"):
        if value < 1000:
            return f"{value:.0f} B" if unit == "B" else f"{value:.1f} {unit}"
        value /= 1000
    return f"{value:.1f} TB"


def split_web_address(text: str) -> SplitResult:
    """Returns the parts of an address of the web that a connection can be made to; a host whose
    name has other letters than ASCII's is written as it is sent (`xn--…`). Raises ValueError, whose
    text has nothing of the address: it may hold a secret."""
    try:
        parts = urlsplit(text)
        host = parts.hostname or ""
        known = parts.scheme in ("http", "https") and (is_host_name(host) or ":" in host)
        written = text.isascii() and text.isprintable() and not set(text) & set(' "<>\\')
        if known and written and parts.port != 0 and not parts.netloc.endswith(":"):
            return parts
    except ValueError:  # its port, or an address of IPv6
        pass
    raise ValueError("not a web address; write it like https://host/path")


def is_host_name(host: str) -> bool:
    """Returns whether text is a host's name (RFC 1123, and underscores), or an IPv4 address."""
    name = host.removesuffix(".")
    labels = name.split(".")
    if labels[-1].isdecimal():
        try:
            return ip_address(host).version == 4
        except ValueError:
            return False
    return len(name) <= _LONGEST_NAME and all(
        label and len(label) <= _LONGEST_LABEL and set(label) <= _OF_NAMES for label in labels
    )


def parse_database_url(text: str) -> URL:
    """Returns a database URL whose driver is installed.

    `postgres://` becomes `postgresql://`, and with no driver named the installed one is taken.
    Parameters that only Prisma knows are left out, with a warning in the log: hosts write them into
    the addresses that they hand out. Raises ValueError, whose text has nothing of the URL but its
    scheme and the names of parameters.
    """
    from sqlalchemy.exc import NoSuchModuleError

    url = _as_url(text)
    try:
        if url.drivername in ("postgres", "postgresql"):
            url = url.set(drivername=_postgresql())
        url.get_dialect().import_dbapi()
    except NoSuchModuleError:
        raise ValueError(f"no database is known as {url.drivername!r}") from None
    except ImportError as error:
        extra = ": pip install 'healthkit-core[postgres]'" if error.name == "psycopg2" else ""
        raise ValueError(f"its driver {error.name!r} is not installed{extra}") from None
    return _known_parameters(url) if url.get_backend_name() == "postgresql" else url


def _as_url(text: str) -> URL:
    """Returns a text's parts. Raises ValueError where no driver could take them."""
    from sqlalchemy import make_url
    from sqlalchemy.exc import ArgumentError

    try:
        url = make_url(text)
    except (ArgumentError, ValueError):
        hint = "write it like postgresql://host/name, who signs in before the host"
        raise ValueError(f"not a database URL; {hint}") from None
    if "@" in (url.host or ""):
        raise ValueError("its host holds an @: write one in the password as %40")
    if url.port is not None and not 1 <= url.port <= _MOST_PORTS:
        raise ValueError(f"its port is none, 1 to {_MOST_PORTS}")
    if "\0" in unquote(text):
        raise ValueError("it holds a NUL, which no database takes")
    return url


def _known_parameters(url: URL) -> URL:
    """`url` with the parameters that libpq knows. Raises ValueError naming any other."""
    foreign = tuple(sorted(_PRISMA.intersection(url.query)))
    if foreign:
        _warn_of(foreign)
    url = url.difference_update_query(foreign)
    if unknown := [name for name in url.query if not _known_to_libpq(url, name)]:
        names = ", ".join(repr(name[:40]) for name in sorted(unknown)[:5])
        raise ValueError(f"PostgreSQL knows no such parameter: {names}")
    return url


def _known_to_libpq(url: URL, name: str) -> bool:
    """libpq itself is asked: which it knows depends on its version."""
    driver: Any = url.get_dialect().import_dbapi()
    if url.get_driver_name() == "psycopg2":
        make = driver.extensions.make_dsn
    elif url.get_driver_name() == "psycopg":
        make = driver.conninfo.make_conninfo
    else:  # a driver without libpq
        return True
    try:
        make(**{name: ""})
    except driver.ProgrammingError:
        return False
    return True


@cache
def _warn_of(names: tuple[str, ...]) -> None:
    """Once in a process for the same names: an address is parsed many times."""
    _log.warning("database URL: left out what PostgreSQL does not know: %s", ", ".join(names))


def _postgresql() -> str:
    """SQLAlchemy's own choice depends on its version, not on what is installed."""
    found = [name for name in ("psycopg2", "psycopg") if find_spec(name)]
    return f"postgresql+{found[0] if found else 'psycopg2'}"
