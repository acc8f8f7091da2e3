"""A clock that is wrong sells nothing in silence."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from posapp.app import create_app
from posapp.http.transactions import db
from posapp.settings import Settings
from tests.till import SECRET, Till

MANAGER = {"username": "manager", "password": "manager-demo"}


class WallClock:
    """The machine's, whose time of day a test sets; its seconds run on."""

    def __init__(self):
        self.off = timedelta(0)
        self.seconds = 0.0

    def now(self):
        return datetime.now(UTC) + self.off

    def monotonic(self):
        return self.seconds

    def set(self, off):
        self.off = off


@pytest.fixture
def wall():
    return WallClock()


@pytest.fixture
def till(database, tmp_path, wall):
    """`till("cashier")` on an application with that clock. Who signs in does it while it is right:
    tokens are verified by the machine's."""
    settings = Settings.from_env({"JWT_SECRET": SECRET, "POS_DATA_DIR": str(tmp_path)})
    app = create_app(settings, database, wall)

    def sign_in(name):
        body = {"username": name, "password": f"{name}-demo"}
        off, wall.off = wall.off, timedelta(0)
        answer = Till(app, {}).post("/auth/login", body)
        wall.off = off
        assert answer.status_code == 200, answer.text
        return Till(app, {"Authorization": f"Bearer {answer.json['access_token']}"})

    yield sign_in
    app.extensions["healthkit"].stop()
    with app.app_context():
        db.engine.dispose()


@pytest.fixture
def line(till):
    return {"product_id": till("cashier").menu()["Air Mineral"]["id"], "quantity": 1}


@pytest.fixture(autouse=True)
def no_word(cursor):
    yield
    cursor.execute("ALTER TABLE clock_confirmations DISABLE TRIGGER USER")
    cursor.execute("DELETE FROM clock_confirmations")
    cursor.execute("ALTER TABLE clock_confirmations ENABLE TRIGGER USER")


def since_1970():
    return datetime(1970, 1, 1, 0, 5, tzinfo=UTC) - datetime.now(UTC)


@pytest.mark.parametrize("off", [timedelta(days=-1, minutes=-5), since_1970()], ids=["day", "1970"])
def test_a_clock_that_is_behind_by_more_than_a_day_sells_nothing(till, wall, line, off, cursor):
    order = till("cashier").order(line).json
    wall.set(off)
    cashier = till("cashier")
    cursor.execute("SELECT count(*) FROM orders")
    before = cursor.fetchone()
    for refused in (cashier.order(line), cashier.pay(order)):
        assert refused.status_code == 409, refused.text
        assert refused.json["question"] == "clock"
        assert "set the machine's clock" in refused.json["detail"]
    cursor.execute("SELECT count(*) FROM orders")
    assert cursor.fetchone() == before
    assert cashier.get(f"/orders/{order['id']}").status_code == 200, "reading goes on"
    assert cashier.get("/clock").json["sells"] is False


def test_behind_by_less_than_a_day_and_ahead_it_sells(till, wall, line):
    for off in (timedelta(hours=-23), timedelta(minutes=-10), timedelta(hours=3)):
        wall.set(off)
        assert till("cashier").order(line).status_code == 201


def test_set_right_again_it_sells_at_once(till, wall, line):
    wall.set(since_1970())
    assert till("cashier").order(line).status_code == 409
    wall.set(timedelta(0))
    assert till("cashier").order(line).status_code == 201


def test_a_clock_that_jumps_between_two_sales_is_found_at_the_second(till, wall, line):
    cashier = till("cashier")
    assert cashier.order(line).status_code == 201
    wall.set(timedelta(days=-2))
    assert till("cashier").order(line).status_code == 409


def test_what_was_accepted_before_is_answered_whatever_the_clock_says(till, wall, line):
    key = str(uuid4())
    first = till("cashier").order(line, key=key)
    wall.set(since_1970())
    again = till("cashier").order(line, key=key)
    assert (again.status_code, again.json) == (201, first.json)
    assert again.headers["Idempotency-Replayed"] == "true"


def test_a_refused_sale_leaves_its_key_free(till, wall, line):
    key = str(uuid4())
    wall.set(since_1970())
    assert till("cashier").order(line, key=key).status_code == 409
    wall.set(timedelta(0))
    assert till("cashier").order(line, key=key).status_code == 201


def test_a_managers_word_lets_it_sell_and_is_in_the_audit_log(till, wall, line, cursor):
    wall.set(timedelta(days=-3))
    cashier = till("cashier")
    body = {"reason": "jam komputer salah"}
    refused = cashier.post("/clock/confirmations", body, str(uuid4()))
    assert (refused.status_code, refused.json["question"]) == (403, "approval")
    assert cashier.order(line).status_code == 409
    given = cashier.post("/clock/confirmations", {**body, "approval": MANAGER}, str(uuid4()))
    assert given.status_code == 201, given.text
    assert (given.json["sells"], given.json["confirmed"]) == (True, True)
    assert cashier.order(line).status_code == 201
    cursor.execute("SELECT details ->> 'reason' FROM audit_log WHERE action = 'clock.confirmed'")
    assert ("jam komputer salah",) in cursor.fetchall()


def test_a_word_ends_when_the_clock_goes_back_again(till, wall, line):
    wall.set(timedelta(days=-3))
    manager = till("manager")
    manager.post("/clock/confirmations", {"reason": "tetap jual"}, str(uuid4()))
    assert manager.order(line).status_code == 201
    wall.set(timedelta(days=-4))
    assert till("manager").order(line).status_code == 409


def test_a_row_from_the_future_asks_for_a_word_and_it_holds_from_then_on(till, wall, line, cursor):
    cursor.execute(
        "INSERT INTO audit_log (at, action, entity, entity_id, details)"
        " VALUES (now() + interval '9 days', 'order.created', 'order', 1, '{}') RETURNING id"
    )
    (row,) = cursor.fetchone()
    cashier = till("cashier")
    assert cashier.order(line).status_code == 409
    body = {"reason": "jam kemarin maju", "approval": MANAGER}
    assert cashier.post("/clock/confirmations", body, str(uuid4())).status_code == 201
    wall.seconds += 3600
    assert cashier.order(line).status_code == 201
    cursor.execute("ALTER TABLE audit_log DISABLE TRIGGER USER")
    cursor.execute("DELETE FROM audit_log WHERE id = %s", [row])
    cursor.execute("ALTER TABLE audit_log ENABLE TRIGGER USER")


def test_a_clock_that_is_right_needs_no_word(till):
    answer = till("manager").post("/clock/confirmations", {"reason": "apa saja"}, str(uuid4()))
    assert answer.status_code == 409


def test_what_is_believed_is_looked_at_again_after_half_a_minute(till, wall, line, cursor):
    cashier = till("cashier")
    assert cashier.order(line).status_code == 201
    cursor.execute(
        "INSERT INTO audit_log (at, action, entity, entity_id, details)"
        " VALUES (now() + interval '9 days', 'order.created', 'order', 2, '{}') RETURNING id"
    )
    (row,) = cursor.fetchone()
    assert cashier.order(line).status_code == 201
    wall.off += timedelta(seconds=31)
    wall.seconds += 31
    assert cashier.order(line).status_code == 409
    cursor.execute("ALTER TABLE audit_log DISABLE TRIGGER USER")
    cursor.execute("DELETE FROM audit_log WHERE id = %s", [row])
    cursor.execute("ALTER TABLE audit_log ENABLE TRIGGER USER")
