"""Reads the properties of a database, and makes another one with the same."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator

import psycopg2
from psycopg2 import sql

from posapp.backup.model.properties import DatabaseProperties, Grant, Setting
from posapp.backup.postgres.client import Connection, one_line, query

_DATABASE = """
SELECT to_jsonb(d), pg_encoding_to_char(encoding), pg_get_userbyid(datdba), spcname,
       shobj_description(d.oid, 'pg_database')
FROM pg_database d JOIN pg_tablespace t ON t.oid = d.dattablespace WHERE datname = %s
"""
_GRANTS = """
SELECT CASE WHEN grantee <> 0 THEN pg_get_userbyid(grantee) END, privilege_type, is_grantable
FROM pg_database d, aclexplode(coalesce(datacl, acldefault('d', datdba)))
WHERE datname = %s ORDER BY 1 NULLS FIRST, 2
"""
_SETTINGS = """
SELECT CASE WHEN setrole <> 0 THEN pg_get_userbyid(setrole) END,
       split_part(setting, '=', 1), substr(setting, strpos(setting, '=') + 1)
FROM pg_db_role_setting s JOIN pg_database d ON d.oid = s.setdatabase,
    unnest(setconfig) WITH ORDINALITY AS one (setting, place)
WHERE datname = %s ORDER BY 1 NULLS FIRST, place
"""
_LISTS = {
    *("search_path", "temp_tablespaces", "local_preload_libraries"),
    *("session_preload_libraries", "shared_preload_libraries", "unix_socket_directories"),
}
"""Lists of names are kept as they are written, quoted one by one."""
_NAME = re.compile(r'"((?:[^"]|"")*+)"|([^,\s]++)')
_ROLE = "SELECT FROM pg_roles WHERE rolname = %s"
_SPACE = "SELECT FROM pg_tablespace WHERE spcname = %s"
_KNOWS_PROVIDERS = 150_000
"""The version of the server from which on a database names its provider of locales."""
_LOCALES = {"i": ("icu", "ICU_LOCALE"), "b": ("builtin", "BUILTIN_LOCALE")}


def read_properties(connection: Connection, name: str) -> DatabaseProperties | None:
    """Returns the properties of a database; None where there is none of that name."""
    found = query(connection, _DATABASE, name)
    if not found:
        return None
    row, encoding, owner, tablespace, comment = found[0]
    return DatabaseProperties(
        owner=owner,
        encoding=encoding,
        collate=row["datcollate"],
        ctype=row["datctype"],
        provider=row.get("datlocprovider") or "c",  # from version 15 on
        locale=row.get("datlocale") or row.get("daticulocale"),  # before 17
        icu_rules=row.get("daticurules"),
        tablespace=tablespace,
        connection_limit=row["datconnlimit"],
        template=row["datistemplate"],
        comment=comment,
        grants=tuple(
            Grant(grantee=g, privilege=p, grantable=o)
            for g, p, o in query(connection, _GRANTS, name)
        ),
        settings=tuple(
            Setting(role=r, name=n, value=v) for r, n, v in query(connection, _SETTINGS, name)
        ),
    )


def create_database(
    connection: Connection, name: str, like: DatabaseProperties | None, mark: str, born: int
) -> None:
    """Creates an empty database with the owner, encoding, locale and tablespace of another, and a
    comment, before which it has `born` as its limit of connections. Its settings and rights come
    after it has been filled."""
    statement = sql.SQL("CREATE DATABASE {} TEMPLATE template0 CONNECTION LIMIT {}").format(
        sql.Identifier(name), sql.Literal(born)
    )
    if like is not None:
        statement += sql.SQL("").join(_options(connection, like))
    query(connection, statement)
    set_comment(connection, name, mark)
    unlimited = sql.SQL("ALTER DATABASE {} CONNECTION LIMIT -1").format(sql.Identifier(name))
    query(connection, unlimited)


def set_comment(connection: Connection, name: str, comment: str | None) -> None:
    """Sets the comment of a database, or removes it."""
    query(
        connection,
        sql.SQL("COMMENT ON DATABASE {} IS {}").format(sql.Identifier(name), sql.Literal(comment)),
    )


def apply_properties(connection: Connection, name: str, like: DatabaseProperties) -> list[str]:
    """Gives a database the rights, the limit and the settings of another. Returns what could not
    be: a role that is not here, a setting that only a superuser may set."""
    problems = []
    for statement in _statements(sql.Identifier(name), like):
        try:
            query(connection, statement)
        except psycopg2.Error as error:
            text = statement.as_string(connection)
            problems.append(f"{text}: {one_line(error)}")
    return problems


def foreseen(
    connection: Connection, like: DatabaseProperties, coming: Collection[str] = ()
) -> tuple[list[str], list[str]]:
    """Returns why no database with these properties can be created here, and what would not be as
    it was: both before anything is done. The roles `coming` will be there."""
    granted = {one.grantee for one in like.grants} | {one.role for one in like.settings}
    losses = [
        f"the role {role} is missing here: its rights and settings on the database are not kept"
        for role in sorted(filter(None, granted - {like.owner, *coming}))
        if not _exists(connection, _ROLE, role)
    ]
    if like.owner not in coming and not _exists(connection, _ROLE, like.owner):
        losses.append(f"the role {like.owner} is missing here: the database gets another owner")
    if like.tablespace != "pg_default" and not _exists(connection, _SPACE, like.tablespace):
        losses.append(f"the tablespace {like.tablespace} is missing here: it lies in the usual one")
    problem = _locale_problem(connection, like)
    return ([problem] if problem else []), losses


def _locale_problem(connection: Connection, like: DatabaseProperties) -> str:
    """Returns why this server cannot sort as the database did, or "". Asked by a collation that is
    made and taken back: whether a locale is there is known to the server's libraries alone."""
    provider = "libc" if like.provider not in _LOCALES else _LOCALES[like.provider][0]
    options: dict[str, sql.Composable] = {"PROVIDER": sql.SQL(provider)}
    if provider == "libc":
        options |= {"LC_COLLATE": sql.Literal(like.collate), "LC_CTYPE": sql.Literal(like.ctype)}
    else:
        options |= {"LOCALE": sql.Literal(like.locale)}
    if like.icu_rules:
        options |= {"RULES": sql.Literal(like.icu_rules)}
    encoding = "SELECT pg_encoding_to_char(encoding) FROM pg_database WHERE datname = %s"
    here = query(connection, encoding, connection.info.dbname)[0][0]
    if provider == "libc" and here != like.encoding:  # no collation of another one can be made
        return ""
    assigned = (sql.SQL("{} = {}").format(sql.SQL(key), value) for key, value in options.items())
    statement = sql.SQL("CREATE COLLATION pg_temp.posapp_probe ({})")
    try:
        query(connection, "BEGIN")
        query(connection, statement.format(sql.SQL(", ").join(assigned)))
    except (psycopg2.DataError, psycopg2.NotSupportedError, psycopg2.ProgrammingError) as error:
        if isinstance(error, psycopg2.errors.InsufficientPrivilege):
            return ""
        shown = like.locale or like.collate
        return f"the server cannot sort by {shown} ({provider}): {one_line(error)}"
    finally:
        query(connection, "ROLLBACK")
    return ""


