"""One request within a total time and a total size, however slowly a server drips."""

from __future__ import annotations

import codecs
import errno
import io
import socket
import ssl
import time
from collections.abc import Iterator
from functools import partial
from http.client import HTTPResponse, IncompleteRead
from typing import TYPE_CHECKING, Any

import requests
import urllib3
from requests.adapters import HTTPAdapter
from urllib3.exceptions import HTTPError, InsecureRequestWarning, LocationParseError

from healthkit.connections import share_time, time_left
from healthkit_http.addresses import PrivateAddressError, public_address
from healthkit_http.evaluation import HttpResponse

if TYPE_CHECKING:
    from healthkit_http import Http

MOST = 1_000_000
"""Bytes of a body that are read."""
_HEADROOM = 300_000
"""For headers and read-ahead, on the wire and beyond MOST."""
_NO_ROUTE = {
    errno.EHOSTUNREACH: "no route to the host",
    errno.ENETUNREACH: "no route to the network",
}
_NO_CHARSETS = frozenset({"idna", "punycode", "unicode_escape", "raw-unicode-escape", "undefined"})
"""Codecs of Python's own: no web page is written in one, and a megabyte of one takes a minute."""
FETCH_ERRORS = (requests.RequestException, HTTPError, OSError)


class TooLargeError(OSError):
    """More came than is ever read, in the body of a redirect for one."""


def fetch(check: Http, timeout: float) -> HttpResponse:
    """The answer of `check.url`, read within `timeout` seconds in all: connecting, redirects and
    body together; but for the look-up of the name, which only the system can bound.

    Raises one of FETCH_ERRORS; `describe_error` explains them.
    """
    started = time.monotonic()
    with _session(check, started + timeout) as session:
        response = session.request(
            check.method,
            check.url,
            data=check.body.encode() if check.body is not None else None,
            verify=check.verify if isinstance(check.verify, bool) else str(check.verify),
            allow_redirects=check.follow_redirects,
            stream=True,
        )
        with response:
            body, whole = _read(response)
    charset = response.encoding if "charset" in response.headers.get("Content-Type", "") else None
    return HttpResponse(
        response.status_code, _text(body, charset), time.monotonic() - started, whole
    )


def _session(check: Http, deadline: float) -> requests.Session:
    session = _Session()
    session.own = {name: value.get_secret_value() for name, value in check.headers.items()}
    session.headers["User-Agent"] = "healthkit"
    session.headers.update({name: value.encode() for name, value in session.own.items()})
    session.trust_env = check.private_addresses  # a proxy would look names up itself
    adapter = _Adapter(deadline, private=check.private_addresses)
    session.mount("http://", adapter)
    session.mount("https://", adapter)
    if check.verify is False:
        urllib3.disable_warnings(InsecureRequestWarning)  # the settings want it
    return session


def _read(response: requests.Response) -> tuple[bytes, bool]:
    """The body, at most MOST bytes of it, and whether that is all."""
    body = bytearray()
    for chunk in response.iter_content(65536):
        body += chunk
        if len(body) > MOST:
            return bytes(body[:MOST]), False
    return bytes(body), True


def _text(body: bytes, charset: str | None) -> str:
    try:
        name = codecs.lookup(charset or "utf-8").name
        return body.decode("utf-8" if name in _NO_CHARSETS else name, "replace")
    except (LookupError, ValueError):  # Python's codecs are more than charsets
        return body.decode("utf-8", "replace")


class RedirectError(OSError):
    """An answer redirects to what is no address."""


class _Session(requests.Session):
    """Headers of the settings go to the host of the settings alone: they may be secrets."""

    own: dict[str, str]

    def resolve_redirects(self, *args: Any, **kwargs: Any) -> Iterator[requests.Response]:
        """Raises RedirectError besides: for a `Location` that cannot be read as an address. Where
        redirects are not followed, such a one leads nowhere."""
        found = super().resolve_redirects(*args, **kwargs)
        try:
            yield from found
        except FETCH_ERRORS:
            raise
        except ValueError:  # of urllib.parse, and of bytes that are no text
            if not kwargs.get("yield_requests"):
                raise RedirectError from None

    def rebuild_auth(
        self, prepared_request: requests.PreparedRequest, response: requests.Response
    ) -> None:
        before, after = response.request.url or "", prepared_request.url or ""
        if self.should_strip_auth(before, after):  # type: ignore[no-untyped-call]
            for name in self.own:
                prepared_request.headers.pop(name, None)
        super().rebuild_auth(prepared_request, response)  # type: ignore[no-untyped-call]


