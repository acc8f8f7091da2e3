"""Validates tables against models and explains each mistake."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from healthkit import _outcomes
from healthkit.errors import ConfigProblem, did_you_mean
from healthkit.masking import one_line

Model = TypeVar("Model", bound=BaseModel)


def validate(
    model: type[Model],
    table: Any,
    key: str,
    problems: list[ConfigProblem],
    also: Collection[str] = (),
) -> Model | None:
    """Returns a model of a table, or None and adds to `problems`.

    `also` are keys that the table may have besides the model's, for the nearest right name.
    """
    if not isinstance(table, Mapping):
        problems.append(ConfigProblem(key, f"must be a table, written [{key}]"))
        return None
    try:
        return model.model_validate(dict(table))
    except ValidationError as error:
        problems += explain(error, key, {*model.model_fields, *also})
    except BaseException as error:  # noqa: BLE001  a plugin's validators may raise anything
        problems.append(ConfigProblem(key, _outcomes.of_exception(error).message or ""))
    return None


def explain(error: ValidationError, key: str, fields: Collection[str]) -> list[ConfigProblem]:
    """Returns a problem for each mistake, under the table's `key` (empty for the whole)."""
    found = []
    for fault in error.errors(include_url=False):
        path = [str(part) for part in fault["loc"] if part != "__root__"]
        where = ".".join(filter(None, (key, *path)))
        found.append(ConfigProblem(where, _message(fault, fields)))
    return found


def _message(fault: Any, fields: Collection[str]) -> str:
    if fault["type"] == "extra_forbidden":
        return f"unknown key{did_you_mean(str(fault['loc'][-1]), fields)}"
    if fault["type"] == "missing":
        return "missing"
    if fault["type"] == "tuple_type":
        return 'must be a list, written ["one", "two"]'
    return one_line(str(fault["msg"]).removeprefix("Value error, "))
