"""An act under its key happens once, however often it is sent.

The key, the act and its answer are one transaction. Of two that come at once the second waits in
the unique index until the first has committed (and is answered from it) or was rolled back (and
acts itself). A key belongs to no user: an order queued by one waiter may be resent by the next.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StringConstraints
from sqlalchemy import select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from posapp.features.idempotency.models import IdempotencyKey
from posapp.http.errors import Invalid

HEADER = "Idempotency-Key"


class IdempotencyHeader(BaseModel):
    """The header of every act that may be resent; a UUID is a good key."""

    model_config = ConfigDict(frozen=True, populate_by_name=True)

    key: Annotated[
        str,
        Field(alias=HEADER),
        StringConstraints(min_length=1, max_length=200, pattern=r"^[\x21-\x7e]+$"),
    ]


@dataclass(frozen=True, slots=True)
class StoredResponse:
    """JSON, and whether it is the one of before."""

    body: str
    replayed: bool


def execute_once(
    session: Session,
    key: str,
    route: str,
    body: BaseModel,
    now: datetime,
    act: Callable[[], BaseModel],
) -> StoredResponse:
    """The answer of `act`, which is carried out unless this key has been before.

    Raises Invalid when the key was used for something else.
    """
    fingerprint = hashlib.sha256(f"{route}\n{body.model_dump_json()}".encode()).digest()
    claim = (
        insert(IdempotencyKey)
        .values(key=key, fingerprint=fingerprint, created_at=now)
        .on_conflict_do_nothing()
        .returning(IdempotencyKey.key)
    )
    if session.scalar(claim) is None:
        return _replay(session, key, fingerprint)
    answer = act().model_dump_json()
    session.execute(update(IdempotencyKey).where(IdempotencyKey.key == key).values(answer=answer))
    return StoredResponse(answer, replayed=False)


def _replay(session: Session, key: str, fingerprint: bytes) -> StoredResponse:
    known = session.scalars(select(IdempotencyKey).where(IdempotencyKey.key == key)).one()
    if known.fingerprint != fingerprint:
        raise Invalid(HEADER, "was used for another request; take a new key for a new act")
    return StoredResponse(known.answer or "", replayed=True)
