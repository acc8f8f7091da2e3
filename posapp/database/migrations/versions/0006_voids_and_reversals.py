"""Voids of orders and lines, reversals of payments; the day on which a bill was settled

The version before goes on working: it knows no voided order, and pays as it did.
"""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

APPEND_ONLY = ("voids", "payment_reversals")

# Error 23514 is a check that does not hold. At depth 2 an update of `orders` comes from a trigger
# of payments, reversals or voids, which alone may move what was paid, or void.
FUNCTIONS = (
    """
    CREATE OR REPLACE FUNCTION pos_line_is_counted() RETURNS trigger LANGUAGE plpgsql AS $$
    DECLARE counted bigint;
    BEGIN
        IF TG_TABLE_NAME = 'orders' THEN
            counted := NEW.id;
        ELSE
            counted := NEW.order_id;
        END IF;
        IF (SELECT subtotal FROM orders WHERE id = counted) <>
           (SELECT coalesce(sum(total), 0) FROM order_lines WHERE order_id = counted
             AND NOT EXISTS (SELECT FROM voids WHERE line_id = order_lines.id)) THEN
            RAISE EXCEPTION 'the lines of order % do not make its subtotal', counted
                USING ERRCODE = '23514';
        END IF;
        RETURN NULL;
    END $$
    """,
    """
    CREATE OR REPLACE FUNCTION pos_payment_counts() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        UPDATE orders SET paid = paid + NEW.amount, rounding = rounding + NEW.rounding,
            total = total + NEW.rounding WHERE id = NEW.order_id;
        RETURN NULL;
    END $$
    """,
    """
    CREATE FUNCTION pos_reversal_counts() RETURNS trigger LANGUAGE plpgsql AS $$
    DECLARE undone payments;
    BEGIN
        SELECT * INTO undone FROM payments WHERE id = NEW.payment_id;
        IF undone.business_date <> NEW.business_date THEN
            RAISE EXCEPTION 'payment % is of another business day', undone.id
                USING ERRCODE = '23514';
        END IF;
        UPDATE orders SET paid = paid - undone.amount, rounding = rounding - undone.rounding,
            total = total - undone.rounding, status = 'open' WHERE id = undone.order_id;
        RETURN NULL;
    END $$
    """,
    """
    CREATE FUNCTION pos_void_counts() RETURNS trigger LANGUAGE plpgsql AS $$
    DECLARE state text;
    BEGIN
        SELECT status INTO state FROM orders WHERE id = NEW.order_id FOR UPDATE;
        IF state <> 'open' THEN
            RAISE EXCEPTION 'order % is % and does not change', NEW.order_id, state
                USING ERRCODE = '23514';
        END IF;
        IF NEW.line_id IS NULL THEN
            UPDATE orders SET status = 'voided' WHERE id = NEW.order_id;
        ELSIF NOT EXISTS (
            SELECT FROM order_lines WHERE id = NEW.line_id AND order_id = NEW.order_id) THEN
            RAISE EXCEPTION 'line % is of another order', NEW.line_id USING ERRCODE = '23514';
        END IF;
        RETURN NULL;
    END $$
    """,
    """
    CREATE OR REPLACE FUNCTION pos_order_keeps() RETURNS trigger LANGUAGE plpgsql AS $$
    DECLARE reopened boolean :=
        OLD.status = 'paid' AND NEW.status = 'open' AND pg_trigger_depth() > 1;
    BEGIN
        IF OLD.status <> 'open' AND NOT reopened THEN
            RAISE EXCEPTION 'order % is % and does not change', OLD.id, OLD.status
                USING ERRCODE = '23514';
        END IF;
        IF NEW.paid <> OLD.paid AND pg_trigger_depth() < 2 THEN
            RAISE EXCEPTION 'what order % has been paid is the sum of its payments', OLD.id
                USING ERRCODE = '23514';
        END IF;
        IF NEW.status = 'voided' AND pg_trigger_depth() < 2 THEN
            RAISE EXCEPTION 'order % is voided by a row of voids, with who and why', OLD.id
                USING ERRCODE = '23514';
        END IF;
        IF (NEW.id, NEW.number, NEW.business_date, NEW.created_at, NEW.created_by) IS DISTINCT FROM
           (OLD.id, OLD.number, OLD.business_date, OLD.created_at, OLD.created_by) THEN
            RAISE EXCEPTION 'order % keeps its number and its origin', OLD.id
                USING ERRCODE = '23514';
        END IF;
        IF NEW.status <> 'paid' THEN
            NEW.settled_on := NULL;
        ELSIF NEW.settled_on IS NULL THEN
            NEW.settled_on :=
                (SELECT max(business_date) FROM payments WHERE order_id = NEW.id);
        END IF;
        RETURN NEW;
    END $$
    """,
)
TRIGGERS = (
    "CREATE CONSTRAINT TRIGGER pos_counted AFTER UPDATE OF subtotal ON orders"
    " DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION pos_line_is_counted()",
    "CREATE CONSTRAINT TRIGGER pos_counted AFTER INSERT ON voids"
    " DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN (NEW.line_id IS NOT NULL)"
    " EXECUTE FUNCTION pos_line_is_counted()",
    "CREATE TRIGGER pos_counts AFTER INSERT ON voids"
    " FOR EACH ROW EXECUTE FUNCTION pos_void_counts()",
    "CREATE TRIGGER pos_counts AFTER INSERT ON payment_reversals"
    " FOR EACH ROW EXECUTE FUNCTION pos_reversal_counts()",
    *(
        f"CREATE TRIGGER pos_added_only BEFORE UPDATE OR DELETE ON {table}"
        " FOR EACH ROW EXECUTE FUNCTION pos_never_changes()"
        for table in APPEND_ONLY
    ),
    *(
        f"CREATE TRIGGER pos_not_emptied BEFORE TRUNCATE ON {table}"
        " FOR EACH STATEMENT EXECUTE FUNCTION pos_never_changes()"
        for table in APPEND_ONLY
    ),
)
BEFORE = (
    """
    CREATE OR REPLACE FUNCTION pos_line_is_counted() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF (SELECT subtotal FROM orders WHERE id = NEW.order_id) <>
           (SELECT sum(total) FROM order_lines WHERE order_id = NEW.order_id) THEN
            RAISE EXCEPTION 'the lines of order % do not make its subtotal', NEW.order_id
                USING ERRCODE = '23514';
        END IF;
        RETURN NULL;
    END $$
    """,
    """
    CREATE OR REPLACE FUNCTION pos_payment_counts() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        UPDATE orders SET paid = paid + NEW.amount WHERE id = NEW.order_id;
        RETURN NULL;
    END $$
    """,
    """
    CREATE OR REPLACE FUNCTION pos_order_keeps() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF OLD.status = 'paid' THEN
            RAISE EXCEPTION 'order % is paid and does not change', OLD.id USING ERRCODE = '23514';
        END IF;
        IF NEW.paid <> OLD.paid AND pg_trigger_depth() < 2 THEN
            RAISE EXCEPTION 'what order % has been paid is the sum of its payments', OLD.id
                USING ERRCODE = '23514';
        END IF;
        IF (NEW.id, NEW.number, NEW.business_date, NEW.created_at, NEW.created_by) IS DISTINCT FROM
           (OLD.id, OLD.number, OLD.business_date, OLD.created_at, OLD.created_by) THEN
            RAISE EXCEPTION 'order % keeps its number and its origin', OLD.id
                USING ERRCODE = '23514';
        END IF;
        RETURN NEW;
    END $$
    """,
)


