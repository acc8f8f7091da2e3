"""Around every request: its id, which stands on its answer whatever happens, and its metrics."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from typing import Any

from healthkit.web.wsgi import request_id as sane_or_new
from posapp.observability.context import request_id
from posapp.observability.metrics import observe

HEADER = "X-Request-ID"
_UNMATCHED = "unmatched"

Environ = dict[str, Any]
Application = Callable[[Environ, Any], Iterable[bytes]]


class Requests:
    """The WSGI middleware nearest to the application."""

    def __init__(self, app: Application) -> None:
        self._app = app

    def __call__(self, environ: Environ, start_response: Any) -> Iterable[bytes]:
        began = time.perf_counter()
        known = sane_or_new(environ)
        request_id.set(known)

        def start(status: str, headers: list[tuple[str, str]], error: Any = None) -> Any:
            headers.append((HEADER, known))
            took = time.perf_counter() - began
            observe(environ["REQUEST_METHOD"], _route(environ), status[:3], took)
            return start_response(status, headers, error)

        return self._app(environ, start)


def _route(environ: Environ) -> str:
    """The template of the route that Flask has found."""
    request = environ.get("werkzeug.request")
    rule = getattr(request, "url_rule", None)
    return str(rule.rule) if rule is not None else _UNMATCHED
