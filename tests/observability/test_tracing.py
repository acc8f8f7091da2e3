"""OpenTelemetry, when its variables are set: traces arrive, and log lines name them."""

import pytest
import requests
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from healthkit.testing import wait_until
from tests.observability.sinks import sink


@pytest.fixture(scope="module")
def collector():
    with sink() as kept:
        yield kept


@pytest.fixture(scope="module")
def server(serve, database, collector):
    return serve(
        database,
        OTEL_EXPORTER_OTLP_ENDPOINT=f"http://{collector.url}",
        OTEL_BSP_SCHEDULE_DELAY="100",
    )


def spans(collector):
    for path, body in collector.received:
        assert path == "/v1/traces"
        request = ExportTraceServiceRequest.FromString(body)
        for resource in request.resource_spans:
            for scope in resource.scope_spans:
                yield from scope.spans


@pytest.mark.deep
def test_a_request_and_its_statements_are_one_trace_which_its_log_line_names(server, collector):
    answer = requests.get(f"{server.url}/api/v1/public/menu?lang=en", timeout=60)
    line = server.line(request_id=answer.headers["X-Request-ID"], status_code=200)

    def found():
        own = [span for span in spans(collector) if span.trace_id.hex() == line["trace_id"]]
        names = {span.name for span in own}
        return names if "GET /api/v1/public/menu" in names and len(own) > 1 else None

    assert any(name.startswith("SELECT") for name in wait_until(found, 60))


def test_the_callers_trace_is_carried_on(server, collector):
    trace = "0af7651916cd43dd8448eb211c80319c"
    requests.get(
        f"{server.url}/api/v1/public/menu",
        headers={"traceparent": f"00-{trace}-b7ad6b7169203331-01", "X-Request-ID": "carried"},
        timeout=60,
    )
    assert server.line(request_id="carried", status_code=200)["trace_id"] == trace


def test_a_secret_in_a_request_leaves_with_no_span(server, collector):
    query = "password=hush&api%5Fkey=hush"
    answer = requests.get(f"{server.url}/api/v1/public/menu?lang=en&{query}", timeout=60)
    line = server.line(request_id=answer.headers["X-Request-ID"])
    own = wait_until(
        lambda: [
            span
            for span in spans(collector)
            if span.trace_id.hex() == line["trace_id"] and "/menu" in span.name
        ],
        15,
    )
    assert any("***MASKED***" in str(span) for span in own)
    assert not any(b"hush" in body for _, body in collector.received)
