"""Floors and dining tables."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from posapp.features.floor.models import DiningTable, Floor
from posapp.features.floor.schemas import FloorPlan, FloorView, TableView


def table_ids(session: Session) -> frozenset[int]:
    return frozenset(session.scalars(select(DiningTable.id)))


def table_ids_named(session: Session, name: str) -> list[int]:
    """Returns the ids of the tables of this name, in whatever case."""
    query = select(DiningTable.id).where(func.lower(DiningTable.name) == name.lower())
    return list(session.scalars(query))


def table_name(session: Session, table_id: int | None) -> str | None:
    return session.scalar(select(DiningTable.name).where(DiningTable.id == table_id))


def floor_plan(session: Session, open_orders: Mapping[int, Sequence[int]]) -> FloorPlan:
    """All floors; `open_orders` are the ids of the open orders of each table."""
    tables: dict[int, list[TableView]] = {}
    for table in session.scalars(
        select(DiningTable).order_by(DiningTable.position, DiningTable.id)
    ):
        orders = list(open_orders.get(table.id, ()))
        view = TableView(id=table.id, name=table.name, seats=table.seats, open_orders=orders)
        tables.setdefault(table.floor_id, []).append(view)
    floors = session.scalars(select(Floor).order_by(Floor.position, Floor.id))
    return FloorPlan(
        floors=[FloorView(id=f.id, name=f.name, tables=tables.get(f.id, [])) for f in floors]
    )


def create_floor(session: Session, name: str, tables: Iterable[tuple[str, int]]) -> None:
    """Adds a floor behind those that are there, with its tables: name and number of seats."""
    position = session.scalar(select(func.count()).select_from(Floor)) or 0
    floor = Floor(position=position, name=name)
    session.add(floor)
    session.flush()
    session.add_all(
        DiningTable(floor_id=floor.id, position=index, name=table, seats=seats)
        for index, (table, seats) in enumerate(tables)
    )
