"""The law of rounding, walked through the database: every rest from 1 to 200 rupiah, with each
tender, after a reversal and after a voided line, is closed by `cash_due` and by its exact sum.

`make test` walks the edges of the steps; test_tender.py walks all rests by the rule alone."""

import itertools
from datetime import UTC, date, datetime

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from posapp.database.engine import open_engine
from posapp.features.auth.approvals import Approved
from posapp.features.auth.models import User
from posapp.features.catalog.models import Product
from posapp.features.orders import service as orders
from posapp.features.orders.models import Order, OrderLine
from posapp.features.orders.voids import void_line
from posapp.features.payments import reversals
from posapp.features.payments import service as payments
from posapp.features.payments.schemas import NewPayment
from posapp.settings import Settings

NOW = datetime(2026, 11, 25, 12, 0, tzinfo=UTC)
EDGES = (1, 2, 49, 50, 51, 99, 100, 101, 149, 150, 151, 200)
RESTS = [
    pytest.param(EDGES, id="edges"),
    pytest.param(range(1, 201), id="all", marks=pytest.mark.deep),
]
METHODS = ("cash", "qris", "card")
_numbers = itertools.count(1)


@pytest.fixture
def session(database):
    with open_engine(database, Settings()) as engine, Session(engine) as session:
        yield session


@pytest.fixture
def bill(session):
    """Stores an open order whose lines have these prices; `extra` is its tax."""
    user = session.scalar(select(User.id).limit(1))
    product = session.scalar(select(Product.id).limit(1))

    def store(*prices, extra=0):
        fixed = {"product_id": product, "name": "x", "modifiers": [], "modifiers_price": 0}
        order = Order(
            number=next(_numbers),
            business_date=date(2026, 11, 25),
            type="takeaway",
            status="open",
            subtotal=sum(prices),
            discount=0,
            service_charge=0,
            tax=extra,
            rounding=0,
            total=sum(prices) + extra,
            paid=0,
            created_by=user,
            created_at=NOW,
            lines=[
                OrderLine(position=i, unit_price=price, quantity=1, total=price, **fixed)
                for i, price in enumerate(prices)
            ],
        )
        session.add(order)
        session.flush()
        return order.id

    return store


@pytest.fixture
def pay(session):
    user = session.scalar(select(User.id).limit(1))

    def pay(order_id, method, amount):
        new = NewPayment(method=method, amount=amount)
        return payments.pay(session, order_id, new, user, NOW)

    return pay


@pytest.fixture
def approved(session):
    user = session.scalar(select(User.id).limit(1))
    return Approved(user, user, "salah", NOW)


def settle(session, pay, order_id, method):
    """Pays all that is left by a method, and returns the payment."""
    left = orders.get(session, order_id)
    payment = pay(order_id, method, left.cash_due if method == "cash" else left.due)
    done = orders.get(session, order_id)
    assert (done.status, done.due, done.paid) == ("paid", 0, done.total)
    assert done.rounding - left.rounding == (left.cash_due - left.due if method == "cash" else 0)
    return payment


def settle_by_each(session, pay, approved, order_id):
    """Settles a bill by each tender in turn, and undoes it each time."""
    before = orders.get(session, order_id)
    for method in METHODS:
        payment = settle(session, pay, order_id, method)
        reversals.undo(session, order_id, payment.id, approved)
        assert orders.get(session, order_id) == before
    session.commit()
    session.expunge_all()  # or the session looks through all of them at each statement


@pytest.mark.parametrize("rests", RESTS)
def test_every_rest_is_settled_by_each_tender_undone_and_settled_again(
    rests, session, bill, pay, approved
):
    for rest in rests:
        order_id = bill(1_000, extra=rest)
        pay(order_id, "card", 1_000)
        assert orders.get(session, order_id).due == rest
        settle_by_each(session, pay, approved, order_id)


@pytest.mark.parametrize("rests", RESTS)
def test_what_an_undone_part_leaves_is_settled_although_cash_has_rounded_before(
    rests, session, bill, pay, approved
):
    """The rounding stays with the cash that it was for."""
    for rest in rests:
        order_id = bill(1_000, extra=rest)
        part = pay(order_id, "qris", rest)
        pay(order_id, "cash", orders.get(session, order_id).cash_due)
        reversals.undo(session, order_id, part.id, approved)
        assert orders.get(session, order_id).due == rest
        settle_by_each(session, pay, approved, order_id)


@pytest.mark.parametrize("rests", RESTS)
def test_whatever_a_voided_line_leaves_is_settled_by_each_tender(
    rests, session, bill, pay, approved
):
    for rest in rests:
        order_id = bill(rest, 5_000)
        line = orders.get(session, order_id).lines[1]
        void_line(session, order_id, line.id, approved)
        left = orders.get(session, order_id)
        assert left.subtotal == rest <= left.due
        settle_by_each(session, pay, approved, order_id)
