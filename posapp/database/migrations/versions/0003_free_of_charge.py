"""Free of charge: a product, a line, a bill and what cash settles may be nothing

Constraints are loosened only, so the version before goes on working.
"""

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

BEFORE = {
    ("products", "price"): "price > 0",
    ("product_variants", "price"): "price > 0",
    ("order_lines", "price"): "unit_price > 0 AND modifiers_price >= 0",
    ("payments", "amount"): "amount > 0",
}
AFTER = {
    ("products", "price"): "price >= 0",
    ("product_variants", "price"): "price >= 0",
    ("order_lines", "price"): "unit_price >= 0 AND modifiers_price >= 0",
    ("payments", "amount"): "amount > 0 OR (amount = 0 AND method = 'cash')",
}


def _replace(conditions: dict[tuple[str, str], str]) -> None:
    for (table, name), condition in conditions.items():
        op.drop_constraint(op.f(f"ck_{table}_{name}"), table)
        op.create_check_constraint(op.f(f"ck_{table}_{name}"), table, condition)


def upgrade() -> None:
    _replace(AFTER)


def downgrade() -> None:
    _replace(BEFORE)
