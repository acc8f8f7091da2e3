"""The Apprise plugin of `log://`: messages go into the log of the process that sends them. For a
first try, and beside the channels of people; nobody is woken by it."""

from __future__ import annotations

import logging
from typing import Any

from apprise import NotifyType
from apprise.plugins import NotifyBase

log = logging.getLogger("healthkit")


class NotifyLog(NotifyBase):  # type: ignore[misc]
    """Writes each message as one line."""

    service_name = "Log"
    service_url = "https://docs.python.org/3/library/logging.html"
    protocol = "log"
    request_rate_per_sec = 0
    title_maxlen = 250
    body_maxlen = 4000
    templates = ("{schema}://",)

    def send(
        self, body: str, title: str = "", notify_type: NotifyType = NotifyType.INFO, **_: Any
    ) -> bool:
        log.warning("alert: %s", " | ".join([title, *body.splitlines()]))
        return True

    def url(self, *, privacy: bool = False, **_: Any) -> str:
        return "log://"

    @staticmethod
    def parse_url(url: str) -> dict[str, Any]:
        return {"schema": "log"} if url.strip().lower().rstrip("/") == "log:" else {}
