"""The till: staff, menu, tables, orders, payments"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


# What a constraint cannot say. Numbers of errors: 23514 is a check that does not hold.
FUNCTIONS = (
    """
    CREATE FUNCTION pos_never_changes() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        RAISE EXCEPTION '% is only ever added to', TG_TABLE_NAME USING ERRCODE = '23514';
    END $$
    """,
    """
    CREATE FUNCTION pos_line_is_counted() RETURNS trigger LANGUAGE plpgsql AS $$
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
    CREATE FUNCTION pos_payment_counts() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        UPDATE orders SET paid = paid + NEW.amount WHERE id = NEW.order_id;
        RETURN NULL;
    END $$
    """,
    # At depth 2 the update comes from pos_payment_counts.
    """
    CREATE FUNCTION pos_order_keeps() RETURNS trigger LANGUAGE plpgsql AS $$
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
    """
    CREATE FUNCTION pos_order_begins_unpaid() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF NEW.paid <> 0 OR NEW.status <> 'open' THEN
            RAISE EXCEPTION 'an order begins open and unpaid' USING ERRCODE = '23514';
        END IF;
        RETURN NEW;
    END $$
    """,
)
TRIGGERS = (
    "CREATE TRIGGER pos_keeps BEFORE UPDATE ON orders"
    " FOR EACH ROW EXECUTE FUNCTION pos_order_keeps()",
    "CREATE TRIGGER pos_begins BEFORE INSERT ON orders"
    " FOR EACH ROW EXECUTE FUNCTION pos_order_begins_unpaid()",
    "CREATE TRIGGER pos_stays BEFORE DELETE ON orders"
    " FOR EACH ROW EXECUTE FUNCTION pos_never_changes()",
    "CREATE CONSTRAINT TRIGGER pos_counted AFTER INSERT ON order_lines"
    " DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION pos_line_is_counted()",
    "CREATE TRIGGER pos_counts AFTER INSERT ON payments"
    " FOR EACH ROW EXECUTE FUNCTION pos_payment_counts()",
    *(
        f"CREATE TRIGGER pos_added_only BEFORE UPDATE OR DELETE ON {table}"
        " FOR EACH ROW EXECUTE FUNCTION pos_never_changes()"
        for table in ("order_lines", "payments", "audit_log")
    ),
    *(
        f"CREATE TRIGGER pos_not_emptied BEFORE TRUNCATE ON {table}"
        " FOR EACH STATEMENT EXECUTE FUNCTION pos_never_changes()"
        for table in ("orders", "order_lines", "payments", "audit_log")
    ),
)


