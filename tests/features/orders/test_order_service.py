"""Numbers of orders, and when an order is paid: in the database, without the API."""

from datetime import UTC, date, datetime
from uuid import uuid4

import pytest
from sqlalchemy import select, text

from posapp.database.engine import open_session
from posapp.features.auth.approvals import Approved
from posapp.features.auth.models import User
from posapp.features.catalog.models import Product
from posapp.features.idempotency.service import Claim
from posapp.features.orders import service as orders
from posapp.features.orders.create import create
from posapp.features.orders.numbers import next_number
from posapp.features.orders.schemas import NewOrder, OrderQuery, OrderView
from posapp.features.orders.voids import void_line, void_order
from posapp.features.payments import service as payments
from posapp.features.payments.schemas import NewPayment
from posapp.http.errors import Conflict, Invalid, NotFound, PriceChanged
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

    def take(quantity=1, bottles=1, **fields):
        lines = [{"product_id": product, "quantity": quantity}] * bottles
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


def test_a_list_goes_on_below_the_order_where_the_page_before_ended(session, order):
    one, two, three = order(), order(), order()

    def below(last):
        asked = OrderQuery(cursor=last.id)
        return [each.id for each in orders.list_orders(session, asked, 10) if each.id >= one.id]

    assert (below(three), below(two), below(one)) == ([two.id, one.id], [one.id], [])


def test_bills_are_listed_by_the_day_on_which_they_were_settled(session, order, pay):
    """On 25 November in Jakarta; one that is still open was settled on no day."""
    paid, _ = order(), order()
    pay(paid, 13_860)

    def settled(day, status="paid"):
        asked = OrderQuery(settled_on=f"2026-11-{day}", status=status)
        return [each.id for each in orders.list_orders(session, asked, 10)]

    assert settled(25) == [paid.id]
    assert settled(24) == settled(26) == []
    assert settled(25, "open") == []


@pytest.fixture
def bills(order):
    """One of 13,860, one of 27,720, and one of 41,580 at the table A3."""
    return [order(), order(2), order(3, type="dine_in", table_id=3)]


def places(session, bills, search):
    """Which of the bills a search finds."""
    found = orders.list_orders(session, OrderQuery(search=search), 200)
    ids = {each.id for each in found}
    return [place for place, bill in enumerate(bills) if bill.id in ids]


def test_a_bill_is_found_by_its_number_its_total_and_its_table_however_they_are_written(
    session, bills
):
    for place, bill in enumerate(bills):
        for search in (f"{bill.number}", f"No. {bill.number}", f"no{bill.number}"):
            assert places(session, bills, search) == [place], search
    for search in ("13860", "13.860", "Rp 13.860", "rp13,860", "0000013860"):
        assert places(session, bills, search) == [0], search
    for search in ("27720", "RP 27.720"):
        assert places(session, bills, search) == [1], search
    for search in ("41580", "A3", "a3"):
        assert places(session, bills, search) == [2], search


def test_what_no_bill_has_finds_none_whatever_is_typed(session, bills):
    after = str(bills[-1].number + 1)
    for search in (after, "13861", "13860 x", "x13860", "Rp", "No", ".", "١", "%", "';--"):
        assert places(session, bills, search) == [], search
    for search in ("9" * 9, "9" * 10, "9" * 18, "9" * 19, "9" * 40):  # more than a column holds
        assert places(session, bills, search) == [], search


def test_a_guest_who_knew_another_total_pays_nothing(session, order, user_id):
    bill = order()

    def pay(expected):
        new = NewPayment(method="qris", amount=1_000, expected_total=expected)
        payments.pay(session, bill.id, new, user_id, NOW)
        session.expire_all()
        return orders.get(session, bill.id).paid

    for other in (13_859, 13_861):
        with pytest.raises(PriceChanged, match="13860") as refused:
            pay(other)
        quote = refused.value.extension["quote"]
        assert quote["total"] == 13_860
        assert [line["total"] for line in quote["lines"]] == [12_000]
        assert orders.get(session, bill.id).paid == 0
    assert pay(13_860) == 1_000
    assert pay(None) == 2_000, "who was given no total expects none"


def approved(user_id):
    return Approved(user_id, user_id, "tamu pergi", NOW)


def test_of_a_voided_order_nothing_is_left_to_pay(session, order, user_id):
    bill = order()
    assert void_order(session, bill.id, approved(user_id)).due == 0
    [listed] = orders.list_orders(session, OrderQuery(status="voided"), 10)
    assert (listed.id, listed.total, listed.due) == (bill.id, 13_860, 0)


@pytest.mark.parametrize(
    ("paid", "status", "settled_on"),
    [(13_859, "open", None), (13_860, "paid", date(2026, 11, 25))],
)
def test_a_line_that_is_voided_settles_a_bill_whose_payments_make_up_the_rest(
    session, order, pay, user_id, paid, status, settled_on
):
    """Two bottles on two lines, of which one is paid; without the other that is the whole bill."""
    bill = order(bottles=2)
    pay(bill, paid)
    left = void_line(session, bill.id, bill.lines[1].id, approved(user_id))
    assert (left.total, left.status, left.due) == (13_860, status, 13_860 - paid)
    assert orders.load(session, bill.id).settled_on == settled_on


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
