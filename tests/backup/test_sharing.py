"""The rows of a large table are taken in by two sessions, and none is lost, doubled or mixed."""

import gzip
from pathlib import Path

import pytest

from posapp.backup import planner_statistics
from posapp.backup.errors import BackupError
from posapp.backup.postgres import client as postgres_client
from posapp.backup.postgres import psql
from posapp.backup.postgres.client import PostgresClient
from posapp.backup.postgres.dump_filter import DumpFilter
from tests.backup.kit import SMALL, context_on, make, restore, run_sql

ODD = r"""
CREATE TABLE odd (id int, t text, b bytea, n numeric);
INSERT INTO odd SELECT n,
  (ARRAY['', E'two\nlines', E'\\.', E'\n\\.\n', E'tab\there', NULL, 'nasi goreng',
         repeat('x', 3000),
         'COPY public.odd (id) FROM stdin;', E'\\N', 'ayam é € 🍗'])[1 + n % 11],
  decode(repeat(lpad(to_hex(n % 256), 2, '0'), n % 40), 'hex'), n / 7.0
FROM generate_series(1, 8000) n;
CREATE TABLE empty (id int);
CREATE TABLE wide (id int PRIMARY KEY, t text);
INSERT INTO wide SELECT n, repeat('y', 250000) FROM generate_series(1, 12) n;
"""
"""Tables of some megabytes: more than a pipe and psql take before they have run what is before."""
DIGEST = "SELECT count(*), md5(string_agg(o::text, '|' ORDER BY id)) FROM {} o"
TABLES = ("odd", "wide", "bills", "guests")


@pytest.fixture
def sessions(monkeypatch):
    """What each psql is given; the second one has its turn soon, and often."""
    monkeypatch.setattr(psql, "SHARED_FROM", 1_500_000)
    monkeypatch.setattr(psql, "_TURN", 300)
    found, write = {}, psql.Psql.write

    def noted(self, text):
        found.setdefault(self, bytearray()).extend(text)
        write(self, text)

    monkeypatch.setattr(psql.Psql, "write", noted)
    return found


def digests(url):
    return {table: run_sql(url, DIGEST.format(table)) for table in TABLES}


def test_every_row_arrives_once_whatever_is_in_it(small, tmp_path, log, sessions):
    run_sql(small, ODD)
    context, before = context_on(small, tmp_path, log), digests(small)
    made = make("daily", context)
    run_sql(small, "DELETE FROM odd; DELETE FROM wide")
    restore(made, context)
    assert digests(small) == before
    shared = [bytes(text) for text in sessions.values() if text.count(b"\nCOPY ") == 1]
    tables = {text.split(b"\nCOPY public.")[1].split()[0] for text in shared}
    assert tables == {b"odd", b"wide"}
    assert all(len(text) > 100_000 for text in shared)
    (first,) = [text for text in sessions.values() if b"CREATE TABLE" in text]
    assert b"COPY public.empty" in first


@pytest.mark.deep
def test_what_the_dump_sets_for_its_session_holds_for_the_second_one_too(
    postgres, tmp_path, log, sessions
):
    """The rows of this one are no UTF-8."""
    postgres.execute(
        "CREATE DATABASE latin TEMPLATE template0 ENCODING 'LATIN1' LOCALE_PROVIDER libc LOCALE 'C'"
    )
    url = postgres.url.set(database="latin")
    try:
        run_sql(url, f"{SMALL}; UPDATE guests SET name = repeat('Café ', 10000) || id")
        context = context_on(url, tmp_path, log)
        made = make("daily", context)
        run_sql(url, "DELETE FROM bills; DELETE FROM guests")
        restore(made, context)
        assert run_sql(
            url, "SELECT count(*) FROM guests WHERE name = repeat('Café ', 10000) || id"
        ) == [(50,)]
        assert len(sessions) > 1
    finally:
        for (name,) in run_sql(postgres.url, "SELECT datname FROM pg_database"):
            if name.startswith("latin"):
                postgres.drop(name)


def test_a_row_that_the_second_one_does_not_take_ends_the_restore(small, tmp_path, log, sessions):
    run_sql(small, ODD)
    context = context_on(small, tmp_path, log)
    made = make("daily", context)
    path = Path(made.location)
    head, copy, rows = gzip.decompress(path.read_bytes()).partition(b"COPY public.odd ")
    lines = rows.split(b"\n")
    for at in range(7900, 7940):  # whosever turn it is, some of them are the second one's
        lines[at] = b"no number\t\\N\t\\N\t\\N"
    path.write_bytes(gzip.compress(head + copy + b"\n".join(lines), 1))
    path.with_name(made.name.manifest).unlink()
    (found,) = context.storage.list_backups()
    with pytest.raises(BackupError, match="psql: invalid input syntax"):
        restore(found, context, unsigned=True, confirm_typed=lambda question, word: None)
    assert run_sql(small, "SELECT count(*) FROM odd") == [(8000,)]
    assert len(sessions) == 2
    left = run_sql(small, "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'psql'")
    assert left == [(0,)]


