"""The session and the transaction of a request, by Flask-SQLAlchemy.

`db.session` is one session for each request: access control reads in it, the act writes in it, and
`transaction` alone commits. What is not committed is rolled back when the request ends. Services
are handed the session and know no Flask; commands have `posapp.database.engine.open_session`.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from flask import Flask
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import Engine
from sqlalchemy.engine import URL
from sqlalchemy.orm import Session

from posapp.database.base import Base
from posapp.database.engine import engine_options, prepare
from posapp.settings import Settings

db = SQLAlchemy(
    metadata=Base.metadata,
    disable_autonaming=True,
    session_options={"expire_on_commit": False},
)


def install(app: Flask, url: URL, settings: Settings) -> Engine:
    """Gives `app` its engine and sessions on the database `url`; returns the engine."""
    app.config["SQLALCHEMY_DATABASE_URI"] = url
    app.config["SQLALCHEMY_ENGINE_OPTIONS"] = engine_options(settings)
    db.init_app(app)
    with app.app_context():
        return prepare(db.engine)


@contextmanager
def transaction() -> Iterator[Session]:
    """The request's transaction, committed at the end of the block, or rolled back by an error."""
    session = db.session()
    try:
        yield session
        session.commit()
    except BaseException:
        session.rollback()
        raise
