"""Saying what is on a film: a reader's word on each finding, whose word counts, and where the sources disagree."""

from collections.abc import Mapping
from dataclasses import dataclass

from app.house import House
from core.annotations import Prediction
from core.disagreements import Dispute
from core.findings import Side, State
from core.labels import Effective, LabelDraft, LabelVersion, NewLabel, SavedLabel, Source, Zone, effective
from core.reviews import ReviewMove
from db import audit, findings, label_drafts, labels, people, predictions, reviews, standing, studies


@dataclass(frozen=True)
class FindingLine:
    """One finding of the panel. `draft` and `mine` are the reader's own words, not yet submitted and submitted last.

    `parent` and `base` belong to what the reader says next: hand them to `set_state`.
    """

    finding: str
    model: Prediction | None
    report: LabelVersion | None
    imported: tuple[LabelVersion, ...]
    others: tuple[LabelVersion, ...]
    adjudicated: LabelVersion | None
    mine: LabelVersion | None
    draft: LabelDraft | None
    effective: Effective | None
    in_conflict: bool
    base: int | None

    @property
    def parent(self) -> int | None:
        return self.draft.id if self.draft else None

    @property
    def state(self) -> State:
        """What the reader says as things stand."""
        said = self.draft or self.mine
        return said.state if said else State.UNASSESSED


@dataclass(frozen=True)
class OpenLabels:
    """All that is said of a study's findings, for one reader. `history` is newest first."""

    reader: str
    history: tuple[LabelVersion, ...]
    drafts: tuple[LabelDraft, ...]
    effective: Mapping[str, Effective]
    probabilities: tuple[Prediction, ...]

    @property
    def findings(self) -> tuple[str, ...]:
        """Every finding of which anybody says anything."""
        spoken = (self.drafts, self.history, self.probabilities)
        return tuple(dict.fromkeys(each.finding for words in spoken for each in words))

    def line(self, finding: str) -> FindingLine:
        versions = [version for version in self.history if version.finding == finding]
        said: dict[Source, list[LabelVersion]] = {source: [] for source in Source}
        for version in versions:
            if version.is_current:
                said[version.source].append(version)
        mine = [version for version in said[Source.READER] if version.reader == self.reader]
        return FindingLine(
            finding=finding,
            model=next((each for each in self.probabilities if each.finding == finding), None),
            report=next(iter(said[Source.LABELER]), None),
            imported=tuple(said[Source.IMPORTED]),
            others=tuple(version for version in said[Source.READER] if version not in mine),
            adjudicated=next(iter(said[Source.ADJUDICATED]), None),
            mine=next(iter(mine), None),
            draft=next((draft for draft in self.drafts if draft.finding == finding), None),
            effective=self.effective.get(finding),
            in_conflict=any(version.in_conflict for version in versions),
            base=versions[0].id if versions else None,
        )


def open_labels(house: House, reader: str, study_id: int) -> OpenLabels:
    """Raises NotFound. A study that judges the models comes without their probabilities."""
    with house.database.writing() as session:
        reader_id = people.ensure_reader(session, reader)
    with house.database.reading() as session:
        study = studies.get_study(session, study_id)
        found = () if study.blind else predictions.probabilities(session, [image.id for image in study.images])
        return OpenLabels(
            reader=people.tidy_name(reader),
            history=labels.versions(session, study_id),
            drafts=label_drafts.open_drafts(session, reader_id, study_id),
            effective=effective(study.labels),
            probabilities=tuple(sorted(found, key=lambda each: each.id, reverse=True)),
        )


def set_state(
    house: House,
    reader: str,
    study_id: int,
    finding: str,
    state: State,
    side: Side | None = None,
    zone: Zone | None = None,
    parent: int | None = None,
    base: int | None = None,
) -> SavedLabel:
    """Keep what a reader says of a finding as a draft. UNASSESSED takes the reader's own word back.

    `parent` is the draft that this goes on from, `base` the newest version of the finding that the screen knew.
    Raises NotFound, UnknownFinding, NotYourWord.
    """
    new = NewLabel(study_id, finding, state, side, zone)
    with house.database.writing() as session:
        reader_id = people.ensure_reader(session, reader)
        saved = label_drafts.save_draft(
            session,
            reader_id,
            new,
            parent_id=parent,
            base_version_id=base,
            suggested=predictions.in_sight(session, studies.get_study(session, study_id), finding, reader_id),
        )
        reviews.make_move(session, study_id, reader_id, ReviewMove.LABEL)
    return saved


