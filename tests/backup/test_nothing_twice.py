"""After a restore nothing that was given out is given out again, and no right comes back."""

import re
from datetime import timedelta

import psycopg2
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from healthkit import SYSTEM_CLOCK
from healthkit.testing import wait_until
from posapp.backup import restore as restoring
from posapp.backup.context import RunLog
from posapp.backup.postgres.client import PostgresClient
from posapp.backup.postgres.handover import (
    ID_JUMP,
    NUMBER_JUMP,
    LiveState,
    carry_over,
    jump_ahead,
    read_live,
)
from posapp.backup.storage.folder import FolderStorage
from tests.backup.kit import context_on, make, restore, run_sql


@pytest.fixture(scope="module")
def restored(postgres, database, app, sign_in, water, tmp_path_factory):
    """A POS that was restored to what it was before its last sales; what was before and since."""
    folder = tmp_path_factory.mktemp("restored")
    context = context_on(database, folder / "backups", RunLog(folder / "log", SYSTEM_CLOCK))
    cashier, waiter = sign_in("cashier"), sign_in("waiter")
    kept = cashier.order(water).json
    open_bill = cashier.order(water).json
    cashier.pay(kept)
    made = make("daily", context)
    lost = [cashier.order(water).json for _ in range(2)]
    receipt = cashier.pay(lost[0]).json
    cashier.pay(open_bill)
    run_sql(database, "UPDATE users SET active = false WHERE username = 'kitchen'")
    run_sql(
        database,
        "UPDATE users SET role = 'cashier', password_hash = (SELECT password_hash FROM users"
        " WHERE username = 'cashier') WHERE username = 'manager'",
    )
    done = restore(made, context)
    # What was open in the last second is not tried before it is used: who asks, asks once more.
    wait_until(lambda: cashier.get("/orders").status_code == 401)
    yield {
        "kept": kept,
        "open": open_bill,
        "lost": lost,
        "receipt": receipt,
        "tokens": [cashier, waiter],
        "done": done,
        "folder": folder / "backups",
    }
    postgres.drop(done.old_database)


def test_a_bill_that_is_gone_is_nobody_elses(restored, sign_in, water):
    till = sign_in("cashier")
    assert till.get(f"/orders/{restored['kept']['id']}").status_code == 200
    for gone in restored["lost"]:
        assert till.get(f"/orders/{gone['id']}").status_code == 404
    new = till.order(water).json
    assert new["id"] > max(order["id"] for order in restored["lost"])
    assert new["number"] == max(order["number"] for order in restored["lost"]) + 1
    paid = till.pay(new).json
    assert paid["id"] > restored["receipt"]["id"]
    assert paid["receipt_number"] == restored["receipt"]["receipt_number"] + 2


def test_every_sign_in_has_ended(restored, database):
    for till in restored["tokens"]:
        assert till.get("/orders").status_code == 401
    reasons = run_sql(
        database, "SELECT DISTINCT end_reason FROM sign_ins WHERE ended_at IS NOT NULL"
    )
    assert ("restored",) in reasons


def test_the_dismissed_stay_dismissed_and_old_passwords_and_roles_stay_old(restored, sign_in):
    nobody = sign_in()

    def enters(name, password):
        answer = nobody.post("/auth/login", {"username": name, "password": password})
        return answer.json["user"]["role"] if answer.status_code == 200 else None

    assert enters("kitchen", "kitchen-demo") is None
    assert enters("manager", "manager-demo") is None
    assert enters("manager", "cashier-demo") == "cashier"


def test_what_was_rolled_back_is_told_by_number_and_sum_and_kept(restored):
    told = "\n".join(restoring.summary(restored["done"]))
    lost = restored["lost"]
    numbers = f"no. {lost[0]['number']}-{lost[1]['number']}"
    assert re.search(
        rf"Rolled back: 2 orders, Rp {sum(o['total'] for o in lost)}: .*{numbers}", told
    )
    assert re.search(
        rf"Rolled back: 2 payments, Rp {lost[0]['total'] + restored['open']['total']}", told
    )
    assert re.search(rf"earlier state: 1 orders, Rp .* no. {restored['open']['number']}", told)
    (report,) = (restored["folder"] / "rolled-back").iterdir()
    text = report.read_text()
    assert str(report) in told
    for order in lost:
        assert f"| {order['number']} | {order['total']} | " in text
    assert FolderStorage(restored["folder"]).list_backups()[0].name.key in text


@pytest.fixture
def connection(small):
    with PostgresClient(small).connect() as connected:
        yield connected


def last_values(url):
    return dict(run_sql(url, "SELECT sequencename, last_value FROM pg_sequences"))


def test_sequences_never_go_back_whichever_way_they_count(small, connection, clock):
    run_sql(
        small,
        "CREATE SEQUENCE down INCREMENT -3; CREATE SEQUENCE unused; CREATE SEQUENCE ahead;"
        "CREATE SEQUENCE turns CYCLE MAXVALUE 5; SELECT nextval('down'), nextval('turns');"
        "SELECT setval('ahead', 70)",
    )
    state = LiveState(
        sequences=[
            ("public", "bills_id_seq", 900),
            ("public", "down", -40),
            ("public", "unused", 7),
            ("public", "ahead", 3),
            ("public", "turns", 4),
            ("public", "is gone", 4),
        ]
    )
    assert carry_over(connection, state, clock.now()) == []
    found = last_values(small)
    assert found == {"bills_id_seq": 900, "down": -40, "unused": 7, "ahead": 70, "turns": 1}
    assert run_sql(small, "SELECT nextval('bills_id_seq'), nextval('unused')") == [(901, 8)]


