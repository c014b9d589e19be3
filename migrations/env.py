"""Alembic's way in. The database is the workspace's own unless the caller brings an engine."""

from alembic import context

from core.workspace import workspace
from db.engine import Database
from db.search import is_search_table
from db.tables import Base


def include_name(name: str | None, kind: str, parents: object) -> bool:
    # The search index makes tables and indexes of its own, which are not part of the model.
    return not (
        kind in ("table", "index") and name is not None and (is_search_table(name) or name == "ix_reports_search")
    )


engine = context.config.attributes.get("engine") or Database(workspace().prepare().database_url).engine
with engine.connect() as connection:
    context.configure(
        connection=connection,
        target_metadata=Base.metadata,
        render_as_batch=True,
        include_name=include_name,
        compare_type=True,
    )
    with context.begin_transaction():
        context.run_migrations()
    connection.commit()
