"""Renders a report to bytes: the runbook's JSON, the IETF draft's, Prometheus' and plain text.

Each renderer is a pure function of the report. The runner calls them; readers hand out bytes.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from http import HTTPStatus
from typing import Any

from healthkit._metrics import OF_BUDGETS, OF_REPORT, Budgets, Metric, Source
from healthkit._model.checks import Outcome, Report, Result, Role, Status
from healthkit.fields import format_duration
from healthkit.masking import escape_controls, mask, mask_value

JSON = "application/json"
HEALTH_JSON = "application/health+json"
PROMETHEUS = "text/plain; version=0.0.4; charset=utf-8"
PLAIN = "text/plain; charset=utf-8"

PROCESS_ENTRY = "api"
"""The report's entry for the process itself, beside the checks."""


@dataclass(frozen=True, slots=True)
class RenderedResponse:
    """An HTTP response made in advance. `headers` stand ready for WSGI; copy, never change them."""

    status: str
    headers: tuple[tuple[str, str], ...]
    body: bytes

    @classmethod
    def json(cls, code: int, value: Any) -> RenderedResponse:
        """Renders a value as JSON; what JSON lacks becomes text."""
        return response(code, JSON, dump(value))

    @property
    def code(self) -> int:
        """The status code, like 503."""
        return int(self.status[:3])

    @property
    def content_type(self) -> str:
        return dict(self.headers)["Content-Type"]


Renderer = Callable[[Report], RenderedResponse]


def response(code: int, content_type: str, body: bytes) -> RenderedResponse:
    """Returns a response with a status code, a content type and a body."""
    headers = (
        ("Content-Type", content_type),
        ("Content-Length", str(len(body))),
        ("Cache-Control", "no-store"),
    )
    return RenderedResponse(f"{code} {HTTPStatus(code).phrase}", headers, body)


def joined(rendered: RenderedResponse, more: bytes) -> RenderedResponse:
    """Returns a response with more behind its body."""
    return response(rendered.code, rendered.content_type, rendered.body + more)


def timestamp(moment: datetime) -> str:
    """`2025-12-26T10:30:00Z`."""
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def http_status(report: Report) -> int:
    """Returns 503 for an unhealthy whole, 200 for a healthy or a degraded one."""
    return 503 if report.status is Status.UNHEALTHY else 200


def dump(value: Any) -> bytes:
    """Returns JSON of a plugin's details, whatever they are: what JSON lacks becomes text."""
    return json.dumps(_plain(value), ensure_ascii=False).encode("utf-8", "replace")


def _plain(value: Any, depth: int = 0) -> Any:
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else str(value)
    if isinstance(value, datetime):
        return timestamp(value)
    if depth < 8 and isinstance(value, Mapping):
        return {str(key): _plain(item, depth + 1) for key, item in value.items()}
    if depth < 8 and isinstance(value, list | tuple | set | frozenset):
        return [_plain(item, depth + 1) for item in value]
    return str(value)


def without_details(report: Report, public: Mapping[str, Collection[str]]) -> Report:
    """Returns the report as strangers see it: no text of a check and no details but the numbers of
    those that `public` names for it."""
    return replace(
        report,
        results=tuple(_without_details(r, public.get(r.check.name, ())) for r in report.results),
    )


def _without_details(result: Result, public: Collection[str]) -> Result:
    status = result.outcome.status
    message = None if status is Status.HEALTHY else status.value
    details = {key: result.outcome.details[key] for key in public if key in result.outcome.details}
    return replace(result, outcome=Outcome(status, message, _only_numbers(details)))


def _only_numbers(details: Mapping[str, Any]) -> dict[str, Any]:
    """A detail that is no number, and no mapping of numbers, is left out."""
    kept: dict[str, Any] = {}
    for key, value in details.items():
        if isinstance(value, Mapping):
            kept[key] = {name: n for name, n in value.items() if isinstance(n, int | float)}
        elif isinstance(value, int | float):
            kept[key] = value
    return kept


def response_time(result: Result) -> str | None:
    """`"5ms"`, `"timeout"`, or None for a check that has not run."""
    if result.timed_out:
        return "timeout"
    return None if result.duration is None else f"{math.ceil(result.duration * 1000)}ms"


def check_entry(result: Result) -> dict[str, Any]:
    """Returns one check of the body. Details never replace the core's own keys."""
    outcome = result.outcome
    entry: dict[str, Any] = {"status": outcome.status.value}
    if (took := response_time(result)) is not None:
        entry["response_time"] = took
    if outcome.message is not None:
        key = "error" if outcome.status is not Status.HEALTHY else "message"
        entry[key] = mask_value(outcome.message)
    if outcome.status is Status.DEGRADED:
        entry["warning"] = entry.pop("error", "")
    details = mask_value(_plain(outcome.details))
    return {**entry, **{k: v for k, v in details.items() if k not in entry}}


def health_body(report: Report) -> dict[str, Any]:
    """Returns the body of `GET /health`."""
    status = report.status
    checks = {result.check.name: check_entry(result) for result in report.results}
    checks[PROCESS_ENTRY] = {"status": "healthy", "uptime": format_duration(report.uptime)}
    return {
        "status": status.value,
        "timestamp": timestamp(report.at),
        "version": report.service.version,
        "environment": report.service.environment,
        "checks": checks,
    }