def upgrade() -> None:
    op.create_table(
        "categories",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("name_id", sa.Text(), nullable=False),
        sa.Column("name_en", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_categories")),
    )
    op.create_table(
        "counters",
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("business_date", sa.Date(), nullable=False),
        sa.Column("last", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("kind", "business_date", name=op.f("pk_counters")),
    )
    op.create_table(
        "floors",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_floors")),
        sa.UniqueConstraint("name", name=op.f("uq_floors_name")),
    )
    op.create_table(
        "idempotency_keys",
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("fingerprint", sa.LargeBinary(), nullable=False),
        sa.Column("answer", sa.Text(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_idempotency_keys")),
    )
    op.create_table(
        "modifier_groups",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("name_id", sa.Text(), nullable=False),
        sa.Column("name_en", sa.Text(), nullable=False),
        sa.Column("min", sa.Integer(), nullable=False),
        sa.Column("max", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            '"min" >= 0 AND "max" >= 1 AND "min" <= "max"', name=op.f("ck_modifier_groups_range")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_modifier_groups")),
    )
    op.create_table(
        "rate_limits",
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("window", sa.DateTime(timezone=True), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("key", "window", name=op.f("pk_rate_limits")),
    )
    op.create_table(
        "restaurant",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("service_rate", sa.Integer(), nullable=False),
        sa.Column("tax_rate", sa.Integer(), nullable=False),
        sa.Column("service_base", sa.Text(), nullable=False),
        sa.Column("cash_rounding", sa.BigInteger(), nullable=False),
        sa.Column("day_starts", sa.Time(), nullable=False),
        sa.Column("timezone", sa.Text(), nullable=False),
        sa.CheckConstraint(
            "service_base IN ('before_discount', 'after_discount')",
            name=op.f("ck_restaurant_service_base"),
        ),
        sa.CheckConstraint(
            "cash_rounding BETWEEN 1 AND 1000", name=op.f("ck_restaurant_cash_rounding")
        ),
        sa.CheckConstraint("id = 1", name=op.f("ck_restaurant_one_row")),
        sa.CheckConstraint(
            "service_rate BETWEEN 0 AND 10000", name=op.f("ck_restaurant_service_rate")
        ),
        sa.CheckConstraint("tax_rate BETWEEN 0 AND 10000", name=op.f("ck_restaurant_tax_rate")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_restaurant")),
    )
    op.create_table(
        "users",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("username", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("password_hash", sa.Text(), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "role IN ('admin', 'manager', 'cashier', 'waiter', 'kitchen')",
            name=op.f("ck_users_role"),
        ),
        sa.CheckConstraint(
            "username = lower(username) AND username <> ''", name=op.f("ck_users_username")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_users")),
        sa.UniqueConstraint("username", name=op.f("uq_users_username")),
    )
    op.create_table(
        "audit_log",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("user_id", sa.BigInteger(), nullable=True),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("entity", sa.Text(), nullable=False),
        sa.Column("entity_id", sa.BigInteger(), nullable=False),
        sa.Column("request_id", sa.Text(), nullable=True),
        sa.Column("details", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_audit_log_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit_log")),
    )
    op.create_index(op.f("ix_audit_log_at"), "audit_log", ["at"], unique=False)
    op.create_table(
        "modifiers",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("group_id", sa.BigInteger(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("name_id", sa.Text(), nullable=False),
        sa.Column("name_en", sa.Text(), nullable=False),
        sa.Column("price", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("price >= 0", name=op.f("ck_modifiers_price")),
        sa.ForeignKeyConstraint(
            ["group_id"], ["modifier_groups.id"], name=op.f("fk_modifiers_group_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_modifiers")),
    )
    op.create_index(op.f("ix_modifiers_group_id"), "modifiers", ["group_id"], unique=False)
    op.create_table(
        "products",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("category_id", sa.BigInteger(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("name_id", sa.Text(), nullable=False),
        sa.Column("name_en", sa.Text(), nullable=False),
        sa.Column("price", sa.BigInteger(), nullable=False),
        sa.Column("available", sa.Boolean(), nullable=False),
        sa.CheckConstraint("price > 0", name=op.f("ck_products_price")),
        sa.ForeignKeyConstraint(
            ["category_id"], ["categories.id"], name=op.f("fk_products_category_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_products")),
    )
    op.create_index(op.f("ix_products_category_id"), "products", ["category_id"], unique=False)
    op.create_table(
        "refresh_tokens",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("user_id", sa.BigInteger(), nullable=False),
        sa.Column("family", sa.Uuid(), nullable=False),
        sa.Column("token_hash", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_refresh_tokens_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_refresh_tokens")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_refresh_tokens_token_hash")),
    )
    op.create_index(op.f("ix_refresh_tokens_family"), "refresh_tokens", ["family"], unique=False)
    op.create_index(op.f("ix_refresh_tokens_user_id"), "refresh_tokens", ["user_id"], unique=False)
    op.create_table(
        "restaurant_tables",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("floor_id", sa.BigInteger(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("seats", sa.Integer(), nullable=False),
        sa.CheckConstraint("seats > 0", name=op.f("ck_restaurant_tables_seats")),
        sa.ForeignKeyConstraint(
            ["floor_id"], ["floors.id"], name=op.f("fk_restaurant_tables_floor_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_restaurant_tables")),
        sa.UniqueConstraint("name", name=op.f("uq_restaurant_tables_name")),
    )
    op.create_index(
        op.f("ix_restaurant_tables_floor_id"), "restaurant_tables", ["floor_id"], unique=False
    )
    op.create_table(
        "orders",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("business_date", sa.Date(), nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("table_id", sa.BigInteger(), nullable=True),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("subtotal", sa.BigInteger(), nullable=False),
        sa.Column("discount", sa.BigInteger(), nullable=False),
        sa.Column("service_charge", sa.BigInteger(), nullable=False),
        sa.Column("tax", sa.BigInteger(), nullable=False),
        sa.Column("rounding", sa.BigInteger(), nullable=False),
        sa.Column("total", sa.BigInteger(), nullable=False),
        sa.Column("paid", sa.BigInteger(), nullable=False),
        sa.Column("created_by", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("status <> 'paid' OR paid = total", name=op.f("ck_orders_settled")),
        sa.CheckConstraint("status IN ('open', 'paid')", name=op.f("ck_orders_status")),
        sa.CheckConstraint("table_id IS NULL OR type = 'dine_in'", name=op.f("ck_orders_table")),
        sa.CheckConstraint(
            "type IN ('dine_in', 'takeaway', 'delivery')", name=op.f("ck_orders_type")
        ),
        sa.CheckConstraint("discount BETWEEN 0 AND subtotal", name=op.f("ck_orders_discount")),
        sa.CheckConstraint("paid BETWEEN 0 AND total", name=op.f("ck_orders_paid")),
        sa.CheckConstraint("service_charge >= 0 AND tax >= 0", name=op.f("ck_orders_charges")),
        sa.CheckConstraint(
            "total = subtotal - discount + service_charge + tax + rounding",
            name=op.f("ck_orders_total"),
        ),
        sa.ForeignKeyConstraint(["created_by"], ["users.id"], name=op.f("fk_orders_created_by")),
        sa.ForeignKeyConstraint(
            ["table_id"], ["restaurant_tables.id"], name=op.f("fk_orders_table_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_orders")),
        sa.UniqueConstraint("business_date", "number", name=op.f("uq_orders_business_date_number")),
    )
    op.create_index(op.f("ix_orders_created_at"), "orders", ["created_at"], unique=False)
    op.create_index(
        "ix_orders_open", "orders", ["created_at"], unique=False, postgresql_where="status = 'open'"
    )
    op.create_table(
        "product_modifier_groups",
        sa.Column("product_id", sa.BigInteger(), nullable=False),
        sa.Column("group_id", sa.BigInteger(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["group_id"], ["modifier_groups.id"], name=op.f("fk_product_modifier_groups_group_id")
        ),
        sa.ForeignKeyConstraint(
            ["product_id"], ["products.id"], name=op.f("fk_product_modifier_groups_product_id")
        ),
        sa.PrimaryKeyConstraint("product_id", "group_id", name=op.f("pk_product_modifier_groups")),
    )
    op.create_table(
        "product_variants",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("product_id", sa.BigInteger(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("name_id", sa.Text(), nullable=False),
        sa.Column("name_en", sa.Text(), nullable=False),
        sa.Column("price", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("price > 0", name=op.f("ck_product_variants_price")),
        sa.ForeignKeyConstraint(
            ["product_id"], ["products.id"], name=op.f("fk_product_variants_product_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_product_variants")),
    )
    op.create_index(
        op.f("ix_product_variants_product_id"), "product_variants", ["product_id"], unique=False
    )
    op.create_table(
        "order_lines",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("order_id", sa.BigInteger(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("product_id", sa.BigInteger(), nullable=False),
        sa.Column("variant_id", sa.BigInteger(), nullable=True),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("unit_price", sa.BigInteger(), nullable=False),
        sa.Column("modifiers", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("modifiers_price", sa.BigInteger(), nullable=False),
        sa.Column("quantity", sa.Integer(), nullable=False),
        sa.Column("note", sa.Text(), nullable=True),
        sa.Column("total", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("quantity > 0", name=op.f("ck_order_lines_quantity")),
        sa.CheckConstraint(
            "total = (unit_price + modifiers_price) * quantity", name=op.f("ck_order_lines_total")
        ),
        sa.CheckConstraint(
            "unit_price > 0 AND modifiers_price >= 0", name=op.f("ck_order_lines_price")
        ),
        sa.ForeignKeyConstraint(["order_id"], ["orders.id"], name=op.f("fk_order_lines_order_id")),
        sa.ForeignKeyConstraint(
            ["product_id"], ["products.id"], name=op.f("fk_order_lines_product_id")
        ),
        sa.ForeignKeyConstraint(
            ["variant_id"], ["product_variants.id"], name=op.f("fk_order_lines_variant_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_order_lines")),
    )
    op.create_index(op.f("ix_order_lines_order_id"), "order_lines", ["order_id"], unique=False)
    op.create_table(
        "payments",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("order_id", sa.BigInteger(), nullable=False),
        sa.Column("method", sa.Text(), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("tendered", sa.BigInteger(), nullable=False),
        sa.Column("change", sa.BigInteger(), nullable=False),
        sa.Column("business_date", sa.Date(), nullable=False),
        sa.Column("receipt_number", sa.Integer(), nullable=False),
        sa.Column("created_by", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("method = 'cash' OR change = 0", name=op.f("ck_payments_cash_change")),
        sa.CheckConstraint("method IN ('cash', 'qris', 'card')", name=op.f("ck_payments_method")),
        sa.CheckConstraint("amount > 0", name=op.f("ck_payments_amount")),
        sa.CheckConstraint(
            "change = tendered - amount AND change >= 0", name=op.f("ck_payments_change")
        ),
        sa.ForeignKeyConstraint(["created_by"], ["users.id"], name=op.f("fk_payments_created_by")),
        sa.ForeignKeyConstraint(["order_id"], ["orders.id"], name=op.f("fk_payments_order_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_payments")),
        sa.UniqueConstraint(
            "business_date", "receipt_number", name=op.f("uq_payments_business_date_receipt_number")
        ),
    )
    op.create_index(op.f("ix_payments_created_at"), "payments", ["created_at"], unique=False)
    op.create_index(op.f("ix_payments_order_id"), "payments", ["order_id"], unique=False)
    for statement in (*FUNCTIONS, *TRIGGERS):
        op.execute(statement)


def downgrade() -> None:
    op.drop_index(op.f("ix_payments_order_id"), table_name="payments")
    op.drop_index(op.f("ix_payments_created_at"), table_name="payments")
    op.drop_table("payments")
    op.drop_index(op.f("ix_order_lines_order_id"), table_name="order_lines")
    op.drop_table("order_lines")
    op.drop_index(op.f("ix_product_variants_product_id"), table_name="product_variants")
    op.drop_table("product_variants")
    op.drop_table("product_modifier_groups")
    op.drop_index("ix_orders_open", table_name="orders", postgresql_where="status = 'open'")
    op.drop_index(op.f("ix_orders_created_at"), table_name="orders")
    op.drop_table("orders")
    op.drop_index(op.f("ix_restaurant_tables_floor_id"), table_name="restaurant_tables")
    op.drop_table("restaurant_tables")
    op.drop_index(op.f("ix_refresh_tokens_user_id"), table_name="refresh_tokens")
    op.drop_index(op.f("ix_refresh_tokens_family"), table_name="refresh_tokens")
    op.drop_table("refresh_tokens")
    op.drop_index(op.f("ix_products_category_id"), table_name="products")
    op.drop_table("products")
    op.drop_index(op.f("ix_modifiers_group_id"), table_name="modifiers")
    op.drop_table("modifiers")
    op.drop_index(op.f("ix_audit_log_at"), table_name="audit_log")
    op.drop_table("audit_log")
    op.drop_table("users")
    op.drop_table("restaurant")
    op.drop_table("rate_limits")
    op.drop_table("modifier_groups")
    op.drop_table("idempotency_keys")
    op.drop_table("floors")
    op.drop_table("counters")
    op.drop_table("categories")
    for function in (
        "never_changes",
        "line_is_counted",
        "payment_counts",
        "order_keeps",
        "order_begins_unpaid",
    ):
        op.execute(f"DROP FUNCTION pos_{function}()")
