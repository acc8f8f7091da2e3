"""Refusals of services, in words for the person at the till; `problems` makes responses of them.

ApiError              a refusal
├── Unauthorized      401
├── Forbidden         403
├── NotFound          404
├── Conflict          409
├── Invalid           422, names its field
└── TooManyRequests           429, says when to come back
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

FieldError = Mapping[str, str]


class ApiError(Exception):
    """A refusal, in words for the person at the till."""

    status = 400

    def __init__(
        self,
        detail: str,
        errors: Sequence[FieldError] = (),
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(detail)
        self.detail = detail
        self.errors = tuple(errors)
        self.headers = dict(headers or {})


class Unauthorized(ApiError):
    status = 401

    def __init__(self, detail: str) -> None:
        super().__init__(detail, headers={"WWW-Authenticate": "Bearer"})


class Forbidden(ApiError):
    status = 403


class NotFound(ApiError):
    status = 404


class Conflict(ApiError):
    status = 409


class Invalid(ApiError):
    """Input that is well-formed and yet wrong: `Invalid("lines.0.product_id", "is sold out")`."""

    status = 422

    def __init__(self, field: str, message: str) -> None:
        super().__init__(f"{field}: {message}", [{"field": field, "message": message}])


class TooManyRequests(ApiError):
    status = 429

    def __init__(self, detail: str, retry_after: int) -> None:
        super().__init__(detail, headers={"Retry-After": str(retry_after)})
