"""The fields and the base of all schemas, shared by services and routes."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import cache
from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    GetCoreSchemaHandler,
    StrictInt,
    StringConstraints,
)
from pydantic_core import core_schema

# And halves of characters, which no database can hold.
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


def _printable(value: str) -> str:
    if _CONTROL.search(value):
        raise ValueError("must not contain control characters")
    return value


LARGEST_ID = 2**53 - 1
"""As JSON numbers go between all programs (RFC 8259, section 6), and RFC 8785 writes them."""

Id = Annotated[StrictInt, Field(ge=1, le=LARGEST_ID)]
Text = Annotated[str, StringConstraints(strict=True), AfterValidator(_printable)]


@dataclass(frozen=True)
class Line:
    """A line of text, of so many characters without the blanks around it."""

    max_length: int
    min_length: int = 0
    to_lower: bool = False

    def __get_pydantic_core_schema__(
        self, source: type[str], handler: GetCoreSchemaHandler
    ) -> core_schema.CoreSchema:
        text = core_schema.str_schema(
            strict=True,
            strip_whitespace=True,
            min_length=self.min_length or None,
            max_length=self.max_length,
            to_lower=self.to_lower,
        )
        return core_schema.no_info_before_validator_function(_printable_text, text)


def _printable_text(value: Any) -> Any:
    return _printable(value) if isinstance(value, str) else value


Name = Annotated[str, Line(100, min_length=1)]
Note = Annotated[str, Line(200)]


def _like_a_date(value: str) -> str:
    """pydantic would take a number for a moment."""
    if len(value) != 10 or value[4] != "-" or value[7] != "-":
        raise ValueError("must be a date like 2026-11-25")
    return value


Day = Annotated[date, BeforeValidator(_like_a_date, json_schema_input_type=date)]


def _in_utc(value: datetime) -> datetime:
    """PostgreSQL takes no offset beyond 15:59, and ISO 8601 has them up to 23:59."""
    try:
        return value.astimezone(UTC)
    except OverflowError:
        raise ValueError("must be between the years 1 and 9999 by UTC") from None


Instant = Annotated[AwareDatetime, AfterValidator(_in_utc)]
"""A moment of whatever offset, as UTC."""


class InputModel(BaseModel):
    """A model that requests are validated by."""

    model_config = ConfigDict(frozen=True)

    @classmethod
    @cache
    def model_json_schema(cls, *args: Any, **kwargs: Any) -> dict[str, Any]:  # type: ignore[override]
        """Made once: the validation of queries and headers asks for it at every request."""
        return super().model_json_schema(*args, **kwargs)


class ApiModel(InputModel):
    """A body, a query or an answer: a key that it does not know is a mistake."""

    model_config = ConfigDict(extra="forbid")
