"""Keeping what a retrieval model makes of studies: all of them as a job, new and corrected ones as they come."""

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from core.errors import ReadingRoomError
from core.jobs import JobCancelled
from core.registry import SEARCHING_FAMILY, ModelVersion
from core.studies import Study
from core.workspace import Workspace
from data.nearest import ListsIndex, needs_lists
from db import embeddings, studies
from db.embeddings import NewEmbedding
from db.engine import Database
from trainers.contract import Shelf, Watch
from trainers.families import FAMILIES

AT_ONCE = 16

logger = logging.getLogger(__name__)


def embed_some(database: Database, version: ModelVersion, model: Any, shelf: Shelf, limit: int = AT_ONCE) -> int:
    """Embed some of the studies that this model has not seen, the newest first; gives how many there were."""
    with database.reading() as session:
        chosen = [studies.get_study(session, number) for number in embeddings.pending(session, version.id, limit)]
    made = made_of(model, chosen, shelf)
    with database.writing() as session:
        embeddings.keep(session, version.id, made)
    return len(chosen)


def made_of(model: Any, chosen: Sequence[Study], shelf: Shelf) -> list[NewEmbedding]:
    """What the model makes of studies. One that cannot be read is kept as such, so that it is not tried for ever."""
    family: Any = FAMILIES[SEARCHING_FAMILY]
    try:
        found = family.embed_studies(model, chosen, shelf)
    except ReadingRoomError as error:
        if len(chosen) == 1:
            logger.warning("study %s cannot be searched for: %s", chosen[0].key, error)
            return [NewEmbedding(chosen[0], None, {})]
        return [one for study in chosen for one in made_of(model, [study], shelf)]
    return [
        NewEmbedding(study, one.fused, dict(one.single)) if one is not None else NewEmbedding(study, None, {})
        for study, one in zip(chosen, found, strict=True)
    ]


def lists_at(workspace: Workspace, model: str) -> Path:
    """Where lists of what a model made of studies are kept, on this machine."""
    return workspace.cache / "search" / f"{model}.faiss"


def embed_all(
    database: Database, version: ModelVersion, model: Any, shelf: Shelf, watch: Watch, lists: Path | None = None
) -> int:
    """Embed every study that lacks it and let this model find them from then on; gives how many were embedded. Where
    they are too many to be compared one by one, `lists` of them are left there first.

    What was embedded stays when the watch stops the work, and is not made again. Raises what the watch raises.
    """
    with database.reading() as session:
        total = embeddings.count_pending(session, version.id)
    done = 0
    watch.report(0, total, "Looking at films")
    while some := embed_some(database, version, model, shelf):
        done += some
        watch.report(done, max(total, done), "Looking at films")
    if lists is not None:
        watch.report(done, max(total, done), "Making lists of what is alike")
        make_lists(database, version, lists)
        watch.report(done, max(total, done), "Ready")
    with database.writing() as session:
        current = embeddings.wanted(session)
        if current is None or current.id != version.id:
            # Another model came into use meanwhile, and its own index is on the way.
            raise JobCancelled
        embeddings.mark_whole(session, version.id)
    return done


def make_lists(database: Database, version: ModelVersion, place: Path) -> None:
    """Lists of what a model made of each study's films together, where there are so many. Raises DiskFull."""
    with database.reading() as session:
        rows = embeddings.rows_after(session, version.id)
    fused = rows.where(rows.images == 0)
    if needs_lists(len(fused.numbers)):
        ListsIndex.over(fused.vectors).keep(place, version.name, fused.numbers)
