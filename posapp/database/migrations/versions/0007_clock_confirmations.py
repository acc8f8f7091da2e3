"""A manager's word on a clock that looks wrong; an index to prune idempotency keys by their age"""

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
    # BRIN, for each order adds a key: it costs nothing then, and keys lie in the order of their age.
    op.create_index(
        *("ix_idempotency_keys_created_at", "idempotency_keys", ["created_at"]),
        postgresql_using="brin",
    )


def downgrade() -> None:
    op.drop_index("ix_idempotency_keys_created_at", "idempotency_keys")
    op.drop_table("clock_confirmations")
