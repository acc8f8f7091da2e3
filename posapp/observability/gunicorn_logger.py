"""gunicorn's own log in the form of all the rest."""

from __future__ import annotations

from typing import Any

from gunicorn.glogging import Logger


class JsonLogger(Logger):  # type: ignore[misc]
    """Leaves what gunicorn says to the root logger, which writes JSON."""

    def setup(self, cfg: Any) -> None:
        super().setup(cfg)
        self.error_log.handlers = []
        self.error_log.propagate = True
        self.error_log.setLevel(0)
