"""The findings vocabulary on record: what every database starts with, and what a project adds."""

from collections.abc import Iterable

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from core.findings import VOCABULARY, Finding, Kind, UnknownFinding
from db import audit
from db.tables import FindingRow


def seed_vocabulary(session: Session) -> None:
    """Put the built-in findings on record; those already there stay as the project left them."""
    known = set(session.scalars(select(FindingRow.key)))
    _insert(session, (finding for finding in VOCABULARY if finding.key not in known))


def vocabulary(session: Session, include_retired: bool = False) -> tuple[Finding, ...]:
    query = select(FindingRow).order_by(FindingRow.position)
    if not include_retired:
        query = query.where(FindingRow.retired.is_(False))
    return tuple(_finding(row) for row in session.scalars(query))


def add_finding(session: Session, finding: Finding, actor: str) -> None:
    """Add a finding of the project's own, or bring a retired one back."""
    row = session.get(FindingRow, finding.key)
    if row is None:
        _insert(session, [finding])
        audit.record(session, actor, "add finding", finding.key)
    elif row.retired:
        row.retired = False
        audit.record(session, actor, "bring back finding", finding.key)


def ensure_findings(session: Session, keys: Iterable[str], actor: str) -> None:
    """Put findings that an import names on record under a readable name, where they are new."""
    known = set(session.scalars(select(FindingRow.key)))
    for key in sorted(set(keys) - known):
        add_finding(session, Finding(key, key.replace("_", " ").capitalize()), actor)


def retire_finding(session: Session, key: str, actor: str) -> None:
    """Take a finding out of the lists; what was marked with it stays. Raises UnknownFinding."""
    row = session.get(FindingRow, key)
    if row is None:
        raise UnknownFinding(key)
    row.retired = True
    audit.record(session, actor, "retire finding", key)


def require_finding(session: Session, key: str) -> Finding:
    """Raises UnknownFinding."""
    row = session.get(FindingRow, key)
    if row is None:
        raise UnknownFinding(key)
    return _finding(row)


def _insert(session: Session, findings: Iterable[Finding]) -> None:
    position = (session.scalar(select(func.max(FindingRow.position))) or 0) + 1
    for offset, finding in enumerate(findings):
        session.add(
            FindingRow(
                key=finding.key,
                name=finding.name,
                kind=finding.kind,
                colour=finding.colour,
                prompts=list(finding.prompts),
                parts=list(finding.parts),
                position=position + offset,
            )
        )
    session.flush()


def _finding(row: FindingRow) -> Finding:
    return Finding(row.key, row.name, Kind(row.kind), row.colour, tuple(row.prompts), tuple(row.parts), row.retired)
