"""What may be done to an order, in which state and by whom."""

from typing import get_args

import pytest

from posapp.features.orders import states
from posapp.features.orders.states import Action, is_allowed

ACTIONS = [each for each in vars(states).values() if isinstance(each, Action)]


@pytest.mark.parametrize(
    ("state", "allowed"), [("open", True), ("paid", False), ("voided", False), ("gone", False)]
)
def test_only_an_open_order_is_paid(state, allowed):
    assert is_allowed(states.PAY, state) is allowed


@pytest.mark.parametrize("state", states.STATES)
def test_no_order_that_exists_is_created_again(state):
    assert not is_allowed(states.CREATE, state)


def test_every_state_is_reached_by_an_action_and_every_action_ends_in_a_state():
    assert {action.after for action in ACTIONS} == set(states.STATES)
    assert set(states.STATES) == set(get_args(states.OrderState))


def test_who_takes_money_is_no_waiter_and_nobody_orders_from_the_kitchen():
    assert "waiter" in states.CREATE.roles
    assert "waiter" not in states.PAY.roles
    assert all("kitchen" not in action.roles for action in ACTIONS)


def test_what_takes_money_or_food_off_a_bill_is_approved_by_a_manager():
    for action in (states.VOID, states.VOID_LINE, states.UNDO_PAYMENT):
        assert action.approvers == ("admin", "manager")
    assert states.CREATE.approvers == states.PAY.approvers == ()
    assert states.UNDO_PAYMENT.roles == states.PAY.roles
    assert states.VOID.roles == states.VOID_LINE.roles == states.CREATE.roles


@pytest.mark.parametrize(
    ("action", "open_", "paid"),
    [
        (states.VOID, True, False),
        (states.VOID_LINE, True, False),
        (states.UNDO_PAYMENT, True, True),
    ],
)
def test_a_voided_order_is_the_end_and_a_paid_one_only_has_its_payments_undone(action, open_, paid):
    assert (is_allowed(action, "open"), is_allowed(action, "paid")) == (open_, paid)
    assert not is_allowed(action, "voided")
