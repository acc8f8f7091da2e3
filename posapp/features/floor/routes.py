"""`/api/v1/tables`."""

from __future__ import annotations

from flask import Response
from flask_openapi3 import APIBlueprint, Tag

from posapp.api import answer, roles, transaction
from posapp.features.floor import service
from posapp.features.floor.schemas import FloorPlan
from posapp.features.orders import service as orders
from posapp.fields import ROLES

api = APIBlueprint("tables", __name__, abp_tags=[Tag(name="Tables")])


@api.get("/tables", summary="Floors, tables and their open orders", responses={200: FloorPlan})
@roles(*ROLES)
def tables() -> Response:
    with transaction() as session:
        plan = service.floor_plan(session, orders.open_by_table(session))
    return answer(plan)
