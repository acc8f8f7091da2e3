"""`/api/v1/orders/{id}/payments`."""

from __future__ import annotations

from flask import Response

from posapp.features.idempotency.service import IdempotencyHeader, execute_once
from posapp.features.orders import states
from posapp.features.orders.schemas import OrderPath
from posapp.features.payments import service
from posapp.features.payments.schemas import NewPayment, PaymentView
from posapp.http.access import current_user, require_roles
from posapp.http.body import sent_json
from posapp.http.openapi import Problem, api_blueprint
from posapp.http.request_time import request_time
from posapp.http.responses import idempotent_response
from posapp.http.transactions import transaction
from posapp.observability.metrics import REVENUE

api = api_blueprint("payments", "Payments")


@api.post(
    "/orders/<int:order_id>/payments", summary="Pay", responses={201: PaymentView, 409: Problem}
)
@require_roles(*states.PAY.roles)
def create_payment(header: IdempotencyHeader, path: OrderPath, body: NewPayment) -> Response:
    """Never more than the bill, but for cash, which comes with its change."""
    now, user_id = request_time(), current_user().id
    taken: list[PaymentView] = []

    def act() -> PaymentView:
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
