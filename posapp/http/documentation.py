"""The pages of the API's documentation: their policy allows the scripts in them, by their hash."""

from __future__ import annotations

import hashlib
from base64 import b64encode

from flask import Flask, Response

_OPEN, _CLOSE = "<script>", "</script>"


def install(app: Flask) -> None:
    """Gives every page that a view of `app` renders a policy of its own."""

    @app.after_request
    def allow_own_scripts(response: Response) -> Response:
        if response.mimetype == "text/html" and "Content-Security-Policy" not in response.headers:
            response.headers["Content-Security-Policy"] = page_policy(response.get_data(True))
        return response


def page_policy(html: str) -> str:
    """Returns a Content-Security-Policy for a page with scripts and styles in it."""
    scripts = [part.partition(_CLOSE)[0] for part in html.split(_OPEN)[1:]]
    allowed = "".join(f" 'sha256-{_digest(script)}'" for script in scripts)
    return (
        f"default-src 'self'; script-src 'self'{allowed}; style-src 'self' 'unsafe-inline';"
        " img-src 'self' data:; object-src 'none'; base-uri 'none'; frame-ancestors 'none'"
    )


def _digest(script: str) -> str:
    return b64encode(hashlib.sha256(script.encode()).digest()).decode()
