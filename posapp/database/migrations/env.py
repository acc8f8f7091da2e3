"""Runs migrations on the connection that `posapp.database.schema.upgrade` hands over."""

from alembic import context

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=context.config.attributes.get("target_metadata"),
    transactional_ddl=True,
)
context.run_migrations()
