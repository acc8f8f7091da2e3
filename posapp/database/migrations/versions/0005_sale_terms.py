"""Terms of sale: which version of menu, rates and tables an order is priced by

Every change of what an order is priced by, whoever makes it, gives the terms another version; an
order names the version that it was priced by when it is stored. The version before does not ask.
And which attempt under a key has acted; the version before writes none.
"""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

TERMS = (
    "categories",
    "products",
    "product_variants",
    "product_modifier_groups",
    "modifier_groups",
    "modifiers",
    "restaurant",
    "restaurant_tables",
)

# A random version, never a count: after a restore a count would come to mean something else.
CHANGE = """
    CREATE FUNCTION pos_terms_change() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        UPDATE sale_terms SET version = gen_random_uuid();
        RETURN NULL;
    END $$
"""


def upgrade() -> None:
    op.create_table(
        "sale_terms",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("version", sa.Uuid(), nullable=False),
        sa.CheckConstraint("id = 1", name=op.f("ck_sale_terms_one_row")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sale_terms")),
    )
    op.add_column("idempotency_keys", sa.Column("attempt", sa.Uuid(), nullable=True))
    op.execute("INSERT INTO sale_terms VALUES (1, gen_random_uuid())")
    op.execute(CHANGE)
    for table in TERMS:
        op.execute(
            f"CREATE TRIGGER pos_terms_change AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON {table}"
            " FOR EACH STATEMENT EXECUTE FUNCTION pos_terms_change()"
        )


def downgrade() -> None:
    for table in TERMS:
        op.execute(f"DROP TRIGGER pos_terms_change ON {table}")
    op.execute("DROP FUNCTION pos_terms_change()")
    op.drop_table("sale_terms")
    op.drop_column("idempotency_keys", "attempt")
