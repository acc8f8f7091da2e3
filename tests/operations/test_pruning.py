"""What grows is bounded, by age and by number; money and its audit are never touched."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
import requests
from sqlalchemy import create_engine, make_url, text

from healthkit import Health, Status, load_settings
from healthkit.testing import ManualClock, wait_until
from posapp.features.auth import pruning as sign_ins
from posapp.features.idempotency import service as idempotency
from posapp.operations import pruning
from posapp.operations.pruning import PRUNE_LOCK, Pruner, beat_of
from posapp.runtime import files

NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)
DAY = timedelta(days=1)


def quiet(kind, text):
    """No healthkit has a check that waits for these runs."""


@pytest.fixture
def waiting(tmp_path):
    """A healthkit that waits for the job, its store in a folder that may be away."""
    folder = tmp_path / "store"
    folder.mkdir()
    document = {
        "service": {"name": "POS"},
        "store": {"url": f"sqlite:///{folder}/store.db"},
        "checks": {"retention": {"type": "heartbeat", "every": "5m", "grace": "15m"}},
    }
    health = Health(load_settings(document, environ={}))
    yield health
    health.stop()


@pytest.fixture
def engine(database):
    engine = create_engine(database)
    yield engine
    engine.dispose()


@pytest.fixture
def pruner(engine, tmp_path):
    return Pruner(engine, ManualClock(NOW), tmp_path, quiet)


@pytest.fixture(autouse=True)
def empty(cursor):
    cursor.execute("DELETE FROM idempotency_keys")
    cursor.execute("DELETE FROM refresh_tokens")
    cursor.execute("DELETE FROM sign_ins")


@pytest.fixture
def keys(cursor):
    """Adds keys of this age; the ones that are left."""

    def add(count, age):
        cursor.execute(
            "INSERT INTO idempotency_keys (key, fingerprint, created_at)"
            " SELECT gen_random_uuid()::text, '', %s FROM generate_series(1, %s)",
            [NOW - age, count],
        )

    return add


def count(cursor, table):
    cursor.execute(f"SELECT count(*) FROM {table}")
    return cursor.fetchone()[0]


def sign_in(cursor, user=1, created=timedelta(0), ended=None, tokens=2):
    """A sign-in so long ago, with a chain of refresh tokens."""
    family, start = str(uuid4()), NOW - created
    cursor.execute(
        "INSERT INTO sign_ins (id, user_id, created_at, expires_at, ended_at, end_reason)"
        " VALUES (%s, %s, %s, %s, %s, %s)",
        [
            *(family, user, start, start + 14 * DAY),
            *(None if ended is None else NOW - ended, ended and "signed_out"),
        ],
    )
    before = None
    for _ in range(tokens):
        cursor.execute(
            "INSERT INTO refresh_tokens (jti, user_id, family, predecessor_id, created_at,"
            " expires_at) VALUES (%s, %s, %s, %s, %s, %s) RETURNING id",
            [str(uuid4()), user, family, before, start, start + 14 * DAY],
        )
        (before,) = cursor.fetchone()
    return family


def families(cursor):
    cursor.execute("SELECT id::text FROM sign_ins")
    return {row[0] for row in cursor.fetchall()}


def test_keys_are_kept_for_a_quarter_and_no_longer(pruner, keys, cursor):
    keys(3, idempotency.KEPT + timedelta(seconds=1))
    keys(5, idempotency.KEPT - timedelta(seconds=1))
    keys(7, timedelta(0))
    assert pruner.prune()["idempotency_keys"] == 3
    assert count(cursor, "idempotency_keys") == 12


def test_more_keys_than_one_batch_are_removed_in_several(pruner, keys, cursor, monkeypatch):
    monkeypatch.setattr(pruning, "BATCH", 10)
    keys(45, idempotency.KEPT + DAY)
    assert pruner.prune()["idempotency_keys"] == 45
    keys(45, idempotency.KEPT + DAY)
    monkeypatch.setattr(pruning, "MOST_BATCHES", 2)
    assert pruner.prune()["idempotency_keys"] == 20
    assert count(cursor, "idempotency_keys") == 25


def test_of_too_many_keys_the_oldest_go(pruner, keys, cursor, monkeypatch):
    for days in range(40):
        keys(1, days * DAY)
    cursor.execute("ANALYZE idempotency_keys")
    assert pruner.prune()["idempotency_keys"] == 0
    monkeypatch.setattr(idempotency, "MOST", 30)
    assert pruner.prune()["idempotency_keys"] == 10
    cursor.execute("SELECT min(created_at) FROM idempotency_keys")
    assert cursor.fetchone()[0] == NOW - 29 * DAY


def test_a_sign_in_goes_a_month_after_its_end_with_its_tokens(pruner, cursor):
    kept = {
        sign_in(cursor),
        sign_in(cursor, created=43 * DAY),  # it has expired 29 days ago
        sign_in(cursor, created=50 * DAY, ended=29 * DAY),
    }
    sign_in(cursor, created=45 * DAY)
    sign_in(cursor, created=40 * DAY, ended=31 * DAY)
    assert pruner.prune()["sign_ins"] == 2
    assert families(cursor) == kept
    assert count(cursor, "refresh_tokens") == 6


def test_of_too_many_sign_ins_of_one_account_the_oldest_go(pruner, cursor, monkeypatch):
    monkeypatch.setattr(sign_ins, "MOST", 3)
    many = [sign_in(cursor, created=timedelta(minutes=n)) for n in range(5)]
    other = sign_in(cursor, user=2, created=DAY)
    assert pruner.prune()["sign_ins"] == 2
    assert families(cursor) == {*many[:3], other}


def test_tokens_of_the_version_before_go_when_they_are_over(pruner, cursor):
    sql = (
        "INSERT INTO refresh_tokens (user_id, family, token_hash, created_at, expires_at)"
        " VALUES (1, %s, %s, %s, %s)"
    )
    for number, age in enumerate((31, 29)):
        cursor.execute(sql, [str(uuid4()), bytes([number]), NOW, NOW - age * DAY])
    assert pruner.prune()["refresh_tokens"] == 1
    assert count(cursor, "refresh_tokens") == 1


MONEY = ("orders", "order_lines", "payments", "payment_reversals", "voids", "audit_log")


def test_money_and_its_audit_are_never_touched(engine, water, sign_in, cursor, tmp_path):
    manager = sign_in("manager")
    manager.undo(manager.pay(manager.order(water).json).json)
    manager.void(manager.order(water).json)
    before = {table: count(cursor, table) for table in MONEY}
    assert all(before.values())
    Pruner(engine, ManualClock(NOW + 4000 * DAY), tmp_path, quiet).prune()
    assert {table: count(cursor, table) for table in MONEY} == before
    assert count(cursor, "idempotency_keys") == 0


def test_one_prunes_at_a_time(pruner, engine, keys, cursor):
    keys(3, idempotency.KEPT + DAY)
    with engine.begin() as other:
        other.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": PRUNE_LOCK})
        assert pruner.prune()["idempotency_keys"] == 0
    assert pruner.prune()["idempotency_keys"] == 3


def test_logs_of_the_demo_are_cut_while_their_programs_run(pruner, tmp_path):
    (tmp_path / "gunicorn.log").write_bytes(b"x" * (files.LARGEST_LOG + 1))
    (tmp_path / "watch.log").write_bytes(b"x" * 10)
    assert pruner.prune()["log_bytes"] == files.LARGEST_LOG + 1
    assert (tmp_path / "gunicorn.log").stat().st_size == 0
    assert (tmp_path / "watch.log").stat().st_size == 10
    for _ in range(3):
        (tmp_path / "gunicorn.log").write_bytes(b"x" * (files.LARGEST_LOG + 1))
        pruner.prune()
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "gunicorn.log",
        "gunicorn.log.1",
        "watch.log",
    ]


def test_a_fault_is_counted_and_stops_nothing(tmp_path):
    url = make_url("postgresql+psycopg2://pos:hush@127.0.0.1:1/pos")
    before = pruning.PRUNE_FAILURES._value.get()
    assert Pruner(create_engine(url), ManualClock(NOW), tmp_path, quiet).prune() == {}
    assert pruning.PRUNE_FAILURES._value.get() == before + 1


def test_each_run_is_reported_with_what_it_removed_and_how_long_it_took(
    engine, keys, tmp_path, waiting
):
    keys(3, idempotency.KEPT + DAY)
    Pruner(engine, ManualClock(NOW), tmp_path, beat_of(waiting)).prune()
    run = waiting.last_run("retention")
    assert (run.status, run.text) == (Status.HEALTHY, "removed 3 idempotency_keys")
    assert run.seconds is not None


def test_a_run_that_fails_is_reported_without_its_secrets(tmp_path, waiting):
    url = make_url("postgresql+psycopg2://pos:hush@127.0.0.1:1/pos")
    Pruner(create_engine(url), ManualClock(NOW), tmp_path, beat_of(waiting)).prune()
    run = waiting.last_run("retention")
    assert run.status is Status.UNHEALTHY
    assert "refused" in run.text
    assert "hush" not in run.text


def test_a_report_that_cannot_be_stored_keeps_nothing_from_being_removed(engine, keys, tmp_path):
    keys(3, idempotency.KEPT + DAY)
    document = {
        "service": {"name": "POS"},
        "store": {"url": "postgresql://pos:hush@127.0.0.1:1/pos"},
        "checks": {"retention": {"type": "heartbeat", "every": "5m"}},
    }
    health = Health(load_settings(document, environ={}))
    pruner = Pruner(engine, ManualClock(NOW), tmp_path, beat_of(health))
    assert pruner.prune()["idempotency_keys"] == 3


@pytest.mark.deep
def test_a_server_prunes_from_its_start_and_shows_it_in_the_metrics(serve, database, keys, cursor):
    cursor.execute(
        "INSERT INTO idempotency_keys (key, fingerprint, created_at)"
        " VALUES ('a key of long ago', '', now() - interval '93 days')"
    )
    server = serve(database)

    def metrics():
        return requests.get(f"{server.url}/metrics", timeout=60).text

    wait_until(lambda: 'posapp_pruned_total{what="idempotency_keys"} 1.0' in metrics())
    assert "posapp_pruned_timestamp_seconds" in metrics()
    assert count(cursor, "idempotency_keys") == 0
