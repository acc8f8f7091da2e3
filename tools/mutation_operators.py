"""Which changes `make mutants` tries: operators of Cosmic Ray, and two of our own."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from cosmic_ray.operators.boolean_replacer import AddNot
from cosmic_ray.operators.operator import Operator
from cosmic_ray.operators.provider import OperatorProvider
from parso.python.tree import Keyword

COMPARISONS = (
    *("Lt_LtE", "Lt_GtE", "LtE_Lt", "LtE_Gt", "Gt_GtE", "Gt_LtE", "GtE_Gt", "GtE_Lt"),
    *("Eq_NotEq", "NotEq_Eq", "Is_IsNot", "IsNot_Is"),
)
ARITHMETIC = ("Add_Sub", "Sub_Add", "Mul_FloorDiv", "Div_Mul", "FloorDiv_Mul", "Mod_FloorDiv")
OPERATORS = (
    *(f"ReplaceComparisonOperator_{change}" for change in COMPARISONS),
    *(f"ReplaceBinaryOperator_{change}" for change in ARITHMETIC),
    *("ReplaceUnaryOperator_Delete_Not", "ReplaceUnaryOperator_USub_UAdd"),
    *("ReplaceAndWithOr", "ReplaceOrWithAnd", "ReplaceTrueWithFalse", "ReplaceFalseWithTrue"),
    *("ReplaceBreakWithContinue", "ReplaceContinueWithBreak", "ZeroIterationForLoop"),
    *("NumberReplacer", "ExceptionReplacer", "Negate", "ReplaceMembership"),
)
"""Those whose mutants say something. Not `|`, which is mostly in annotations, and not each operator
for each other: what notices `+` as `-` notices it as `*`, `/` and `<<` too."""


class Negate(AddNot):
    """`not` before a condition, but where a comparison or a `not` is changed already, and in
    `if TYPE_CHECKING`, which is for who reads types."""

    def mutation_positions(self, node: Any) -> Iterator[tuple[tuple[int, int], tuple[int, int]]]:
        if any(True for _ in super().mutation_positions(node)):
            condition = node.children[2 if node.type == "test" else 1]
            other = condition.type in ("comparison", "not_test")
            if not other and condition.get_code().strip() != "TYPE_CHECKING":
                yield condition.start_pos, condition.end_pos


class ReplaceMembership(Operator):
    """`in` for `not in`, and the other way round: Cosmic Ray has all comparisons but these."""

    def mutation_positions(self, node: Any) -> Iterator[tuple[tuple[int, int], tuple[int, int]]]:
        for sign in self._signs(node):
            yield sign.start_pos, sign.end_pos

    def mutate(self, node: Any, index: int) -> Any:
        sign = self._signs(node)[index]
        word = "not in" if sign.get_code().strip() == "in" else "in"
        node.children[node.children.index(sign)] = Keyword(word, sign.start_pos, prefix=" ")
        return node

    @staticmethod
    def _signs(node: Any) -> list[Any]:
        signs = node.children[1::2] if node.type == "comparison" else []
        return [sign for sign in signs if sign.get_code().split() in (["in"], ["not", "in"])]

    @classmethod
    def examples(cls) -> tuple[object, ...]:
        return ()


def operator(name: str) -> Operator:
    own = {"Negate": Negate, "ReplaceMembership": ReplaceMembership}
    found: type[Operator] = own.get(name) or OperatorProvider()[name]
    return found()
