"""An act under its key happens once, however often it is sent.

The key, the act and its answer are one transaction. Of two that come at once the second waits in
the unique index until the first has committed (and is answered from it) or was rolled back (and
acts itself). A key belongs to no user: an order queued by one waiter may be resent by the next.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from typing import Annotated, Any, ClassVar, Literal, cast

import rfc8785
from pydantic import BaseModel, ConfigDict, Field, StringConstraints
from sqlalchemy import CursorResult, delete, select, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from posapp.database.connection import commit_with
from posapp.features.idempotency.models import IdempotencyKey
from posapp.http.errors import Conflict, Invalid, Unavailable, said
from posapp.http.schemas import ApiModel, InputModel

HEADER = "Idempotency-Key"

KEPT = timedelta(days=92)
"""A till that comes back later than that is asked again, as for a new act."""

MOST = 5_000_000
"""Keys: those of a quarter, of a house that takes one order every two seconds."""

_GIVEN_UP = b"given up"
"""In place of a fingerprint: no request has it, so whatever comes late under the key is refused."""

_KEEP = text(
    commit_with("UPDATE idempotency_keys SET answer = :answer WHERE key = :key", "SELECT 1")
)


Key = Annotated[str, StringConstraints(min_length=16, max_length=128, pattern=r"^[\x21-\x7e]+$")]


class Resendable(ApiModel):
    """The body of an act that may be resent."""

    LATER_FIELDS: ClassVar[frozenset[str]] = frozenset()
    """Fields that the first version did not have."""


class IdempotencyHeader(InputModel):
    """The header of every act that may be resent; a UUID is a good key."""

    model_config = ConfigDict(populate_by_name=True)

    key: Annotated[Key, Field(alias=HEADER)]


class ActOutcome(ApiModel):
    """The fate of an act whose answer a till never got."""

    state: Literal["unknown", "done", "given_up"]
    """`unknown`: it has not been carried out so far, and may still arrive."""
    at: datetime | None
    answer: dict[str, Any] | None
    """The answer that was lost, of what is done."""


@dataclass(frozen=True, slots=True)
class StoredResponse:
    """JSON, and whether it is the one of before."""

    body: str
    replayed: bool


@dataclass(frozen=True)
class Claim:
    """A key for one act: that of `route` on `sent`, the JSON that came, which `body` validated.

    A request is known by what was sent, so that a release with one more field in its model knows
    it still.
    """

    key: str
    route: str
    body: Resendable
    sent: Any

    @cached_property
    def fingerprint(self) -> bytes:
        return _fingerprint(self.route, rfc8785.dumps(self.sent))


def execute_once(
    session: Session,
    key: str,
    route: str,
    body: Resendable,
    sent: Any,
    now: datetime,
    act: Callable[[], BaseModel],
) -> StoredResponse:
    """Returns the response of `act`, which is carried out unless this key has been before.

    Commits with the answer, in one message: others wait for what an act has locked.

    Raises Invalid when the key was used for something else: another body, or another act.
    """
    claim = Claim(key, route, body, sent)
    insertion = (
        insert(IdempotencyKey)
        .values(key=key, fingerprint=claim.fingerprint, created_at=now)
        .on_conflict_do_nothing()
        .returning(IdempotencyKey.key)
    )
    if session.scalar(insertion) is None:
        if (known := find(session, claim)) is None:
            raise Unavailable("The key was being cleared away; send the same request again.")
        return known
    answer = act().model_dump_json()
    session.flush()
    session.execute(_KEEP, {"answer": answer, "key": key})
    return StoredResponse(answer, replayed=False)


def is_known(session: Session, key: str) -> bool:
    """Whether an act was carried out under this key."""
    return session.get(IdempotencyKey, key) is not None


def outcome(session: Session, key: str) -> ActOutcome:
    """Returns what became of the act of a key."""
    query = select(IdempotencyKey).where(IdempotencyKey.key == key)
    known = session.scalar(query.execution_options(populate_existing=True))
    if known is None:
        return ActOutcome(state="unknown", at=None, answer=None)
    if known.fingerprint == _GIVEN_UP:
        return ActOutcome(state="given_up", at=known.created_at, answer=None)
    answer = json.loads(known.answer) if known.answer else None
    return ActOutcome(state="done", at=known.created_at, answer=answer)


def give_up(session: Session, key: str, now: datetime) -> ActOutcome:
    """Has an act whose answer never came carried out never more; what was done stays done."""
    row = {"key": key, "fingerprint": _GIVEN_UP, "created_at": now}
    session.execute(insert(IdempotencyKey).values(row).on_conflict_do_nothing())
    return outcome(session, key)


def find(session: Session, claim: Claim) -> StoredResponse | None:
    """Returns the response that was stored for a claim, or None for a new one.

    Raises Invalid when the key was used for something else.
    """
    query = select(IdempotencyKey.fingerprint, IdempotencyKey.answer)
    known = session.execute(query.where(IdempotencyKey.key == claim.key)).first()
    if known is None:
        return None
    if known.fingerprint == _GIVEN_UP:
        raise Conflict("This was given up by a manager and is not carried out.", said("given_up"))
    if known.fingerprint not in (claim.fingerprint, _first_fingerprint(claim.route, claim.body)):
        raise Invalid(HEADER, "was used for another request; take a new key for a new act")
    return StoredResponse(known.answer or "", replayed=True)


def _fingerprint(route: str, body: bytes) -> bytes:
    return hashlib.sha256(route.encode() + b"\n" + body).digest()


def _first_fingerprint(route: str, body: Resendable) -> bytes:
    """The fingerprint as the first version made it, of the model: rows of its time stay valid."""
    return _fingerprint(route, body.model_dump_json(exclude=set(body.LATER_FIELDS)).encode())


def prune(session: Session, now: datetime, batch: int) -> int:
    """Removes up to `batch` keys that are older than `KEPT`, or among more than `MOST` the oldest.

    Returns their number.
    """
    before = now - KEPT
    if _estimate(session) > MOST:
        oldest = select(IdempotencyKey.created_at).order_by(IdempotencyKey.created_at.desc())
        before = max(before, session.scalar(oldest.offset(MOST - 1).limit(1)) or before)
    old = select(IdempotencyKey.key).where(IdempotencyKey.created_at < before).limit(batch)
    removed = delete(IdempotencyKey).where(
        IdempotencyKey.key.in_(old.with_for_update(skip_locked=True))
    )
    return cast(CursorResult[Any], session.execute(removed)).rowcount


def _estimate(session: Session) -> int:
    """The number of keys as the planner knows it: counting them would read them all."""
    query = text("SELECT reltuples::bigint FROM pg_class WHERE oid = 'idempotency_keys'::regclass")
    return int(session.execute(query).scalar_one())
