"""Headers that stand on every answer, whoever made it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from posapp.observability.request_log import Application, Environ

PERMISSIONS_POLICY = ", ".join(
    [
        *(f"{name}=(self)" for name in ("autoplay", "fullscreen", "screen-wake-lock", "usb")),
        *(
            f"{name}=()"
            for name in (
                *("accelerometer", "browsing-topics", "camera", "display-capture"),
                *("geolocation", "gyroscope", "hid", "magnetometer", "microphone", "midi"),
                *("payment", "serial"),
            )
        ),
    ]
)
"""Kitchen screens stay awake, ring and fill the screen; tills print by USB. All else is off."""

API_POLICY = "default-src 'none'; frame-ancestors 'none'"
"""What is no page loads nothing; a page brings a policy of its own."""

STRICT_TRANSPORT_SECURITY = "max-age=31536000"

SECURITY_HEADERS = (
    ("Content-Security-Policy", API_POLICY),
    ("X-Content-Type-Options", "nosniff"),
    ("Referrer-Policy", "same-origin"),
    ("X-Frame-Options", "DENY"),
    ("Permissions-Policy", PERMISSIONS_POLICY),
    ("Cross-Origin-Opener-Policy", "same-origin"),
)
_WITHOUT_POLICY = SECURITY_HEADERS[1:]


class SecurityHeadersMiddleware:
    """WSGI middleware around all others but those that say whether the request came by https."""

    def __init__(self, app: Application) -> None:
        self._app = app

    def __call__(self, environ: Environ, start_response: Any) -> Iterable[bytes]:
        def start(status: str, headers: list[tuple[str, str]], error: Any = None) -> Any:
            own_policy = any(name == "Content-Security-Policy" for name, _ in headers)
            headers = [*headers, *(_WITHOUT_POLICY if own_policy else SECURITY_HEADERS)]
            if environ["wsgi.url_scheme"] == "https":
                headers.append(("Strict-Transport-Security", STRICT_TRANSPORT_SECURITY))
            return start_response(status, headers, error)

        return self._app(environ, start)