def _by_whom_and_why(act: str) -> tuple[sa.Column[Any], ...]:
    return (
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column(f"{act}_by", sa.BigInteger(), nullable=False),
        sa.Column("approved_by", sa.BigInteger(), nullable=False),
        sa.Column("business_date", sa.Date(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
    )


def _keys(table: str, **references: str) -> tuple[sa.schema.SchemaItem, ...]:
    return (
        sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{table}")),
        *(
            sa.ForeignKeyConstraint([column], [f"{other}.id"], name=op.f(f"fk_{table}_{column}"))
            for column, other in references.items()
        ),
    )


def upgrade() -> None:
    op.create_table(
        "voids",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("order_id", sa.BigInteger(), nullable=False),
        sa.Column("line_id", sa.BigInteger(), nullable=True),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        *_by_whom_and_why("voided"),
        sa.CheckConstraint("amount >= 0", name=op.f("ck_voids_amount")),
        sa.CheckConstraint("btrim(reason) <> ''", name=op.f("ck_voids_reason")),
        sa.UniqueConstraint("line_id", name=op.f("uq_voids_line_id")),
        *_keys(
            "voids",
            order_id="orders",
            line_id="order_lines",
            voided_by="users",
            approved_by="users",
        ),
    )
    op.create_index(op.f("ix_voids_order_id"), "voids", ["order_id"])
    op.create_index(op.f("ix_voids_business_date"), "voids", ["business_date"])
    op.create_index(
        "uq_voids_whole_order",
        "voids",
        ["order_id"],
        unique=True,
        postgresql_where="line_id IS NULL",
    )
    op.create_table(
        "payment_reversals",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("payment_id", sa.BigInteger(), nullable=False),
        *_by_whom_and_why("reversed"),
        sa.CheckConstraint("btrim(reason) <> ''", name=op.f("ck_payment_reversals_reason")),
        sa.UniqueConstraint("payment_id", name=op.f("uq_payment_reversals_payment_id")),
        *_keys(
            "payment_reversals", payment_id="payments", reversed_by="users", approved_by="users"
        ),
    )
    op.add_column(
        "payments", sa.Column("rounding", sa.BigInteger(), server_default="0", nullable=False)
    )
    op.add_column("payments", sa.Column("reference", sa.Text(), nullable=True))
    op.create_check_constraint(
        op.f("ck_payments_rounding"), "payments", "rounding = 0 OR method = 'cash'"
    )
    op.create_check_constraint(
        op.f("ck_payments_reference"), "payments", "reference IS NULL OR method <> 'cash'"
    )
    op.add_column("orders", sa.Column("settled_on", sa.Date(), nullable=True))
    op.execute("ALTER TABLE orders DISABLE TRIGGER pos_keeps")
    op.execute(
        "UPDATE orders SET settled_on = (SELECT max(business_date) FROM payments"
        " WHERE order_id = orders.id) WHERE status = 'paid'"
    )
    op.execute("ALTER TABLE orders ENABLE TRIGGER pos_keeps")
    op.drop_constraint(op.f("ck_orders_status"), "orders")
    op.create_check_constraint(
        op.f("ck_orders_status"), "orders", "status IN ('open', 'paid', 'voided')"
    )
    op.create_check_constraint(op.f("ck_orders_voided"), "orders", "status <> 'voided' OR paid = 0")
    op.create_index(
        "ix_orders_settled_on",
        "orders",
        ["settled_on"],
        postgresql_where="settled_on IS NOT NULL",
    )
    # Lists go by id, from the newest, within a state.
    op.create_index("ix_orders_status_id", "orders", ["status", "id"])
    op.drop_index("ix_orders_open", "orders")
    for statement in (*FUNCTIONS, *TRIGGERS):
        op.execute(statement)


def downgrade() -> None:
    op.execute("DROP TRIGGER pos_counted ON orders")
    op.drop_table("payment_reversals")
    op.drop_table("voids")
    op.execute("DROP FUNCTION pos_void_counts()")
    op.execute("DROP FUNCTION pos_reversal_counts()")
    for statement in BEFORE:
        op.execute(statement)
    op.create_index("ix_orders_open", "orders", ["created_at"], postgresql_where="status = 'open'")
    op.drop_index("ix_orders_status_id", "orders")
    op.drop_index("ix_orders_settled_on", "orders")
    op.drop_constraint(op.f("ck_orders_voided"), "orders")
    op.drop_constraint(op.f("ck_orders_status"), "orders")
    # What was voided is history; the version before knows no word for it.
    op.create_check_constraint(
        *(op.f("ck_orders_status"), "orders", "status IN ('open', 'paid')"),
        postgresql_not_valid=True,
    )
    op.drop_column("orders", "settled_on")
    op.drop_column("payments", "reference")
    op.drop_column("payments", "rounding")
