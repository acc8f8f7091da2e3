"""Random sales from eight connections, and the invariants that hold whatever they do.

`ACTS` is the table of what a till does; a new act of the product is a line there.
"""

from __future__ import annotations

import random
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import UUID

from psycopg2 import extensions

from healthkit.testing import ManualClock
from tests.till import Till

CONNECTIONS = 8
LENGTH = 4
"""Acts of a sequence."""

NIGHT = timedelta(hours=7)


@dataclass
class Sent:
    """A request that was answered."""

    path: str
    body: Any
    key: str
    answer: Any


@dataclass
class Shop:
    """What all tills share, and what they were told."""

    dishes: list[int]
    clock: ManualClock
    beside: extensions.cursor
    lock: threading.Lock = field(default_factory=threading.Lock)
    orders: list[Any] = field(default_factory=list)
    payments: list[Any] = field(default_factory=list)
    undone: list[int] = field(default_factory=list)
    sent: list[Sent] = field(default_factory=list)

    def tell(self, statement: str) -> None:
        """Something happens beside the tills."""
        with self.lock:
            self.beside.execute(statement)


class Person:
    """One till in the middle of a sequence, with its own dice."""

    def __init__(self, till: Till, shop: Shop, seed: int) -> None:
        self.till, self.shop, self.dice = till, shop, random.Random(seed)

    def send(self, path: str, body: Any, key: str | None = None) -> Any:
        """Sends until it is answered, as a till does, and remembers what was done."""
        key = key or str(UUID(int=self.dice.getrandbits(128), version=4))
        answer = self.until_answered(lambda: self.till.post(path, body, key))
        if answer.status_code == 201:
            with self.shop.lock:
                self.shop.sent.append(Sent(path, body, key, answer.json))
        return answer

    def until_answered(self, ask: Callable[[], Any]) -> Any:
        while (answer := ask()).status_code == 503:
            assert int(answer.headers["Retry-After"]) > 0
        return answer

    def lines(self) -> list[dict[str, int]]:
        return [
            {"product_id": self.dice.choice(self.shop.dishes), "quantity": self.dice.randint(1, 4)}
            for _ in range(self.dice.randint(1, 3))
        ]

    def some_order(self) -> Any:
        """Anybody's order as it stands now, or None while there is none."""
        with self.shop.lock:
            known = self.shop.orders[-20:]
        if not known:
            return None
        path = f"/orders/{self.dice.choice(known)['id']}"
        return self.until_answered(lambda: self.till.get(path)).json


def order(person: Person) -> None:
    place: dict[str, Any] = person.dice.choice(
        [{"type": "takeaway"}, {"type": "dine_in", "table_id": person.dice.randint(1, 5)}]
    )
    answer = person.send("/orders", {"lines": person.lines(), **place})
    assert answer.status_code == 201, answer.text
    with person.shop.lock:
        person.shop.orders.append(answer.json)


def order_as_quoted(person: Person) -> None:
    body = {"type": "takeaway", "lines": person.lines()}
    quote = person.until_answered(lambda: person.till.post("/orders/quote", body))
    told = quote.json["total"]
    answer = person.send("/orders", {**body, "expected_total": told})
    if answer.status_code == 409:  # somebody has changed a price in between
        assert answer.json["quote"]["total"] != told
        return
    assert (answer.status_code, answer.json["total"]) == (201, told), answer.text
    with person.shop.lock:
        person.shop.orders.append(answer.json)


