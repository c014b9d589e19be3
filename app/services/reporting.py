"""Judging the reports that models write: opening one, saying what is wrong in it, correcting it, comparing it blind."""

from collections.abc import Sequence
from dataclasses import dataclass

from app.house import House
from core.annotations import MaskVersion
from core.grounding import Loose, loose_ends
from core.judgements import Judgement, NothingToCompare, Pair, Revision, Said, SavedJudgement, pinned
from core.passages import Followed
from core.ratings import Author, Preference, order_of, preferred
from core.report_findings import FINDINGS
from core.studies import Study
from core.writing import SECTIONS, Decoding, Writing, WritingAsk
from db import audit, judgements, masks, models, people, reviews, studies, writings

FAMILY = "generation"


@dataclass(frozen=True)
class OpenReport:
    """A study with what was written about it, newest first, as one reader finds it. `writing` is the one on the desk,
    None where nothing was written; `judgement` what this reader said of it last; `pair` whether they compared it."""

    study: Study
    writings: tuple[Writing, ...]
    writing: Writing | None
    judgement: Judgement | None
    pair: Pair | None
    revisions: tuple[Revision, ...]
    masks: tuple[MaskVersion, ...] = ()

    @property
    def said(self) -> Said:
        """What this reader said last; nothing yet where they said nothing."""
        return self.judgement.said if self.judgement else Said()

    @property
    def can_compare(self) -> bool:
        """Whether the study has a report of its own, with a section that the draft has too, to set beside it."""
        return self.writing is not None and any(self.writing.section(name) for name, _ in _original(self.study))


@dataclass(frozen=True)
class Seen:
    """What follows from what a reader said: where each error's passage stands in the corrected report, None for one
    that stands nowhere, and what is left to link between sentences and places."""

    standing: tuple[Followed | None, ...]
    loose: Loose


@dataclass(frozen=True)
class BlindPair:
    """Two reports whose source is not told, each as sections with their text."""

    first: tuple[tuple[str, str], ...]
    second: tuple[tuple[str, str], ...]


def open_report(house: House, reader: str, study_id: int, writing_id: int | None = None) -> OpenReport:
    """Raises NotFound. Where a study judges the models, that a draft was seen is kept, as for similar cases: what the
    reader says of it from now on is informed by it."""
    with house.database.writing() as session:
        reader_id = people.ensure_reader(session, reader)
        study = studies.get_study(session, study_id)
        found = writings.of_study(session, study_id)
        if study.blind and found:
            reviews.see_similar(session, study_id, reader_id)
    chosen = next((each for each in found if each.id == writing_id), found[0] if found else None)
    with house.database.reading() as session:
        return OpenReport(
            study,
            found,
            chosen,
            judgements.newest(session, reader_id, chosen.id) if chosen else None,
            judgements.pair(session, reader_id, chosen.id) if chosen else None,
            judgements.revisions(session, study_id),
            masks.of_study(session, study_id),
        )


def next_study(house: House, reader: str, after: int = 0) -> int | None:
    """The next study with a draft that this reader has not judged."""
    with house.database.writing() as session:
        return judgements.next_to_judge(session, people.ensure_reader(session, reader), after)


def save(house: House, reader: str, writing_id: int, said: Said, parent: int | None) -> tuple[SavedJudgement, Seen]:
    """Keep what a reader says of a report as a draft; gives it with what the page shows of it. Raises NotFound,
    NotYourJudgement, BadRating, BadGrounding."""
    with house.database.writing() as session:
        saved = judgements.save(session, people.ensure_reader(session, reader), writing_id, said, parent)
        writing = writings.get_writing(session, writing_id)
        return saved, seen(said, writing, masks.of_study(session, writing.study))


def seen(said: Said, writing: Writing, drawn: Sequence[MaskVersion]) -> Seen:
    """`drawn` are the study's masks that count."""
    ours = [version.sha for version in drawn if version.finding in FINDINGS]
    return Seen(pinned(said, writing), loose_ends(said.groundings, writing.sentences, FINDINGS, ours))


def submit(house: House, reader: str, judgement: int) -> Judgement:
    """Let a judgement count, and its correction become a version. Raises NotFound, NotYourJudgement, NotRated."""
    with house.database.writing() as session:
        done = judgements.submit(session, people.ensure_reader(session, reader), judgement)
        quality = done.said.quality
        worth = f"overall {quality.overall}, would sign {quality.would_sign}" if quality else ""
        detail = f"{len(done.said.errors)} errors, {worth}" + (", corrected" if done.said.corrected else "")
        audit.record(session, people.tidy_name(reader), "report judged", f"writing {done.writing}", detail)
        return done


def blind_pair(opened: OpenReport, reader: str) -> BlindPair:
    """The draft and the study's own report, in an order that nothing on the page gives away: both are cut to the
    sections that both have, and where the model writes no capitals neither has any. Raises NothingToCompare."""
    writing, original = opened.writing, dict(_original(opened.study))
    if writing is None or not original:
        raise NothingToCompare
    written = dict(writing.sections)
    shared = [name for name in written if name in original]
    if not shared:
        raise NothingToCompare
    if all(text == text.lower() for text in written.values()):
        original = {name: text.lower() for name, text in original.items()}
    texts = {Author.MODEL: written, Author.ORIGINAL: original}
    first, second = order_of(opened.study.id, writing.id, people.tidy_name(reader))
    return BlindPair(*(tuple((name, texts[author][name]) for name in shared) for author in (first, second)))


def compare(house: House, reader: str, study_id: int, writing_id: int, preference: Preference) -> Author | None:
    """Keep which of the pair is better; gives whose it was. Raises NotFound, AlreadyPreferred."""
    order = order_of(study_id, writing_id, people.tidy_name(reader))
    with house.database.writing() as session:
        judgements.prefer(session, people.ensure_reader(session, reader), writing_id, order, preference)
        told = f"{preference}: A by the {order[0]}, B by the {order[1]}"
        audit.record(session, people.tidy_name(reader), "reports compared", f"writing {writing_id}", told)
    return preferred(preference, order)


def ask(house: House, reader: str, study_id: int, decoding: Decoding) -> int:
    """Let the model in use write about a study; gives the question's number. Raises NotFound."""
    with house.database.writing() as session:
        return writings.ask(session, study_id, people.ensure_reader(session, reader), decoding)


def can_write(house: House) -> bool:
    """Whether a model is in use that writes."""
    with house.database.reading() as session:
        return models.champion(session, FAMILY) is not None


def look_up(house: House, number: int) -> WritingAsk:
    """Raises NotFound."""
    with house.database.reading() as session:
        return writings.get_ask(session, number)


def _original(study: Study) -> tuple[tuple[str, str], ...]:
    report = study.report
    if report is None:
        return ()
    texts = {"findings": report.findings, "impression": report.impression}
    return tuple((name, text) for name in SECTIONS if (text := texts[name]))
