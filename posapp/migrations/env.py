"""Runs migrations on the connection that `posapp.db.upgrade` hands over."""

from alembic import context

from posapp.schema import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    transactional_ddl=True,
)
context.run_migrations()