def pay(person: Person, part: bool = False) -> None:
    bill = person.some_order()
    if bill is None:
        return
    method = person.dice.choice(["cash", "qris", "card"])
    amount = bill["cash_due" if method == "cash" else "due"]
    if part:
        amount = max(100, amount // person.dice.randint(2, 5) // 100 * 100)
    answer = person.send(f"/orders/{bill['id']}/payments", {"method": method, "amount": amount})
    # Somebody else may have paid it, or so much of it, in between.
    assert answer.status_code in (201, 409, 422), answer.text
    if answer.status_code == 201:
        with person.shop.lock:
            person.shop.payments.append(answer.json)


def pay_a_part(person: Person) -> None:
    pay(person, part=True)


def void_an_order(person: Person) -> None:
    bill = person.some_order()
    if bill is not None:
        approved(person, f"/orders/{bill['id']}/void")


def void_a_line(person: Person) -> None:
    bill = person.some_order()
    if bill is not None:
        line = person.dice.choice(bill["lines"])
        approved(person, f"/orders/{bill['id']}/lines/{line['id']}/void")


def undo_a_payment(person: Person) -> None:
    with person.shop.lock:
        known = person.shop.payments[-20:]
    if not known:
        return
    payment = person.dice.choice(known)
    path = f"/orders/{payment['order_id']}/payments/{payment['id']}/reversal"
    if approved(person, path).status_code == 201:
        with person.shop.lock:
            person.shop.undone.append(payment["id"])


def approved(person: Person, path: str) -> Any:
    """What a manager does; somebody else may have done another thing to the order in between."""
    answer = person.send(path, {"reason": "salah pesan"})
    assert answer.status_code in (201, 409), answer.text
    return answer


def send_again(person: Person) -> None:
    with person.shop.lock:
        known = person.shop.sent[-30:]
    if known:
        before = person.dice.choice(known)
        again = person.until_answered(
            lambda: person.till.post(before.path, before.body, before.key)
        )
        assert (again.status_code, again.json) == (201, before.answer)
        assert again.headers["Idempotency-Replayed"] == "true"


def send_another_under_a_used_key(person: Person) -> None:
    with person.shop.lock:
        known = [sent for sent in person.shop.sent[-30:] if sent.path == "/orders"]
    if known:
        body = {"type": "takeaway", "lines": [*person.lines(), {"product_id": 1, "quantity": 9}]}
        key = person.dice.choice(known).key
        answer = person.until_answered(lambda: person.till.post("/orders", body, key))
        assert answer.status_code == 422, answer.text
        assert answer.json["errors"][0]["field"] == "Idempotency-Key"


def change_a_price(person: Person) -> None:
    dish = person.dice.choice(person.shop.dishes)
    person.shop.tell(f"UPDATE products SET price = 1000 + (price + 700) % 90000 WHERE id = {dish}")


def crash(person: Person) -> None:
    """Somebody's transaction is cut off wherever it stands."""
    person.shop.tell(
        "SELECT pg_terminate_backend(pid) FROM (SELECT pid FROM pg_stat_activity"
        " WHERE datname = current_database() AND application_name = 'posapp'"
        " AND state <> 'idle' ORDER BY random() LIMIT 1) AS one"
    )


def night(person: Person) -> None:
    person.shop.clock.advance(NIGHT.total_seconds())


ACTS: dict[Callable[[Person], None], int] = {
    order: 30,
    order_as_quoted: 10,
    pay: 20,
    pay_a_part: 15,
    void_an_order: 3,
    void_a_line: 4,
    undo_a_payment: 4,
    send_again: 10,
    send_another_under_a_used_key: 4,
    change_a_price: 3,
    crash: 3,
    night: 1,
}
"""How often each comes, of a hundred or so."""


def sell(tills: list[Till], shop: Shop, seeds: Iterator[int]) -> None:
    """Runs the sequences of `seeds`, eight at once. Raises what any of them found."""
    free = list(tills)

    @contextmanager
    def till() -> Iterator[Till]:
        mine = free.pop()
        yield mine
        free.append(mine)

    def sequence(seed: int) -> None:
        with till() as mine:
            person = Person(mine, shop, seed)
            for act in person.dice.choices(list(ACTS), list(ACTS.values()), k=LENGTH):
                try:
                    act(person)
                except AssertionError as error:
                    raise AssertionError(f"sequence {seed}, {act.__name__}: {error}") from error

    with ThreadPoolExecutor(CONNECTIONS) as pool:
        list(pool.map(sequence, seeds))


BROKEN = {
    "total = lines - discount + service charge + tax + rounding": """
        SELECT id FROM orders WHERE total <> subtotal - discount + service_charge + tax + rounding
            OR subtotal <> (SELECT sum(total) FROM order_lines WHERE order_id = orders.id
                AND id NOT IN (SELECT line_id FROM voids WHERE line_id IS NOT NULL))""",
    "what is paid is the sum of the payments that stand, and never more than the bill": """
        SELECT id FROM orders WHERE paid > total OR paid <> (
            SELECT coalesce(sum(amount), 0) FROM payments WHERE order_id = orders.id
                AND id NOT IN (SELECT payment_id FROM payment_reversals))""",
    "an order is paid exactly when nothing is due": """
        SELECT id FROM orders WHERE status <> 'voided' AND (status = 'paid') <> (paid = total)""",
    "an order is voided by a row of voids, unpaid": """
        SELECT orders.id FROM orders LEFT JOIN voids
            ON order_id = orders.id AND line_id IS NULL
        GROUP BY orders.id HAVING count(voids.id) <> (status = 'voided')::int
            OR status = 'voided' AND paid <> 0""",
    "a payment is undone on its own business day, once": """
        SELECT payment_id FROM payment_reversals JOIN payments ON payments.id = payment_id
        GROUP BY payment_id HAVING count(*) > 1
            OR bool_or(payments.business_date <> payment_reversals.business_date)""",
    "order numbers have neither gaps nor twins": """
        SELECT business_date FROM orders GROUP BY business_date
        HAVING (min(number), max(number)) <> (1, count(*)) OR count(DISTINCT number) <> count(*)""",
    "receipt numbers have neither gaps nor twins": """
        SELECT business_date FROM payments GROUP BY business_date
        HAVING (min(receipt_number), max(receipt_number)) <> (1, count(*))
            OR count(DISTINCT receipt_number) <> count(*)""",
    "a business day ends at four in the morning": """
        SELECT id FROM orders WHERE business_date <>
            ((created_at AT TIME ZONE 'Asia/Jakarta') - interval '4 hours')::date""",
    "an order has its audit entry": """
        SELECT orders.id FROM orders LEFT JOIN audit_log
            ON action = 'order.created' AND entity = 'order' AND entity_id = orders.id
        GROUP BY orders.id HAVING count(audit_log.id) <> 1""",
    "a payment has its audit entry": """
        SELECT payments.id FROM payments LEFT JOIN audit_log
            ON action = 'payment.taken' AND entity = 'payment' AND entity_id = payments.id
        GROUP BY payments.id HAVING count(audit_log.id) <> 1""",
    "a void and a reversal have their audit entry": """
        WITH undone AS (SELECT 1 FROM voids UNION ALL SELECT 1 FROM payment_reversals)
        SELECT count(*) FROM audit_log
        WHERE action IN ('order.voided', 'line.voided', 'payment.reversed')
        HAVING count(*) <> (SELECT count(*) FROM undone)""",
    "an audit entry speaks of what is there": """
        SELECT entity_id FROM audit_log
        WHERE action = 'order.created' AND entity_id NOT IN (SELECT id FROM orders)""",
    "every kept answer is whole": """
        SELECT 1 FROM idempotency_keys WHERE answer IS NULL""",
}
"""Invariants of the database, each with what breaks it."""


def check(shop: Shop) -> None:
    """Every invariant holds, and the database has what the tills were told, no more and no less."""
    for invariant, query in BROKEN.items():
        shop.beside.execute(query)
        assert (invariant, shop.beside.fetchmany(5)) == (invariant, [])
    shop.beside.execute(
        "SELECT id, number, lines.names FROM orders, LATERAL (SELECT array_agg(ARRAY[name,"
        " unit_price::text] ORDER BY position) AS names FROM order_lines WHERE order_id = orders.id"
        ") AS lines ORDER BY id"
    )
    told = {order["id"]: order for order in shop.orders}
    assert len(told) == len(shop.orders)
    assert shop.beside.fetchall() == [
        (
            id,
            told[id]["number"],
            [[line["name"], str(line["unit_price"])] for line in told[id]["lines"]],
        )
        for id in sorted(told)
    ]
    shop.beside.execute("SELECT id, order_id, amount, receipt_number FROM payments ORDER BY id")
    names = ("id", "order_id", "amount", "receipt_number")
    assert shop.beside.fetchall() == sorted(
        tuple(payment[name] for name in names) for payment in shop.payments
    )
    shop.beside.execute("SELECT payment_id FROM payment_reversals ORDER BY payment_id")
    assert [row[0] for row in shop.beside.fetchall()] == sorted(shop.undone)
