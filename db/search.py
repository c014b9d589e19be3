"""Full-text search over reports: the words in, the studies out. Each dialect brings its own index."""

import re

from sqlalchemy import ColumnElement, Select, column, func, literal_column, select, table, text
from sqlalchemy.orm import Session

from db.tables import ReportRow

_INDEX = table("report_search", column("rowid"))


def studies_that_say(session: Session, words: str) -> Select[int]:
    """A query for the numbers of the studies whose report holds all the words, the last one as a beginning."""
    tokens = re.findall(r"\w+", words.lower())
    if session.get_bind().dialect.name == "postgresql":
        vector = func.to_tsvector("english", _document())
        return select(ReportRow.study_id).where(
            vector.op("@@")(func.to_tsquery("english", " & ".join(f"{token}:*" for token in tokens) or "''"))
        )
    # Quoted, so that no word of the person's is taken for an operator of the query language.
    match = " ".join(f'"{token}"' for token in tokens[:-1]) + "".join(f' "{token}"*' for token in tokens[-1:])
    return (
        select(literal_column("rowid"))
        .select_from(_INDEX)
        .where(text("report_search MATCH :match").bindparams(match=match or '""'))
    )


def index_statements(dialect: str) -> list[str]:
    """The statements that build the index and keep it in step with the reports."""
    columns = "indication, findings, impression, text"
    if dialect == "postgresql":
        joined = " || ' ' || ".join(columns.split(", "))
        return [f"CREATE INDEX ix_reports_search ON reports USING gin (to_tsvector('english', {joined}))"]
    new = ", ".join(f"new.{name}" for name in columns.split(", "))
    old = ", ".join(f"old.{name}" for name in columns.split(", "))
    forget = f"INSERT INTO report_search(report_search, rowid, {columns}) VALUES ('delete', old.study_id, {old});"  # noqa: S608
    learn = f"INSERT INTO report_search(rowid, {columns}) VALUES (new.study_id, {new});"  # noqa: S608
    return [
        f"CREATE VIRTUAL TABLE report_search USING fts5({columns}, content='reports', content_rowid='study_id', "
        "tokenize='porter unicode61', prefix='2 3 4')",
        f"CREATE TRIGGER report_search_insert AFTER INSERT ON reports BEGIN {learn} END",
        f"CREATE TRIGGER report_search_delete AFTER DELETE ON reports BEGIN {forget} END",
        f"CREATE TRIGGER report_search_update AFTER UPDATE ON reports BEGIN {forget} {learn} END",
    ]


def drop_statements(dialect: str) -> list[str]:
    if dialect == "postgresql":
        return ["DROP INDEX ix_reports_search"]
    triggers = [f"DROP TRIGGER report_search_{verb}" for verb in ("insert", "delete", "update")]
    return [*triggers, "DROP TABLE report_search"]


def is_search_table(name: str) -> bool:
    """Whether a table belongs to the search index and not to the model of the data."""
    return name.startswith("report_search")


def _document() -> ColumnElement[str]:
    r = ReportRow
    return r.indication + " " + r.findings + " " + r.impression + " " + r.text
