"""Who met another transaction acts again by itself; who meets it for ever is told to come back."""

import threading
from uuid import uuid4

import pytest

from healthkit.testing import wait_until
from posapp.http.retries import ATTEMPTS

UNDONE = {"serialization_failure": "40001", "deadlock_detected": "40P01"}


@pytest.fixture
def undo(cursor):
    """`undo(code, times)`: the next entries of the audit log are undone with this error."""
    cursor.execute("CREATE SEQUENCE undone")

    def undo(code, times):
        cursor.execute(
            f"""
            CREATE OR REPLACE FUNCTION undo() RETURNS trigger LANGUAGE plpgsql AS $$
            BEGIN
                IF nextval('undone') <= {times} THEN
                    RAISE EXCEPTION 'met another one' USING ERRCODE = '{code}';
                END IF;
                RETURN NEW;
            END $$;
            CREATE OR REPLACE TRIGGER undo BEFORE INSERT ON audit_log
            FOR EACH ROW EXECUTE FUNCTION undo();
            SELECT setval('undone', 1, false)
            """
        )

    yield undo
    cursor.execute("DROP FUNCTION IF EXISTS undo CASCADE; DROP SEQUENCE undone")


def order(cashier, admin, water):
    key = str(uuid4())
    return lambda: cashier.order(water, key=key)


def payment(cashier, admin, water):
    bill, key = cashier.order(water).json, str(uuid4())
    return lambda: cashier.pay(bill, key=key)


def account(cashier, admin, water):
    name = f"u{uuid4().hex[:12]}"
    body = {"username": name, "name": name, "role": "waiter", "password": f"kata-sandi-{name}"}
    return lambda: admin.post("/admin/users", body)


def sign_in_again(cashier, admin, water):
    return lambda: cashier.post("/auth/login", {"username": "waiter", "password": "waiter-demo"})


ACTS = [order, payment, account, sign_in_again]


@pytest.fixture
def admin(sign_in):
    return sign_in("admin")


@pytest.mark.parametrize("code", UNDONE.values(), ids=UNDONE)
@pytest.mark.parametrize("act", ACTS)
def test_an_act_that_was_undone_is_done_again(cashier, admin, water, undo, act, code):
    send = act(cashier, admin, water)
    undo(code, ATTEMPTS - 1)
    answer = send()
    assert answer.status_code in (200, 201), answer.text
    assert "Idempotency-Replayed" not in answer.headers


@pytest.mark.parametrize("code", UNDONE.values(), ids=UNDONE)
@pytest.mark.parametrize("act", ACTS)
def test_an_act_that_is_undone_each_time_is_503_and_can_be_sent_again(
    cashier, admin, water, undo, act, code
):
    send = act(cashier, admin, water)
    undo(code, ATTEMPTS)
    refused = send()
    assert (refused.status_code, refused.content_type) == (503, "application/problem+json")
    assert int(refused.headers["Retry-After"]) > 0
    assert send().status_code in (200, 201)


def test_a_payment_in_a_deadlock_is_taken_once_the_other_has_gone(cashier, water, cursor, database):
    cashier.pay(cashier.order(water).json)  # the day has its counter
    bill, answers = cashier.order(water).json, []
    cursor.execute("BEGIN; SELECT last FROM counters WHERE kind = 'receipt' FOR UPDATE")
    thread = threading.Thread(target=lambda: answers.append(cashier.pay(bill)))
    thread.start()
    wait_until(lambda: blocked(cursor) == 1)
    cursor.execute("SELECT id FROM orders WHERE id = %s FOR UPDATE", [bill["id"]])  # a circle
    cursor.execute("COMMIT")
    thread.join()
    assert answers[0].status_code == 201, answers[0].text
    cursor.execute("SELECT count(*) FROM payments WHERE order_id = %s", [bill["id"]])
    assert cursor.fetchone() == (1,)


def blocked(cursor):
    cursor.execute(
        "SELECT count(*) FROM pg_stat_activity"
        " WHERE datname = current_database() AND wait_event_type = 'Lock'"
    )
    return cursor.fetchone()[0]
