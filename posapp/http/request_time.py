"""The clock of the application, handed in by `create_app`; tests move it."""

from __future__ import annotations

from datetime import datetime
from typing import cast

from flask import Flask, current_app

from healthkit import Clock

_CLOCK = "posapp.clock"


def install(app: Flask, clock: Clock) -> None:
    """Gives `app` its clock."""
    app.extensions[_CLOCK] = clock


def request_time() -> datetime:
    """Returns the time of day of the application: aware, in UTC."""
    return cast(Clock, current_app.extensions[_CLOCK]).now()
