"""The public menu from the cache beside a bare Flask route of the same size."""

from __future__ import annotations

import os
import tempfile
from contextlib import ExitStack
from typing import Any

from benchmarks.measure import database, gunicorn, need, rounds, table

MENU = "/api/v1/public/menu"


def bare() -> Any:
    """Flask with a route that hands out as many bytes."""
    from flask import Flask, Response

    app, body = Flask(__name__), b"x" * int(os.environ["MENU_SIZE"])

    @app.get(MENU)
    def menu() -> Response:
        return Response(body, mimetype="application/json")

    return app


def main() -> None:
    need("wrk", "wrk")
    import urllib.request

    with ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory())
        url = stack.enter_context(database())
        environ = {
            "DATABASE_URL": url.render_as_string(hide_password=False),
            "POS_DATA_DIR": folder,
            "HEALTHKIT_STORE": f"sqlite:///{folder}/store.db",
        }
        config = ("--config", "deploy/gunicorn.conf.py", "--workers", "1")  # it sets up the log
        pos = stack.enter_context(gunicorn("wsgi:app", environ, *config, path=MENU)) + MENU
        size = len(urllib.request.urlopen(pos).read())
        sized = {"MENU_SIZE": str(size)}
        flask = stack.enter_context(gunicorn("benchmarks.menu:bare()", sized, path=MENU)) + MENU
        rates = rounds({"bare Flask route": (flask,), "menu from the cache": (pos,)}, times=5)
    table(f"GET {MENU}, {size:,} bytes", rates, "bare Flask route")
