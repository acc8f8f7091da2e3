"""The menu as it goes over the wire."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from posapp.http.schemas import LARGEST_ID, ApiModel

Language = Literal["id", "en"]


class MenuQuery(ApiModel):
    lang: Language = "id"


class ModifierView(ApiModel):
    id: int
    name: str
    price: int
    """Added to the price of the product."""


class ModifierGroupView(ApiModel):
    id: int
    name: str
    min: int
    max: int
    modifiers: list[ModifierView]


class VariantView(ApiModel):
    id: int
    name: str
    price: int
    """The price of the product in this variant."""


class ProductView(ApiModel):
    id: int
    name: str
    price: int
    available: bool
    category_id: int
    variants: list[VariantView]
    modifier_groups: list[ModifierGroupView]


class ProductPath(ApiModel):
    product_id: Annotated[int, Field(ge=1, le=LARGEST_ID)]


class Availability(ApiModel):
    available: Annotated[bool, Field(strict=True)]
    """False while it is sold out."""


class CategoryView(ApiModel):
    id: int
    name: str
    products: list[ProductView]


class Menu(ApiModel):
    categories: list[CategoryView]
