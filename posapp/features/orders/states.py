"""The one table of actions on an order: in which state, and by which roles.

Services, the constraint on `orders.status` and the roles of the OpenAPI document come from here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from posapp.http.roles import StaffRole

OrderState = Literal["open", "paid", "voided"]
STATES: tuple[OrderState, ...] = ("open", "paid", "voided")


@dataclass(frozen=True, slots=True)
class Action:
    """`after` is the state that follows when the act completes the order's present stage.
    `approvers` are the roles of which one has to approve, where the act needs it."""

    name: str
    before: tuple[OrderState, ...]
    after: OrderState
    roles: tuple[StaffRole, ...]
    approvers: tuple[StaffRole, ...] = ()


_TAKES_ORDERS: tuple[StaffRole, ...] = ("admin", "manager", "cashier", "waiter")
_TAKES_MONEY: tuple[StaffRole, ...] = ("admin", "manager", "cashier")
APPROVERS: tuple[StaffRole, ...] = ("admin", "manager")

CREATE = Action("order", (), "open", _TAKES_ORDERS)
PAY = Action("pay", ("open",), "paid", _TAKES_MONEY)
VOID = Action("void", ("open",), "voided", _TAKES_ORDERS, APPROVERS)
VOID_LINE = Action("void a line", ("open",), "open", _TAKES_ORDERS, APPROVERS)
UNDO_PAYMENT = Action("undo a payment", ("open", "paid"), "open", _TAKES_MONEY, APPROVERS)


def is_allowed(action: Action, state: str) -> bool:
    """Whether an act may be done to an order in this state."""
    return state in action.before
