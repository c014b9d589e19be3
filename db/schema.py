"""Bringing a database to the present shape, with a copy put aside before an old one is changed."""

import logging
from datetime import UTC, datetime
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory

from core.workspace import Workspace
from db.engine import Database, copy_database
from db.findings import seed_vocabulary

_MIGRATIONS = Path(__file__).resolve().parent.parent / "migrations"

logger = logging.getLogger(__name__)


def migrate(workspace: Workspace) -> Database:
    """Open the workspace's database, brought up to date and holding the vocabulary.

    A database that has to change is copied into the backups folder first.
    """
    workspace.prepare()
    database = Database(workspace.database_url)
    before, target = revision(database), newest_revision()
    if before != target:
        if before is not None and database.file is not None:
            copy = workspace.backups / f"before-{target}-{datetime.now(UTC):%Y%m%dT%H%M%S}.db"
            copy_database(database, copy)
            logger.info("the database was copied to %s before it was changed", copy)
        command.upgrade(configuration(database), "head")
        with database.writing() as session:
            seed_vocabulary(session)
    return database


def revision(database: Database) -> str | None:
    """The shape a database has now; None when it is empty."""
    with database.engine.connect() as connection:
        return MigrationContext.configure(connection).get_current_revision()


def newest_revision() -> str | None:
    return ScriptDirectory(str(_MIGRATIONS)).get_current_head()


def configuration(database: Database) -> Config:
    """Alembic's configuration for this database."""
    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS))
    config.attributes["engine"] = database.engine
    return config
