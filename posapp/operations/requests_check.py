"""Counts the POS's own requests, and those that were answered in time, from its metrics."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import ClassVar
from urllib.parse import urlsplit, urlunsplit

from prometheus_client.parser import text_string_to_metric_families
from pydantic import PrivateAttr, SecretStr

from healthkit import Check, CheckContext, Outcome
from healthkit.fields import PositiveDuration
from posapp.observability.metrics import DURATION

ROUTES = "/api/"
"""The beginning of the routes that are counted: a page that is read from memory proves nothing."""
MOST_BYTES = 8_000_000
"""Of one page of metrics that are read."""
_NAME = next(iter(DURATION.describe())).name


@dataclass(frozen=True, slots=True)
class Counted:
    """Requests since a server's start: those in time, and all."""

    good: float = 0
    total: float = 0


def count(page: str, within: timedelta) -> Counted:
    """Returns what a page of metrics says. Raises ValueError where it has no bucket of `within`."""
    good = total = 0.0
    limits = set()
    for family in text_string_to_metric_families(page):
        for sample in family.samples if family.name == _NAME else ():
            if sample.name == f"{_NAME}_bucket":
                limits.add(float(sample.labels["le"]))
            if not sample.labels["route"].startswith(ROUTES):
                continue
            if sample.name == f"{_NAME}_count":
                total += sample.value
            elif (
                sample.name == f"{_NAME}_bucket"
                and float(sample.labels["le"]) == within.total_seconds()
            ):
                good += sample.value
    if limits and within.total_seconds() not in limits:
        known = ", ".join(f"{limit:g}s" for limit in sorted(limits))
        raise ValueError(f"the metrics count requests within {known}, not {within}")
    return Counted(good, total)


def gained(before: Counted | None, now: Counted) -> Counted:
    """Returns what was counted since `before`: nothing where that is not known, all where the
    server has begun anew. Counts are not read at one moment, so none is more than all."""
    if before is None:
        return Counted()
    since = Counted() if now.total < before.total else before
    total = now.total - since.total
    return Counted(min(total, max(0.0, now.good - since.good)), total)


@dataclass(slots=True)
class _Seen:
    counts: dict[str, Counted] = field(default_factory=dict)
    """By the server's address."""


class Requests(Check):
    """Counts requests to the API, and those that took no longer than `within` without the
    client's own time, since its last run; over all servers behind the name in `url`."""

    counts_events: ClassVar[bool] = True

    url: str
    """Where a server answers with its metrics."""
    within: PositiveDuration
    """The longest time that is good: one of the buckets of the metrics (500ms, 2s)."""
    token: SecretStr = SecretStr("")
    """HEALTH_TOKEN, where the watcher is on another machine."""

    _seen: _Seen = PrivateAttr(default_factory=_Seen)

    def run(self, context: CheckContext) -> Outcome:
        try:
            addresses = _addresses(self.url)
            pages = {one: self._read(one, context.timeout / len(addresses)) for one in addresses}
            now = {address: count(page, self.within) for address, page in pages.items()}
        except (OSError, ValueError) as error:  # those of requests are OSErrors
            return Outcome.unhealthy(f"the metrics cannot be read: {_why(error)}")
        found = [gained(self._seen.counts.get(address), one) for address, one in now.items()]
        self._seen.counts = now
        return evaluate(found)

    def _read(self, address: str, seconds: float) -> str:
        """Returns a server's page. Raises OSError or ValueError."""
        import requests  # here and below: a command that sends a heartbeat asks nobody

        until = time.monotonic() + seconds
        headers = {"Host": urlsplit(self.url).netloc}
        if token := self.token.get_secret_value():
            headers["Authorization"] = f"Bearer {token}"
        with requests.get(
            address, headers=headers, timeout=seconds / 2, stream=True, allow_redirects=False
        ) as response:
            if response.status_code != 200:
                raise ValueError(f"status {response.status_code}")
            body = bytearray()
            for part in response.iter_content(65_536):
                body += part
                if len(body) > MOST_BYTES:
                    raise ValueError(f"more than {MOST_BYTES} bytes")
                if time.monotonic() > until:
                    raise ValueError("timeout")
        return body.decode("utf-8", "replace")

    def target(self) -> str | None:
        return self.url


def evaluate(found: Iterable[Counted]) -> Outcome:
    """Returns the outcome of what all servers have counted."""
    counted = list(found)
    good = int(sum(one.good for one in counted))
    total = int(sum(one.total for one in counted))
    return Outcome.healthy(f"{good} of {total} requests in time", good=good, events=total)


def _addresses(url: str) -> list[str]:
    """Returns an address for each server behind a name. Raises OSError for a name of none."""
    parts = urlsplit(url)
    port = parts.port or 80
    found = socket.getaddrinfo(parts.hostname, port, type=socket.SOCK_STREAM)
    hosts = dict.fromkeys(str(one[4][0]) for one in found)
    netlocs = [f"[{host}]:{port}" if ":" in host else f"{host}:{port}" for host in hosts]
    return [urlunsplit(parts._replace(netloc=netloc)) for netloc in netlocs]


def _why(error: Exception) -> str:
    import requests

    known: Mapping[type[Exception], str] = {
        requests.ConnectTimeout: "timeout",
        requests.ReadTimeout: "timeout",
        requests.ConnectionError: "no connection",
        requests.exceptions.ChunkedEncodingError: "the connection was cut",
    }
    return next((word for kind, word in known.items() if isinstance(error, kind)), str(error))
