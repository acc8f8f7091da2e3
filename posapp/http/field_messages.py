"""Messages of a field that was refused, in the words that people use of fields."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_BY_TYPE: Mapping[str, str] = {
    "missing": "is required",
    "extra_forbidden": "unknown field",
    "string_too_short": "at least {min_length} characters",
    "string_too_long": "at most {max_length} characters",
    "too_short": "at least {min_length} of them",
    "too_long": "at most {max_length} of them",
    "greater_than": "more than {gt}",
    "greater_than_equal": "at least {ge}",
    "less_than": "less than {lt}",
    "less_than_equal": "at most {le}",
    "literal_error": "must be {expected}",
    "enum": "must be {expected}",
    "string_pattern_mismatch": "must be written like {pattern}",
    "string_type": "must be text",
    "string_unicode": "must be text",
    "bool_type": "must be true or false",
    "bool_parsing": "must be true or false",
    "none_required": "must be null",
    "timezone_aware": "must say its time zone, like 2026-11-25T18:00:00+07:00",
}
_BY_BEGINNING: Mapping[str, str] = {
    "int_": "must be a whole number",
    "float_": "must be a number",
    "list_": "must be a list",
    "tuple_": "must be a list",
    "dict_": "must be an object",
    "model_": "must be an object",
    "date_": "must be a date like 2026-11-25",
    "datetime_": "must be a time like 2026-11-25T18:00:00+07:00",
    "time_": "must be a time of day like 18:00",
    "uuid_": "must be a UUID",
    "url_": "must be an address like https://your-domain.com",
}


def field_message(fault: Mapping[str, Any]) -> str:
    """Returns the message of one of pydantic's errors; what has no word of its own keeps
    pydantic's."""
    kind, context = str(fault["type"]), fault.get("ctx") or {}
    if kind in ("too_short", "too_long") and context.get("field_type") == "Value":
        kind = f"string_{kind}"  # pydantic names a text so that it has already looked at
    if kind == "string_too_short" and context.get("min_length") == 1:
        return "must not be empty"
    if (known := _BY_TYPE.get(kind)) is not None:
        return known.format_map(context)
    for beginning, message in _BY_BEGINNING.items():
        if kind.startswith(beginning):
            return message
    return str(fault["msg"]).removeprefix("Value error, ")
