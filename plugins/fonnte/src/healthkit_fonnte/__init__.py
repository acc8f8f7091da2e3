"""WhatsApp through Fonnte, as the Apprise schema `fonnte://TOKEN/628123456789`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from healthkit import hookimpl


@hookimpl
def healthkit_channel_types() -> Sequence[type[Any]]:
    # Here, so that a process that sends nothing never imports Apprise.
    from healthkit_fonnte.notify import NotifyFonnte

    return [NotifyFonnte]
