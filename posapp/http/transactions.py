"""The transaction of a request on the application's database."""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import cast

from flask import current_app
from sqlalchemy.orm import Session

DATABASE = "posapp.database"


def transaction() -> AbstractContextManager[Session]:
    """One transaction on the application's database."""
    return cast(AbstractContextManager[Session], current_app.extensions[DATABASE].transaction())
