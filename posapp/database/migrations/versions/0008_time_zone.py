"""A time zone that does not exist is refused: with one no order could be taken

PostgreSQL's own names are asked, in the spelling that Python knows too; a CHECK cannot look them up.
"""

from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

CHECK = """
    CREATE FUNCTION pos_restaurant_zone() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF NEW.timezone IN ('localtime', 'posixrules', 'Factory')
            OR NEW.timezone LIKE ANY (ARRAY['posix/%', 'right/%'])
            OR NOT EXISTS (SELECT FROM pg_timezone_names WHERE name = NEW.timezone)
        THEN
            RAISE EXCEPTION 'restaurant: there is no time zone %', quote_literal(NEW.timezone)
                USING ERRCODE = 'check_violation', HINT = 'write it like Asia/Jakarta';
        END IF;
        RETURN NEW;
    END $$
"""


def upgrade() -> None:
    op.execute(CHECK)
    op.execute(
        "CREATE TRIGGER pos_restaurant_zone BEFORE INSERT OR UPDATE OF timezone ON restaurant"
        " FOR EACH ROW EXECUTE FUNCTION pos_restaurant_zone()"
    )


def downgrade() -> None:
    op.execute("DROP TRIGGER pos_restaurant_zone ON restaurant")
    op.execute("DROP FUNCTION pos_restaurant_zone")
