"""The handover of the live database to the restored one: no number, id or right comes back.

Numbers and ids stand where the live one had them, so that nothing that was given out is given out
again: a till that still shows bill 3 must not pay another guest's. Where the live one is lost, they
jump ahead. Every sign-in ends, and whoever was dismissed, lost a role or changed a password since
stays so.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from psycopg2 import sql

from posapp import JAKARTA
from posapp.backup.postgres.client import Connection, query

ID_JUMP = 100_000
"""Ids that are left out where nobody knows the last one that was given out."""
NUMBER_JUMP = 1_000
"""Numbers of orders and receipts that are left out then, on each business date since the backup."""
_KINDS = ("order", "receipt")
_LONGEST_GAP = timedelta(days=400)
_CREDENTIALS = ("password_hash", "pin_hash")

_SEQUENCES = """
SELECT schemaname, sequencename, last_value FROM pg_sequences
WHERE last_value IS NOT NULL AND NOT cycle AND schemaname NOT LIKE 'pg\\_%'
"""
_ADVANCE = """
WITH known AS (
    SELECT *, CASE WHEN increment_by > 0 THEN least(%(last)s, max_value)
                   ELSE greatest(%(last)s, min_value) END AS reached
    FROM pg_sequences WHERE schemaname = %(schema)s AND sequencename = %(name)s AND NOT cycle
)
SELECT setval(format('%%I.%%I', schemaname, sequencename)::regclass, reached), reached = %(last)s
FROM known
WHERE reached BETWEEN min_value AND max_value
  AND (last_value IS NULL OR (last_value::numeric - reached) * sign(increment_by::numeric) <= 0)
"""
"""Where its bounds are narrower than the live one's were it stands at its end, and gives out
nothing: sooner that than again what was given out."""
_JUMP = """
WITH known AS (
    SELECT format('%%I.%%I', schemaname, sequencename) AS name, increment_by::numeric AS step,
           coalesce(last_value::numeric, start_value::numeric - increment_by) AS last,
           CASE WHEN increment_by > 0 THEN max_value ELSE min_value END::numeric AS most
    FROM pg_sequences WHERE NOT cycle AND schemaname NOT LIKE 'pg\\_%%'
), jumps AS (
    SELECT name, step, last, least(%s, div(div(most - last, step), 2)) AS steps FROM known
)
SELECT name, steps::bigint,
       CASE WHEN steps > 0 THEN setval(name::regclass, (last + steps * step)::bigint) END
FROM jumps ORDER BY name
"""
"""One that has given out nothing yet jumps too: it may have since. Where an end is near, it jumps
half the way: one that stands at its end gives out nothing any more."""
_COUNT_ON = """
INSERT INTO public.counters (kind, business_date, last)
SELECT kind, business_date, last FROM jsonb_to_recordset(%s)
    AS carried (kind text, business_date date, last int)
ON CONFLICT (kind, business_date) DO UPDATE SET last = greatest(counters.last, excluded.last)
"""
_JUMP_NUMBERS = """
INSERT INTO public.counters (kind, business_date, last)
SELECT kind, day::date, %(jump)s FROM unnest(%(kinds)s) kind,
    generate_series(%(first)s::date, %(last)s::date, interval '1 day') day
