"""CORS, for the origins that the settings name alone."""

from __future__ import annotations

from collections.abc import Collection

from flask import Flask, Response, request


def install(app: Flask, allowed: Collection[str]) -> None:
    """Adds CORS headers to the responses of `app`; `*` in `allowed` is every origin."""

    @app.after_request
    def add_cors_headers(response: Response) -> Response:
        origin = request.headers.get("Origin")
        response.headers.add("Vary", "Origin")
        if not origin:
            return response
        if "*" in allowed or origin in allowed:
            response.headers["Access-Control-Allow-Origin"] = origin
            response.headers["Access-Control-Allow-Headers"] = (
                "Authorization, Content-Type, Idempotency-Key, X-Request-ID"
            )
            response.headers["Access-Control-Allow-Methods"] = "GET, POST, PUT, PATCH, DELETE"
            response.headers["Access-Control-Expose-Headers"] = "Idempotency-Replayed, X-Request-ID"
            response.headers["Access-Control-Max-Age"] = "600"
        return response
