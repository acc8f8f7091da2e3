"""Taking an order: one act, and one statement.

All tills of a day wait for one row, the day's counter, from when an order has its number until it
is committed. So the whole of an order, priced beforehand, goes to the database in one statement,
and COMMIT with it in one message: no till waits for another one's network or Python.
"""

from __future__ import annotations

from datetime import date, datetime
from uuid import uuid4

import orjson
from sqlalchemy import text
from sqlalchemy.orm import Session

from posapp.database.connection import commit_with
from posapp.features.idempotency import service as idempotency
from posapp.features.idempotency.service import Claim, StoredResponse
from posapp.features.orders import states
from posapp.features.orders.numbers import next_number, skip_taken
from posapp.features.orders.pricing import price_to_sell
from posapp.features.orders.schemas import NewOrder, Quote
from posapp.features.orders.terms import Terms, current_terms, kept_terms
from posapp.features.orders.totals import round_to_cash
from posapp.http.errors import ApiError, Unavailable
from posapp.observability.context import request_id

_ATTEMPTS = 5
"""At an order whose terms change under it, or whose number is taken."""

_NEXT_NUMBER = next_number(
    "order",
    """EXISTS (SELECT FROM sale_terms WHERE version = :version)
    AND NOT EXISTS (SELECT FROM idempotency_keys WHERE key = :key)
    AND (SELECT count(*) FROM table_held) + (SELECT count(*) FROM products_held)
        + (SELECT count(*) FROM variants_held) > 0""",
)
_INSERT = f"""
    WITH draft AS (SELECT CAST(:draft AS jsonb) AS body),
    -- Locks that the foreign keys need, before the counter's: who waits for them waits alone.
    table_held AS MATERIALIZED (
        SELECT id FROM restaurant_tables WHERE id = :table_id FOR KEY SHARE),
    products_held AS MATERIALIZED (
        SELECT id FROM products WHERE id = ANY(:product_ids) ORDER BY id FOR KEY SHARE),
    variants_held AS MATERIALIZED (
        SELECT id FROM product_variants WHERE id = ANY(:variant_ids) ORDER BY id FOR KEY SHARE),
    -- A number, unless the price is another by now, or the key has been here before.
    allotted AS ({_NEXT_NUMBER}),
    made AS (
        INSERT INTO orders (number, business_date, type, table_id, guests, customer_name,
            customer_phone, customer_address, status, subtotal, discount, service_charge, tax,
            service_rate, tax_rate, rounding, total, paid, created_by, created_at)
        SELECT allotted.last, new.business_date, new.type, new.table_id, new.guests,
            new.customer_name, new.customer_phone, new.customer_address, new.status, new.subtotal,
            new.discount, new.service_charge, new.tax, new.service_rate, new.tax_rate,
            new.rounding, new.total, new.paid, :user_id, new.created_at
        FROM allotted, draft, jsonb_populate_record(NULL::orders, draft.body) AS new
        RETURNING id, number),
    lines AS (
        INSERT INTO order_lines (order_id, position, product_id, variant_id, name, unit_price,
            modifiers, modifiers_price, quantity, note, total)
        SELECT made.id, nth - 1, product_id, variant_id, name, unit_price, modifiers,
            total / quantity - unit_price, quantity, note, total
        FROM made, draft,
            jsonb_array_elements(draft.body -> 'lines') WITH ORDINALITY AS sent (body, nth),
            jsonb_populate_record(NULL::order_lines, sent.body)
        ORDER BY nth
        RETURNING id, position),
    audited AS (
        INSERT INTO audit_log (at, user_id, action, entity, entity_id, request_id, details)
        SELECT :now, :user_id, 'order.created', 'order', made.id, :request_id,
            jsonb_build_object('number', made.number, 'total', draft.body -> 'total')
        FROM made, draft),
    -- The answer is the draft with the numbers that the database has given.
    kept AS (
        INSERT INTO idempotency_keys (key, attempt, fingerprint, created_at, answer)
        SELECT :key, :attempt, :fingerprint, :now, CAST(draft.body || jsonb_build_object(
            'id', made.id, 'number', made.number,
            'lines', (SELECT jsonb_agg(draft.body -> 'lines' -> position
                || jsonb_build_object('id', lines.id) ORDER BY position) FROM lines)) AS text)
        FROM made, draft)
    SELECT FROM made
"""  # noqa: S608  all of it stands in this file and in `numbers`
_KEPT = "SELECT answer FROM idempotency_keys WHERE key = :key AND attempt = :attempt"
_STORE = text(commit_with(_INSERT, _KEPT))


def create(
    session: Session, claim: Claim, new: NewOrder, user_id: int, now: datetime
) -> StoredResponse:
    """Creates an open order under the next number of its business date, once for its key.

    Raises Invalid for what cannot be ordered, naming the field, and for a key that was used for
    something else; PriceChanged where the total is not the expected one.
    """
    terms = kept_terms(session)
    for _ in range(_ATTEMPTS):
        try:
            quoted = price_to_sell(new, terms)
        except ApiError:
            # What was accepted once stays so; what is refused is refused by the terms of now.
            if (before := idempotency.find(session, claim)) is not None:
                return before
            if (current := current_terms(session)) is terms:
                raise
            terms = current
            continue
        day = terms.settings.business_date(now)
        answer = _store(session, claim, quoted, terms, user_id, day, now)
        if answer is not None:
            return StoredResponse(answer, replayed=False)
        if (before := idempotency.find(session, claim)) is not None:
            return before
        if (current := current_terms(session)) is terms:
            skip_taken(session, "order", day, now)
        terms = current
    raise Unavailable("The menu is being changed; send the same request again.")


def _store(
    session: Session,
    claim: Claim,
    quoted: Quote,
    terms: Terms,
    user_id: int,
    day: date,
    now: datetime,
) -> str | None:
    """Returns the answer, of what is committed by now. There is none, and nothing was done, where
    the key is known, the terms are others, or somebody has taken the next number by hand."""
    draft = quoted.model_dump() | {
        "business_date": day,
        "status": states.CREATE.after,
        "created_at": now,
        "voids": [],
        "paid": 0,
        "due": quoted.total,
        "cash_due": round_to_cash(quoted.total, terms.settings.cash_rounding),
    }
    answer: str | None = session.scalar(
        _STORE,
        {
            "draft": orjson.dumps(draft, option=orjson.OPT_UTC_Z).decode(),
            "user_id": user_id,
            "table_id": quoted.table_id,
            "product_ids": [line.product_id for line in quoted.lines],
            "variant_ids": [line.variant_id for line in quoted.lines if line.variant_id],
            "day": day,
            "version": terms.version,
            "key": claim.key,
            "attempt": uuid4(),
            "fingerprint": claim.fingerprint,
            "now": now,
            "request_id": request_id.get(),
        },
    )
    return answer