ON CONFLICT (kind, business_date) DO UPDATE SET last = counters.last + excluded.last
"""
_END_SIGN_INS = """
UPDATE public.sign_ins SET ended_at = %s, end_reason = 'restored' WHERE ended_at IS NULL
"""


@dataclass
class LiveState:
    """The state of the live database: what was given out, and taken away."""

    sequences: list[tuple[str, str, int]] = field(default_factory=list)
    counters: list[dict[str, Any]] = field(default_factory=list)
    users: dict[int, dict[str, Any]] = field(default_factory=dict)
    """By their id: username, role, active, token_epoch and what they sign in with."""


def read_live(connection: Connection) -> LiveState:
    """Reads the state of a database to which nobody writes any more. Raises BackupError."""
    state = LiveState(sequences=[(s, n, v) for s, n, v in query(connection, _SEQUENCES)])
    if _has(connection, "counters"):
        rows = query(connection, "SELECT kind, business_date::text, last FROM public.counters")
        state.counters = [
            dict(zip(("kind", "business_date", "last"), r, strict=True)) for r in rows
        ]
    if _has(connection, "users"):
        rows = query(connection, "SELECT id, to_jsonb(users) FROM public.users")
        state.users = dict(rows)
    return state


def carry_over(connection: Connection, state: LiveState, now: datetime) -> list[str]:
    """Has a restored database take over what was live. Returns what a person has to look at."""
    notes = _advance(connection, state)
    if _has(connection, "counters"):
        query(connection, _COUNT_ON, json.dumps(state.counters))
    end_sign_ins(connection, now)
    return notes + (_carry_accounts(connection, state.users) if _has(connection, "users") else [])


def _advance(connection: Connection, state: LiveState) -> list[str]:
    """Has the sequences stand where the live ones stood. Returns which of them cannot."""
    notes = []
    for schema, name, last in state.sequences:
        with connection.cursor() as cursor:
            cursor.execute(_ADVANCE, {"schema": schema, "name": name, "last": last})
            if any(not reached for _, reached in cursor.fetchall()):
                notes.append(
                    f"The sequence {schema}.{name} stood at {last}, beyond its end in the backup:"
                    " it gives out nothing until it is wider, as by ALTER SEQUENCE … MAXVALUE"
                )
    return notes


def jump_ahead(connection: Connection, since: datetime, now: datetime) -> list[str]:
    """Has a restored database leave out ids and numbers, where nobody knows which were given out
    since the backup. Returns what a person has to know."""
    jumps = query(connection, _JUMP, ID_JUMP)
    notes = [
        f"The sequence {name} is near its end: it goes on {steps} further, and may give out again"
        " what it gave out after the backup"
        for name, steps, _ in jumps
        if steps < ID_JUMP
    ]
    end_sign_ins(connection, now)
    if not _has(connection, "counters"):
        return notes
    # A clock may have been set back since the backup, and be set right again.
    first = max(min(since, now), now - _LONGEST_GAP) - timedelta(days=1)
    last = max(now, min(since, now + _LONGEST_GAP))
    with connection.cursor() as cursor:
        days = {"first": first.astimezone(JAKARTA).date(), "last": last.astimezone(JAKARTA).date()}
        cursor.execute(_JUMP_NUMBERS, {"jump": NUMBER_JUMP, "kinds": list(_KINDS), **days})
    return [
        *notes,
        "What was given out after the backup is not known: numbers of orders and receipts go on"
        f" {NUMBER_JUMP} further, ids {ID_JUMP}",
        "Dismissals and changed passwords since the backup are not known: posapp users list",
    ]


def end_sign_ins(connection: Connection, now: datetime) -> None:
    """Ends every sign-in: tokens of one that has ended since must not hold again."""
    if _has(connection, "sign_ins"):
        query(connection, _END_SIGN_INS, now)
    if _has(connection, "users"):
        query(connection, "UPDATE public.users SET token_epoch = token_epoch + 1")


def _carry_accounts(connection: Connection, live: Mapping[int, Mapping[str, Any]]) -> list[str]:
    restored = query(connection, "SELECT id, to_jsonb(users) FROM public.users ORDER BY id")
    notes: list[str] = []
    for number, user in restored:
        now = live.get(number)
        if now is None or now["username"] != user["username"]:
            notes.append(
                f"The account {user['username']} was not in the live database: is it right?"
            )
            continue
        if now["active"] and not user["active"]:
            notes.append(f"The account {user['username']} was active, and is not any more")
        changes = {key: now[key] for key in _CREDENTIALS if key in now and key in user}
        changes |= {"role": now["role"], "active": now["active"] and user["active"]}
        _update(connection, number, changes)
        _update(
            connection, number, {"token_epoch": max(now["token_epoch"], user["token_epoch"]) + 2}
        )
    lost = {user["username"] for user in live.values()} - {user["username"] for _, user in restored}
    return [
        *notes,
        *(f"The account {name} is newer than the backup: add it again" for name in sorted(lost)),
    ]


def _update(connection: Connection, number: int, changes: Mapping[str, Any]) -> None:
    columns = sql.SQL(", ").join(sql.SQL("{} = %s").format(sql.Identifier(key)) for key in changes)
    query(
        connection,
        sql.SQL("UPDATE public.users SET {} WHERE id = %s").format(columns),
        *changes.values(),
        number,
    )


def _has(connection: Connection, table: str) -> bool:
    return query(connection, "SELECT to_regclass(%s)", f"public.{table}")[0][0] is not None
