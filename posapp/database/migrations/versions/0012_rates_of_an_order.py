"""The rates by which an order was priced, for its bill when they change

Both may be missing, so that the version before goes on writing orders. Open ones get those of now.
"""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

COLUMNS = ("service_rate", "tax_rate")


def upgrade() -> None:
    for column in COLUMNS:
        op.add_column("orders", sa.Column(column, sa.Integer()))
    op.execute(
        "UPDATE orders SET service_rate = restaurant.service_rate, tax_rate = restaurant.tax_rate"
        " FROM restaurant WHERE orders.status = 'open'"
    )


def downgrade() -> None:
    for column in COLUMNS:
        op.drop_column("orders", column)
