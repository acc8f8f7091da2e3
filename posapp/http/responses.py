"""JSON responses."""

from __future__ import annotations

from flask import Response
from pydantic import BaseModel


def model_response(model: BaseModel, status: int = 200, **headers: str) -> Response:
    return json_response(model.model_dump_json(), status, **headers)


def json_response(body: str, status: int = 200, **headers: str) -> Response:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    named.setdefault("Cache-Control", "no-store")
    return Response(body, status, named, mimetype="application/json")


def idempotent_response(body: str, replayed: bool) -> Response:
    """Responds 201 and marks a replayed response."""
    return json_response(body, 201, **({"Idempotency_Replayed": "true"} if replayed else {}))
