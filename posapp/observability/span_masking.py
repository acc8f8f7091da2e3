"""Spans without secrets. Imported only where traces are on."""

from __future__ import annotations

from collections.abc import Sequence

from opentelemetry.sdk.trace import Event, ReadableSpan
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult
from opentelemetry.trace import Link, Status

from healthkit.masking import mask, mask_value


class MaskingExporter(SpanExporter):
    """Masks what spans tell, then has `exporter` send them."""

    def __init__(self, exporter: SpanExporter) -> None:
        self._exporter = exporter

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        return self._exporter.export([masked_span(span) for span in spans])

    def shutdown(self) -> None:
        self._exporter.shutdown()

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        return self._exporter.force_flush(timeout_millis)


def masked_span(span: ReadableSpan) -> ReadableSpan:
    """Returns a copy: its name, attributes, events, links and error masked."""
    status = span.status
    return ReadableSpan(
        name=mask(span.name),
        context=span.context,
        parent=span.parent,
        resource=span.resource,
        attributes=mask_value(dict(span.attributes or {})),
        events=[
            Event(mask(event.name), mask_value(dict(event.attributes or {})), event.timestamp)
            for event in span.events
        ],
        links=[Link(link.context, mask_value(dict(link.attributes or {}))) for link in span.links],
        kind=span.kind,
        status=Status(status.status_code, status.description and mask(status.description)),
        start_time=span.start_time,
        end_time=span.end_time,
        instrumentation_scope=span.instrumentation_scope,
    )
