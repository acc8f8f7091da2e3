"""Finds what no loader may make: that it cannot be restored is said by the backup already.

Only a superuser may make these things (PostgreSQL 18, "CREATE TYPE", "CREATE FUNCTION" and so on),
and a dump makes them in its midst, where others need them: they cannot be left for afterwards, as
event triggers are. Those of extensions come with the extension.
"""

from __future__ import annotations

from posapp.backup.postgres.client import Connection, query

_OF_PEOPLE = """
{oid} >= 16384 AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = '{table}'::regclass
    AND d.objid = {oid} AND d.deptype IN ('e', 'i'))
"""
"""Neither the server's own, nor of an extension, nor made along with something else."""
_FOUND = (
    ("pg_foreign_data_wrapper", "true"),
    ("pg_type", "(typtype = 'b' AND typinput <> 'array_in'::regproc) OR NOT typisdefined"),
    (
        "pg_class",
        "relkind = 'f' AND EXISTS (SELECT FROM pg_foreign_table, unnest(ftoptions) o"
        " WHERE ftrelid = pg_class.oid AND o ~ '^(filename|program)=')",
    ),
    ("pg_language", "true"),
    ("pg_opclass", "true"),
    ("pg_opfamily", "true"),
    ("pg_am", "true"),
    ("pg_cast", "castmethod = 'b'"),
    ("pg_ts_parser", "true"),
    ("pg_ts_template", "true"),
    (
        "pg_proc",
        "(prokind <> 'a' AND (proleakproof OR"
        " NOT (SELECT lanpltrusted FROM pg_language l WHERE l.oid = prolang)))"
        " OR EXISTS (SELECT FROM pg_aggregate WHERE aggfnoid = pg_proc.oid"
        " AND 'internal'::regtype IN (aggtranstype, aggmtranstype))",
    ),
)
_STATEMENT = " UNION ALL ".join(
    f"SELECT (pg_identify_object('{table}'::regclass, oid, 0)).type || ' ' ||"  # noqa: S608  ours
    f" (pg_identify_object('{table}'::regclass, oid, 0)).identity"
    f" FROM {table} WHERE ({condition}) AND {_OF_PEOPLE.format(table=table, oid='oid')}"
    for table, condition in _FOUND
)


_MAPPINGS = """
SELECT 'user mapping for ' || usename || ' on server ' || srvname FROM pg_user_mappings
WHERE EXISTS (SELECT FROM unnest(umoptions) o
    WHERE o ~* '^password_required=(f(a(l(s(e)?)?)?)?|n(o)?|of(f)?|0)$' OR o ~ '^ssl(cert|key)=')
"""
"""Of postgres_fdw: without a password, or with a file of the server's."""
_EMPTY_BELOW = """
WITH RECURSIVE reads AS (
    SELECT DISTINCT ev_class AS reader, refobjid AS read
    FROM pg_rewrite r JOIN pg_depend d ON d.classid = 'pg_rewrite'::regclass AND d.objid = r.oid
    WHERE d.refclassid = 'pg_class'::regclass AND refobjid <> ev_class
), found AS (
    SELECT oid FROM pg_class WHERE relkind = 'm' AND NOT relispopulated
    UNION SELECT reader FROM reads JOIN found ON oid = read
)
SELECT 'materialized view ' || (pg_identify_object('pg_class'::regclass, oid, 0)).identity
FROM pg_class JOIN found USING (oid) WHERE relkind = 'm' AND relispopulated
"""
"""No dump fills a view that reads one that is empty."""
_BY_SUPERUSERS = "only a superuser can make it, by psql"
_REASONS = {
    _STATEMENT: _BY_SUPERUSERS,
    _MAPPINGS: _BY_SUPERUSERS,
    _EMPTY_BELOW: "it is filled, and reads one that is not: REFRESH MATERIALIZED VIEW",
}


def unrestorable(connection: Connection) -> dict[str, str]:
    """Returns what is in a database and cannot be restored, as PostgreSQL identifies it, and why
    not."""
    return {
        name: reason
        for statement, reason in _REASONS.items()
        for (name,) in query(connection, f"{statement} ORDER BY 1")
    }
