"""The check type `ssl-expiry`: a TLS certificate chain as a client sees it."""

from __future__ import annotations

import re
import ssl
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Literal, NamedTuple

from pydantic import AfterValidator, BeforeValidator, Field, ValidationInfo, field_validator

from healthkit import Check, CheckContext, Outcome, hookimpl
from healthkit.fields import Duration
from healthkit_ssl_expiry.evaluation import evaluate

_HOST = re.compile(r"(?:\[(?P<v6>[0-9a-fA-F:.]+)\]|(?P<name>[^\s:/@\[\]]+))(?::(?P<port>\d{1,5}))?")
PORTS = {None: 443, "smtp": 25, "imap": 143, "pop3": 110, "ftp": 21, "postgres": 5432}

StartTls = Literal["smtp", "imap", "pop3", "ftp", "postgres"]


class Address(NamedTuple):
    """A host (name or IP address, without brackets) and a port, None for the usual one."""

    host: str
    port: int | None


def parse_host(value: object) -> Address:
    """`"name"`, `"name:443"` or `"[::1]:443"`. Raises ValueError."""
    if isinstance(value, Address):
        return value
    match = _HOST.fullmatch(value.strip()) if isinstance(value, str) else None
    port = int(match["port"]) if match and match["port"] else None
    if match is None or (port is not None and not 0 < port < 65536):
        raise ValueError(f"{value!r} is not a host; write it like your-domain.com:443")
    return Address(match["v6"] or _host_name(match["name"]), port)


def _host_name(name: str) -> str:
    """Returns a name that can be asked for. Raises ValueError."""
    to_ascii(name)
    return name


def to_ascii(name: str) -> str:
    """Returns a host name as it stands in DNS and in certificates: by IDNA 2008, where Python's own
    way (IDNA 2003) asks for strasse in place of straße. Raises ValueError."""
    given, name = name, name.rstrip(".")
    if name.isascii():
        labels = name.split(".")
        if given and not (name.isprintable() and all(0 < len(label) < 64 for label in labels)):
            raise ValueError(f"{given!r} is no host name: between dots stand 1 to 63 characters")
        return name
    import idna  # its tables take a while to load: only a name that needs them pays for it

    try:
        return idna.encode(name, uts46=True).decode("ascii")
    except idna.IDNAError as error:
        raise ValueError(f"{name!r} is no host name by IDNA 2008: {error}") from None


def _certificates(path: Path) -> Path:
    try:
        ssl.create_default_context(cafile=path)
    except OSError as error:
        reason = "holds no certificate" if isinstance(error, ssl.SSLError) else error.strerror
        raise ValueError(f"{path}: {reason}") from None
    return path


class SslExpiry(Check):
    """Whether clients accept the certificate of `host`, and go on doing so for long enough."""

    host: Annotated[Address, BeforeValidator(parse_host)]
    """A host, or host and port; 443, or the port of `starttls`, when left out."""
    warn: Duration = timedelta(days=30)
    """The time before the end from which it is degraded."""
    fail: Duration = Field(default="7d", validate_default=True)
    """The time before the end from which it is unhealthy."""
    server_name: Annotated[str, AfterValidator(_host_name)] | None = Field(
        default=None, min_length=1
    )
    """The name that the certificate must hold, where it is not that of `host`."""
    starttls: StartTls | None = None
    """The protocol that begins without TLS."""
    ca_file: Annotated[Path, AfterValidator(_certificates)] | None = None
    """Certificates in PEM that are trusted, in place of the system's."""

    @field_validator("fail", mode="after")
    @classmethod
    def _below_warn(cls, fail: timedelta, info: ValidationInfo) -> timedelta:
        warn = info.data.get("warn")
        if warn is not None and fail >= warn:
            raise ValueError("must be less than warn")
        return fail

    def run(self, context: CheckContext) -> Outcome:
        # cryptography takes a while to import: only a configured check pays for it.
        from healthkit_ssl_expiry.probe import Endpoint, describe_error, probe

        host, port = self.host
        name = self.server_name or host
        endpoint = Endpoint(
            to_ascii(host),
            port or PORTS[self.starttls],
            to_ascii(name),
            self.starttls,
            self.ca_file,
        )
        try:
            seen = probe(endpoint, context.timeout)
        except OSError as error:
            return Outcome.unhealthy(describe_error(error, context.timeout))
        return evaluate(seen, name, context.now, self.warn, self.fail)

    def target(self) -> str:
        host, port = self.host
        if port is None or port == PORTS[self.starttls]:
            return host
        return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


@hookimpl
def healthkit_check_types() -> Mapping[str, type[Check]]:
    return {"ssl-expiry": SslExpiry}
