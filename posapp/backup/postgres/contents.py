"""Reads what a database has besides rows: sequences, large objects, views, rights, extensions."""

from __future__ import annotations

import re
from collections.abc import Mapping

from psycopg2 import sql

from posapp.backup.model.contents import Contents, SequenceState
from posapp.backup.postgres.client import Connection, query

_OURS = "n.nspname NOT LIKE 'pg\\_%' AND n.nspname <> 'information_schema'"
_NO_EXTENSIONS = """NOT EXISTS (SELECT FROM pg_depend e WHERE e.classid = {table}::regclass
    AND e.objid = {oid} AND e.deptype = 'e')"""
_SEQUENCES = f"""
SELECT (pg_identify_object('pg_class'::regclass, c.oid, 0)).identity, last_value,
       CASE WHEN s.cycle THEN 0 ELSE s.increment_by END
FROM pg_sequences s JOIN pg_namespace n ON n.nspname = s.schemaname
JOIN pg_class c ON c.relnamespace = n.oid AND c.relname = s.sequencename
WHERE {_OURS} AND {_NO_EXTENSIONS.format(table="'pg_class'", oid="c.oid")}
"""  # noqa: S608  ours
_MATERIALIZED = f"""
SELECT (pg_identify_object('pg_class'::regclass, c.oid, 0)).identity, relispopulated
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE relkind = 'm' AND {_OURS} AND {_NO_EXTENSIONS.format(table="'pg_class'", oid="c.oid")}
"""  # noqa: S608  ours
_EXTENSIONS = """
SELECT extname, nspname FROM pg_extension JOIN pg_namespace n ON n.oid = extnamespace
WHERE extname <> 'plpgsql' ORDER BY 1
"""
_LARGE_OBJECTS = "SELECT count(*) FROM pg_largeobject_metadata"
_OBJECTS = f"""
SELECT 'pg_class'::regclass, c.oid, 0, relowner, relacl,
       acldefault(CASE relkind WHEN 'S' THEN 's' ELSE 'r' END::"char", relowner)
FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace
WHERE relkind IN ('r', 'p', 'v', 'm', 'f', 'S') AND {_OURS}
UNION ALL
SELECT 'pg_class'::regclass, c.oid, attnum, NULL, attacl, acldefault('c', relowner)
FROM pg_attribute JOIN pg_class c ON c.oid = attrelid JOIN pg_namespace n ON n.oid = relnamespace
WHERE attacl IS NOT NULL AND NOT attisdropped AND {_OURS}
UNION ALL
SELECT 'pg_proc'::regclass, p.oid, 0, proowner, proacl, acldefault('f', proowner)
FROM pg_proc p JOIN pg_namespace n ON n.oid = pronamespace WHERE {_OURS}
UNION ALL
SELECT 'pg_type'::regclass, t.oid, 0, typowner, typacl, acldefault('T', typowner)
FROM pg_type t JOIN pg_namespace n ON n.oid = typnamespace
WHERE typtype IN ('d', 'e', 'r') AND {_OURS}
UNION ALL
SELECT 'pg_namespace'::regclass, n.oid, 0, CASE WHEN nspname <> 'public' THEN nspowner END,
       nspacl, acldefault('n', nspowner)
FROM pg_namespace n WHERE {_OURS}
UNION ALL
SELECT 'pg_largeobject'::regclass, l.oid, 0, lomowner, lomacl, acldefault('L', lomowner)
FROM pg_largeobject_metadata l
"""  # noqa: S608  ours
_GRANTS = """SELECT CASE WHEN grantee = 0 THEN 'PUBLIC' ELSE pg_get_userbyid(grantee) END || ':' ||
    privilege_type || CASE WHEN is_grantable THEN '*' ELSE '' END FROM aclexplode"""
_RIGHTS = f"""
WITH objects (class, object, part, owner, acl, usual) AS ({_OBJECTS}), known AS (
    SELECT o.*, coalesce(i.initprivs, o.usual) AS first
    FROM objects o LEFT JOIN pg_init_privs i
      ON (i.classoid, i.objoid, i.objsubid) = (o.class, o.object, o.part)
    WHERE {_NO_EXTENSIONS.format(table="o.class", oid="o.object")}
)
SELECT (pg_identify_object(class, object, part)).type || ' ' ||
       (pg_identify_object(class, object, part)).identity,
       pg_get_userbyid(owner),
       ARRAY(SELECT '+' || one FROM ({_GRANTS} (coalesce(acl, first))
                                     EXCEPT {_GRANTS} (first)) a (one) ORDER BY 1),
       ARRAY(SELECT '-' || one FROM ({_GRANTS} (first)
                                     EXCEPT {_GRANTS} (coalesce(acl, first))) r (one) ORDER BY 1)
FROM known
"""  # noqa: S608  ours


def read_contents(connection: Connection) -> Contents:
    """Reads them as the connection's snapshot shows them. Raises psycopg2's errors."""
    found = query(connection, _RIGHTS)
    extensions = dict(query(connection, _EXTENSIONS))
    return Contents(
        sequences={
            name: SequenceState(last=last, step=step)
            for name, last, step in query(connection, _SEQUENCES)
        },
        large_objects=query(connection, _LARGE_OBJECTS)[0][0],
        materialized=dict(query(connection, _MATERIALIZED)),
        rights={
            name: (*([f"owner {owner}"] if owner else []), *granted, *revoked)
            for name, owner, granted, revoked in found
            if owner or granted or revoked
        },
        extensions=tuple(extensions),
        extension_schemas=extensions,
    )


_GRANTED_ON = {
    "table": "TABLE",
    "view": "TABLE",
    "materialized view": "TABLE",
    "foreign table": "TABLE",
    "sequence": "SEQUENCE",
    "function": "FUNCTION",
    "aggregate": "FUNCTION",
    "procedure": "PROCEDURE",
    "type": "TYPE",
    "schema": "SCHEMA",
    "large object": "LARGE OBJECT",
}
"""The kinds of objects that have an owner, in the words of REVOKE."""
_PRIVILEGE = re.compile(r"[A-Z]{1,20}")


def take_from_owners(
    connection: Connection, expected: Contents, found: Mapping[str, tuple[str, ...]]
) -> None:
    """Revokes from owners what they had revoked from themselves: they have got it back by becoming
    the owners, as the rights that were `found` show. Raises psycopg2's errors."""
    for name in sorted({*expected.rights} & {*found}):
        kind = next((one for one in _GRANTED_ON if name.startswith(f"{one} ")), None)
        for right in {*expected.rights[name]} - {*found[name]}:
            grantee, _, privilege = right.removesuffix("*").rpartition(":")
            revoked = grantee.startswith("-") and _PRIVILEGE.fullmatch(privilege)
            if kind and revoked and f"owner {grantee[1:]}" in found[name]:
                statement = sql.SQL(
                    "REVOKE {} ON {} {} FROM {}"
                ).format(
                    sql.SQL(privilege),
                    sql.SQL(_GRANTED_ON[kind]),
                    sql.SQL(name.removeprefix(f"{kind} ")),  # as the catalogue itself writes it
                    sql.Identifier(grantee[1:]),
                )
                query(connection, statement)
