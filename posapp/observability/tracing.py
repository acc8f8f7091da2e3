"""Traces by OpenTelemetry when its variables ask for them; nothing of it is imported otherwise.

OTEL_EXPORTER_OTLP_ENDPOINT (or …_TRACES_ENDPOINT) says where to; all other variables are
OpenTelemetry's own. A request's log line has the `trace_id` of its trace.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any

from flask import Flask
from sqlalchemy import Engine

_ENDPOINTS = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")


class _State:
    provider: Any = None


def wanted(environ: Mapping[str, str]) -> bool:
    disabled = environ.get("OTEL_SDK_DISABLED", "").lower() == "true"
    return not disabled and any(environ.get(name) for name in _ENDPOINTS)


def install(app: Flask, engine: Engine, version: str) -> None:
    """Traces the requests of `app`, the statements of `engine` and outgoing calls."""
    from opentelemetry import trace
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.instrumentation.flask import FlaskInstrumentor
    from opentelemetry.instrumentation.requests import RequestsInstrumentor
    from opentelemetry.instrumentation.sqlalchemy import SQLAlchemyInstrumentor
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    from posapp.observability.span_masking import MaskingExporter

    resource = Resource.create({"service.name": "posapp", "service.version": version})
    _State.provider = TracerProvider(resource=resource)
    _State.provider.add_span_processor(BatchSpanProcessor(MaskingExporter(OTLPSpanExporter())))
    trace.set_tracer_provider(_State.provider)
    FlaskInstrumentor().instrument_app(app)  # type: ignore[no-untyped-call]
    # Its declared range ends before SQLAlchemy 2.1; the events that it listens to are the same.
    SQLAlchemyInstrumentor().instrument(engine=engine, skip_dep_check=True)
    RequestsInstrumentor().instrument()


def flush() -> None:
    """Sends what has not been sent yet."""
    if _State.provider is not None:
        _State.provider.force_flush(2000)


def trace_id() -> str | None:
    """The trace of the request that is being served, as 32 hex digits."""
    trace: Any = sys.modules.get("opentelemetry.trace")
    if _State.provider is None or trace is None:
        return None
    context = trace.get_current_span().get_span_context()
    return trace.format_trace_id(context.trace_id) if context.is_valid else None
