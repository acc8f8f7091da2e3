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
_STATUS = (
    ("/status", "getStatusPage", "Status page for people", "text/html"),
    ("/status.json", "getStatus", "The figures of the status page", "application/json"),
    ("/status/feed.atom", "getStatusFeed", "Incidents as a feed", "application/atom+xml"),
    ("/status/badge.svg", "getStatusPicture", "The state as a picture", "image/svg+xml"),
    ("/status/badge.json", "getStatusBadge", "The state for shields.io", "application/json"),
)
_RESULT = {
    "type": "object",
    "required": ["status"],
    "additionalProperties": False,
    "properties": {
        "status": {"type": "string", "enum": ["healthy", "degraded", "unhealthy"]},
        "message": {"type": ["string", "null"], "maxLength": 1000},
        "numbers": {
            "type": "object",
            "maxProperties": 50,
            "additionalProperties": {"type": "number"},
        },
    },
}
_DETAILS = "Hosts, paths and texts of errors are for this machine and for HEALTH_TOKEN."


def health_paths(renderers: Mapping[str, str], problem: Any) -> dict[str, Any]:
    """Returns path items for a mapping of paths to healthkit's renderers, `/metrics`, the parts of
    health, what is sent in, the status page and links; `problem` is the response of a refusal."""
    found = {path: {"get": _view(renderer)} for path, renderer in renderers.items()}
    token: dict[str, list[str]] = {"bearer": []}
    metrics = {"description": "OK", "content": {"text/plain": {"schema": {"type": "string"}}}}
    found["/metrics"] = {
        "get": _operation("getMetrics", "Metrics for Prometheus", {"200": metrics, "401": problem})
        | {"security": [{}, token], "description": "For this machine and for HEALTH_TOKEN."}
    }
    found |= _parts(problem) | _sent_in(problem) | _status_page(problem)
    found["/health/act/{token}"] = _act(problem)
    return found


def _parts(problem: Any) -> dict[str, Any]:
    """Returns the reports of one check, and of the checks of a group."""
    answers = {"200": _json("Healthy or degraded"), "503": _json("Unhealthy"), "404": problem}
    check = _operation("getCheckHealth", "Health of one check", answers)
    group = _operation("getGroupHealth", "Health of the checks of a group", answers)
    return {
        "/health/check/{name}": {
            "get": check | _path_parameter("name") | {"description": _DETAILS}
        },
        "/health/{group}": {"get": group | _path_parameter("group") | {"description": _DETAILS}},
    }


def _sent_in(problem: Any) -> dict[str, Any]:
    """Returns what jobs and agents send, under their tokens."""
    codes = {"200": _json("OK"), "404": problem, "503": problem}
    beat = _operation("sendHeartbeat", "Heartbeat of a job", codes)
    signal = _operation("sendSignal", "start, fail, log or the exit code of a job", codes)
    refused = dict.fromkeys(("400", "413", "422"), problem)
    report = _operation("sendResult", "Result of an agent", {**codes, **refused})
    body = {"required": True, "content": {"application/json": {"schema": _RESULT}}}
    return {
        "/health/beat/{token}": {"post": beat | _path_parameter("token")},
        "/health/beat/{token}/{word}": {"post": signal | _path_parameter("token", "word")},
        "/health/report/{token}": {
            "post": report | _path_parameter("token") | {"requestBody": body}
        },
    }


def _status_page(problem: Any) -> dict[str, Any]:
    """Returns the forms of the status page."""
    return {
        path: {"get": _operation(name, summary, {"200": _content(kind), "401": problem})}
        for path, name, summary, kind in _STATUS
    }


def _act(problem: Any) -> dict[str, Any]:
    """Returns the page behind a link in an alert's message; without links there is none."""
    page = _content("text/html")
    none = {**problem, "content": {**problem["content"], **page["content"]}}
    asked = {"200": page, "404": none, "410": page}
    done = {**asked, "409": page, "422": page, "503": page}
    return {
        "get": _operation("askAct", "What a link in a message would do", asked)
        | _path_parameter("token"),
        "post": _operation("act", "Acknowledge or silence by a link, once", done)
        | _path_parameter("token"),
    }


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


def _path_parameter(*names: str) -> dict[str, Any]:
    schema = {"type": "string"}
    return {
        "parameters": [
            {"name": name, "in": "path", "required": True, "schema": schema} for name in names
        ]
    }


def _content(kind: str) -> dict[str, Any]:
    schema = {"type": "object"} if kind == "application/json" else {"type": "string"}
    return {"description": "OK", "content": {kind: {"schema": schema}}}


def _json(description: str) -> dict[str, Any]:
    return {
        "description": description,
        "content": {"application/json": {"schema": {"type": "object"}}},
    }
