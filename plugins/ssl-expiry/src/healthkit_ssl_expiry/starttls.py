"""Upgrades plain text to TLS by the rules of each protocol. The libraries of Python speak four of
them, each with a name check and timeouts of its own; here all share one deadline."""

from __future__ import annotations

import re
import socket
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from healthkit.masking import one_line

_CODE = re.compile(rb"^\d{3}(?: [^\n]*+)?\r?\n", re.MULTILINE)
"""The last line of a reply of SMTP (RFC 5321, 4.2.1) or FTP (RFC 959, 4.2)."""
_UNTAGGED = re.compile(rb"^\* [^\n]*+\n", re.MULTILINE)
_TAGGED = re.compile(rb"^a [^\n]*+\n", re.MULTILINE)
_LINE = re.compile(rb"^[^\n]*+\n")
_BYTE = re.compile(rb"^.", re.DOTALL)
_LONGEST = 65536


class StartTlsError(OSError):
    """The server does not change to TLS; the text is its answer."""


@dataclass(frozen=True, slots=True)
class Step:
    """The bytes to send, the end of the reply, and the start of that end on success."""

    send: bytes
    end: re.Pattern[bytes]
    good: bytes


STEPS: Mapping[str, tuple[Step, ...]] = {
    "smtp": (  # RFC 3207
        Step(b"", _CODE, b"220"),
        Step(b"EHLO healthkit\r\n", _CODE, b"250"),
        Step(b"STARTTLS\r\n", _CODE, b"220"),
    ),
    "imap": (Step(b"", _UNTAGGED, b"* OK"), Step(b"a STARTTLS\r\n", _TAGGED, b"a OK")),  # RFC 9051
    "pop3": (Step(b"", _LINE, b"+OK"), Step(b"STLS\r\n", _LINE, b"+OK")),  # RFC 2595
    "ftp": (Step(b"", _CODE, b"220"), Step(b"AUTH TLS\r\n", _CODE, b"234")),  # RFC 4217
    # PostgreSQL's SSLRequest, answered by one byte ("Message Formats").
    "postgres": (Step(b"\x00\x00\x00\x08\x04\xd2\x16\x2f", _BYTE, b"S"),),
}


def upgrade(plain: socket.socket, protocol: str, left: Callable[[], float]) -> None:
    """Brings the server to where the TLS handshake begins. `left()` gives the seconds that are
    left, or raises TimeoutError. Raises StartTlsError."""
    for step in STEPS[protocol]:
        plain.settimeout(left())
        plain.sendall(step.send)
        reply = _reply(plain, step.end, left)
        if not reply.startswith(step.good):
            reply_text = one_line(reply.decode("ascii", "replace"), 80)
            raise StartTlsError(f"the server does not offer TLS by {protocol}: {reply_text}")


def _reply(plain: socket.socket, end: re.Pattern[bytes], left: Callable[[], float]) -> bytes:
    received = b""
    while (match := end.search(received)) is None:
        plain.settimeout(left())
        data = plain.recv(4096)
        received += data
        if not data:
            raise ConnectionResetError("closed before TLS began")
        if len(received) > _LONGEST:
            raise StartTlsError("the server's reply does not end")
    return match[0]
