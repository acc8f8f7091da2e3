"""Refusals of services, in words for the person at the till; `problems` makes responses of them.

ApiError              a refusal
├── Unauthorized      401
├── Forbidden         403
├── NotFound          404
├── Conflict          409
│   └── PriceChanged  409, with the new quote
├── Invalid           422, names its field
├── TooManyRequests   429, says when to come back
└── Unavailable              503, the same request may be sent again at once
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

FieldError = Mapping[str, str]


def said(code: str, **params: Any) -> dict[str, Any]:
    """Returns the members of a problem by which a screen says it in its own language: the code of
    the sentence, and what it names, as JSON values."""
    return {"code": code, "params": params}


RETRY_SECONDS = 2
"""Until a client that was told 503 comes back."""


class ApiError(Exception):
    """A refusal, in words for the person at the till."""

    status = 400

    def __init__(
        self,
        detail: str,
        errors: Sequence[FieldError] = (),
        headers: Mapping[str, str] | None = None,
        extension: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(detail)
        self.detail = detail
        self.errors = tuple(errors)
        self.headers = dict(headers or {})
        self.extension = dict(extension or {})
        """Further members of the problem (RFC 9457, 3.2), as JSON values."""


class Unauthorized(ApiError):
    status = 401

    def __init__(self, detail: str) -> None:
        super().__init__(detail, headers={"WWW-Authenticate": "Bearer"})


class Forbidden(ApiError):
    status = 403

    def __init__(self, detail: str, extension: Mapping[str, Any] | None = None) -> None:
        super().__init__(detail, extension=extension)


class NotFound(ApiError):
    status = 404

    def __init__(self, detail: str, extension: Mapping[str, Any] | None = None) -> None:
        super().__init__(detail, extension=extension)


class Conflict(ApiError):
    status = 409

    def __init__(self, detail: str, extension: Mapping[str, Any] | None = None) -> None:
        super().__init__(detail, extension=extension)


class PriceChanged(Conflict):
    """The total is not the one that the guest was told; `quote` is how it stands now."""

    def __init__(self, expected: int, total: int, quote: Mapping[str, Any]) -> None:
        super().__init__(
            f"The total is {total} now, not {expected}; nothing was done.",
            extension={"quote": quote},
        )


class Invalid(ApiError):
    """Input that is well-formed and yet wrong: `Invalid("lines.0.product_id", "is sold out")`."""

    status = 422

    def __init__(self, field: str, message: str, **extension: Any) -> None:
        errors = [{"field": field, "message": message}]
        super().__init__(f"{field}: {message}", errors, extension=extension)


class TooManyRequests(ApiError):
    status = 429

    def __init__(self, detail: str, retry_after: int) -> None:
        super().__init__(detail, headers={"Retry-After": str(retry_after)})


class Unavailable(ApiError):
    """Nothing was done, for others were in the way."""

    status = 503

    def __init__(self, detail: str) -> None:
        super().__init__(detail, headers={"Retry-After": str(RETRY_SECONDS)})
