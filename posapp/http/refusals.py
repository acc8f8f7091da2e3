"""Answers, logs and counts what gunicorn refuses before the application is asked.

gunicorn itself would answer in HTML, without a request id, and some of it with 5xx.
"""

from __future__ import annotations

import logging
import socket
import time
from typing import Any

from gunicorn.http import errors

from healthkit.web.wsgi import request_id as sane_or_new
from posapp.http.connections import GuardedSocket, Overloaded, SlowClient
from posapp.http.errors import RETRY_SECONDS
from posapp.http.problems import plain_problem
from posapp.http.security_headers import SECURITY_HEADERS
from posapp.observability.context import request_id
from posapp.observability.request_log import HEADER, RequestLine

log = logging.getLogger("posapp")

ROUTE = "refused"
"""The route of metrics."""

_STATUS: tuple[tuple[type[BaseException], int], ...] = (
    (errors.LimitRequestLine, 414),
    (errors.LimitRequestHeaders, 431),
    (errors.ExpectationFailed, 417),
    (errors.ForbiddenProxyRequest, 403),
    (SlowClient, 408),
    (Overloaded, 503),
    (errors.InvalidResponseHeader, 500),  # our own mistakes, though gunicorn counts them as parsing
    (errors.InvalidResponseHeaderName, 500),
    (errors.ParseException, 400),
    (Exception, 500),
    (BaseException, 503),  # the worker is ending
)
_DETAILS = {
    400: "The request is not well-formed HTTP/1.1.",
    403: "Not through this proxy.",
    408: "The request has not come in time.",
    414: "The address is too long.",
    417: "No other expectation than 100-continue can be met.",
    431: "The header fields are too large or too many.",
    500: "An unexpected error occurred and has been reported.",
    503: "The server has no room now; send the same request again.",
}
_LINGER = 1.0
"""Seconds for what is still on its way: to close before it has been read resets the connection, and
the client never sees the answer."""


def refuse(worker: Any, req: Any, client: GuardedSocket, addr: Any, error: BaseException) -> None:
    """Answers what could not be handled, in place of `Worker.handle_error`."""
    began = time.perf_counter()
    status = next(code for kind, code in _STATUS if isinstance(error, kind))
    method, path, headers = _request_line(bytes(client.head))
    request_id.set(sane_or_new(headers))
    line = RequestLine(
        id=request_id.get() or "",
        method=method,
        path=path,
        address=addr[0] if isinstance(addr, tuple) and addr else "",
        agent=headers.get("HTTP_USER_AGENT", ""),
        route=ROUTE,
    )
    line.write(status, time.perf_counter() - began, error if status == 500 else None)
    _answer(client, status, method)


def _answer(client: GuardedSocket, status: int, method: str) -> None:
    phrase, headers, body = plain_problem(status, _DETAILS[status])
    headers += [("Connection", "close"), (HEADER, request_id.get() or ""), *SECURITY_HEADERS]
    if status == 503:
        headers.append(("Retry-After", str(RETRY_SECONDS)))
    fields = "".join(f"{name}: {value}\r\n" for name, value in headers)
    head = f"HTTP/1.1 {phrase}\r\n{fields}\r\n".encode("latin-1")
    try:
        client.sendall(head + (b"" if method == "HEAD" else body))
        _linger(client)
    except OSError:
        log.debug("the client of a refused request has gone")


def _linger(client: GuardedSocket) -> None:
    until = time.monotonic() + _LINGER
    client.shutdown(socket.SHUT_WR)
    while (left := until - time.monotonic()) > 0:
        client.settimeout(left)
        if not client.unguarded_recv(65_536):
            return


def _request_line(head: bytes) -> tuple[str, str, dict[str, str]]:
    """Returns what can be said of a request that may be none: method, path, and the headers that
    are looked at, by their names in WSGI."""
    first, _, rest = head.partition(b"\n")
    words = first.decode("latin-1").split()
    headers = {}
    for field in rest.split(b"\n")[:100]:
        name, _, value = field.decode("latin-1").partition(":")
        if name.lower() in ("x-request-id", "user-agent"):
            headers["HTTP_" + name.upper().replace("-", "_")] = value.strip()
    return (words[0] if words else ""), (words[1] if len(words) > 1 else ""), headers
