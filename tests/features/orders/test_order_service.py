"""Numbers of orders, and when an order is paid: in the database, without the API."""

from datetime import UTC, date, datetime
from uuid import uuid4

import pytest
from sqlalchemy import select, text

from posapp.database.engine import open_session
from posapp.features.auth.models import User
from posapp.features.catalog.models import Product
from posapp.features.idempotency.service import Claim
from posapp.features.orders import service as orders
from posapp.features.orders.create import create
from posapp.features.orders.numbers import next_number
from posapp.features.orders.schemas import NewOrder, OrderQuery, OrderView
from posapp.features.payments import service as payments
from posapp.features.payments.schemas import NewPayment
from posapp.http.errors import Conflict, Invalid, NotFound
from posapp.settings import Settings

NOW = datetime(2026, 11, 25, 12, 0, tzinfo=UTC)
MONDAY, TUESDAY = date(2026, 11, 23), date(2026, 11, 24)


@pytest.fixture
def session(database):
    with open_session(database, Settings()) as session:
        yield session
        session.rollback()


@pytest.fixture
def user_id(session):
    return session.scalar(select(User.id).order_by(User.id).limit(1))


@pytest.fixture
def order(session, user_id):
    """Creates an order of bottles of water, 12,000 each; fields may be set."""
    product = session.scalar(select(Product.id).where(Product.name_id == "Air Mineral"))

    def take(quantity=1, **fields):
        lines = [{"product_id": product, "quantity": quantity}]
        body = {"type": "takeaway", "lines": lines, **fields}
        new = NewOrder.model_validate(body)
        claim = Claim(str(uuid4()), "POST /orders", new, body)
        return OrderView.model_validate_json(create(session, claim, new, user_id, NOW).body)

    return take


@pytest.fixture
def pay(session, user_id):
    def pay(order, amount, method="qris"):
        return payments.pay(
            session, order.id, NewPayment(method=method, amount=amount), user_id, NOW
        )

    return pay


def test_numbers_begin_at_one_for_each_kind_on_each_day(session, user_id):
    def allocate(kind, day):
        return session.scalar(text(next_number(kind)), {"day": day, "user_id": user_id})

    assert [allocate("order", MONDAY) for _ in range(3)] == [1, 2, 3]
    assert allocate("receipt", MONDAY) == 1
    assert allocate("order", TUESDAY) == 1
    assert allocate("order", MONDAY) == 4


def test_a_new_order_owes_all_of_its_total(order):
    first, second = order(), order(2)
    assert (first.number, second.number) == (1, 2)
    assert first.status == "open"
    assert (first.total, first.paid, first.due, first.cash_due) == (13_860, 0, 13_860, 13_900)
    assert second.total == 2 * first.total


def test_an_order_is_paid_with_its_last_rupiah_and_not_before(session, order, pay):
    bill = order()
    pay(bill, 10_000)
    half = orders.get(session, bill.id)
    assert (half.status, half.paid, half.due, half.cash_due) == ("open", 10_000, 3_860, 3_900)
    pay(bill, 3_859)
    assert orders.get(session, bill.id).status == "open"
    pay(bill, 1)
    done = orders.get(session, bill.id)
    assert (done.status, done.paid, done.due, done.cash_due) == ("paid", 13_860, 0, 0)


def test_cash_moves_the_total_by_its_rounding_and_settles_that(session, order, pay):
    bill = order()
    pay(bill, 13_900, "cash")
    done = orders.get(session, bill.id)
    assert (done.status, done.rounding, done.total, done.paid) == ("paid", 40, 13_900, 13_900)


def test_a_paid_order_takes_no_more_money_and_one_that_is_not_there_takes_none(order, pay):
    bill = order()
    pay(bill, 13_860)
    with pytest.raises(Conflict, match=f"Order {bill.number} is paid already"):
        pay(bill, 1)
    gone = bill.model_copy(update={"id": 10**12})
    with pytest.raises(NotFound, match="There is no order"):
        pay(gone, 1)


def test_what_remains_is_told_in_lists_the_newest_first_and_no_more_than_asked(session, order, pay):
    one, two, three = order(), order(), order()
    pay(one, 10_000)
    pay(two, 13_860)
    found = [each for each in orders.list_orders(session, OrderQuery(), 10) if each.id >= one.id]
    assert [(each.id, each.due) for each in found] == [(three.id, 13_860), (one.id, 3_860)]
    assert [each.id for each in orders.list_orders(session, OrderQuery(), 1)] == [three.id]
    assert [each.id for each in orders.list_orders(session, OrderQuery(status="paid"), 1)] == [
        two.id
    ]


def test_a_table_shows_its_open_orders_and_takeaway_has_none(session, order, pay):
    first, second = (order(type="dine_in", table_id=1) for _ in range(2))
    paid = order(type="dine_in", table_id=2)
    order()
    pay(paid, paid.due)
    found = orders.open_by_table(session)
    assert (found[1], 2 in found) == ([first.id, second.id], False)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"table_id": 1}, "goes only with dine_in"),
        ({"type": "dine_in", "table_id": 10**6}, "there is no such table"),
        ({"type": "dine_in"}, "is needed for dine_in"),
    ],
)
def test_a_table_is_one_of_ours_and_for_who_eats_here(order, fields, message):
    with pytest.raises(Invalid) as refused:
        order(**fields)
    assert refused.value.errors[0] == {"field": "table_id", "message": message}
