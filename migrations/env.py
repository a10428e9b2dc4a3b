"""Alembic's entry: runs the steps on the connection it is given."""

from alembic import context

from migrations.tables import metadata

connection = context.config.attributes["connection"]
context.configure(
    connection=connection,
    target_metadata=metadata(),
    transactional_ddl=True,  # on SQLite too: `config.database` says BEGIN itself
    render_as_batch=True,
    compare_type=True,
    compare_server_default=True,
)
context.run_migrations()
