"""Validates tables against models and explains each mistake."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, TypeVar, get_args

from pydantic import BaseModel, BeforeValidator, ValidationError
from pydantic.fields import FieldInfo

from healthkit import _outcomes
from healthkit.errors import ConfigProblem, did_you_mean
from healthkit.masking import mask, one_line, shorten

Model = TypeVar("Model", bound=BaseModel)

_LONGEST_NAME = 100


def quoted(name: str) -> str:
    """Returns a name that nothing has, for a mistake: masked, as an address may stand where a name
    is expected, and cut."""
    return repr(shorten(mask(name), _LONGEST_NAME))


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
    truths = [name for name in table if _is_truth_for_number(model, name, table[name])]
    problems += [ConfigProblem(f"{key}.{name}", _NUMBER) for name in truths]
    try:
        made = model.model_validate(dict(table))
        return None if truths else made
    except ValidationError as error:
        problems += explain(error, key, {*model.model_fields, *also})
    except BaseException as error:  # noqa: BLE001  a plugin's validators may raise anything
        problems.append(ConfigProblem(key, _outcomes.of_exception(error).message or ""))
    return None


_NUMBER = "must be a number; true and false are none"


def _is_truth_for_number(model: type[BaseModel], name: str, value: Any) -> bool:
    """Whether true or false stands where a number should, which pydantic takes as 1 or 0."""
    given = value if isinstance(value, list | tuple) else [value]
    if not any(isinstance(one, bool) for one in given):
        return False
    return any(
        _wants_number(field.annotation)
        for known, field in model.model_fields.items()
        if name in (known, field.alias) and not _says_itself(field)
    )


def _says_itself(field: FieldInfo) -> bool:
    """Whether a field has a form of its own, such as a size, and words for what is none."""
    return any(isinstance(one, BeforeValidator) for one in field.metadata)


def _wants_number(annotation: Any) -> bool:
    kinds = [annotation, *_within(annotation)]
    truth = any(kind is one for kind in kinds for one in (bool, Any, object))
    return not truth and any(kind is one for kind in kinds for one in (int, float))


def _within(annotation: Any) -> list[Any]:
    """Returns the types that a type is made of, as `int` and `None` of `int | None`."""
    return [each for one in get_args(annotation) for each in (one, *_within(one))]


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
