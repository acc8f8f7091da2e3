"""The identity of the restaurant's data, by which backups are known as its own; sign-ins that a
restore has ended"""

from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

# Sixteen digits of chance: short enough for the name of a file.
CREATE = """
    CREATE TABLE installation (
        only_row boolean DEFAULT true NOT NULL,
        identity text DEFAULT substr(md5(gen_random_uuid()::text), 1, 16) NOT NULL,
        CONSTRAINT pk_installation PRIMARY KEY (only_row),
        CONSTRAINT ck_installation_one_row CHECK (only_row),
        CONSTRAINT ck_installation_identity CHECK (identity ~ '^[0-9a-f]{16}$')
    )
"""
GUARDS = (
    "CREATE TRIGGER pos_added_only BEFORE UPDATE OR DELETE ON installation"
    " FOR EACH ROW EXECUTE FUNCTION pos_never_changes()",
    "CREATE TRIGGER pos_not_emptied BEFORE TRUNCATE ON installation"
    " FOR EACH STATEMENT EXECUTE FUNCTION pos_never_changes()",
)


def upgrade() -> None:
    op.execute(CREATE)
    op.execute("INSERT INTO installation DEFAULT VALUES")
    for guard in GUARDS:
        op.execute(guard)
    _end_reasons("'signed_out', 'stolen', 'restored'")


def downgrade() -> None:
    op.execute("UPDATE sign_ins SET end_reason = 'signed_out' WHERE end_reason = 'restored'")
    _end_reasons("'signed_out', 'stolen'")
    op.execute("DROP TABLE installation")


def _end_reasons(reasons: str) -> None:
    op.execute("ALTER TABLE sign_ins DROP CONSTRAINT ck_sign_ins_end_reason")
    op.execute(
        "ALTER TABLE sign_ins ADD CONSTRAINT ck_sign_ins_end_reason"
        f" CHECK (end_reason IN ({reasons}))"
    )
