"""The terms of sale: what orders are priced by, kept in each process under its version.

Triggers give the terms another version with every change of the menu, the rates or the tables. Who
stores an order names the version that it was priced by, and the database stores none by another:
so most orders are priced without a question to the database, and none by yesterday's menu.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID
from weakref import WeakKeyDictionary

from sqlalchemy import Engine
from sqlalchemy.orm import Session

from posapp.features.catalog import service as catalog
from posapp.features.catalog.schemas import ProductView
from posapp.features.floor import service as floor
from posapp.features.restaurant import service as restaurant
from posapp.features.restaurant.service import RestaurantSettings


@dataclass(frozen=True, slots=True)
class Terms:
    """Everything that an order is priced by."""

    version: UUID
    products: Mapping[int, ProductView]
    settings: RestaurantSettings
    tables: frozenset[int]


_KEPT: WeakKeyDictionary[Engine, Terms] = WeakKeyDictionary()
"""By engine, for a process may know several databases."""


def kept_terms(session: Session) -> Terms:
    """The terms at hand, which the database may have left behind; read where there are none."""
    return _KEPT.get(session.get_bind().engine) or _read(session)


def current_terms(session: Session) -> Terms:
    """The terms of this moment; those at hand where their version still holds."""
    kept = _KEPT.get(session.get_bind().engine)
    if kept is not None and catalog.terms_version(session) == kept.version:
        return kept
    return _read(session)


def _read(session: Session) -> Terms:
    # The version first: what changes while the rest is read then has another one.
    terms = Terms(
        version=catalog.terms_version(session),
        products=catalog.products(session),
        settings=restaurant.restaurant_settings(session),
        tables=floor.table_ids(session),
    )
    _KEPT[session.get_bind().engine] = terms
    return terms
