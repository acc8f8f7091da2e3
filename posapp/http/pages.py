"""Lists are never cut in silence: a page holds 100, and `next` is the cursor of the next one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Protocol, TypeVar

from pydantic import Field

from posapp.http.schemas import LARGEST_ID, ApiModel

PAGE = 100
"""Items of a page."""

Cursor = Annotated[int, Field(ge=1, le=LARGEST_ID)]


class PageQuery(ApiModel):
    cursor: Cursor | None = None
    """`next` of the page before."""
    limit: Annotated[int, Field(ge=1, le=PAGE)] = PAGE


class Page(ApiModel):
    """A list adds its own field of items."""

    next: int | None
    """The `cursor` of the next page; null on the last."""


class _Identified(Protocol):
    @property
    def id(self) -> int: ...


Item = TypeVar("Item", bound=_Identified)


def cut(found: Sequence[Item], limit: int) -> tuple[list[Item], int | None]:
    """Returns a page and the cursor of the next, or None, of what was found by `limit + 1`."""
    page = list(found[:limit])
    return page, page[-1].id if len(found) > limit else None