def test_a_sequence_that_was_made_wider_since_gives_out_nothing_again_and_that_is_said(
    small, connection, clock
):
    run_sql(
        small,
        "CREATE SEQUENCE up MAXVALUE 50; CREATE SEQUENCE down INCREMENT -1 MINVALUE -50;"
        "CREATE SEQUENCE ended MAXVALUE 50; SELECT setval('up', 10), setval('ended', 50)",
    )
    state = LiveState(
        sequences=[("public", "up", 900), ("public", "down", -900), ("public", "ended", 900)]
    )
    notes = carry_over(connection, state, clock.now())
    assert [note.partition(",")[0] for note in notes] == [
        "The sequence public.up stood at 900",
        "The sequence public.down stood at -900",
        "The sequence public.ended stood at 900",
    ]
    for name in ("up", "down", "ended"):
        with pytest.raises(psycopg2.errors.SequenceGeneratorLimitExceeded):
            run_sql(small, f"SELECT nextval('{name}')")


@settings(deadline=None, max_examples=40)
@given(st.integers(1, 900), st.integers(1, 900))
def test_ids_go_on_from_the_larger_of_both(postgres_pair, live, restored):
    source, target = postgres_pair
    for connected, last in ((source, live), (target, restored)):
        with connected.cursor() as cursor:
            cursor.execute("SELECT setval('bills_id_seq', %s)", (last,))
    carry_over(target, read_live(source), SYSTEM_CLOCK.now())
    with target.cursor() as cursor:
        cursor.execute("SELECT nextval('bills_id_seq')")
        assert cursor.fetchone() == (max(live, restored) + 1,)


@pytest.fixture(scope="module")
def postgres_pair(postgres):
    """Connections to two databases with a sequence each."""
    urls = [postgres.create(name) for name in ("pair_live", "pair_restored")]
    for url in urls:
        run_sql(url, "CREATE TABLE bills (id bigserial)")
    with PostgresClient(urls[0]).connect() as one, PostgresClient(urls[1]).connect() as two:
        yield one, two
    for url in urls:
        postgres.drop(url.database)


def test_a_sequence_that_was_new_jumps_ahead_too_and_none_jumps_to_its_end(
    small, connection, clock
):
    """It may have given out something since; and at its end nothing can be added any more."""
    run_sql(
        small,
        "CREATE SEQUENCE unused; CREATE SEQUENCE from_seven START 7 INCREMENT 7;"
        "CREATE SEQUENCE down INCREMENT -3; CREATE SEQUENCE short AS smallint;"
        "CREATE SEQUENCE wide INCREMENT 1000000000000000; CREATE SEQUENCE over MAXVALUE 3;"
        "CREATE SEQUENCE turns CYCLE MAXVALUE 3; SELECT nextval('turns'), nextval('wide');"
        "SELECT setval('over', 3), setval('short', 7)",
    )
    notes = jump_ahead(connection, clock.now(), clock.now())
    found = last_values(small)
    assert {name: found[name] for name in ("unused", "bills_id_seq")} == {
        "unused": ID_JUMP,
        "bills_id_seq": 400 + ID_JUMP,
    }
    assert (found["from_seven"], found["down"]) == (7 * ID_JUMP, 2 - 3 * ID_JUMP)
    assert (found["short"], found["over"], found["turns"]) == (7 + 16_380, 3, 1)
    assert 1 < found["wide"] < 2**63 - 10**15
    assert [note.split()[2] for note in notes] == ["public.over", "public.short", "public.wide"]
    assert "goes on 16380 further" in notes[1]


def test_where_the_live_one_is_lost_all_jump_ahead_and_that_is_said(
    postgres, template_database, clock
):
    url = postgres.create("jumps", template_database)
    try:
        since, now = clock.now() - timedelta(days=2), clock.now()
        run_sql(url, f"INSERT INTO counters VALUES ('order', '{since.date()}', 41)")
        before = last_values(url)
        with PostgresClient(url).connect() as connected:
            notes = jump_ahead(connected, since, now)
        assert f"go on {NUMBER_JUMP} further" in notes[0]
        after = last_values(url)
        moved = {name: after[name] - last for name, last in before.items() if last}
        assert moved
        assert set(moved.values()) == {ID_JUMP}
        assert {after[name] for name, last in before.items() if not last} <= {ID_JUMP}
        rows = run_sql(url, "SELECT kind, business_date, last FROM counters")
        counters = {(kind, day): last for kind, day, last in rows}
        assert counters["order", since.date()] == 41 + NUMBER_JUMP
        for days in range(4):
            for kind in ("order", "receipt"):
                assert counters[kind, (now - timedelta(days=days)).date()] >= NUMBER_JUMP
    finally:
        postgres.drop("jumps")
