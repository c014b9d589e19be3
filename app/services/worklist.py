"""What is there to read: a page of the worklist with all that its filters offer, and who reads here."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from app.house import House
from core.disagreements import Disagreement
from core.findings import Finding
from core.reviews import ReviewState
from core.studies import Study, WorklistFilter, WorklistPage, WorklistSort
from db import datasets, findings, people, standing, studies, worklist
from db.intake import IMPORTER
from db.worklist import COUNTED

__all__ = ["COUNTED", "IMPORTER", "PAGE", "WorklistView", "add_reader", "look", "reader_names", "study_after"]

PAGE = 50
"""Studies on one page."""


@dataclass(frozen=True)
class WorklistView:
    """One page of the worklist. `counts` are of the chosen dataset, whatever else is filtered; `disputes` are, by
    study, the findings that somebody contradicts somebody on, where disagreements were asked for."""

    counts: Mapping[ReviewState, int]
    page: WorklistPage
    number: int
    datasets: tuple[str, ...]
    readers: tuple[str, ...]
    vocabulary: tuple[Finding, ...]
    disputes: Mapping[int, tuple[Disagreement, ...]]

    @property
    def pages(self) -> int:
        return max(1, -(-self.page.total // PAGE))

    @property
    def is_empty_house(self) -> bool:
        """Whether no study was ever imported."""
        return not self.datasets


def look(house: House, wanted: WorklistFilter, sort: WorklistSort, number: int) -> WorklistView:
    """Page `number` (from 1) of the studies that pass the filter; past the last page, the last page."""
    with house.database.reading() as session:
        found = worklist.page(session, wanted, sort, (number - 1) * PAGE, PAGE)
        if not found.rows and found.total:
            number = -(-found.total // PAGE)
            found = worklist.page(session, wanted, sort, (number - 1) * PAGE, PAGE)
        return WorklistView(
            counts=worklist.counts_by_state(session, wanted.dataset),
            page=found,
            number=number,
            datasets=datasets.dataset_names(session),
            readers=people.reader_names(session),
            vocabulary=findings.vocabulary(session, include_retired=True),
            disputes={row.id: standing.disputed_of(session, row.id) for row in found.rows if wanted.disagrees},
        )


def study_after(house: House, wanted: WorklistFilter, study_id: int | None) -> Study | None:
    """The study that the queue will offer next, so that its films can be fetched ahead."""
    with house.database.reading() as session:
        found = worklist.next_in_queue(session, replace(wanted, state=None), study_id)
        return studies.get_study(session, found[0]) if found else None


def reader_names(house: House) -> tuple[str, ...]:
    with house.database.reading() as session:
        return people.reader_names(session)


def add_reader(house: House, name: str) -> str:
    """Put a reader on record; gives the name as it is kept. Raises BadReaderName."""
    tidy = people.tidy_name(name)
    with house.database.writing() as session:
        people.ensure_reader(session, tidy)
    return tidy
