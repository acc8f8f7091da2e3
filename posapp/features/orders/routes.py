"""`/api/v1/orders`."""

from __future__ import annotations

from flask import Response

from posapp.features.auth.approvals import ApprovedRequest
from posapp.features.auth.approved_acts import execute_approved
from posapp.features.floor import service as floor
from posapp.features.floor.schemas import FloorPlan
from posapp.features.idempotency.service import Claim, IdempotencyHeader
from posapp.features.orders import service, states, voids
from posapp.features.orders.create import create
from posapp.features.orders.schemas import (
    LinePath,
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
from posapp.http.pages import cut
from posapp.http.request_time import request_time
from posapp.http.responses import idempotent_response, model_response
from posapp.http.roles import STAFF_ROLES
from posapp.http.sales import sells
from posapp.http.transactions import transaction
from posapp.observability.metrics import ORDERS

api = api_blueprint("orders", "Orders")
tables_api = api_blueprint("tables", "Tables")


@api.post("/orders", summary="Take an order", responses={201: OrderView, 409: Problem})
@require_roles(*states.CREATE.roles)
@sells
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


@api.get("/orders", summary="The orders in a state", responses={200: OrderList})
@require_roles(*STAFF_ROLES)
def list_orders(query: OrderQuery) -> Response:
    """The newest first, 100 a page; `next` is the cursor of the next one."""
    with transaction() as session:
        found = service.list_orders(session, query, query.limit + 1)
    orders, following = cut(found, query.limit)
    return model_response(OrderList(orders=orders, next=following))


@api.get("/orders/<int:order_id>", summary="One order", responses={200: OrderView})
@require_roles(*STAFF_ROLES)
def get_order(path: OrderPath) -> Response:
    with transaction() as session:
        return model_response(service.get(session, path.order_id))


@api.post(
    "/orders/<int:order_id>/void",
    summary="Cancel an order that nobody has paid",
    responses={201: OrderView, 409: Problem, 429: Problem},
)
@require_roles(*states.VOID.roles)
def void_order(header: IdempotencyHeader, path: OrderPath, body: ApprovedRequest) -> Response:
    """Needs the approval of a manager: the caller's own role, or `approval`. Number and audit stay,
    the table is free."""
    done = execute_approved(
        header.key,
        f"POST /orders/{path.order_id}/void",
        body,
        states.VOID.approvers,
        lambda session, approved: voids.void_order(session, path.order_id, approved),
    )
    return idempotent_response(done.body, done.replayed)


@api.post(
    "/orders/<int:order_id>/lines/<int:line_id>/void",
    summary="Cancel a line of an open order",
    responses={201: OrderView, 409: Problem, 429: Problem},
)
@require_roles(*states.VOID_LINE.roles)
def void_line(header: IdempotencyHeader, path: LinePath, body: ApprovedRequest) -> Response:
    """Needs the approval of a manager: the caller's own role, or `approval`. The bill is computed
    anew; the line stays on it, voided."""
    done = execute_approved(
        header.key,
        f"POST /orders/{path.order_id}/lines/{path.line_id}/void",
        body,
        states.VOID_LINE.approvers,
        lambda session, approved: voids.void_line(session, path.order_id, path.line_id, approved),
    )
    return idempotent_response(done.body, done.replayed)


@tables_api.get(
    "/tables", summary="Floors, tables and their open orders", responses={200: FloorPlan}
)
@require_roles(*STAFF_ROLES)
def list_tables() -> Response:
    with transaction() as session:
        return model_response(floor.floor_plan(session, service.open_by_table(session)))
