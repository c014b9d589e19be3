"""The audit trail: who did what to what, and when. Rows are only ever added; the database itself refuses the rest."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.annotations import AuditEvent
from db.tables import AuditEventRow


def record(session: Session, actor: str, action: str, subject: str, detail: str = "") -> None:
    """Put an event on the trail, in the transaction of the deed itself."""
    session.add(AuditEventRow(actor=actor, action=action, subject=subject, detail=detail))


def events(session: Session, subject: str | None = None, limit: int = 200) -> tuple[AuditEvent, ...]:
    """The latest events, newest first."""
    query = select(AuditEventRow).order_by(AuditEventRow.id.desc()).limit(limit)
    if subject is not None:
        query = query.where(AuditEventRow.subject == subject)
    return tuple(AuditEvent(r.id, r.at, r.actor, r.action, r.subject, r.detail) for r in session.scalars(query))


def guard_statements(dialect: str) -> list[str]:
    """The statements that make the trail append-only on a database of this dialect."""
    if dialect == "postgresql":
        return [
            "CREATE FUNCTION refuse_audit_change() RETURNS trigger AS $$ BEGIN "
            "RAISE EXCEPTION 'the audit trail is append-only'; END $$ LANGUAGE plpgsql",
            "CREATE TRIGGER audit_events_append_only BEFORE UPDATE OR DELETE ON audit_events "
            "FOR EACH ROW EXECUTE FUNCTION refuse_audit_change()",
        ]
    return [
        f"CREATE TRIGGER audit_events_no_{verb.lower()} BEFORE {verb} ON audit_events "
        "BEGIN SELECT RAISE(ABORT, 'the audit trail is append-only'); END"
        for verb in ("UPDATE", "DELETE")
    ]


def unguard_statements(dialect: str) -> list[str]:
    if dialect == "postgresql":
        return ["DROP TRIGGER audit_events_append_only ON audit_events", "DROP FUNCTION refuse_audit_change()"]
    return [f"DROP TRIGGER audit_events_no_{verb}" for verb in ("update", "delete")]