def discard_draft(house: House, reader: str, draft_id: int) -> None:
    """Put one line of a reader's words on a finding aside; it stays on record. Raises NotFound, NotYourWord."""
    with house.database.writing() as session:
        label_drafts.discard_draft(session, people.ensure_reader(session, reader), draft_id)


def history(house: House, study_id: int, finding: str | None = None) -> tuple[LabelVersion, ...]:
    """The versions of a study's labels by all sources, newest first."""
    with house.database.reading() as session:
        return labels.versions(session, study_id, finding)


def choose_version(house: House, reader: str, version_id: int) -> LabelVersion:
    """Take over what a version says, whoever said it, as the reader's own word: as a new version, the child of the
    reader's last word, or of the chosen one where the reader said nothing yet.

    An earlier adjudication is chosen as the adjudication. Raises NotFound.
    """
    with house.database.writing() as session:
        chosen = labels.get_version(session, version_id)
        source = Source.ADJUDICATED if chosen.source is Source.ADJUDICATED else Source.READER
        study = studies.get_study(session, chosen.study_id)
        before = [
            version.id
            for version in labels.versions(session, study.id, chosen.finding)
            if version.source is source and (source is Source.ADJUDICATED or version.reader == people.tidy_name(reader))
        ]
        audit.record(
            session, reader, "choose label", f"study {chosen.study_id}", f"{chosen.finding}: version {version_id}"
        )
        reader_id = people.ensure_reader(session, reader)
        return labels.add_version(
            session,
            NewLabel(chosen.study_id, chosen.finding, chosen.state, chosen.side, chosen.zone),
            source,
            reader_id=reader_id,
            parent_id=before[0] if before else version_id,
            evidence=chosen.evidence,
            suggested=chosen.suggested or predictions.in_sight(session, study, chosen.finding, reader_id),
        )


def adjudicate(
    house: House,
    reader: str,
    study_id: int,
    finding: str,
    state: State,
    side: Side | None = None,
    zone: Zone | None = None,
) -> LabelVersion:
    """Settle a finding over all that was said of it. UNASSESSED takes an earlier adjudication back.

    The same word sent twice is kept once. Raises NotFound, UnknownFinding.
    """
    with house.database.writing() as session:
        study = studies.get_study(session, study_id)
        findings.require_finding(session, finding)
        before = labels.versions(session, study_id, finding)
        last = next((version for version in before if version.source is Source.ADJUDICATED), None)
        word = (people.tidy_name(reader), state, side, zone)
        if last is not None and (last.reader, last.state, last.side, last.zone) == word:
            return last
        audit.record(session, reader, "adjudicate", f"study {study_id}", f"{finding}: {state}")
        reader_id = people.ensure_reader(session, reader)
        return labels.add_version(
            session,
            NewLabel(study_id, finding, state, side, zone),
            Source.ADJUDICATED,
            reader_id=reader_id,
            parent_id=before[0].id if before else None,
            suggested=predictions.in_sight(session, study, finding, reader_id),
        )


def disagreements(
    house: House, dataset: str | None = None, finding: str | None = None, limit: int | None = None
) -> tuple[Dispute, ...]:
    """Where readers, report and model contradict each other, study by study in the order of the worklist."""
    with house.database.reading() as session:
        return standing.disputed(session, dataset, finding, limit)


def see_similar(house: House, reader: str, study_id: int) -> None:
    """Keep that a reader looks at similar cases of a study: what they say of it from now on is informed by them."""
    with house.database.writing() as session:
        reviews.see_similar(session, study_id, people.ensure_reader(session, reader))
