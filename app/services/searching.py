"""Searching studies by meaning: what is asked of the retrieval model, what it found, and whether it can be asked."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from time import monotonic, sleep

from app.house import House
from app.security import workspace_secret
from app.services import trying
from app.services.trying import Film
from core.annotations import AskState
from core.errors import NotFound, ReadingRoomError
from core.findings import NO_FINDING, Finding, State
from core.jobs import UNFINISHED, Job, JobKind, JobRequest
from core.labels import Effective, effective
from core.registry import SEARCHING_FAMILY, ModelVersion
from core.search import MOST_HITS, MOST_WORDS, Asked, Hit, NewSearch, Search, SearchFilter, as_query
from core.studies import Study
from core.tries import new_place
from data.door import admit
from data.passing import Forgotten, Passing
from db import audit, datasets, embeddings, findings, jobs, models, people, searches, studies

POLL_SECONDS = 0.05


class NoModelToSearch(ReadingRoomError):
    def __init__(self) -> None:
        super().__init__(
            f"No {SEARCHING_FAMILY} model is in use yet. Train one from studies with reports, and promote it on the "
            "Models screen."
        )


class NoAnswer(ReadingRoomError):
    """The search was refused; the sentence says why."""


@dataclass(frozen=True)
class Standing:
    """How searchable the house is: `answering` finds studies now, `wanted` is the model in use that should, `job` makes
    its index, and `pending` studies are not yet to be found."""

    answering: ModelVersion | None
    wanted: ModelVersion | None
    job: Job | None
    pending: int

    @property
    def is_behind(self) -> bool:
        return self.wanted is not None and (self.answering is None or self.answering.id != self.wanted.id)


@dataclass(frozen=True)
class Result:
    """A study that was found, with what holds of its findings: their effective labels, present ones first."""

    hit: Hit
    study: Study
    labels: tuple[tuple[str, Effective], ...]


def standing(house: House, counted: bool = True) -> Standing:
    """With `counted`, how many studies are pending is looked up, which takes longer the more there are."""
    with house.database.reading() as session:
        answering, wanted = embeddings.answering(session), embeddings.wanted(session)
        under_way = [
            job for job in jobs.jobs(session, states=UNFINISHED) if job.kind is JobKind.INDEX
        ]  # fmt: skip
        pending = embeddings.count_pending(session, wanted.id) if wanted is not None and counted else 0
    return Standing(answering, wanted, under_way[0] if under_way else None, pending)


def can_search(house: House) -> bool:
    """Whether a model finds studies."""
    with house.database.reading() as session:
        return embeddings.answering(session) is not None


def rebuild(house: House, by: str) -> Job:
    """Queue the index of the model in use. Raises NoModelToSearch."""
    with house.database.writing() as session:
        wanted = embeddings.wanted(session)
        if wanted is None:
            raise NoModelToSearch
        return jobs.enqueue(session, JobRequest(JobKind.INDEX, {"model": wanted.name}, wanted.family), by)


def dataset_names(house: House) -> tuple[str, ...]:
    with house.database.reading() as session:
        return datasets.dataset_names(session)


def vocabulary(house: House) -> Mapping[str, Finding]:
    """By key, those no longer offered among them."""
    with house.database.reading() as session:
        return {finding.key: finding for finding in findings.vocabulary(session, include_retired=True)}


def for_words(house: House, text: str, among: SearchFilter, limit: int, reader: str) -> tuple[int, tuple[str, ...]]:
    """Ask what is like some words, or a report; gives the question's number and what the person should know.

    Raises EmptyQuery.
    """
    words, is_cut = as_query(text)
    number = _ask(house, NewSearch(Asked.TEXT, among, _few(limit), text=words), reader)
    return number, ((f"Of the text the first {MOST_WORDS:,} words are searched for.",) if is_cut else ())


def for_study(house: House, study: int, among: SearchFilter, limit: int, reader: str) -> int:
    """Ask which studies of other patients are like this one. Raises NotFound."""
    with house.database.reading() as session:
        studies.get_study(session, study)
    return _ask(house, NewSearch(Asked.STUDY, among, _few(limit), study=study), reader)


def for_film(house: House, film: Film, among: SearchFilter, limit: int, reader: str) -> int:
    """Ask which studies are like a film that was dropped. Raises Forgotten."""
    if not Passing.of(house.workspace).store(film.place).has(film.sha):
        raise Forgotten
    new = NewSearch(Asked.FILM, among, _few(limit), place=film.place, sha=film.sha, view=film.view)
    number = _ask(house, new, reader)
    with house.database.writing() as session:
        told = f"{film.facts.width:,} x {film.facts.height:,} pixels"
        audit.record(session, reader, "search by a film", SEARCHING_FAMILY, told)
    return number


def drop(house: House, payload: bytes) -> Film:
    """Let a film in, de-identified, into a place of its own. Raises UnreadableImage, CannotDeidentify, DiskFull."""
    trying.sweep(house)
    admitted = admit(payload, workspace_secret(house.workspace))
    image = admitted.image
    place = new_place(datetime.now(UTC))
    sha = Passing.of(house.workspace).store(place).put(image.payload)
    return Film(place, sha, image.media_type, image.view, image.facts, admitted.cautions)


def forget(house: House, place: str, reader: str) -> None:
    """Take a dropped film and all that was asked about it away, for good. Raises Forgotten."""
    Passing.of(house.workspace).forget(place)
    with house.database.writing() as session:
        if searches.forget(session, place):
            audit.record(session, reader, "forget a film searched by", place.partition("-")[0])


def look_up(house: House, number: int) -> Search:
    """What became of a question. Raises NotFound when it was forgotten."""
    with house.database.reading() as session:
        return searches.get_search(session, number)


def wait_for(house: House, number: int, tend: Callable[[], None], patience: float | None = None) -> Search:
    """The answer, once it is there; `tend` is called meanwhile. Raises NoAnswer where it was refused, or did not come
    within `patience` seconds."""
    began = monotonic()
    while (found := look_up(house, number)).state is AskState.WAITING:
        if patience is not None and monotonic() - began > patience:
            raise NoAnswer("No model is awake to answer. Start the workstation with make app, which wakes it.")
        tend()
        sleep(POLL_SECONDS)
    if found.state is AskState.REFUSED:
        raise NoAnswer(found.answer or "The search was refused.")
    return found


def results(house: House, found: Search) -> tuple[Result, ...]:
    """The studies that were found, as they are now; one that is gone meanwhile is left out."""
    told = []
    for hit in found.hits:
        try:
            with house.database.reading() as session:
                study = studies.get_study(session, hit.study)
        except NotFound:
            continue
        told.append(Result(hit, study, _in_force(study)))
    return tuple(told)


def study(house: House, number: int) -> Study:
    """Raises NotFound."""
    with house.database.reading() as session:
        return studies.get_study(session, number)


def study_called(house: House, name: str) -> int:
    """A study's number, from that or from "dataset/key". Raises NotFound."""
    with house.database.reading() as session:
        if name.isdigit():
            return studies.get_study(session, int(name)).id
        dataset, _, key = name.partition("/")
        return studies.number_of(session, dataset, key)


def _in_force(study: Study) -> tuple[tuple[str, Effective], ...]:
    order = [State.PRESENT, State.UNCERTAIN, State.ABSENT]
    told = [(finding, said) for finding, said in effective(study.labels).items() if said.state in order]
    return tuple(sorted(told, key=lambda one: (order.index(one[1].state), one[0] == NO_FINDING, one[0])))


def _ask(house: House, new: NewSearch, reader: str) -> int:
    with house.database.writing() as session:
        if embeddings.answering(session) is None and models.champion(session, SEARCHING_FAMILY) is None:
            raise NoModelToSearch
        return searches.ask(session, new, people.ensure_reader(session, reader))


def _few(limit: int) -> int:
    return max(1, min(limit, MOST_HITS))
