"""The menu, and the price of a product with its variant and modifiers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session, selectinload

from posapp.features.audit import service as audit
from posapp.features.catalog.menu_seed import CategorySeed, ModifierGroupSeed, ProductSeed
from posapp.features.catalog.models import (
    Category,
    Modifier,
    ModifierGroup,
    Product,
    ProductModifierGroup,
    SaleTerms,
    Variant,
)
from posapp.features.catalog.schemas import (
    CategoryView,
    Language,
    Menu,
    ModifierGroupView,
    ModifierView,
    ProductView,
    VariantView,
)
from posapp.http.errors import Invalid, NotFound, said

_WHOLE = (
    selectinload(Product.variants),
    selectinload(Product.modifier_groups).selectinload(ModifierGroup.modifiers),
)

_VERSION = select(SaleTerms.version)


@dataclass(frozen=True, slots=True)
class PricedSelection:
    """A dish with all its questions answered, at the prices of now."""

    product_id: int
    variant_id: int | None
    name: str
    unit_price: int
    """Rupiah, without the modifiers."""
    modifiers: tuple[ModifierView, ...]


def terms_version(session: Session) -> UUID:
    """The version of menu, rates and tables: another one after every change of them."""
    return session.scalars(_VERSION).one()


def menu(session: Session, language: Language) -> Menu:
    """The whole menu in one language."""
    products: dict[int, list[ProductView]] = {}
    query = select(Product).options(*_WHOLE).order_by(Product.position, Product.id)
    for product in session.scalars(query):
        products.setdefault(product.category_id, []).append(_product(product, language))
    categories = session.scalars(select(Category).order_by(Category.position, Category.id))
    return Menu(
        categories=[
            CategoryView(id=c.id, name=_name(c, language), products=products.get(c.id, []))
            for c in categories
        ]
    )


def set_available(
    session: Session, product_id: int, available: bool, user_id: int, now: datetime
) -> None:
    """Marks a product sold out, or back. Raises NotFound."""
    product = session.get(Product, product_id)
    if product is None:
        raise NotFound(f"There is no product {product_id}.", said("not_on_menu"))
    if product.available == available:
        return
    product.available = available
    action = "product.back" if available else "product.sold_out"
    audit.record(session, user_id, action, "product", product_id, now, name=product.name_id)


def has_menu(session: Session) -> bool:
    """Whether there is any product."""
    return session.scalar(select(Product.id).limit(1)) is not None


def create_menu(
    session: Session, groups: Mapping[str, ModifierGroupSeed], categories: Iterable[CategorySeed]
) -> None:
    """Writes a whole menu; products name their modifier groups by the keys of `groups`."""
    rows = {key: _group_row(group) for key, group in groups.items()}
    session.add_all(rows.values())
    session.flush()
    ids = {key: row.id for key, row in rows.items()}
    for position, (name, english, products) in enumerate(categories):
        category = Category(position=position, name_id=name, name_en=english)
        session.add(category)
        session.flush()
        for index, product in enumerate(products):
            _create_product(session, category.id, index, product, ids)


def _group_row(group: ModifierGroupSeed) -> ModifierGroup:
    name, english = group.names
    return ModifierGroup(
        name_id=name,
        name_en=english,
        min=group.minimum,
        max=group.maximum,
        modifiers=[
            Modifier(position=i, name_id=name, name_en=english, price=price)
            for i, (name, english, price) in enumerate(group.options)
        ],
    )


def _create_product(
    session: Session, category_id: int, position: int, seed: ProductSeed, groups: Mapping[str, int]
) -> None:
    product = Product(
        category_id=category_id,
        position=position,
        name_id=seed.name,
        name_en=seed.english,
        price=seed.price,
        available=True,
        variants=[
            Variant(position=i, name_id=name, name_en=english, price=price)
            for i, (name, english, price) in enumerate(seed.variants)
        ],
    )
    session.add(product)
    session.flush()
    session.add_all(
        ProductModifierGroup(product_id=product.id, group_id=groups[key], position=i)
        for i, key in enumerate(seed.modifier_groups)
    )


def products(session: Session) -> Mapping[int, ProductView]:
    """All products by id, with everything that can be chosen, as receipts name it."""
    categories = menu(session, "id").categories
    return {product.id: product for category in categories for product in category.products}


def price_selection(
    product: ProductView | None, variant_id: int | None, modifier_ids: Sequence[int], field: str
) -> PricedSelection:
    """A dish as the guest wants it. `field` is where it stands in the request.

    Raises Invalid for what is not on the menu, is sold out, or leaves a question open.
    """
    if product is None:
        raise Invalid(f"{field}.product_id", "is not on the menu", **said("not_on_menu"))
    if not product.available:
        extension = said("sold_out", product=product.name)
        raise Invalid(f"{field}.product_id", f"{product.name} is sold out", **extension)
    variant = _variant(product, variant_id, field)
    name = f"{product.name} ({variant.name})" if variant else product.name
    return PricedSelection(
        product_id=product.id,
        variant_id=variant.id if variant else None,
        name=name,
        unit_price=variant.price if variant else product.price,
        modifiers=_modifiers(product, modifier_ids, field),
    )


def _variant(product: ProductView, variant_id: int | None, field: str) -> VariantView | None:
    if variant_id is None:
        # A client that does not ask gets the first, as the menu shows its price.
        return product.variants[0] if product.variants else None
    for variant in product.variants:
        if variant.id == variant_id:
            return variant
    extension = said("no_such_variant", product=product.name)
    raise Invalid(f"{field}.variant_id", f"is not a variant of {product.name}", **extension)


def _modifiers(product: ProductView, chosen: Sequence[int], field: str) -> tuple[ModifierView, ...]:
    if len(set(chosen)) != len(chosen):
        raise Invalid(f"{field}.modifier_ids", "names a modifier twice")
    left = set(chosen)
    found: list[ModifierView] = []
    for group in product.modifier_groups:
        answers = [modifier for modifier in group.modifiers if modifier.id in left]
        if not group.min <= len(answers) <= group.max:
            wanted = str(group.min) if group.min == group.max else f"{group.min} to {group.max}"
            extension = said("choose", product=product.name, group=group.name, count=wanted)
            raise Invalid(f"{field}.modifier_ids", f"{group.name}: choose {wanted}", **extension)
        left -= {modifier.id for modifier in answers}
        found += answers
    if left:
        extension = said("no_such_modifier", product=product.name)
        message = f"{min(left)} does not go with {product.name}"
        raise Invalid(f"{field}.modifier_ids", message, **extension)
    return tuple(found)


def _product(product: Product, language: Language) -> ProductView:
    return ProductView(
        id=product.id,
        name=_name(product, language),
        price=product.price,
        available=product.available,
        category_id=product.category_id,
        variants=[
            VariantView(id=v.id, name=_name(v, language), price=v.price) for v in product.variants
        ],
        modifier_groups=[
            ModifierGroupView(
                id=g.id,
                name=_name(g, language),
                min=g.min,
                max=g.max,
                modifiers=[_modifier(m, language) for m in g.modifiers],
            )
            for g in product.modifier_groups
        ],
    )


def _modifier(modifier: Modifier, language: Language) -> ModifierView:
    return ModifierView(id=modifier.id, name=_name(modifier, language), price=modifier.price)


def _name(
    thing: Category | Product | Variant | ModifierGroup | Modifier, language: Language
) -> str:
    return thing.name_en if language == "en" else thing.name_id
