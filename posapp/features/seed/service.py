"""Writes the demo, or the restaurant's own menu, into a database without a menu, once."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import text
from sqlalchemy.orm import Session

from posapp.features.auth import accounts
from posapp.features.auth.demo_logins import DEMO_LOGINS
from posapp.features.auth.schemas import NewUser
from posapp.features.catalog import service as catalog
from posapp.features.floor import service as floor
from posapp.features.restaurant import service as restaurant
from posapp.features.restaurant.service import RestaurantSettings
from posapp.features.seed.menu import CATEGORIES
from posapp.features.seed.menu_file import MenuFile
from posapp.features.seed.modifier_groups import GROUPS
from posapp.http.errors import Conflict

SEED_LOCK = 7_233_002
FLOORS = (
    ("Ruang Utama", "A", (2, 2, 4, 4, 4, 4, 4, 4, 6, 6, 6, 8)),
    ("Teras", "T", (2, 2, 2, 2, 4, 4, 4, 4, 4, 4, 6, 6)),
    ("Lantai Atas", "B", (2, 2, 4, 4, 4, 4, 6, 6, 8, 8)),
    ("Ruang Keluarga", "K", (6, 6, 8, 8, 10, 12)),
)


def seed_own_menu(session: Session, menu: MenuFile) -> None:
    """Writes the restaurant's own menu. Raises Conflict where there is one. The caller commits."""
    if _has_menu(session):
        raise Conflict("there is a menu already; an own one goes into a database without a menu")
    catalog.create_menu(session, menu.group_seeds(), menu.category_seeds())


def _has_menu(session: Session) -> bool:
    session.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": SEED_LOCK})
    return catalog.has_menu(session)


def seed_demo_data(session: Session, now: datetime) -> bool:
    """Writes the demo where there is no menu yet; returns whether it did. The caller commits."""
    if _has_menu(session):
        return False
    restaurant.save_settings(session, RestaurantSettings())
    catalog.create_menu(session, GROUPS, CATEGORIES)
    for name, letter, seats in FLOORS:
        tables = [(f"{letter}{number}", count) for number, count in enumerate(seats, 1)]
        floor.create_floor(session, name, tables)
    taken = {user.username for user in accounts.list_users(session)}
    for login in DEMO_LOGINS:
        if login.username not in taken:
            accounts.create_user(session, NewUser(**login.model_dump()), created_by=None, now=now)
    return True
