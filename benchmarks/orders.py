"""Orders per second through the API, beside pgbench: with a fixed script, and with what is sent.

`orders_fixed.sql` is what an order sent when it was first counted, so that its row stays the same
measure however the code changes; `as sent` is recorded from the code of now: its limit.
"""

from __future__ import annotations

import json
import re
import subprocess
import tempfile
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from statistics import median

from sqlalchemy import Engine, event
from sqlalchemy.engine import URL

from benchmarks.measure import database, gunicorn, need, table, wrk
from posapp.runtime.postgres import BIN_DIR

CLIENTS = 16
SECONDS = 5
ROUNDS = 3
FIXED = Path(__file__).with_name("orders_fixed.sql")
BATCH = "\\; "
"""Between statements of one message, in pgbench's language."""

LUA = """
local body, token = os.getenv("ORDER"), os.getenv("TOKEN")
local n, id = 0, os.time() .. "-" .. tostring({}):gsub("%W", "")
request = function()
  n = n + 1
  return wrk.format("POST", "/api/v1/orders", {
    ["Authorization"] = "Bearer " .. token, ["Content-Type"] = "application/json",
    ["Idempotency-Key"] = "benchmark-order-" .. id .. "-" .. n}, body)
end
"""


def main() -> None:
    need("wrk", "wrk")
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        url = stack.enter_context(database())
        script = folder / "order.sql"
        script.write_text("\n".join(statements(url, folder)))
        environ = {
            "DATABASE_URL": url.render_as_string(hide_password=False),
            "JWT_SECRET": "7f3b9c1e5a8d2460b7e9f1a3c5d80246",
        }
        config = ("--config", "deploy/gunicorn.conf.py", "--workers")
        one, two = (
            stack.enter_context(
                gunicorn(
                    "wsgi:app", {**environ, "POS_DATA_DIR": str(folder / count)}, *config, count
                )
            )
            for count in ("1", "2")
        )
        load = {"ORDER": json.dumps(order(one)), "TOKEN": token(one)}
        measures: dict[str, Callable[[], float]] = {
            "fixed": lambda: pgbench(url, FIXED),
            "as sent": lambda: pgbench(url, script),
            "POST /api/v1/orders, one worker": lambda: wrk(one, SECONDS, CLIENTS, LUA, load),
            "the same, two workers": lambda: wrk(two, SECONDS, CLIENTS, LUA, load),
        }
        found: dict[str, list[float]] = {name: [] for name in measures}
        for _ in range(ROUNDS):
            for name, measure in measures.items():
                found[name].append(measure())
    rates = {name: median(values) for name, values in found.items()}
    title = f"Orders, {CLIENTS} at once, fsync on; `fixed` and `as sent` by pgbench"
    table(title, rates, ("fixed", "as sent"), "orders/s")


def token(address: str) -> str:
    body = json.dumps({"username": "cashier", "password": "cashier-demo"}).encode()
    request = urllib.request.Request(
        f"{address}/api/v1/auth/login", body, {"Content-Type": "application/json"}
    )
    found: str = json.load(urllib.request.urlopen(request))["access_token"]
    return found


def order(address: str) -> dict[str, object]:
    categories = json.load(urllib.request.urlopen(f"{address}/api/v1/public/menu"))["categories"]
    plain = [p for c in categories for p in c["products"] if not p["modifier_groups"]]
    return {
        "type": "takeaway",
        "lines": [{"product_id": product["id"], "quantity": 1} for product in plain[:3]],
    }


def statements(url: URL, folder: Path) -> Iterator[str]:
    """What one order sends to the database, in pgbench's language; its key is a random one."""
    from posapp.app import create_app
    from posapp.http.transactions import db
    from posapp.settings import Settings

    app = create_app(Settings(pos_data_dir=folder), url)
    client = app.test_client()
    menu = client.get("/api/v1/public/menu").json
    plain = [p for c in menu["categories"] for p in c["products"] if not p["modifier_groups"]]
    login = {"username": "cashier", "password": "cashier-demo"}
    access = client.post("/api/v1/auth/login", json=login).json["access_token"]
    with app.app_context():
        engine: Engine = db.engine
    body = {
        "type": "takeaway",
        "lines": [{"product_id": p["id"], "quantity": 1} for p in plain[:3]],
    }
    headers = {"Authorization": f"Bearer {access}", "Idempotency-Key": "not-recorded-key-1"}
    client.post("/api/v1/orders", json=body, headers=headers)  # the first reads the menu
    with recorded(engine) as sent:
        headers["Idempotency-Key"] = "recorded-key-0001"
        answer = client.post("/api/v1/orders", json=body, headers=headers)
    app.extensions["healthkit"].stop()
    engine.dispose()
    assert answer.status_code == 201
    yield "\\set key random(1, 9000000000000000)"
    for statement in sent:
        text = " ".join(statement.split()).replace("'recorded-key-0001'", "'k' || :key")
        yield f"{text.replace('; ', BATCH)};"


@contextmanager
def recorded(engine: Engine) -> Iterator[list[str]]:
    """The statements of one request as the driver sent them."""
    sent: list[str] = []

    def executed(connection, cursor, statement, parameters, context, many):  # type: ignore[no-untyped-def]
        sent.append(uncommented(cursor.query.decode()))

    event.listen(engine, "after_cursor_execute", executed)
    yield sent
    event.remove(engine, "after_cursor_execute", executed)


def uncommented(statement: str) -> str:
    """A statement that may stand in one line."""
    return re.sub(r"^\s*--.*$", "", statement, flags=re.MULTILINE)


def pgbench(url: URL, script: Path) -> float:
    command = [
        *(str(BIN_DIR / "pgbench"), "--no-vacuum", "--file", str(script)),
        *("--client", str(CLIENTS), "--jobs", "1", "--time", str(SECONDS)),
        *("--host", str(url.query["host"]), "--username", "postgres", str(url.database)),
    ]
    output = subprocess.run(command, capture_output=True, text=True, check=False)
    found = re.search(r"tps = ([\d.]+)", output.stdout)
    if output.returncode or not found:
        raise RuntimeError(output.stderr)
    return float(found[1])
