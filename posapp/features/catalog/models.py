"""The menu. Names stand in both languages; prices are whole rupiah."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Identity, Text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from posapp.database.base import Base


class Category(Base):
    __tablename__ = "categories"

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    position: Mapped[int]
    name_id: Mapped[str] = mapped_column(Text)
    name_en: Mapped[str] = mapped_column(Text)


class Product(Base):
    __tablename__ = "products"
    __table_args__ = (CheckConstraint("price >= 0", name="price"),)

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    category_id: Mapped[int] = mapped_column(ForeignKey("categories.id"), index=True)
    position: Mapped[int]
    name_id: Mapped[str] = mapped_column(Text)
    name_en: Mapped[str] = mapped_column(Text)
    price: Mapped[int] = mapped_column(BigInteger)
    available: Mapped[bool] = mapped_column(default=True)

    variants: Mapped[list[Variant]] = relationship(order_by="Variant.position")
    modifier_groups: Mapped[list[ModifierGroup]] = relationship(
        secondary="product_modifier_groups", order_by="ProductModifierGroup.position"
    )


class Variant(Base):
    """A size or a cut: the product at another price. One with variants is sold in one of them."""

    __tablename__ = "product_variants"
    __table_args__ = (CheckConstraint("price >= 0", name="price"),)

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    product_id: Mapped[int] = mapped_column(ForeignKey("products.id"), index=True)
    position: Mapped[int]
    name_id: Mapped[str] = mapped_column(Text)
    name_en: Mapped[str] = mapped_column(Text)
    price: Mapped[int] = mapped_column(BigInteger)


class ModifierGroup(Base):
    """A choice of at least `min` and at most `max` modifiers."""

    __tablename__ = "modifier_groups"
    __table_args__ = (
        CheckConstraint('"min" >= 0 AND "max" >= 1 AND "min" <= "max"', name="range"),
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    name_id: Mapped[str] = mapped_column(Text)
    name_en: Mapped[str] = mapped_column(Text)
    min: Mapped[int]
    max: Mapped[int]

    modifiers: Mapped[list[Modifier]] = relationship(order_by="Modifier.position")


class Modifier(Base):
    """One option of a group; its price is added to the product's."""

    __tablename__ = "modifiers"
    __table_args__ = (CheckConstraint("price >= 0", name="price"),)

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    group_id: Mapped[int] = mapped_column(ForeignKey("modifier_groups.id"), index=True)
    position: Mapped[int]
    name_id: Mapped[str] = mapped_column(Text)
    name_en: Mapped[str] = mapped_column(Text)
    price: Mapped[int] = mapped_column(BigInteger, default=0)


class ProductModifierGroup(Base):
    __tablename__ = "product_modifier_groups"

    product_id: Mapped[int] = mapped_column(ForeignKey("products.id"), primary_key=True)
    group_id: Mapped[int] = mapped_column(ForeignKey("modifier_groups.id"), primary_key=True)
    position: Mapped[int]


class SaleTerms(Base):
    """The version of what is sold and how it is priced: menu, rates and tables. Triggers on their
    tables renew it with every change, whoever makes it. One row."""

    __tablename__ = "sale_terms"
    __table_args__ = (CheckConstraint("id = 1", name="one_row"),)

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    version: Mapped[UUID]