@pytest.mark.deep
@pytest.mark.timeout(60)
def test_two_sessions_never_wait_for_each_other_for_ever(
    small, tmp_path, log, sessions, monkeypatch
):
    """A dump that is not pg_dump's: a key that stands before its rows, and one of them twice, the
    second time in the other session (rows of 400 bytes, so they take turns)."""
    monkeypatch.setattr(postgres_client, "LOCK_WAIT", 1)
    run_sql(
        small,
        "CREATE TABLE pairs (id int, t text);"
        "INSERT INTO pairs SELECT n, repeat('z', 400) FROM generate_series(1, 20000) n",
    )
    context = context_on(small, tmp_path, log)
    made = make("daily", context)
    path = Path(made.location)
    head, copy, rest = gzip.decompress(path.read_bytes()).partition(b"COPY public.pairs ")
    lines = rest.split(b"\n")
    lines[7001] = lines[6000]
    key = b"ALTER TABLE ONLY public.pairs ADD PRIMARY KEY (id);\n"
    path.write_bytes(gzip.compress(head + key + copy + b"\n".join(lines), 1))
    path.with_name(made.name.manifest).unlink()
    (found,) = context.storage.list_backups()
    with pytest.raises(BackupError, match="lock timeout"):
        restore(found, context, unsigned=True, confirm_typed=lambda question, word: None)
    assert run_sql(small, "SELECT count(*) FROM pairs") == [(20000,)]


def test_a_small_table_is_not_shared(small, tmp_path, log, monkeypatch):
    started, start = [], PostgresClient.start

    def noted(client, program, *arguments, **how):
        started.append(program)
        return start(client, program, *arguments, **how)

    context = context_on(small, tmp_path, log)
    made = make("daily", context)
    monkeypatch.setattr(PostgresClient, "start", noted)
    restore(made, context, pre_restore_backup=False)
    assert started == ["psql"]


def test_settings_are_noted_and_nothing_else_is():
    passed = DumpFilter()
    dump = (
        b"SET statement_timeout = 0;\nSET client_encoding = 'UTF8';\n"
        b"SELECT pg_catalog.set_config('search_path', '', false);\n"
        b"SET client_encoding = 'LATIN1';\n"
        b"CREATE FUNCTION f() RETURNS void AS $$\nSET row_security = off;\n$$ LANGUAGE sql;\n"
        b"SET a = 1; DROP TABLE t;\nSELECT pg_catalog.set_config('role', 'x', false);\n"
        b"COPY public.t (a) FROM stdin;\nSET x = 1;\n\\.\n"
    )
    assert passed.feed(dump) == dump
    assert list(passed.settings.values()) == [
        b"SET statement_timeout = 0;\n",
        b"SET client_encoding = 'LATIN1';\n",
        b"SELECT pg_catalog.set_config('search_path', '', false);\n",
    ]


# The planner's statistics


@pytest.mark.deep
def test_statistics_are_updated_when_it_is_live(small, tmp_path, log, monkeypatch):
    seen, update = [], planner_statistics._update

    def look(client):
        seen.append(run_sql(client.url, "SELECT count(*) FROM bills"))
        update(client)

    monkeypatch.setattr(planner_statistics, "_update", look)
    context = context_on(small, tmp_path, log)
    made = make("daily", context)
    run_sql(small, "DELETE FROM bills")
    restore(made, context)
    assert seen == [[(400,)]]
    assert run_sql(small, "SELECT count(*) > 0 FROM pg_stats WHERE tablename = 'bills'") == [
        (True,)
    ]
    assert "The planner's statistics are updated" in log.path.read_text()


@pytest.mark.deep
def test_where_statistics_fail_the_restore_stands_and_says_so(small, tmp_path, log, monkeypatch):
    def fail(client):
        raise BackupError("the disk is slow")

    monkeypatch.setattr(planner_statistics, "_update", fail)
    context = context_on(small, tmp_path, log)
    made = make("daily", context)
    run_sql(small, "DELETE FROM bills")
    restore(made, context)
    assert run_sql(small, "SELECT count(*) FROM bills") == [(400,)]
    assert "statistics are not updated: the disk is slow; type ANALYZE" in log.path.read_text()
