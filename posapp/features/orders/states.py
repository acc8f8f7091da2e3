"""The one table of actions on an order: in which state, and by which roles.

Services, the constraint on `orders.status` and the roles of the OpenAPI document come from here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from posapp.http.roles import StaffRole

OrderState = Literal["open", "paid"]
STATES: tuple[OrderState, ...] = ("open", "paid")


@dataclass(frozen=True, slots=True)
class Action:
    """`after` is the state that follows when the act completes the order's present stage."""

    name: str
    before: tuple[OrderState, ...]
    after: OrderState
    roles: tuple[StaffRole, ...]


CREATE = Action("order", (), "open", ("admin", "manager", "cashier", "waiter"))
PAY = Action("pay", ("open",), "paid", ("admin", "manager", "cashier"))


def is_allowed(action: Action, state: str) -> bool:
    """Whether an act may be done to an order in this state."""
    return state in action.before
