"""Orders per second through the API, beside pgbench sending the same statements: the limit."""

from __future__ import annotations

import json
import re
import subprocess
import tempfile
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from statistics import median

from sqlalchemy import Engine, event
from sqlalchemy.engine import URL

from benchmarks.measure import database, gunicorn, need, table, wrk
from posapp.runtime.postgres import BIN_DIR

CLIENTS = 16
SECONDS = 5
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
            "POS_DATA_DIR": str(folder),
            "JWT_SECRET": "7f3b9c1e5a8d2460b7e9f1a3c5d80246",
            "WEB_CONCURRENCY": "2",
        }
        config = ("--config", "deploy/gunicorn.conf.py", "--workers", "2")
        pos = stack.enter_context(gunicorn("wsgi:app", environ, *config))
        load = {"ORDER": json.dumps(order(pos)), "TOKEN": token(pos)}
        api, limit = [], []
        for _ in range(3):
            api.append(wrk(pos, SECONDS, CLIENTS, LUA, load))
            limit.append(pgbench(url, script))
    rates = {"pgbench, same statements": median(limit), "POST /api/v1/orders": median(api)}
    table(f"Orders, {CLIENTS} at once, fsync on", rates, "pgbench, same statements", "orders/s")


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
    """What one order sends to the database, in pgbench's language: its key is a random one, and
    the ids that the database gave go on into what follows."""
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
    with recorded(engine) as sent:
        answer = client.post(
            "/api/v1/orders",
            json={
                "type": "takeaway",
                "lines": [{"product_id": p["id"], "quantity": 1} for p in plain[:3]],
            },
            headers={"Authorization": f"Bearer {access}", "Idempotency-Key": "recorded-key-0001"},
        )
    app.extensions["healthkit"].stop()
    engine.dispose()
    assert answer.status_code == 201
    made = answer.json
    yield "\\set key random(1, 9000000000000000)"
    for statement in sent:
        text = (
            " ".join(statement.split())
            .replace("recorded-key-0001", "k:key")
            .replace("'k:key'", "'k' || :key")
        )
        if text.startswith("INSERT INTO counters"):
            yield f"{text} \\gset number_"
        elif text.startswith("INSERT INTO orders"):
            text = re.sub(rf"VALUES \({made['number']},", "VALUES (:number_last,", text)
            yield f"{text} \\gset order_"
        else:
            text = text.replace(f"({made['id']},", "(:order_id,")
            text = re.sub(rf"'order', {made['id']},", "'order', :order_id,", text)
            yield f"{text};"


@contextmanager
def recorded(engine: Engine) -> Iterator[list[str]]:
    """The statements of one request as the driver sent them, with begin and commit."""
    sent: list[str] = []

    def executed(connection, cursor, statement, parameters, context, many):  # type: ignore[no-untyped-def]
        text = cursor.query.decode()
        if "pg_" not in text:
            sent.append(text)

    event.listen(engine, "after_cursor_execute", executed)
    event.listen(engine, "begin", lambda _: sent.append("BEGIN"))
    event.listen(engine, "commit", lambda _: sent.append("COMMIT"))
    yield sent
    event.remove(engine, "after_cursor_execute", executed)


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
