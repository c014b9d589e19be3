"""Tables with a column for each finding: what a row says of a study, in CheXpert's numbers."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from core.findings import VOCABULARY, by_key
from core.studies import IncomingLabel, Skipped
from data.importers.classes import STATES, finding_of
from data.tables import Row


@dataclass(frozen=True)
class LabelColumns:
    """The columns of a table that hold labels, and the finding that each is about."""

    table: str
    findings: Mapping[str, str]

    @classmethod
    def of(cls, table: str, columns: Iterable[str]) -> "LabelColumns":
        """Columns without a name hold nothing."""
        return cls(table, {column: finding for column in columns if (finding := finding_of(column))})

    def said(self, row: Row, skipped: list[Skipped]) -> tuple[IncomingLabel, ...]:
        """What the row says; a blank cell says nothing, and cells that hold no state go to `skipped`."""
        cells = {column: row[column] for column in self.findings if row[column]}
        odd = sorted(column for column, value in cells.items() if value not in STATES)
        if odd:
            reason = f"only 1, 0, -1 and blank are read; {', '.join(odd)} hold something else"
            skipped.append(Skipped(f"{self.table} line {row.line}", reason))
        stated = (IncomingLabel(self.findings[name], STATES[value]) for name, value in cells.items() if value in STATES)
        return tuple(dict.fromkeys(stated))


def new_findings(source: str, findings: Iterable[str]) -> list[str]:
    """The sentence for the quality report about findings that the vocabulary does not hold yet; none where it does."""
    new = sorted(set(findings) - by_key(VOCABULARY).keys())
    return [f"{source} names findings that are new to the vocabulary: {', '.join(new)}."] if new else []
