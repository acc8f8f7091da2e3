"""Speaks RESP, the protocol of Redis, as far as a few questions need it: bounded in bytes, and in
time as a whole, where a library's timeout begins anew with each read."""

from __future__ import annotations

import socket
import ssl
from typing import Self

from healthkit.connections import connect, time_left

LONGEST_LINE = 4_096
LONGEST_ANSWER = 1_000_000
"""Bytes of one answer."""
_ERRORS = {
    "NOAUTH": "it wants a password",
    "WRONGPASS": "the password is wrong",
    "NOPERM": "this user may not ask it",
    "LOADING": "it still loads its data",
    "BUSY": "it is busy with a script",
    "MASTERDOWN": "its primary is down",
}


class RedisError(Exception):
    """The server refuses, or is none; the text is for people and has no word of the server's own
    beyond the name of its error."""


class Connection:
    """One connection, all of it until `deadline` (of `time.monotonic`). Raises OSError."""

    def __init__(
        self, host: str, port: int, deadline: float, context: ssl.SSLContext | None = None
    ) -> None:
        self._deadline = deadline
        self._socket = connect(host, port, deadline)
        self._unread = b""
        if context is not None:
            plain = self._socket
            try:
                self._socket = context.wrap_socket(plain, server_hostname=host)
            except BaseException:
                plain.close()
                raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()

    def ask(self, *words: str) -> str:
        """Returns the answer to a command. Raises RedisError or OSError."""
        parts = [word.encode("utf-8", "replace") for word in words]
        request = b"".join(b"$%d\r\n%b\r\n" % (len(part), part) for part in parts)
        self._socket.settimeout(time_left(self._deadline))
        self._socket.sendall(b"*%d\r\n%b" % (len(parts), request))
        return self._answer()

    def _answer(self) -> str:
        line = self._line()
        kind, rest = line[:1], line[1:].decode("utf-8", "replace")
        if kind == b"+":
            return rest
        if kind == b"-":
            name = rest.split(" ", 1)[0]
            plain = name if name.isascii() and name.isalpha() and len(name) <= 20 else "an error"
            raise RedisError(_ERRORS.get(name, f"it answers with {plain}"))
        if kind == b"$" and rest.isascii() and rest.isdigit() and int(rest[:8]) <= LONGEST_ANSWER:
            body = self._exactly(int(rest[:8]) + 2)
            return body[:-2].decode("utf-8", "replace")
        raise RedisError("what answers is no Redis")

    def _line(self) -> bytes:
        while b"\r\n" not in self._unread:
            if len(self._unread) > LONGEST_LINE:
                raise RedisError("what answers is no Redis")
            self._read()
        line, _, self._unread = self._unread.partition(b"\r\n")
        return line

    def _exactly(self, size: int) -> bytes:
        parts, have = [self._unread], len(self._unread)
        self._unread = b""
        while have < size:
            self._read()
            parts.append(self._unread)
            have += len(self._unread)
            self._unread = b""
        whole = b"".join(parts)
        self._unread = whole[size:]
        return whole[:size]

    def _read(self) -> None:
        self._socket.settimeout(time_left(self._deadline))
        part = self._socket.recv(65_536)
        if not part:
            raise ConnectionResetError
        self._unread += part


def fault_of(error: OSError) -> str:
    """Returns why there is no answer, each cause in its own words."""
    if isinstance(error, TimeoutError):
        return "no answer in time"
    if isinstance(error, socket.gaierror):
        return "the name of the host is not known"
    if isinstance(error, ConnectionRefusedError):
        return "refused: nothing listens at that port"
    if isinstance(error, ConnectionResetError | BrokenPipeError):
        return "the connection was cut by the other side"
    if isinstance(error, ssl.SSLCertVerificationError):
        return "its certificate is not trusted"
    if isinstance(error, ssl.SSLError):
        return "it does not speak TLS"
    return f"cannot connect: {error.strerror or type(error).__name__}"
