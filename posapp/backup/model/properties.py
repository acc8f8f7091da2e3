"""The properties of a database as a whole: its owner, its locale, its rights and its settings.

No dump of one database has them; they are kept in its manifest, and are the same after a restore.
"""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class Grant(BaseModel):
    """A privilege on the database; `grantee` None is PUBLIC."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    grantee: str | None
    privilege: str
    grantable: bool = False


class Setting(BaseModel):
    """A setting for its sessions, for those of one role where one is named."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    role: str | None
    name: str
    value: str


class DatabaseProperties(BaseModel):
    """The properties of a database."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    owner: str
    encoding: str
    collate: str
    ctype: str
    provider: str = "c"
    """As in pg_database: `c` of the C library, `i` of ICU, `b` PostgreSQL's own."""
    locale: str | None = None
    icu_rules: str | None = None
    tablespace: str = "pg_default"
    connection_limit: int = -1
    template: bool = False
    """Whether it may be copied by whoever may create databases."""
    comment: str | None = None
    grants: tuple[Grant, ...] = ()
    settings: tuple[Setting, ...] = ()
