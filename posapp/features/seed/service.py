"""Writes the demo into an empty database, once."""

from __future__ import annotations

from datetime import time

from sqlalchemy import Engine, select, text
from sqlalchemy.orm import Session

from posapp.database.engine import Database, utc_now
from posapp.features.auth import passwords
from posapp.features.auth.demo_logins import DEMO_LOGINS
from posapp.features.auth.models import User
from posapp.features.catalog.models import (
    Category,
    Modifier,
    ModifierGroup,
    Product,
    ProductModifierGroup,
    Variant,
)
from posapp.features.floor.models import Floor, Table
from posapp.features.restaurant.models import Restaurant
from posapp.features.seed.menu import CATEGORIES, GROUPS, Dish

SEED_LOCK = 7_233_002
FLOORS = (
    ("Ruang Utama", "A", (2, 2, 4, 4, 4, 4, 4, 4, 6, 6, 6, 8)),
    ("Teras", "T", (2, 2, 2, 2, 4, 4, 4, 4, 4, 4, 6, 6)),
    ("Lantai Atas", "B", (2, 2, 4, 4, 4, 4, 6, 6, 8, 8)),
    ("Ruang Keluarga", "K", (6, 6, 8, 8, 10, 12)),
)


def seed(engine: Engine) -> bool:
    """Writes the demo where there is no menu yet; tells whether it did."""
    with Database(engine).transaction() as session:
        session.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": SEED_LOCK})
        if session.scalar(select(Product.id).limit(1)) is not None:
            return False
        _house(session)
        _menu(session, _groups(session))
        _floors(session)
        _staff(session)
    return True


def _house(session: Session) -> None:
    session.merge(
        Restaurant(
            id=1,
            name="Steak Kenangan",
            service_rate=500,
            tax_rate=1000,
            service_base="before_discount",
            cash_rounding=100,
            day_starts=time(4),
            timezone="Asia/Jakarta",
        )
    )


def _groups(session: Session) -> dict[str, ModifierGroup]:
    groups = {}
    for key, group in GROUPS.items():
        groups[key] = ModifierGroup(
            name_id=group.names[0],
            name_en=group.names[1],
            min=group.least,
            max=group.most,
            modifiers=[
                Modifier(position=i, name_id=name, name_en=english, price=price)
                for i, (name, english, price) in enumerate(group.answers)
            ],
        )
    session.add_all(groups.values())
    session.flush()
    return groups


def _menu(session: Session, groups: dict[str, ModifierGroup]) -> None:
    for position, (name, english, dishes) in enumerate(CATEGORIES):
        category = Category(position=position, name_id=name, name_en=english)
        session.add(category)
        session.flush()
        for place, dish in enumerate(dishes):
            _dish(session, category.id, place, dish, groups)


def _dish(
    session: Session, category_id: int, position: int, dish: Dish, groups: dict[str, ModifierGroup]
) -> None:
    product = Product(
        category_id=category_id,
        position=position,
        name_id=dish.name,
        name_en=dish.english,
        price=dish.price,
        available=True,
        variants=[
            Variant(position=i, name_id=name, name_en=english, price=price)
            for i, (name, english, price) in enumerate(dish.variants)
        ],
    )
    session.add(product)
    session.flush()
    session.add_all(
        ProductModifierGroup(product_id=product.id, group_id=groups[key].id, position=i)
        for i, key in enumerate(dish.asks)
    )


def _floors(session: Session) -> None:
    for position, (name, letter, seats) in enumerate(FLOORS):
        floor = Floor(position=position, name=name)
        session.add(floor)
        session.flush()
        session.add_all(
            Table(floor_id=floor.id, position=i, name=f"{letter}{i + 1}", seats=count)
            for i, count in enumerate(seats)
        )


def _staff(session: Session) -> None:
    known = set(session.scalars(select(User.username)))
    session.add_all(
        User(
            username=login.username,
            name=login.name,
            role=login.role,
            password_hash=passwords.hash_password(login.password),
            active=True,
            created_at=utc_now(),
        )
        for login in DEMO_LOGINS
        if login.username not in known
    )
