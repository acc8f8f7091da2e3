"""Who did what: read by admins, with filters, page by page."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from sqlalchemy.exc import DBAPIError

from posapp.http.transactions import db


@pytest.fixture(scope="module")
def admin(sign_in):
    return sign_in("admin")


def read(admin, **filters):
    answer = admin.request("GET", "/admin/audit", query_string=filters)
    assert answer.status_code == 200, answer.text
    return answer.json


def test_an_order_and_its_payment_are_there_with_who_and_how_much(admin, cashier, water):
    order = cashier.order(water).json
    cashier.pay(order)
    payment, created = read(admin, user="cashier", limit=2)["entries"]
    assert (payment["action"], payment["entity"]) == ("payment.taken", "payment")
    assert payment["details"]["amount"] == order["due"]
    assert (created["action"], created["entity_id"]) == ("order.created", order["id"])
    assert created["user"] == "cashier"


def test_signing_in_and_out_and_a_wrong_password_are_there_with_the_address(admin, sign_in):
    nobody = sign_in(None)
    wrong = {"username": "kitchen", "password": "a wrong guess"}
    assert nobody.post("/auth/login", wrong).status_code == 401
    right = {"username": "kitchen", "password": "kitchen-demo"}
    tokens = nobody.post("/auth/login", right).json
    nobody.post("/auth/logout", {"refresh_token": tokens["refresh_token"]})
    entries = read(admin, user="kitchen", action="sign_in.*")["entries"][:3]
    assert [one["action"] for one in entries] == [
        "sign_in.ended",
        "sign_in.begun",
        "sign_in.refused",
    ]
    assert entries[1]["details"]["address"] == "127.0.0.1"


def test_what_was_typed_as_a_name_that_nobody_has_is_kept_nowhere(admin, sign_in, cursor):
    typed = f"rahasia-{uuid4().hex}"
    sign_in(None).post("/auth/login", {"username": typed, "password": "whatever it is"})
    cursor.execute("SELECT count(*) FROM audit_log WHERE details::text LIKE %s", [f"%{typed}%"])
    assert cursor.fetchone() == (0,)


def test_pages_follow_each_other_without_a_gap_or_a_twin(admin, cashier, water):
    for _ in range(5):
        cashier.order(water)
    whole = [one["id"] for one in read(admin, action="order.created")["entries"]]
    paged, cursor = [], None
    while True:
        page = read(
            admin, action="order.created", limit=2, **({"cursor": cursor} if cursor else {})
        )
        paged += [one["id"] for one in page["entries"]]
        if (cursor := page["next"]) is None:
            break
    assert paged[: len(whole)] == whole
    assert len(paged) == len(set(paged))


def test_filters_by_time_take_from_then_on_and_before_then(admin, cashier, water):
    cashier.order(water)
    newest = read(admin, action="order.created", limit=1)["entries"][0]
    at = datetime.fromisoformat(newest["at"])
    assert newest in read(admin, since=at.isoformat(), action="order.created")["entries"]
    later = (at + timedelta(seconds=1)).isoformat()
    assert read(admin, since=later, action="order.created")["entries"] == []
    before = read(admin, until=at.isoformat(), action="order.created")["entries"]
    assert newest["id"] not in [one["id"] for one in before]


@pytest.mark.parametrize("offset", ["+23:59", "-23:59", "+16:00", "-15:59", "+07:00", "+00:00"])
def test_a_time_may_have_any_offset(admin, offset):
    assert read(admin, since=f"2026-01-01T00:00:00{offset}", limit=1)["entries"]
    assert read(admin, until=f"2001-01-01T00:00:00{offset}")["entries"] == []


def test_a_star_is_a_beginning_and_a_percent_sign_is_no_pattern(admin):
    begun = read(admin, action="sign_in.*")["entries"]
    assert begun
    assert {one["action"].partition(".")[0] for one in begun} == {"sign_in"}
    assert read(admin, action="%*")["entries"] == []


@pytest.mark.parametrize(
    "filters",
    [
        *({"limit": 101}, {"limit": 0}, {"cursor": 0}, {"since": "yesterday"}, {"colour": "red"}),
        *({"since": "0001-01-01T00:00:00+00:01"}, {"until": "9999-12-31T23:59:59-00:01"}),
    ],
    ids=str,
)
def test_a_filter_that_makes_no_sense_is_named(admin, filters):
    answer = admin.request("GET", "/admin/audit", query_string=filters)
    assert answer.status_code == 422
    assert answer.json["errors"][0]["field"] == next(iter(filters))


def test_a_user_who_is_not_there_is_404(admin):
    assert admin.request("GET", "/admin/audit?user=nobody-here").status_code == 404


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit_log SET action = 'x'",
        "UPDATE audit_log SET at = now() - interval '1 year' WHERE id = 1",
        "DELETE FROM audit_log",
        "TRUNCATE audit_log",
        "TRUNCATE audit_log CASCADE",
        "TRUNCATE users CASCADE",
        "INSERT INTO audit_log OVERRIDING SYSTEM VALUE SELECT * FROM audit_log LIMIT 1"
        " ON CONFLICT (id) DO UPDATE SET action = 'x'",
    ],
)
def test_the_log_is_only_ever_added_to_by_the_applications_own_role_too(
    app, admin, cursor, statement
):
    assert read(admin)["entries"]
    with app.app_context(), pytest.raises(DBAPIError, match="audit_log is only ever added to"):
        db.session.execute(db.text(statement))
    cursor.execute("SELECT count(*) FROM audit_log WHERE action <> 'x'")
    assert cursor.fetchone()[0] > 0


def test_the_log_is_for_admins_alone(sign_in):
    now = datetime.now(UTC).isoformat()
    for role, code in ((None, 401), ("manager", 403), ("cashier", 403)):
        answer = sign_in(role).request("GET", "/admin/audit", query_string={"until": now})
        assert answer.status_code == code