def _options(connection: Connection, like: DatabaseProperties) -> Iterator[sql.Composable]:
    options: dict[str, sql.Composable] = {
        "ENCODING": sql.Literal(like.encoding),
        "LC_COLLATE": sql.Literal(like.collate),
        "LC_CTYPE": sql.Literal(like.ctype),
    }
    if _exists(connection, _ROLE, like.owner):
        options["OWNER"] = sql.Identifier(like.owner)
    # An ordinary role may not name the one that it gets in any case.
    if like.tablespace != "pg_default" and _exists(connection, _SPACE, like.tablespace):
        options["TABLESPACE"] = sql.Identifier(like.tablespace)
    if like.provider in _LOCALES and like.locale is not None:
        provider, key = _LOCALES[like.provider]
        options |= {"LOCALE_PROVIDER": sql.SQL(provider), key: sql.Literal(like.locale)}
    elif like.provider == "c" and connection.server_version >= _KNOWS_PROVIDERS:
        options["LOCALE_PROVIDER"] = sql.SQL("libc")  # the server's own templates may have another
    if like.icu_rules:
        options["ICU_RULES"] = sql.Literal(like.icu_rules)
    for key, value in options.items():
        yield sql.SQL(f" {key} ") + value


def _exists(connection: Connection, statement: str, value: str) -> bool:
    return bool(query(connection, f"SELECT 1 WHERE EXISTS ({statement})", value))


def _statements(name: sql.Identifier, like: DatabaseProperties) -> Iterator[sql.Composable]:
    yield sql.SQL("REVOKE ALL ON DATABASE {} FROM PUBLIC").format(name)
    yield sql.SQL("REVOKE ALL ON DATABASE {} FROM {}").format(name, sql.Identifier(like.owner))
    for grant in like.grants:
        who = sql.SQL("PUBLIC") if grant.grantee is None else sql.Identifier(grant.grantee)
        option = sql.SQL(" WITH GRANT OPTION" if grant.grantable else "")
        yield sql.SQL("GRANT {} ON DATABASE {} TO {}{}").format(
            sql.SQL(_privilege(grant.privilege)), name, who, option
        )
    yield sql.SQL("ALTER DATABASE {} CONNECTION LIMIT {}").format(
        name, sql.Literal(like.connection_limit)
    )
    if like.template:
        yield sql.SQL("ALTER DATABASE {} IS_TEMPLATE true").format(name)
    for setting in like.settings:
        where = sql.SQL("DATABASE {}").format(name)
        if setting.role is not None:
            role = sql.Identifier(setting.role)
            where = sql.SQL("ROLE {} IN DATABASE {}").format(role, name)
        yield sql.SQL("ALTER {} SET {} TO {}").format(
            where, _parameter(setting.name), _value(setting)
        )


def _privilege(text: str) -> str:
    """PostgreSQL's own words; what else a manifest may say is none."""
    return text if text in ("CREATE", "CONNECT", "TEMPORARY", "TEMP") else "CONNECT"


def _parameter(name: str) -> sql.Composable:
    """A name, or a name of an extension's: `app.zone`."""
    return sql.SQL(".").join(sql.Identifier(part) for part in name.split("."))


def _value(setting: Setting) -> sql.Composable:
    if setting.name not in _LISTS:
        return sql.Literal(setting.value)
    found = ((quoted.replace('""', '"'), bare) for quoted, bare in _NAME.findall(setting.value))
    names = [quoted or bare for quoted, bare in found] or [""]
    return sql.SQL(", ").join(sql.Identifier(name) if name else sql.Literal("") for name in names)
