"""A manager's word, by the own role or by a password typed in place."""

import json
from uuid import uuid4

import pytest

MANAGER = {"username": "manager", "password": "manager-demo"}


@pytest.fixture(autouse=True)
def all_tries(cursor):
    """Each test has all of the account's tries."""
    cursor.execute("DELETE FROM allowances")


@pytest.fixture
def order(cashier, water):
    return cashier.order(water).json


@pytest.fixture(scope="module")
def acts(sign_in, cashier, water):
    """Each act that needs an approval, on something fresh: act(till, **fields)."""

    def void(till, **fields):
        return till.void(cashier.order(water).json, **fields)

    def void_line(till, **fields):
        return till.void_line(cashier.order(water, water).json, 0, **fields)

    def undo(till, **fields):
        return till.undo(cashier.pay(cashier.order(water).json).json, **fields)

    return {"void": void, "void_line": void_line, "undo": undo}


NAMES = ["void", "void_line", "undo"]


@pytest.mark.parametrize("name", NAMES)
def test_who_is_no_manager_needs_the_word_of_one(cashier, acts, name):
    refused = acts[name](cashier)
    assert refused.status_code == 403
    assert refused.json["question"] == "approval"
    assert "admin, manager" in refused.json["detail"]
    assert acts[name](cashier, approval=MANAGER).status_code == 201


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("role", ["admin", "manager"])
def test_whose_role_approves_needs_no_other_word(sign_in, acts, name, role):
    assert acts[name](sign_in(role)).status_code == 201


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(
    "approval",
    [
        {"username": "manager", "password": "a wrong guess"},
        {"username": "nobody", "password": "manager-demo"},
        {"username": "cashier", "password": "cashier-demo"},
        {"username": "waiter", "password": "waiter-demo"},
    ],
    ids=["wrong", "unknown", "own", "waiter"],
)
def test_a_wrong_password_and_the_word_of_no_manager_are_refused(cashier, acts, name, approval):
    refused = acts[name](cashier, approval=approval)
    assert refused.status_code == 403
    assert refused.json["question"] == "approval"


def test_the_kitchen_voids_nothing_and_a_waiter_undoes_no_payment(sign_in, acts):
    assert acts["void"](sign_in("kitchen"), approval=MANAGER).status_code == 403
    assert acts["undo"](sign_in("waiter"), approval=MANAGER).status_code == 403
    assert acts["void"](sign_in("waiter"), approval=MANAGER).status_code == 201


def test_guesses_in_place_are_limited_like_a_sign_in_and_with_it(cashier, sign_in, order, cursor):
    wrong = {"username": "manager", "password": "a wrong guess"}
    codes = [cashier.void(order, approval=wrong).status_code for _ in range(6)]
    assert codes == [403] * 5 + [429]
    limited = cashier.void(order, approval=MANAGER)
    assert limited.status_code == 429
    assert int(limited.headers["Retry-After"]) > 0
    assert sign_in(None).post("/auth/login", MANAGER).status_code == 429
    cursor.execute("SELECT count(*) FROM audit_log WHERE action = 'approval.refused'")
    assert cursor.fetchone()[0] >= 5
    assert cashier.get(f"/orders/{order['id']}").json["status"] == "open"


def test_a_refused_approval_leaves_the_key_free(cashier, order):
    key = str(uuid4())
    wrong = {"username": "manager", "password": "a wrong guess"}
    assert cashier.void(order, key=key, approval=wrong).status_code == 403
    assert cashier.void(order, key=key, approval=MANAGER).status_code == 201


def test_a_resend_is_answered_although_the_password_is_another_by_now(cashier, order, cursor):
    key = str(uuid4())
    first = cashier.void(order, key=key, approval=MANAGER)
    cursor.execute("SELECT password_hash FROM users WHERE username = 'manager'")
    (before,) = cursor.fetchone()
    cursor.execute("UPDATE users SET password_hash = '-' WHERE username = 'manager'")
    try:
        again = cashier.void(order, key=key, approval=MANAGER)
    finally:
        cursor.execute("UPDATE users SET password_hash = %s WHERE username = 'manager'", [before])
    assert (again.status_code, again.json) == (201, first.json)
    assert again.headers["Idempotency-Replayed"] == "true"


def test_the_same_key_for_another_reason_or_order_is_refused(sign_in, cashier, order, water):
    manager, key = sign_in("manager"), str(uuid4())
    assert manager.void(order, key=key).status_code == 201
    assert manager.void(order, key=key, reason="lain lagi").status_code == 422
    assert manager.void(cashier.order(water).json, key=key).status_code == 422


def test_the_word_is_in_the_audit_log_and_the_password_nowhere(cashier, order, cursor):
    answer = cashier.void(order, approval=MANAGER)
    cursor.execute(
        "SELECT action, username FROM audit_log JOIN users ON users.id = user_id"
        " WHERE request_id = %s ORDER BY audit_log.id",
        [answer.headers["X-Request-ID"]],
    )
    assert cursor.fetchall() == [("approval.given", "manager"), ("order.voided", "cashier")]
    (void,) = answer.json["voids"]
    assert (void["voided_by"], void["approved_by"]) == ("cashier", "manager")
    cursor.execute("SELECT to_jsonb(a) FROM audit_log a")
    kept = [row[0] for row in cursor.fetchall()]
    cursor.execute("SELECT answer FROM idempotency_keys")
    kept += [row[0] for row in cursor.fetchall()]
    assert MANAGER["password"] not in json.dumps(kept)


def test_the_fingerprint_that_is_kept_is_the_same_for_every_password(cashier, order, cursor):
    key = str(uuid4())
    cashier.void(order, key=key, approval=MANAGER)
    guess = {"username": "manager", "password": "a wrong guess"}
    assert cashier.void(order, key=key, approval=guess).status_code == 201, "a resend, no new act"


def test_nobody_is_signed_in_by_an_approval(cashier, order, cursor):
    cursor.execute("SELECT count(*) FROM sign_ins")
    before = cursor.fetchone()
    cashier.void(order, approval=MANAGER)
    cursor.execute("SELECT count(*) FROM sign_ins")
    assert cursor.fetchone() == before


def test_a_dismissed_manager_approves_nothing(cashier, order, cursor):
    cursor.execute("UPDATE users SET active = false WHERE username = 'manager'")
    try:
        assert cashier.void(order, approval=MANAGER).status_code == 403
    finally:
        cursor.execute("UPDATE users SET active = true WHERE username = 'manager'")