def render_json(report: Report) -> RenderedResponse:
    """Renders the body of `GET /health`."""
    return response(http_status(report), JSON, dump(health_body(report)))


_IETF = {
    Status.HEALTHY: "pass",
    Status.DEGRADED: "warn",
    Status.UNKNOWN: "fail",
    Status.UNHEALTHY: "fail",
}


def render_health_json(report: Report) -> RenderedResponse:
    """Renders the form of draft-inadarei-api-health-check-06."""
    checks: dict[str, list[dict[str, Any]]] = {}
    for result in report.results:
        entry: dict[str, Any] = {
            "componentType": "component",
            "status": _IETF[result.outcome.status],
            "time": timestamp(result.at),
        }
        if result.duration is not None:
            entry["observedValue"] = round(result.duration * 1000, 3)
            entry["observedUnit"] = "ms"
        if result.outcome.message is not None and result.outcome.status is not Status.HEALTHY:
            entry["output"] = mask_value(result.outcome.message)
        checks[f"{result.check.name}:responseTime"] = [entry]
    checks["uptime"] = [
        {
            "componentType": "system",
            "observedValue": int(report.uptime.total_seconds()),
            "observedUnit": "s",
            "status": "pass",
            "time": timestamp(report.at),
        }
    ]
    body = {
        "status": _IETF[report.status],
        "version": report.service.version.split(".")[0],
        "releaseId": report.service.version,
        "serviceId": report.service.name,
        "checks": checks,
    }
    return response(http_status(report), HEALTH_JSON, dump(body))


def plain_text(report: Report) -> str:
    """Returns a line for each check, for a terminal or `curl`."""
    lines = [f"{report.service.name}: {report.status.value}"]
    width = max((len(result.check.name) for result in report.results), default=0)
    for result in report.results:
        took = response_time(result) or "-"
        message = escape_controls(mask(str(result.outcome.message or "")))
        name, status = result.check.name, result.outcome.status.value
        lines.append(f"  {name:{width}}  {status:9}  {took:>8}  {message}".rstrip())
    return "\n".join(lines) + "\n"


def render_plain(report: Report) -> RenderedResponse:
    return response(http_status(report), PLAIN, plain_text(report).encode())


def prometheus_text(report: Report) -> str:
    """Returns gauges for each check and the whole, in Prometheus' text format 0.0.4."""
    return _exposition(OF_REPORT, report)


def budget_metrics(budgets: Budgets) -> str:
    """Returns gauges for each objective, by its name. What is not known yet is left out."""
    return _exposition(OF_BUDGETS, budgets)


def _exposition(metrics: Iterable[Metric[Source]], source: Source) -> str:
    lines: list[str] = []
    labels = _Labels()
    for metric in metrics:
        name = metric.prometheus_name
        lines += [f"# HELP {name} {metric.explained}", f"# TYPE {name} gauge"]
        named = ",".join(f'{label}="%s"' for label in metric.labels)
        line = f"{name}{{{named}}} %.10g" if named else f"{name} %.10g"
        # Two names may be one once they are masked, and a sample must not stand twice.
        samples = {
            tuple(map(labels.__getitem__, texts)): figure for texts, figure in metric.read(source)
        }
        lines += [line % (*texts, figure) for texts, figure in samples.items()]
    return "\n".join(lines) + "\n"


class _Labels(dict[str, str]):
    """Texts as labels have them: most stand at several figures, and masking costs the most."""

    def __missing__(self, text: str) -> str:
        found = self[text] = _label(text)
        return found


def _label(value: str) -> str:
    return mask(value).replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")


def render_prometheus(report: Report) -> RenderedResponse:
    """Renders gauges, always with 200: a scrape that fails would hide why the service is down."""
    return response(200, PROMETHEUS, prometheus_text(report).encode())


def _probe(report: Report, passed: bool) -> RenderedResponse:
    body = {
        "status": "pass" if passed else "fail",
        "checks": {r.check.name: r.outcome.status.value for r in report.results},
    }
    return response(200 if passed else 503, JSON, dump(body))


def render_ready(report: Report) -> RenderedResponse:
    """Renders Kubernetes' readiness: no required check fails."""
    required = tuple(r for r in report.results if r.check.role is Role.REQUIRED)
    failed = any(r.outcome.status in (Status.UNHEALTHY, Status.UNKNOWN) for r in required)
    return _probe(report, not (failed or report.stale))


def render_startup(report: Report) -> RenderedResponse:
    """Renders Kubernetes' start-up: every check has run once."""
    ran = all(r.outcome.status is not Status.UNKNOWN for r in report.results)
    return _probe(report, ran and not report.stale)


def render_live(report: Report) -> RenderedResponse:
    """Renders Kubernetes' liveness: the process responds, so it passes. A database that is down
    must not have every replica restarted."""
    return response(200, JSON, dump({"status": "pass", "uptime": format_duration(report.uptime)}))


RENDERERS: Mapping[str, Renderer] = {
    "json": render_json,
    "health+json": render_health_json,
    "plain": render_plain,
    "prometheus": render_prometheus,
    "live": render_live,
    "ready": render_ready,
    "startup": render_startup,
}
