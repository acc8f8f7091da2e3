"""The price of a product as it is chosen: every rule of a modifier group, without a database."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from posapp.features.catalog.schemas import (
    ModifierGroupView,
    ModifierView,
    ProductView,
    VariantView,
)
from posapp.features.catalog.service import price_selection
from posapp.http.errors import Invalid


def group(first_id, prices, least, most):
    return ModifierGroupView(
        id=first_id,
        name=f"Grup {first_id}",
        min=least,
        max=most,
        modifiers=[
            ModifierView(id=first_id + i, name=f"M{i}", price=price)
            for i, price in enumerate(prices)
        ],
    )


def product(groups=(), variants=(), price=50_000, available=True):
    return ProductView(
        id=1,
        category_id=1,
        name="Sirloin",
        price=price,
        available=available,
        modifier_groups=list(groups),
        variants=[
            VariantView(id=900 + i, name=f"{i}", price=each) for i, each in enumerate(variants)
        ],
    )


def refusal(*arguments):
    with pytest.raises(Invalid) as refused:
        price_selection(*arguments)
    return refused.value.errors[0]["field"]


@st.composite
def groups_and_choices(draw):
    """Groups with their bounds, and for each a number of its modifiers."""
    groups, chosen = [], []
    for index in range(draw(st.integers(0, 4))):
        prices = draw(st.lists(st.integers(0, 50_000), min_size=1, max_size=6))
        most = draw(st.integers(1, len(prices)))
        least = draw(st.integers(0, most))
        count = draw(st.integers(0, len(prices)))
        groups.append(group(100 * (index + 1), prices, least, most))
        chosen.append(draw(st.permutations([m.id for m in groups[-1].modifiers]))[:count])
    return groups, chosen


@given(groups_and_choices(), st.randoms(use_true_random=False))
def test_a_choice_is_taken_exactly_when_every_group_has_its_number(drawn, order):
    groups, chosen = drawn
    fits = all(g.min <= len(picked) <= g.max for g, picked in zip(groups, chosen, strict=True))
    ids = [one for picked in chosen for one in picked]
    order.shuffle(ids)
    if not fits:
        assert refusal(product(groups), None, ids, "lines.3") == "lines.3.modifier_ids"
        return
    priced = price_selection(product(groups), None, ids, "lines.3")
    assert sorted(modifier.id for modifier in priced.modifiers) == sorted(ids)
    prices = {m.id: m.price for g in groups for m in g.modifiers}
    assert sum(m.price for m in priced.modifiers) == sum(prices[one] for one in ids)
    assert priced.unit_price == 50_000


def test_modifiers_come_in_the_order_of_the_menu_however_they_were_tapped():
    groups = [group(100, [0, 0, 0], 0, 3), group(200, [0, 0], 0, 2)]
    priced = price_selection(product(groups), None, [201, 102, 200, 100], "lines.0")
    assert [modifier.id for modifier in priced.modifiers] == [100, 102, 200, 201]


def test_a_variant_has_its_own_price_and_the_first_is_taken_when_none_is_named():
    cuts = product(variants=[115_000, 139_000])
    named = price_selection(cuts, 901, [], "lines.0")
    assert (named.unit_price, named.name) == (139_000, "Sirloin (1)")
    unnamed = price_selection(cuts, None, [], "lines.0")
    assert (unnamed.unit_price, unnamed.variant_id) == (115_000, 900)


def test_a_product_without_variants_is_named_and_priced_by_itself():
    priced = price_selection(product(price=8_000), None, [], "lines.0")
    assert (priced.name, priced.unit_price, priced.variant_id) == ("Sirloin", 8_000, None)


@pytest.mark.parametrize(
    ("chosen", "variant", "ids", "field"),
    [
        (None, None, [], "lines.7.product_id"),
        (product(available=False), None, [], "lines.7.product_id"),
        (product(variants=[1]), 999, [], "lines.7.variant_id"),
        (product(), 900, [], "lines.7.variant_id"),
        (product([group(100, [0], 0, 1)]), None, [100, 100], "lines.7.modifier_ids"),
        (product([group(100, [0], 0, 1)]), None, [555], "lines.7.modifier_ids"),
        (product(), None, [100], "lines.7.modifier_ids"),
    ],
    ids=["no product", "sold out", "foreign variant", "none", "twice", "foreign", "no group"],
)
def test_what_cannot_be_chosen_is_named_by_its_field(chosen, variant, ids, field):
    assert refusal(chosen, variant, ids, "lines.7") == field
