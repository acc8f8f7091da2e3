"""A manager's word on a clock that looks wrong"""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "clock_confirmations",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("evidence", sa.DateTime(timezone=True), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("confirmed_by", sa.BigInteger(), nullable=False),
        sa.Column("approved_by", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("btrim(reason) <> ''", name=op.f("ck_clock_confirmations_reason")),
        sa.ForeignKeyConstraint(
            ["confirmed_by"], ["users.id"], name=op.f("fk_clock_confirmations_confirmed_by")
        ),
        sa.ForeignKeyConstraint(
            ["approved_by"], ["users.id"], name=op.f("fk_clock_confirmations_approved_by")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_clock_confirmations")),
    )
    op.execute(
        "CREATE TRIGGER pos_added_only BEFORE UPDATE OR DELETE ON clock_confirmations"
        " FOR EACH ROW EXECUTE FUNCTION pos_never_changes()"
    )
    op.execute(
        "CREATE TRIGGER pos_not_emptied BEFORE TRUNCATE ON clock_confirmations"
        " FOR EACH STATEMENT EXECUTE FUNCTION pos_never_changes()"
    )


def downgrade() -> None:
    op.drop_table("clock_confirmations")
