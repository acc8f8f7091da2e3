"""The price of an order: a pure function of what is wanted and the terms of sale."""

from __future__ import annotations

from posapp.features.catalog import service as catalog
from posapp.features.catalog.service import PricedSelection
from posapp.features.orders.schemas import NewOrder, Quote, QuoteLine
from posapp.features.orders.terms import Terms
from posapp.features.orders.totals import compute_totals
from posapp.http.errors import Invalid, PriceChanged, said


def price(new: NewOrder, terms: Terms) -> Quote:
    """Prices an order. Raises Invalid for what cannot be ordered, naming the field."""
    if new.table_id is not None:
        if new.type != "dine_in":
            raise Invalid("table_id", "goes only with dine_in")
        if new.table_id not in terms.tables:
            raise Invalid("table_id", "there is no such table", **said("no_such_table"))
    if new.guests is not None and new.type != "dine_in":
        raise Invalid("guests", "goes only with dine_in")
    if new.customer_address is not None and new.type != "delivery":
        raise Invalid("customer_address", "goes only with delivery")
    lines = []
    for i, line in enumerate(new.lines):
        choice = catalog.price_selection(
            terms.products.get(line.product_id), line.variant_id, line.modifier_ids, f"lines.{i}"
        )
        lines.append(_quote_line(choice, line.quantity, line.note or None))
    totals = compute_totals((line.total for line in lines), 0, terms.settings)
    return Quote(
        type=new.type,
        table_id=new.table_id,
        guests=new.guests,
        customer_name=new.customer_name,
        customer_phone=new.customer_phone,
        customer_address=new.customer_address,
        lines=lines,
        subtotal=totals.subtotal,
        discount=totals.discount,
        service_charge=totals.service_charge,
        tax=totals.tax,
        service_rate=terms.settings.service_rate,
        tax_rate=terms.settings.tax_rate,
        rounding=totals.rounding,
        total=totals.total,
    )


def price_to_sell(new: NewOrder, terms: Terms) -> Quote:
    """Prices an order that is sent. Raises Invalid as `price` does, and PriceChanged."""
    if new.type == "dine_in" and new.table_id is None:
        raise Invalid("table_id", "is needed for dine_in", **said("table_needed"))
    quoted = price(new, terms)
    require_total(new.expected_total, quoted)
    return quoted


def require_total(expected: int | None, quoted: Quote) -> None:
    """Raises PriceChanged where the total is not the one that the guest was told."""
    if expected is not None and expected != quoted.total:
        raise PriceChanged(expected, quoted.total, quoted.model_dump(mode="json"))


def _quote_line(choice: PricedSelection, quantity: int, note: str | None) -> QuoteLine:
    each = choice.unit_price + sum(modifier.price for modifier in choice.modifiers)
    return QuoteLine(
        product_id=choice.product_id,
        variant_id=choice.variant_id,
        name=choice.name,
        unit_price=choice.unit_price,
        quantity=quantity,
        modifiers=list(choice.modifiers),
        note=note,
        total=each * quantity,
    )
