"""A manager's approval of an act, as it is asked for and given; `approved_acts` acts on it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

from posapp.features.auth.schemas import Password, Username
from posapp.features.idempotency.service import Resendable
from posapp.http.schemas import ApiModel, Line

QUESTION = "approval"
"""Asked of the till: somebody's name and password."""

Reason = Annotated[str, Line(200, min_length=3)]


class Approval(ApiModel):
    """Typed in place by who approves; nobody is signed in by it."""

    username: Username
    password: Password


class ApprovedRequest(Resendable):
    reason: Reason
    approval: Approval | None = None
    """Needed where the caller's own role does not approve."""


@dataclass(frozen=True, slots=True)
class Approved:
    """An act that was approved: who does it, by whose word, why and when."""

    user_id: int
    approver_id: int
    reason: str
    at: datetime
