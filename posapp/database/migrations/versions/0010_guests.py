"""For whom an order is: guests at the table, name, phone and address

All may be missing, so that the version before goes on writing orders.
"""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

CHECKS = {
    "guests": "guests IS NULL OR (type = 'dine_in' AND guests BETWEEN 1 AND 200)",
    "customer_name": "char_length(customer_name) BETWEEN 1 AND 100",
    "customer_phone": "char_length(customer_phone) BETWEEN 5 AND 25",
    "customer_address": "customer_address IS NULL"
    " OR (type = 'delivery' AND char_length(customer_address) BETWEEN 1 AND 300)",
}


def upgrade() -> None:
    op.add_column("orders", sa.Column("guests", sa.Integer()))
    for column in ("customer_name", "customer_phone", "customer_address"):
        op.add_column("orders", sa.Column(column, sa.Text()))
    for column, rule in CHECKS.items():
        op.create_check_constraint(op.f(f"ck_orders_{column}"), "orders", rule)


def downgrade() -> None:
    for column in CHECKS:
        op.drop_column("orders", column)
