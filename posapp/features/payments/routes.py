"""`/api/v1/orders/{id}/payments`."""

from __future__ import annotations

from flask import Response
from sqlalchemy.orm import Session

from posapp.features.auth.approvals import Approved, ApprovedRequest
from posapp.features.auth.approved_acts import execute_approved
from posapp.features.idempotency.service import IdempotencyHeader, execute_once
from posapp.features.orders import states
from posapp.features.orders.schemas import OrderPath
from posapp.features.payments import receipts, reversals, service
from posapp.features.payments.schemas import (
    NewPayment,
    NewPrint,
    PaymentDetails,
    PaymentList,
    PaymentPath,
    ReceiptView,
    TakenPayment,
)
from posapp.http.access import current_user, require_roles
from posapp.http.body import sent_json
from posapp.http.openapi import Problem, api_blueprint
from posapp.http.pages import PageQuery, cut
from posapp.http.request_time import request_time
from posapp.http.responses import idempotent_response, model_response
from posapp.http.sales import sells
from posapp.http.transactions import transaction
from posapp.observability.metrics import REVENUE, REVERSED

api = api_blueprint("payments", "Payments")


@api.post(
    "/orders/<int:order_id>/payments", summary="Pay", responses={201: TakenPayment, 409: Problem}
)
@require_roles(*states.PAY.roles)
@sells
def create_payment(header: IdempotencyHeader, path: OrderPath, body: NewPayment) -> Response:
    """Never more than the bill, but for cash, which comes with its change."""
    now, user_id = request_time(), current_user().id
    taken: list[TakenPayment] = []

    def act() -> TakenPayment:
        taken.append(service.pay(session, path.order_id, body, user_id, now))
        return taken[-1]

    with transaction() as session:
        done = execute_once(
            session,
            header.key,
            f"POST /orders/{path.order_id}/payments",
            body,
            sent_json(),
            now,
            act,
        )
    for payment in taken:
        REVENUE.labels(payment.method).inc(payment.amount)
    return idempotent_response(done.body, done.replayed)


@api.get(
    "/orders/<int:order_id>/payments",
    summary="The payments of an order",
    responses={200: PaymentList},
)
@require_roles(*states.CREATE.roles)
def list_payments(path: OrderPath, query: PageQuery) -> Response:
    """With how, when and by whom, undone ones too; 100 a page, `next` is the next one's cursor."""
    with transaction() as session:
        found = reversals.list_payments(session, path.order_id, query.limit + 1, query.cursor)
    payments, following = cut(found, query.limit)
    return model_response(PaymentList(payments=payments, next=following))


@api.get(
    "/orders/<int:order_id>/receipt",
    summary="A bill as it is printed",
    responses={200: ReceiptView},
)
@require_roles(*states.CREATE.roles)
def get_receipt(path: OrderPath) -> Response:
    """Of an open order it is what the guest is told before paying."""
    with transaction() as session:
        return model_response(receipts.receipt(session, path.order_id, request_time()))


@api.post(
    "/orders/<int:order_id>/receipt/prints",
    summary="Print a receipt",
    responses={201: ReceiptView, 409: Problem},
)
@require_roles(*states.PAY.roles)
def print_receipt(header: IdempotencyHeader, path: OrderPath, body: NewPrint) -> Response:
    """Of a paid bill. Each is counted: from the second on it is a copy."""
    now, user_id = request_time(), current_user().id
    route = f"POST /orders/{path.order_id}/receipt/prints"
    with transaction() as session:
        done = execute_once(
            *(session, header.key, route, body, sent_json(), now),
            lambda: receipts.print_receipt(session, path.order_id, user_id, now),
        )
    return idempotent_response(done.body, done.replayed)


@api.post(
    "/orders/<int:order_id>/payments/<int:payment_id>/reversal",
    summary="Undo a payment that was a mistake",
    responses={201: PaymentDetails, 409: Problem, 429: Problem},
)
@require_roles(*states.UNDO_PAYMENT.roles)
def undo_payment(header: IdempotencyHeader, path: PaymentPath, body: ApprovedRequest) -> Response:
    """On its own business day. Needs the approval of a manager: the caller's own role, or
    `approval`. The payment stays, with who undid it and why; the order is open again."""
    undone: list[PaymentDetails] = []

    def act(session: Session, approved: Approved) -> PaymentDetails:
        undone.append(reversals.undo(session, path.order_id, path.payment_id, approved))
        return undone[-1]

    route = f"POST /orders/{path.order_id}/payments/{path.payment_id}/reversal"
    done = execute_approved(header.key, route, body, states.UNDO_PAYMENT.approvers, act)
    for payment in undone:
        REVERSED.labels(payment.method).inc(payment.amount)
    return idempotent_response(done.body, done.replayed)
