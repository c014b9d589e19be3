"""The one place that knows which database it is: engines, pragmas, transactions."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import DatabaseError, OperationalError
from sqlalchemy.orm import Session, sessionmaker

from core.errors import DiskFull, ReadingRoomError

BUSY_SECONDS = 30


class DatabaseBusy(ReadingRoomError):
    def __init__(self) -> None:
        super().__init__("The database was busy for too long. Nothing was changed; try again in a moment.")


class Database:
    """A database by its URL. `reading()` and `writing()` each give a Session that lives for one transaction."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.engine = _engine(url)
        self._writers = sessionmaker(self.engine, expire_on_commit=False)
        self._readers = sessionmaker(self.engine.execution_options(reading=True), expire_on_commit=False)

    @contextmanager
    def writing(self) -> Iterator[Session]:
        """A transaction that commits at the end, or rolls back when an error passes. Never hold one while encoding.

        Raises DatabaseBusy and DiskFull in place of the driver's errors.
        """
        with _translated(), self._writers.begin() as session:
            yield session

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """A transaction that sees one consistent state and changes nothing."""
        with _translated(), self._readers() as session:
            yield session

    @property
    def file(self) -> Path | None:
        """The database's file where it is one."""
        url = make_url(self.url)
        return Path(url.database) if url.get_backend_name() == "sqlite" and url.database else None

    def close(self) -> None:
        self.engine.dispose()


def copy_database(source: Database, target: Path) -> None:
    """A consistent copy of a file database while others go on using it (SQLite's online backup)."""
    if source.file is None:
        raise ReadingRoomError(
            "This database is a server: back it up with its own tools (pg_dump), then the store's folder."
        )
    with sqlite3.connect(source.file) as origin, sqlite3.connect(target) as copy:
        origin.backup(copy)
    copy.close()
    origin.close()


def check_integrity(database: Database) -> list[str]:
    """What the database engine itself finds wrong with its file; empty when all is well."""
    if database.file is None:
        return []
    try:
        with database.engine.connect() as connection:
            broken = [str(row[0]) for row in connection.exec_driver_sql("PRAGMA integrity_check") if row[0] != "ok"]
            orphans = [
                f"a row of {row[0]} points at nothing" for row in connection.exec_driver_sql("PRAGMA foreign_key_check")
            ]
    except DatabaseError as error:
        # So damaged that the engine cannot even look: that is a finding too.
        return [str(error.orig)]
    return broken + orphans


def _engine(url: str) -> Engine:
    if make_url(url).get_backend_name() != "sqlite":
        return create_engine(url, pool_pre_ping=True)
    engine = create_engine(url, connect_args={"timeout": BUSY_SECONDS})
    event.listen(engine, "connect", _set_pragmas)
    event.listen(engine, "begin", _begin)
    return engine


def _set_pragmas(connection: Any, _record: Any) -> None:
    # The driver must not open transactions by itself: it would begin them deferred, and a transaction that reads
    # before it writes then fails with SQLITE_BUSY whatever the timeout.
    connection.isolation_level = None
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", f"busy_timeout={BUSY_SECONDS * 1000}"):
        connection.execute(f"PRAGMA {pragma}")
    connection.execute("PRAGMA cache_size=-65536")


def _begin(connection: Connection) -> None:
    reading = connection.get_execution_options().get("reading", False)
    connection.exec_driver_sql("BEGIN" if reading else "BEGIN IMMEDIATE")


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except OperationalError as error:
        reason = str(error.orig).lower()
        if "disk is full" in reason or "no space left" in reason:
            raise DiskFull("writing to the database") from error
        if "database is locked" in reason:
            raise DatabaseBusy from error
        raise
