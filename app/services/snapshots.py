"""Freezing curated data under a name."""

from collections.abc import Sequence

from app.house import House
from core.errors import ReadingRoomError
from core.manifests import from_bytes, to_bytes
from core.reports import Cleaning
from core.snapshots import Fold, Manifest, Snapshot, SnapshotFilter
from core.splits import SplitPolicy
from db import snapshots


class ImagesLost(ReadingRoomError):
    """Images on record whose bytes the store does not have."""

    def __init__(self, shas: Sequence[str]) -> None:
        super().__init__(
            f"{len(shas)} images of this snapshot are not in the store (the first is {shas[0][:12]}), so nothing was "
            "frozen. Run `python -m app doctor`, and bring them back from a backup or by importing them again."
        )


def freeze(
    house: House,
    name: str,
    datasets: Sequence[str],
    by: str,
    *,
    split: SplitPolicy | None = None,
    wanted: SnapshotFilter | None = None,
    cleaning: Cleaning | None = None,
) -> Snapshot:
    """Freeze what the datasets hold now. The first snapshot of a dataset fixes its split for ever.

    Raises NotFound, SplitContradicts, EmptySnapshot, SnapshotExists, and ImagesLost where every study is to have its
    image.
    """
    with house.database.writing() as session:
        snapshots.freeze_splits(session, datasets, split)
    return _freeze(house, name, datasets, by, wanted, cleaning, None)


def freeze_folds(
    house: House,
    name: str,
    datasets: Sequence[str],
    by: str,
    folds: int,
    *,
    wanted: SnapshotFilter | None = None,
    cleaning: Cleaning | None = None,
) -> tuple[Snapshot, ...]:
    """Snapshots NAME-fold0 .. NAME-fold(K-1), each testing another share of the patients. Their models are
    for evaluation only and are never promoted."""
    return tuple(
        _freeze(house, f"{name}-fold{index}", datasets, by, wanted, cleaning, Fold(index, folds))
        for index in range(folds)
    )


def read(house: House, name: str) -> tuple[Snapshot, Manifest]:
    """A snapshot and its manifest, verified against its hash. Raises NotFound, BlobCorrupt, MalformedManifest."""
    with house.database.reading() as session:
        snapshot = snapshots.get_snapshot(session, name)
    return snapshot, from_bytes(house.store.get(snapshot.sha))


def present(house: House, dataset: str) -> Manifest:
    """What a dataset holds now, without putting it on record. Raises NotFound, EmptySnapshot."""
    with house.database.reading() as session:
        return snapshots.collect(session, [dataset])


def _freeze(
    house: House,
    name: str,
    datasets: Sequence[str],
    by: str,
    wanted: SnapshotFilter | None,
    cleaning: Cleaning | None,
    fold: Fold | None,
) -> Snapshot:
    with house.database.reading() as session:
        manifest = snapshots.collect(session, datasets, wanted, cleaning, fold)
    if manifest.filter.image_and_text:
        _require_images(house, manifest)
    sha = house.store.put(to_bytes(manifest))
    with house.database.writing() as session:
        return snapshots.record_snapshot(session, name, sha, manifest, by)


def _require_images(house: House, manifest: Manifest) -> None:
    named = dict.fromkeys(image.sha for study in manifest.studies for image in study.images)
    lost = [sha for sha in named if not house.store.has(sha)]
    if lost:
        raise ImagesLost(lost)
