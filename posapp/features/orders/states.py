"""What may be done to an order, in which state, by whom: the one table of it.

Services, the constraint on `orders.status` and the roles of the OpenAPI document come from here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from posapp.http.schemas import Role

State = Literal["open", "paid"]
STATES: tuple[State, ...] = ("open", "paid")


@dataclass(frozen=True, slots=True)
class Act:
    """`after` is the state that follows when the act completes the order's present stage."""

    name: str
    before: tuple[State, ...]
    after: State
    roles: tuple[Role, ...]


ORDER = Act("order", (), "open", ("admin", "manager", "cashier", "waiter"))
PAY = Act("pay", ("open",), "paid", ("admin", "manager", "cashier"))


def allowed(act: Act, state: str) -> bool:
    """Whether an act may be done to an order in this state."""
    return state in act.before
