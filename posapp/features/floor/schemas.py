"""Floors and tables as they go over the wire."""

from __future__ import annotations

from posapp.http.schemas import ApiModel


class TableView(ApiModel):
    id: int
    name: str
    seats: int
    open_orders: list[int]


class FloorView(ApiModel):
    id: int
    name: str
    tables: list[TableView]


class FloorPlan(ApiModel):
    floors: list[FloorView]
