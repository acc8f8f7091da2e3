"""`/api/v1/orders`."""

from __future__ import annotations

from flask import Response

from posapp.features.floor import service as floor
from posapp.features.floor.schemas import FloorPlan
from posapp.features.idempotency.service import Claim, IdempotencyHeader
from posapp.features.orders import service, states
from posapp.features.orders.create import create
from posapp.features.orders.schemas import (
    NewOrder,
    OrderList,
    OrderPath,
    OrderQuery,
    OrderView,
    Quote,
)
from posapp.http.access import current_user, require_roles
from posapp.http.body import sent_json
from posapp.http.openapi import Problem, api_blueprint
from posapp.http.request_time import request_time
from posapp.http.responses import idempotent_response, model_response
from posapp.http.roles import STAFF_ROLES
from posapp.http.transactions import transaction
from posapp.observability.metrics import ORDERS

api = api_blueprint("orders", "Orders")
tables_api = api_blueprint("tables", "Tables")


@api.post("/orders", summary="Take an order", responses={201: OrderView, 409: Problem})
@require_roles(*states.CREATE.roles)
def create_order(header: IdempotencyHeader, body: NewOrder) -> Response:
    """The same key and body again: the same order, once, with `Idempotency-Replayed: true`."""
    now, user_id = request_time(), current_user().id
    claim = Claim(header.key, "POST /orders", body, sent_json())
    with transaction() as session:
        done = create(session, claim, body, user_id, now)
    if not done.replayed:
        ORDERS.labels(body.type).inc()
    return idempotent_response(done.body, done.replayed)


@api.post("/orders/quote", summary="What an order would cost", responses={200: Quote})
@require_roles(*states.CREATE.roles)
def quote_order(body: NewOrder) -> Response:
    """Nothing is stored."""
    with transaction() as session:
        return model_response(service.quote(session, body))


@api.get("/orders", summary="The newest orders in a state", responses={200: OrderList})
@require_roles(*STAFF_ROLES)
def list_orders(query: OrderQuery) -> Response:
    with transaction() as session:
        return model_response(
            OrderList(orders=service.list_orders(session, query.status, query.limit))
        )


@api.get("/orders/<int:order_id>", summary="One order", responses={200: OrderView})
@require_roles(*STAFF_ROLES)
def get_order(path: OrderPath) -> Response:
    with transaction() as session:
        return model_response(service.get(session, path.order_id))


@tables_api.get(
    "/tables", summary="Floors, tables and their open orders", responses={200: FloorPlan}
)
@require_roles(*STAFF_ROLES)
def list_tables() -> Response:
    with transaction() as session:
        return model_response(floor.floor_plan(session, service.open_by_table(session)))
