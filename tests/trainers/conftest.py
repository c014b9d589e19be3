"""A workspace of its own for each test: a real database and store, holding drawn films whose masks are known."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from core.jobs import Job, JobKind, JobRequest
from core.manifests import content_hash, to_bytes
from core.masks import Mask, stats
from core.snapshots import Manifest, SnapshotFilter
from core.splits import SplitPolicy
from core.studies import IncomingImage, IncomingMask, IncomingStudy, PixelFacts, Split, View
from core.workspace import Workspace
from data.images import from_pixels, mask_png
from data.store import Store
from db import intake, jobs, snapshots
from db.engine import Database
from db.intake import StoredImage
from trainers.contract import Shelf

SIDE = 96
BY = "tester"


def drawn_film(seed: int, side: int = SIDE) -> tuple[NDArray[np.uint8], dict[str, Mask]]:
    """A grey chest of a kind: two dark ovals for the lungs, a bright one for the heart, noise; and their masks."""
    chance = np.random.default_rng(seed)
    rows, columns = np.mgrid[0:side, 0:side] / side
    shift, size = chance.uniform(-0.04, 0.04, 2), chance.uniform(0.9, 1.1)

    def oval(across: float, down: float, wide: float, tall: float) -> Mask:
        inside: Mask = ((columns - across - shift[0]) / (wide * size)) ** 2 + (
            (rows - down - shift[1]) / (tall * size)
        ) ** 2 < 1
        return inside

    right, left, heart = oval(0.3, 0.45, 0.14, 0.28), oval(0.72, 0.45, 0.14, 0.28), oval(0.55, 0.6, 0.12, 0.13)
    left = left & ~heart
    film = np.full((side, side), 150.0)
    film[right | left] = 60
    film[heart] = 210
    film += chance.normal(0, 8, film.shape)
    return film.clip(0, 255).astype(np.uint8), {"right_lung": right, "left_lung": left, "heart": heart}


@dataclass
class House:
    """A workspace with its database and store open."""

    workspace: Workspace
    database: Database

    @property
    def store(self) -> Store:
        return Store(self.workspace.store_url)

    @property
    def shelf(self) -> Shelf:
        return Shelf(self.store, self.workspace.cache)

    def add(
        self,
        dataset: str,
        count: int,
        findings: tuple[str, ...] = ("left_lung", "right_lung"),
        absent: tuple[str, ...] = (),
        view: View = View.PA,
        first_seed: int = 0,
        splits: tuple[Split, ...] = (Split.TRAIN, Split.TRAIN, Split.VALIDATION, Split.TEST),
        side: int = SIDE,
    ) -> None:
        """Put drawn films on record, one a patient, the splits taken in turn."""
        for number in range(count):
            film, masks = drawn_film(first_seed + number, side)
            kept = from_pixels(film, 8)
            incoming = [IncomingMask(key, mask_png(masks[key]), stats(masks[key])) for key in findings]
            empty = np.zeros_like(masks["heart"])
            incoming += [IncomingMask(key, mask_png(empty), stats(empty)) for key in absent]
            image = IncomingImage(
                f"film-{number}", view, PixelFacts(side, side), kept.payload, kept.media_type, tuple(incoming)
            )
            study = IncomingStudy(
                patient=f"patient-{first_seed + number}",
                key=f"study-{first_seed + number}",
                images=(image,),
                split=splits[number % len(splits)],
                order=number,
            )
            stored = StoredImage(self.store.put(image.payload), tuple(self.store.put_many(m.png for m in incoming)))
            with self.database.writing() as session:
                intake.add_study(session, dataset, study, [stored], BY)

    def freeze(self, name: str, *datasets: str) -> Manifest:
        with self.database.writing() as session:
            snapshots.freeze_splits(session, datasets, SplitPolicy())
            manifest = snapshots.collect(session, datasets, SnapshotFilter())
        sha = self.store.put(to_bytes(manifest))
        assert sha == content_hash(manifest)
        with self.database.writing() as session:
            snapshots.record_snapshot(session, name, sha, manifest, BY)
        return manifest

    def ask(self, kind: JobKind, snapshot: str | None = None, **parameters: Any) -> Job:
        with self.database.writing() as session:
            return jobs.enqueue(session, JobRequest(kind, parameters, "segmentation", snapshot), BY)

    def job(self, number: int) -> Job:
        with self.database.reading() as session:
            return jobs.get_job(session, number)


@pytest.fixture(autouse=True, scope="session")
def _one_thread() -> None:
    """Networks this small gain nothing from threads, and lose much when the machine is busy."""
    torch.set_num_threads(1)


@pytest.fixture
def house(place: Workspace, database: Database) -> House:
    return House(place, database)
