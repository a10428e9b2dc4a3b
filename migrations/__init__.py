"""Steps from one version's tables to the next (Alembic). Run by `config.migrate`; never changed once released."""
