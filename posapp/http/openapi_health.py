"""The part of the OpenAPI document that no route describes: health, its probes and metrics."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

TAG = "Health"
_NAMES = {"json": "getHealth", "live": "getLiveness", "ready": "getReadiness"}
_NAMES |= {"startup": "getStartup", "api": "getApiHealth"}
_SUMMARIES = {
    "json": "Health of the service and of each check",
    "live": "Whether the process answers",
    "ready": "Whether the required checks pass",
    "startup": "Whether every check has run once",
    "api": "Health, with what a restore is tested by",
}
_FORMAT = {
    "name": "format",
    "in": "query",
    "required": False,
    "schema": {"type": "string", "enum": ["health+json", "text"]},
}
_DETAILS = "Hosts, paths and texts of errors are for this machine and for HEALTH_TOKEN."


def health_paths(renderers: Mapping[str, str], problem: Any) -> dict[str, Any]:
    """Returns path items for a mapping of paths to healthkit's renderers, `/metrics` and
    heartbeats; `problem` is the response of a refusal."""
    found = {path: {"get": _view(renderer)} for path, renderer in renderers.items()}
    token: dict[str, list[str]] = {"bearer": []}
    metrics = {"description": "OK", "content": {"text/plain": {"schema": {"type": "string"}}}}
    found["/metrics"] = {
        "get": _operation("getMetrics", "Metrics for Prometheus", {"200": metrics, "401": problem})
        | {"security": [{}, token], "description": "For this machine and for HEALTH_TOKEN."}
    }
    found["/health/beat/{token}"] = {
        "post": _operation(
            "sendHeartbeat",
            "Heartbeat of a job",
            {"200": _json("OK"), "404": problem, "503": problem},
        )
        | {
            "parameters": [
                {"name": "token", "in": "path", "required": True, "schema": {"type": "string"}}
            ]
        }
    }
    return found


def _view(renderer: str) -> dict[str, Any]:
    healthy, failing = _json("Healthy or degraded"), _json("Unhealthy")
    operation = _operation(_NAMES[renderer], _SUMMARIES[renderer], {"200": healthy, "503": failing})
    if renderer == "json":
        operation["parameters"] = [_FORMAT]
        for response in (healthy, failing):
            response["content"]["application/health+json"] = {"schema": {"type": "object"}}
            response["content"]["text/plain"] = {"schema": {"type": "string"}}
    return operation | {"description": _DETAILS}


def _operation(name: str, summary: str, responses: dict[str, Any]) -> dict[str, Any]:
    return {"operationId": name, "summary": summary, "tags": [TAG], "responses": responses}


def _json(description: str) -> dict[str, Any]:
    return {
        "description": description,
        "content": {"application/json": {"schema": {"type": "object"}}},
    }
