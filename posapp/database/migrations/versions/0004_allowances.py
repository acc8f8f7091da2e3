"""Allowances: how often something may be tried, counted and decided by one statement

`rate_limits` is the version's before; it goes a release later.
"""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "allowances",
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("whole_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_allowances")),
    )
    op.create_index(op.f("ix_allowances_whole_at"), "allowances", ["whole_at"])


def downgrade() -> None:
    op.drop_table("allowances")
