"""What the house holds: datasets and how far they are read, and the snapshots frozen of them."""

from collections.abc import Mapping
from dataclasses import dataclass

from app.house import House
from core.snapshots import Snapshot
from core.studies import DatasetSummary, WorklistFilter
from db import audit, datasets, snapshots, worklist

_THUMBNAILS = 8


@dataclass(frozen=True)
class Holdings:
    """`thumbnails` are, by dataset, the hashes of a few of its films."""

    datasets: tuple[DatasetSummary, ...]
    snapshots: tuple[Snapshot, ...]
    thumbnails: Mapping[str, tuple[str, ...]]


def holdings(house: House) -> Holdings:
    with house.database.reading() as session:
        found = datasets.summaries(session)
        films = {
            each.name: worklist.page(session, WorklistFilter(dataset=each.name), limit=_THUMBNAILS).rows
            for each in found
        }
        shown = {
            name: tuple(sha for row in rows for sha in row.thumbnails)[:_THUMBNAILS] for name, rows in films.items()
        }
        return Holdings(found, snapshots.snapshots(session), shown)


def dataset_names(house: House) -> tuple[str, ...]:
    with house.database.reading() as session:
        return datasets.dataset_names(session)


def all_snapshots(house: House) -> tuple[Snapshot, ...]:
    """Newest first."""
    with house.database.reading() as session:
        return snapshots.snapshots(session)


def read_blind(house: House, dataset: str, blind: bool, actor: str) -> None:
    """Whether all of a dataset is read without suggestions. Raises NotFound."""
    with house.database.writing() as session:
        datasets.set_blind(session, dataset, blind)
        audit.record(session, actor, "read blind" if blind else "read with suggestions", dataset)
