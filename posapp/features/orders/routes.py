"""`/api/v1/orders`."""

from __future__ import annotations

from flask import Response
from flask_openapi3 import APIBlueprint, Tag

from posapp.database.engine import utc_now
from posapp.features.floor import service as floor
from posapp.features.floor.schemas import FloorPlan
from posapp.features.idempotency.service import IdempotencyHeader, once
from posapp.features.orders import service, states
from posapp.features.orders.schemas import NewOrder, OrderPath, OrderQuery, Orders, OrderView, Quote
from posapp.http.access import current_user, roles
from posapp.http.responses import answer, idempotent_answer
from posapp.http.schemas import ROLES
from posapp.http.transactions import transaction
from posapp.observability.metrics import ORDERS

api = APIBlueprint("orders", __name__, abp_tags=[Tag(name="Orders")])
tables_api = APIBlueprint("tables", __name__, abp_tags=[Tag(name="Tables")])


@api.post("/orders", summary="Take an order", responses={201: OrderView})
@roles(*states.ORDER.roles)
def create(header: IdempotencyHeader, body: NewOrder) -> Response:
    """The same key and body again: the same order, once, with `Idempotency-Replayed: true`."""
    now, user_id = utc_now(), current_user().id
    with transaction() as session:
        done = once(
            session,
            header.key,
            "POST /orders",
            body,
            now,
            lambda: service.create(session, body, user_id, now),
        )
    if not done.replayed:
        ORDERS.labels(body.type).inc()
    return idempotent_answer(done.body, done.replayed)


@api.post("/orders/quote", summary="What an order would cost", responses={200: Quote})
@roles(*states.ORDER.roles)
def quote(body: NewOrder) -> Response:
    """Nothing is stored."""
    with transaction() as session:
        return answer(service.quote(session, body))


@api.get("/orders", summary="The newest orders in a state", responses={200: Orders})
@roles(*ROLES)
def listing(query: OrderQuery) -> Response:
    with transaction() as session:
        return answer(Orders(orders=service.listing(session, query.status, query.limit)))


@api.get("/orders/<int:order_id>", summary="One order", responses={200: OrderView})
@roles(*ROLES)
def get(path: OrderPath) -> Response:
    with transaction() as session:
        return answer(service.get(session, path.order_id))


@tables_api.get(
    "/tables", summary="Floors, tables and their open orders", responses={200: FloorPlan}
)
@roles(*ROLES)
def tables() -> Response:
    with transaction() as session:
        return answer(floor.floor_plan(session, service.open_by_table(session)))
