"""Receipts that went to paper; the name of the tax as it stands on the bill

The version before prints nothing, and leaves the name of the tax as it is.
"""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

NAMES = "btrim(name) <> '' AND btrim(tax_name) <> ''"


def upgrade() -> None:
    op.add_column(
        "restaurant", sa.Column("tax_name", sa.Text(), nullable=False, server_default="PB1")
    )
    op.create_check_constraint(op.f("ck_restaurant_names"), "restaurant", NAMES)
    op.create_table(
        "receipt_prints",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("payment_id", sa.BigInteger(), nullable=False),
        sa.Column("copy", sa.Integer(), nullable=False),
        sa.Column("printed_by", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("copy >= 0", name=op.f("ck_receipt_prints_copy")),
        sa.ForeignKeyConstraint(
            ["payment_id"], ["payments.id"], name=op.f("fk_receipt_prints_payment_id")
        ),
        sa.ForeignKeyConstraint(
            ["printed_by"], ["users.id"], name=op.f("fk_receipt_prints_printed_by")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_receipt_prints")),
        sa.UniqueConstraint("payment_id", "copy", name=op.f("uq_receipt_prints_payment_id_copy")),
    )
    op.execute(
        "CREATE TRIGGER pos_added_only BEFORE UPDATE OR DELETE ON receipt_prints"
        " FOR EACH ROW EXECUTE FUNCTION pos_never_changes()"
    )
    op.execute(
        "CREATE TRIGGER pos_not_emptied BEFORE TRUNCATE ON receipt_prints"
        " FOR EACH STATEMENT EXECUTE FUNCTION pos_never_changes()"
    )


def downgrade() -> None:
    op.drop_table("receipt_prints")
    op.drop_constraint(op.f("ck_restaurant_names"), "restaurant")
    op.drop_column("restaurant", "tax_name")
