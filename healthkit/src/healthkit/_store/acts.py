"""Acts of people by a link in a message: once for each link, in one transaction with its mark."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Literal

from sqlalchemy import Connection, delete, insert, select

from healthkit._model.alerts import LinkAct
from healthkit._store import incidents
from healthkit._store.tables import used_links

_KEEP_USED = timedelta(days=92)


class ActAnswer(StrEnum):
    """The end of an act."""

    ACKNOWLEDGED = "acknowledged"
    SILENCED = "silenced"
    USED = "used"
    """The link has been used before."""
    ENDED = "ended"
    """There is nothing to acknowledge any more."""
    UNKNOWN = "unknown"
    """The store has no such incident."""


@dataclass(slots=True)
class Act:
    """A wish that comes by a link; `answer` is there once it is in the store."""

    link: str
    """The name under which the link is kept as used."""
    what: Literal["acknowledge", "silence"]
    incident: int
    check: str
    by: str
    silence_for: timedelta
    answer: ActAnswer | None = None

    def done(self, at: datetime) -> LinkAct | None:
        """Returns what was done; None where nothing was."""
        if self.answer is ActAnswer.ACKNOWLEDGED:
            return LinkAct("acknowledged", self.incident, self.check, self.by, at)
        if self.answer is ActAnswer.SILENCED:
            until = at + self.silence_for
            return LinkAct("silenced", self.incident, self.check, self.by, at, until)
        return None


def perform(connection: Connection, act: Act, now: datetime) -> ActAnswer:
    """Does what is asked for, unless the link was used. One that does nothing is not used up."""
    connection.execute(delete(used_links).where(used_links.c.at < now - _KEEP_USED))
    taken = select(used_links.c.name).where(used_links.c.name == act.link)
    if connection.execute(taken).first() is not None:
        return ActAnswer.USED
    if act.what == "silence":
        until, reason = now + act.silence_for, f"incident {act.incident}"
        incidents.add_silence(connection, until, now, reason=reason, checks=[act.check], by=act.by)
        answer = ActAnswer.SILENCED
    else:
        found = incidents.acknowledge(connection, act.incident, act.by, now)
        answer = ActAnswer(found)
    if answer in (ActAnswer.ACKNOWLEDGED, ActAnswer.SILENCED):
        connection.execute(insert(used_links).values(name=act.link, at=now))
    return answer
