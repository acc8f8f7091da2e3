"""The cost of one request line: ours, with masking, beside the floor and its peers.

Every one writes the same fields to /dev/null; the floor is orjson and a bare write.
"""

from __future__ import annotations

import itertools
import logging
import os
import time
from collections.abc import Callable
from datetime import UTC, datetime
from statistics import median
from typing import Any

import orjson

from healthkit.masking import mask

AGENT = (
    "Mozilla/5.0 (Linux; Android 14; SM-X200) AppleWebKit/537.36 (KHTML, like Gecko)"
    " Chrome/126.0.0.0 Safari/537.36"
)
LINES = 20_000
ROUNDS = 5
_numbers = itertools.count()


def fields() -> dict[str, Any]:
    """A request line; the path is another each time, as orders are."""
    return {
        "request_id": "550e8400-e29b-41d4-a716-446655440000",
        "method": "POST",
        "path": f"/api/v1/orders/{next(_numbers)}/payments",
        "status_code": 201,
        "latency": "45.3ms",
        "latency_ms": 45.3,
        "client_ip": "192.168.1.100",
        "user_agent": AGENT,
    }


def floor() -> Callable[[], None]:
    out = os.open(os.devnull, os.O_WRONLY)

    def log() -> None:
        now = datetime.now(UTC).isoformat()
        line = {"timestamp": now, "level": "INFO", **fields(), "message": "POST /orders 201"}
        os.write(out, orjson.dumps(line) + b"\n")

    return log


def request_line() -> Callable[[], None]:
    from posapp.observability import logs

    logs.configure("INFO", os.open(os.devnull, os.O_WRONLY))

    def log() -> None:
        values = fields()
        logs.write("INFO", f"POST {values['path']} 201", values)

    return log


def other_line() -> Callable[[], None]:
    from loguru import logger

    def log() -> None:
        values = fields()
        logger.bind(**values).info(f"POST {values['path']} 201")

    return log


def loguru_serialize() -> Callable[[], None]:
    from loguru import logger

    logger.remove()
    logger.add(open(os.devnull, "w"), serialize=True)

    def log() -> None:
        logger.bind(**fields()).info("POST /orders 201")

    return log


def structlog_json() -> Callable[[], None]:
    import structlog

    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso"),
            structlog.processors.JSONRenderer(serializer=orjson.dumps),
        ],
        logger_factory=structlog.BytesLoggerFactory(open(os.devnull, "wb")),
    )
    logger = structlog.get_logger()

    def log() -> None:
        logger.info("POST /orders 201", **fields())

    return log


def python_json_logger() -> Callable[[], None]:
    from pythonjsonlogger.json import JsonFormatter

    logger = logging.getLogger("benchmark.json")
    logger.propagate = False
    logger.setLevel(logging.INFO)
    handler = logging.StreamHandler(open(os.devnull, "w"))
    handler.setFormatter(JsonFormatter("%(asctime)s %(levelname)s %(message)s"))
    logger.handlers = [handler]

    def log() -> None:
        logger.info("POST /orders 201", extra=fields())

    return log


KINDS = {
    "orjson, bare write (the floor)": floor,
    "posapp, a request's (masked)": request_line,
    "posapp, any other (masked, loguru)": other_line,
    "structlog, orjson": structlog_json,
    "python-json-logger": python_json_logger,
    "loguru, serialize=True": loguru_serialize,
}


def main() -> None:
    costs = {name: median(_rounds(make())) for name, make in KINDS.items()}
    print("\nOne request line, median of rounds\n")
    print(f"| {'':36} | µs per line | × floor |")
    print(f"| {'-' * 36} | ----------: | ------: |")
    base = next(iter(costs.values()))
    for name, cost in costs.items():
        print(f"| {name:36} | {cost:11.1f} | {cost / base:7.1f} |")
    _masking()


def _rounds(log: Callable[[], None]) -> list[float]:
    found = []
    for _ in range(ROUNDS):
        began = time.perf_counter()
        for _ in range(LINES):
            log()
        found.append((time.perf_counter() - began) / LINES * 1e6)
    return found


def _masking() -> None:
    """Masking the fields of a line that may carry a secret, beside encoding the whole line."""
    lines = [fields() for _ in range(LINES)]

    def each(act: Callable[[dict[str, Any]], Any]) -> float:
        began = time.perf_counter()
        for line in lines:
            act(line)
        return (time.perf_counter() - began) / LINES * 1e6

    import json

    encoded, plain, masked = [], [], []
    for _ in range(ROUNDS):
        encoded.append(each(orjson.dumps))
        plain.append(each(json.dumps))
        masked.append(each(lambda line: (mask(line["path"]), mask(line["user_agent"]))))
    print(
        f"\nMasking {median(masked):.2f} µs a line; encoding it {median(encoded):.2f} µs by orjson,"
        f" {median(plain):.2f} µs by json"
    )
