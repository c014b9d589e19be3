"""Tables with a column for each finding: what a row says of a study, in CheXpert's numbers."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from core.findings import CHEXPERT, VOCABULARY, by_key
from core.studies import IncomingLabel, Skipped
from data.importers.classes import STATES, finding_of
from data.tables import Row, Table

_CHEXPERT: Final = frozenset(finding.key for finding in CHEXPERT)


@dataclass(frozen=True)
class LabelColumns:
    """The columns of a table that hold labels, and the finding that each is about."""

    table: str
    findings: Mapping[str, str]

    @classmethod
    def of(cls, table: str, columns: Iterable[str]) -> "LabelColumns":
        """Columns without a name hold nothing."""
        return cls(table, {column: finding for column in columns if (finding := finding_of(column))})

    @classmethod
    def of_chexpert(cls, table: Table, facts: Collection[str], warnings: list[str]) -> "LabelColumns":
        """The columns of CheXpert's fourteen findings in a table that also states these facts.

        Columns that are neither, and what else is to be known of the table, go to `warnings`.
        """
        findings = [column for column in table.columns if finding_of(column) in _CHEXPERT]
        unused = [column for column in table.columns if column and column not in (*findings, *facts)]
        if unused:
            warnings.append(f"Columns of {table.name} that were not used: {', '.join(unused)}.")
        if not findings:
            warnings.append(f"{table.name} has none of CheXpert's findings, so its films come in without labels.")
        if table.note:
            warnings.append(table.note)
        return cls.of(table.name, findings)

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
