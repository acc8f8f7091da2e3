"""Acts that met another one in the database are done again, in a new transaction."""

from __future__ import annotations

from flask import Flask
from loguru import logger
from psycopg2 import errorcodes
from sqlalchemy.exc import DBAPIError

from posapp.database.connection import sqlstate

ATTEMPTS = 4
"""At one request, the first included."""

_MET_ANOTHER = frozenset(
    {
        errorcodes.DEADLOCK_DETECTED,
        errorcodes.SERIALIZATION_FAILURE,
        errorcodes.UNIQUE_VIOLATION,  # acts look first: somebody wrote the same at this moment
    }
)


def install(app: Flask) -> None:
    """Calls the view of a request again when its transaction met another one.

    A view commits once, by `transaction`, and does all else after that: before it nothing has
    happened that would happen twice.
    """
    dispatch = app.dispatch_request

    def dispatch_again() -> object:
        for _ in range(ATTEMPTS - 1):
            try:
                return dispatch()
            except DBAPIError as error:
                if sqlstate(error) not in _MET_ANOTHER:
                    raise
                logger.bind(error=str(error.orig).partition("\n")[0]).warning(
                    "The transaction met another one and is done again"
                )
        return dispatch()

    app.dispatch_request = dispatch_again  # type: ignore[method-assign,assignment]
