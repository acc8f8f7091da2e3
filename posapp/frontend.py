"""The built front end, for the demo; in production nginx serves it.

Files of the build are served as they are, hashed ones for ever; any other page is the application's
own, so it gets `index.html`.
"""

from __future__ import annotations

from pathlib import Path

from flask import Blueprint, Response, send_from_directory
from werkzeug.exceptions import NotFound
from werkzeug.security import safe_join

DIST = Path(__file__).parent / "web" / "dist"
POLICY = (
    "default-src 'self'; img-src 'self' data: blob:; style-src 'self' 'unsafe-inline';"
    " font-src 'self' data:; object-src 'none'; base-uri 'none'; frame-ancestors 'none'"
)
NOT_BUILT = "The front end has not been built yet: make web\n"
NO_PAGES = ("api/", "health", "metrics")
"""What is never a page of the application: a wrong address there is a 404."""

pages = Blueprint("frontend", __name__)


@pages.get("/", defaults={"path": ""})
@pages.get("/<path:path>")
def page(path: str) -> Response:
    if path.startswith(NO_PAGES):
        raise NotFound()
    if not (DIST / "index.html").is_file():
        return Response(NOT_BUILT, 503, content_type="text/plain; charset=utf-8")
    known = safe_join(str(DIST), path) if path else None
    if known is not None and Path(known).is_file():
        response = send_from_directory(DIST, path)
        hashed = path.startswith("assets/")
        response.headers["Cache-Control"] = (
            "public, max-age=31536000, immutable" if hashed else "no-cache"
        )
        return response
    if path.startswith("assets/"):
        raise NotFound()
    response = send_from_directory(DIST, "index.html")
    response.headers["Cache-Control"] = "no-cache"
    response.headers["Content-Security-Policy"] = POLICY
    return response
