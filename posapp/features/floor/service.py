"""Where guests sit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from posapp.features.floor.models import Floor, Table
from posapp.features.floor.schemas import FloorPlan, FloorView, TableView


def exists(session: Session, table_id: int) -> bool:
    return session.scalar(select(Table.id).where(Table.id == table_id)) is not None


def floor_plan(session: Session, open_orders: Mapping[int, Sequence[int]]) -> FloorPlan:
    """All floors; `open_orders` are the ids of the open orders of each table."""
    tables: dict[int, list[TableView]] = {}
    for table in session.scalars(select(Table).order_by(Table.position, Table.id)):
        orders = list(open_orders.get(table.id, ()))
        view = TableView(id=table.id, name=table.name, seats=table.seats, open_orders=orders)
        tables.setdefault(table.floor_id, []).append(view)
    floors = session.scalars(select(Floor).order_by(Floor.position, Floor.id))
    return FloorPlan(
        floors=[FloorView(id=f.id, name=f.name, tables=tables.get(f.id, [])) for f in floors]
    )
