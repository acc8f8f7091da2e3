"""Sign-ins: one family of refresh tokens each, and access tokens that end with them

The version before goes on working: it inserts refresh tokens without `jti`, by their hash.
"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

# However a row is changed, by a command, a screen or by hand: what was signed in before has ended.
EPOCH = """
    CREATE FUNCTION pos_user_epoch() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF (NEW.password_hash, NEW.role, NEW.active) IS DISTINCT FROM
           (OLD.password_hash, OLD.role, OLD.active) THEN
            NEW.token_epoch := OLD.token_epoch + 1;
        END IF;
        RETURN NEW;
    END $$
"""


def upgrade() -> None:
    op.add_column(
        "users", sa.Column("token_epoch", sa.Integer(), server_default="0", nullable=False)
    )
    op.execute(EPOCH)
    op.execute(
        "CREATE TRIGGER pos_user_epoch BEFORE UPDATE ON users"
        " FOR EACH ROW EXECUTE FUNCTION pos_user_epoch()"
    )
    op.create_table(
        "sign_ins",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("end_reason", sa.Text(), nullable=True),
        sa.CheckConstraint(
            "(ended_at IS NULL) = (end_reason IS NULL)", name=op.f("ck_sign_ins_end")
        ),
        sa.CheckConstraint(
            "end_reason IN ('signed_out', 'stolen')", name=op.f("ck_sign_ins_end_reason")
        ),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_sign_ins_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sign_ins")),
    )
    op.create_index(op.f("ix_sign_ins_user_id"), "sign_ins", ["user_id"])
    op.alter_column("refresh_tokens", "token_hash", nullable=True)
    op.add_column("refresh_tokens", sa.Column("jti", sa.Uuid(), nullable=True))
    op.add_column("refresh_tokens", sa.Column("predecessor_id", sa.BigInteger(), nullable=True))
    op.create_unique_constraint(op.f("uq_refresh_tokens_jti"), "refresh_tokens", ["jti"])
    op.create_unique_constraint(
        op.f("uq_refresh_tokens_predecessor_id"), "refresh_tokens", ["predecessor_id"]
    )
    op.create_foreign_key(
        op.f("fk_refresh_tokens_predecessor_id"),
        "refresh_tokens",
        "refresh_tokens",
        ["predecessor_id"],
        ["id"],
    )


def downgrade() -> None:
    op.drop_column("refresh_tokens", "predecessor_id")
    op.drop_column("refresh_tokens", "jti")
    op.execute("DELETE FROM refresh_tokens WHERE token_hash IS NULL")
    op.alter_column("refresh_tokens", "token_hash", nullable=False)
    op.drop_table("sign_ins")
    op.execute("DROP TRIGGER pos_user_epoch ON users")
    op.execute("DROP FUNCTION pos_user_epoch()")
    op.drop_column("users", "token_epoch")
