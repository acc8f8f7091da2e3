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


def unrestorable(connection: Connection) -> list[str]:
    """Returns what is in a database and cannot be restored, as PostgreSQL identifies it."""
    return [name for (name,) in query(connection, f"{_STATEMENT} ORDER BY 1")]