class _Adapter(HTTPAdapter):
    """Gives every connection what is left of the time, and bounds what it reads."""

    def __init__(self, deadline: float, *, private: bool) -> None:
        self._deadline = deadline
        self._base = _BoundedConnection if private else _PublicConnection
        super().__init__()

    def send(self, request: requests.PreparedRequest, *args: Any, **kwargs: Any) -> Any:
        return super().send(request, *args, **{**kwargs, "timeout": time_left(self._deadline)})

    def get_connection_with_tls_context(self, *args: Any, **kwargs: Any) -> Any:
        pool: Any = super().get_connection_with_tls_context(*args, **kwargs)
        if not issubclass(pool.ConnectionCls, self._base):  # a redirect may lead to the same pool
            bounded = staticmethod(partial(_Response, deadline=self._deadline))
            pool.ConnectionCls = type(
                "BoundedConnection",
                (self._base, pool.ConnectionCls),
                {"response_class": bounded, "deadline": self._deadline},
            )
        return pool


class _BoundedConnection:
    """Tries each address of a name, all of them within one deadline: urllib3 gives each the whole
    time. Certificates are those of the name."""

    deadline: float
    timeout: float
    _dns_host: str
    port: int

    def _new_conn(self) -> socket.socket:
        name = self._dns_host
        last: Exception = TimeoutError("timed out")
        try:
            addresses = self._addresses(name.strip("[]"))
            for address, seconds in share_time(addresses, self.deadline):
                self._dns_host, self.timeout = address, seconds
                try:
                    connection: socket.socket = super()._new_conn()  # type: ignore[misc]
                except (HTTPError, OSError) as error:
                    last = error
                else:
                    return connection
        finally:
            self._dns_host = name
        raise last

    def _addresses(self, name: str) -> list[str]:
        """Raises OSError, or LocationParseError for what can be no name."""
        try:
            found = socket.getaddrinfo(name, self.port, 0, socket.SOCK_STREAM)
        except UnicodeError:
            raise LocationParseError(name) from None
        return [str(place[4][0]) for place in found]


class _PublicConnection(_BoundedConnection):
    """Connects to the very address that was looked at, and to a public one alone."""

    def _addresses(self, name: str) -> list[str]:
        return [public_address(name, self.port)]


class _Response(HTTPResponse):
    def __init__(self, sock: socket.socket, *args: Any, deadline: float, **kwargs: Any) -> None:
        super().__init__(sock, *args, **kwargs)
        raw = self.fp.detach()
        self.fp = io.BufferedReader(_Bounded(raw, sock, deadline))


class _Bounded(io.RawIOBase):
    """A socket's bytes until a deadline. A socket's own timeout starts anew with every byte."""

    def __init__(self, raw: io.RawIOBase, sock: socket.socket, deadline: float) -> None:
        self._raw, self._sock, self._deadline = raw, sock, deadline
        self._budget = MOST + _HEADROOM

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        self._sock.settimeout(time_left(self._deadline))
        read = self._raw.readinto(buffer)
        self._budget -= read or 0
        if self._budget < 0:
            raise TooLargeError("more than is ever read")
        return read

    def close(self) -> None:
        self._raw.close()
        super().close()


# Errors


def describe_error(error: BaseException, timeout: float) -> str:
    """Returns why there was no response, briefly and without an address."""
    chain = list(_chain(error))
    for cause in chain:
        if isinstance(cause, ssl.SSLCertVerificationError):
            return f"certificate not valid: {cause.verify_message.rstrip('.')}"
    for cause in chain:
        if (described := _cause(cause, timeout)) is not None:
            return described
    return f"failed: {type(error).__name__}"


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    """An error and what lies behind it, the innermost first."""
    found = []
    while error is not None and error not in found:
        found.append(error)
        error = error.__cause__ or error.__context__
    return reversed(found)


def _cause(error: BaseException, timeout: float) -> str | None:
    for kind, described in (
        (PrivateAddressError, "refused: its address is not public"),
        (socket.gaierror, "host name not known"),
        (ConnectionRefusedError, "connection refused"),
        (TimeoutError, f"no answer within {timeout:g}s"),
        (ssl.SSLError, "the TLS handshake failed"),
        (TooLargeError, "the answer is too large"),
        (IncompleteRead, "the answer was cut off"),
        (ConnectionError, "the server closed the connection"),
        (requests.TooManyRedirects, "too many redirects"),
        (requests.exceptions.ContentDecodingError, "the answer cannot be decoded"),
        (requests.exceptions.InvalidURL, "redirected to no address"),
        (RedirectError, "redirected to no address"),
        (LocationParseError, "redirected to no address"),
        (urllib3.exceptions.ProtocolError, "what answers does not speak HTTP"),
        (requests.exceptions.InvalidHeader, "what answers does not speak HTTP"),
        (requests.exceptions.InvalidSchema, "redirected to no web address"),
        (requests.exceptions.ProxyError, "the proxy failed"),
    ):
        if isinstance(error, kind):
            return described
    return _NO_ROUTE.get(error.errno or 0) if isinstance(error, OSError) else None
