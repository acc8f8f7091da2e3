"""Writes into the audit log what somebody did by the link in an alert."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from itertools import chain, repeat

from loguru import logger
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from healthkit import Clock, LinkAct, hookimpl
from posapp.features.audit import service as audit

ENTITY = "incident"
_DAY = 86_400


def pauses() -> Iterator[float]:
    """Seconds between the tries, a day long: the alert may be about the database itself."""
    return chain((1, 5, 15), repeat(60, _DAY // 60))


class LinkActs:
    """A plugin of healthkit; the entry names no user, as nobody signs in to follow a link.

    `open_session` opens a transaction on a connection of its own: it is called on a native thread,
    which must not meet greenlets at the lock of the application's pool.
    """

    def __init__(
        self, open_session: Callable[[], AbstractContextManager[Session]], clock: Clock
    ) -> None:
        self._open_session = open_session
        self._clock = clock

    @hookimpl
    def healthkit_act(self, act: LinkAct) -> None:
        """Is called on a thread of its own, which may wait."""
        reason = ""
        for pause in pauses():
            try:
                self._record(act)
                return
            except SQLAlchemyError as error:
                reason = type(error).__name__
            self._clock.sleep(pause)
        lost = f"incident {act.incident}: {act.what} by {act.by}, not in the audit log: {reason}"
        logger.error("{}", lost)

    def _record(self, act: LinkAct) -> None:
        details = {"check": act.check, "by": act.by}
        if act.until is not None:
            details["until"] = act.until.isoformat()
        with self._open_session() as session:
            name = f"alert.{act.what}"
            audit.record(session, None, name, ENTITY, act.incident, act.at, **details)
