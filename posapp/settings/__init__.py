"""The environment, read once into one typed object.

`Settings.from_env(environ)` is pure; what it refuses it names by the variable, all at once.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from datetime import timedelta
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    SecretStr,
    ValidationError,
    model_validator,
)
from sqlalchemy.engine import URL

from healthkit import fields
from healthkit.fields import PositiveDuration, Size
from posapp.settings import addresses

MIN_SECRET_LENGTH = 32
"""Characters. RFC 7518, section 3.2: a key for HS256 has 256 bits or more."""

_WEAK = frozenset({"secret", "changeme", "password", "jwt", "test", "your", "example", "default"})


class SettingsError(Exception):
    """Mistakes in the environment, a line each."""

    def __init__(self, lines: tuple[str, ...]) -> None:
        self.lines = lines
        super().__init__("\n".join(lines))


def _split(value: Any) -> Any:
    if isinstance(value, str):
        return tuple(part.strip() for part in value.split(",") if part.strip())
    return value


def _network(value: str) -> IPv4Network | IPv6Network:
    try:
        return ip_network(value)
    except ValueError:
        raise ValueError(
            f"{value!r} is no network; write it like 172.31.255.128/26, or an address"
        ) from None


def _level(value: Any) -> Any:
    text = value.upper() if isinstance(value, str) else value
    return "WARN" if text == "WARNING" else text


def _database_url(value: SecretStr) -> SecretStr:
    parse_database_url(value.get_secret_value())
    return value


def _unguessable(token: SecretStr) -> SecretStr:
    if weakness := fields.secret_weakness(token.get_secret_value()):
        raise ValueError(f"{weakness}; make one with: openssl rand -hex 16")
    return token


def _signing_key(key: SecretStr) -> SecretStr:
    if weakness := secret_weakness(key.get_secret_value()):
        raise ValueError(f"{weakness}; make one with: openssl rand -hex 32")
    return key


Origins = Annotated[
    tuple[Annotated[str, AfterValidator(addresses.origin)], ...], BeforeValidator(_split)
]
Networks = Annotated[
    tuple[Annotated[IPv4Network | IPv6Network, BeforeValidator(_network)], ...],
    BeforeValidator(_split),
]
LogLevel = Annotated[Literal["DEBUG", "INFO", "WARN", "ERROR"], BeforeValidator(_level)]
Port = Annotated[int, Field(ge=1, le=65535)]


class Settings(BaseModel):
    """The environment of the POS. Field names are the variables' in lower case."""

    model_config = ConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True)

    environment: Literal["development", "staging", "production"] = "development"
    log_level: LogLevel = "INFO"

    database_url: Annotated[SecretStr, AfterValidator(_database_url)] | None = None
    db_host: str | None = None
    db_port: Port = 5432
    db_user: str = "postgres"
    db_password: SecretStr = SecretStr("")
    db_name: str = "steak_kenangan"
    db_max_open_conns: Annotated[int, Field(ge=1, le=1000)] = 25
    db_max_idle_conns: Annotated[int, Field(ge=0, le=1000)] = 10
    """Follows `db_max_open_conns` down where it is not given."""
    db_conn_max_lifetime: PositiveDuration = timedelta(hours=1)

    jwt_secret: SecretStr | None = None
    jwt_expiration: PositiveDuration = timedelta(minutes=15)
    cors_allowed_origins: Origins = ()
    api_docs: bool = True
    """Whether /api/v1/openapi.json and /api/v1/docs are there."""
    health_token: Annotated[SecretStr, AfterValidator(_unguessable)] | None = None
    """Who sends it as a bearer token sees the details of /health, and /metrics."""

    slow_query_ms: Annotated[int, Field(ge=0)] = 500
    """A statement that takes as long is logged at WARN."""
    slow_query_plan: bool = False
    """Whether it is logged with its plan."""

    sentry_dsn: Annotated[SecretStr, AfterValidator(addresses.sentry_dsn)] | None = None
    vite_sentry_dsn: Annotated[SecretStr, AfterValidator(addresses.sentry_dsn)] | None = None
    """Where the front end reports its own faults."""
    sentry_traces_sample_rate: Annotated[float, Field(ge=0, le=1)] = 0.1
    """The share of requests whose trace is sent."""
    backup_dir: Path = Path("backups")
    backup_s3_bucket: Annotated[str, AfterValidator(addresses.bucket)] | None = None
    backup_s3_endpoint: Annotated[str, AfterValidator(addresses.web_address)] | None = None
    backup_s3_access_key: str | None = None
    backup_s3_secret_key: SecretStr | None = None
    backup_age_recipient: str | None = None
    """The public key that backups are encrypted for."""
    backup_age_identity: Path | None = None
    """The file of the key that opens them: only where they are restored."""
    backup_key: Annotated[SecretStr, AfterValidator(_signing_key)] | None = None
    """Signs backups; in production it is needed to make and to restore them."""
    backup_disk_reserve: Size | None = None
    """Bytes to leave free on each disk that is written to; else a twentieth, a gigabyte at most."""
    backup_keep_before: Annotated[int, Field(ge=1)] = 3
    """How many databases that restores have replaced are kept."""
    backup_log: Path | None = None
    alert_webhook: Annotated[SecretStr, AfterValidator(addresses.webhook)] | None = None
    backup_heartbeat: Annotated[SecretStr, AfterValidator(addresses.push_address)] | None = None
    """Is called after each daily backup: an Uptime Kuma push monitor, whose silence is a fault."""
    drill_heartbeat: Annotated[SecretStr, AfterValidator(addresses.push_address)] | None = None
    """Is called after each drill that found nothing wrong."""

    kuma_url: Annotated[str, AfterValidator(addresses.web_address)] | None = None
    """Uptime Kuma's own address, for posapp kuma and posapp doctor."""
    kuma_push_url: Annotated[str, AfterValidator(addresses.web_address)] | None = None
    """Its address as the watcher and the backups reach it; without it KUMA_URL."""
    kuma_username: str = "admin"
    kuma_password: SecretStr | None = None

    healthkit_config: Path = Path("healthkit.toml")
    port: Port = 8080
    bind: Annotated[str, AfterValidator(addresses.bind_address)] = "127.0.0.1"
    """The address to listen on; in a container 0.0.0.0, where only the proxy reaches it."""
    web_concurrency: Annotated[int, Field(ge=1, le=64)] = 2
    """Worker processes."""
    graceful_timeout: Annotated[int, Field(ge=1, le=600)] = 20
    """Seconds that requests under way may take to end when a worker has to."""
    pos_data_dir: Path = Path("var")
    trusted_proxies: Annotated[int, Field(ge=0, le=10)] = 0
    """How many proxies stand in front, each of which appends to X-Forwarded-For."""
    proxy_networks: Networks = ()
    """From where the nearest of them connects; without it whoever connects is taken for one."""

    @classmethod
    def from_env(cls, environ: Mapping[str, str]) -> Self:
        """The settings of an environment; an empty variable counts as not set.

        Raises SettingsError with a line for each mistake, none of which shows a secret.
        """
        given = {
            name: environ[name.upper()] for name in cls.model_fields if environ.get(name.upper())
        }
        try:
            return cls.model_validate(given)
        except ValidationError as error:
            raise SettingsError(tuple(_line(fault) for fault in error.errors())) from None

    @property
    def production(self) -> bool:
        return self.environment == "production"

    @property
    def database(self) -> URL | None:
        """The database that the environment names, or None for the embedded one."""
        if self.database_url is not None:
            return parse_database_url(self.database_url.get_secret_value())
        if self.db_host is None:
            return None
        return URL.create(
            "postgresql+psycopg2",
            self.db_user,
            self.db_password.get_secret_value() or None,
            self.db_host,
            self.db_port,
            self.db_name,
        )

    @model_validator(mode="before")
    @classmethod
    def _idle_follows_open(cls, given: dict[str, Any]) -> dict[str, Any]:
        if "db_max_open_conns" in given and "db_max_idle_conns" not in given:
            with suppress(TypeError, ValueError):  # no number: refused as what it is
                idle = min(10, max(0, int(given["db_max_open_conns"])))
                return {**given, "db_max_idle_conns": idle}
        return given

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.db_max_idle_conns > self.db_max_open_conns:
            raise ValueError("DB_MAX_IDLE_CONNS: must not be more than DB_MAX_OPEN_CONNS")
        if self.production:
            self._refuse_half_configured()
        return self

    def _refuse_half_configured(self) -> None:
        secret = self.jwt_secret.get_secret_value() if self.jwt_secret else ""
        faults = []
        if not secret:
            faults.append("JWT_SECRET: missing; make one with: openssl rand -hex 32")
        elif weak := secret_weakness(secret):
            faults.append(f"JWT_SECRET: {weak}; make one with: openssl rand -hex 32")
        if self.database is None:
            faults.append("DATABASE_URL: missing; set it, or DB_HOST and its companions")
        if "*" in self.cors_allowed_origins:
            faults.append("CORS_ALLOWED_ORIGINS: * is not allowed in production; name the origins")
        if faults:
            raise ValueError("\n".join(faults))


def secret_weakness(secret: str) -> str | None:
    """Returns why a signing key is too easy to guess, or None."""
    if len(secret) < MIN_SECRET_LENGTH:
        return f"too short, {MIN_SECRET_LENGTH} characters at least"
    if any(word in secret.lower() for word in _WEAK):
        return "too easy to guess"
    weakness = fields.secret_weakness(secret)
    return f"too easy to guess ({weakness})" if weakness else None


def parse_database_url(text: str) -> URL:
    """A PostgreSQL URL for psycopg2; `postgres://` is what many hosts still write.

    Raises ValueError.
    """
    if not text.startswith(("postgresql", "postgres:")):
        raise ValueError("must begin with postgresql://")
    _, separator, rest = text.partition("://")
    return fields.parse_database_url(f"postgresql+psycopg2{separator}{rest}")


def _line(fault: Any) -> str:
    message = str(fault["msg"]).removeprefix("Value error, ")
    if not fault["loc"]:
        return message
    return f"{str(fault['loc'][0]).upper()}: {message}"
