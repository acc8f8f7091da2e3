"""Validates tables against models and explains each mistake."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Any, TypeVar, get_args

from pydantic import BaseModel, BeforeValidator, ValidationError
from pydantic.fields import FieldInfo

from healthkit import _outcomes
from healthkit.errors import ConfigProblem, did_you_mean
from healthkit.masking import MASK, mask, one_line, secret_name, shorten

Model = TypeVar("Model", bound=BaseModel)

_LONGEST_NAME = 100
_LEAST_SECRET = 4
"""Characters; anything shorter is a part of many words."""


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
        problems += explain(error, key, {*model.model_fields, *also}, table)
    except BaseException as error:  # noqa: BLE001  a plugin's validators may raise anything
        problems.append(raised(error, key, table))
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


def raised(error: BaseException, key: str, table: Any) -> ConfigProblem:
    """Returns the problem that a plugin's code raised anything else but a mistake."""
    return ConfigProblem(key, without_secrets(_outcomes.of_exception(error).message or "", table))


def without_secrets(text: str, table: Any) -> str:
    """Returns a mistake's text without what stands under the names of secrets in the table that it
    is about: a plugin may quote what it refuses."""
    for secret in sorted({*_secrets(table)}, key=len, reverse=True):
        for form in (secret, repr(secret)[1:-1]):
            text = text.replace(form, MASK)
    return text


def _secrets(value: Any, named: bool = False) -> Iterator[str]:
    if isinstance(value, Mapping):
        for name, item in value.items():
            yield from _secrets(item, named or secret_name(str(name)))
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _secrets(item, named)
    elif named and isinstance(value, str | int) and len(str(value)) >= _LEAST_SECRET:
        yield str(value)


def explain(
    error: ValidationError, key: str, fields: Collection[str], table: Any = None
) -> list[ConfigProblem]:
    """Returns a problem for each mistake in a table, under its `key` (empty for the whole)."""
    found = []
    for fault in error.errors(include_url=False):
        path = [str(part) for part in fault["loc"] if part != "__root__"]
        where = ".".join(filter(None, (key, *path)))
        found.append(ConfigProblem(where, _message(fault, fields, table)))
    return found


def _message(fault: Any, fields: Collection[str], table: Any) -> str:
    if fault["type"] == "extra_forbidden":
        return f"unknown key{did_you_mean(str(fault['loc'][-1]), fields)}"
    if fault["type"] == "missing":
        return "missing"
    if fault["type"] == "tuple_type":
        return 'must be a list, written ["one", "two"]'
    said = str(fault["msg"]).removeprefix("Value error, ")
    return one_line(without_secrets(said, table))
