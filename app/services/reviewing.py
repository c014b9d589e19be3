"""Reading a study: opening it, keeping strokes, deciding on suggestions, submitting."""

from collections.abc import Mapping
from dataclasses import dataclass

from app.house import House
from core.annotations import (
    Ask,
    BlindReading,
    Decision,
    Draft,
    MaskVersion,
    NewMask,
    Origin,
    Prediction,
    Region,
    SavedDraft,
)
from core.errors import NotFound, ReadingRoomError
from core.findings import Finding, by_key
from core.masks import Mask, dice, require_size, stats
from core.reviews import ReviewMove, ReviewState
from core.studies import Image, Study, Turn, WorklistFilter
from data import images as pixels
from db import (
    asks,
    audit,
    drafts,
    findings,
    label_drafts,
    masks,
    orientation,
    people,
    predictions,
    regions,
    reviews,
    standing,
    studies,
    worklist,
)


@dataclass(frozen=True)
class OpenStudy:
    """All that the review screen shows of a study, for one reader."""

    study: Study
    others: tuple[Study, ...]
    vocabulary: tuple[Finding, ...]
    history: Mapping[int, tuple[MaskVersion, ...]]
    drafts: tuple[Draft, ...]
    suggestions: tuple[Prediction, ...]
    regions: tuple[Region, ...]
    previous: int | None
    following: int | None

    def current(self, image_id: int) -> dict[str, MaskVersion]:
        """The mask that counts for each finding of an image."""
        return {version.finding: version for version in self.history[image_id] if version.is_current}

    def draft(self, image_id: int, finding: str) -> Draft | None:
        """The reader's newest open draft of a finding."""
        return next((d for d in self.drafts if d.image_id == image_id and d.finding == finding), None)

    @property
    def image_ids(self) -> list[int]:
        return [image.id for image in self.study.images]


class ReasonNeeded(ReadingRoomError):
    def __init__(self) -> None:
        super().__init__("Say in a word why the suggestion is rejected; the next model learns from it.")


class NothingMarked(ReadingRoomError):
    """The model looked and marked nothing."""


def open_study(house: House, reader: str, study_id: int) -> OpenStudy:
    """Raises NotFound. A study that judges the models comes without suggestions."""
    with house.database.writing() as session:
        reader_id = people.ensure_reader(session, reader)
    with house.database.reading() as session:
        study = studies.get_study(session, study_id)
        ids = [image.id for image in study.images]
        previous, following = worklist.neighbours(session, study_id)
        return OpenStudy(
            study=study,
            others=studies.other_studies(session, study_id),
            vocabulary=findings.vocabulary(session),
            history={image_id: masks.versions(session, image_id) for image_id in ids},
            drafts=drafts.open_drafts(session, reader_id, ids),
            suggestions=() if study.blind else predictions.open_suggestions(session, ids),
            regions=regions.regions(session, ids),
            previous=previous,
            following=following,
        )


def next_study(house: House, wanted: WorklistFilter, after: int | None = None) -> tuple[int, str] | None:
    """The study the queue offers next, and why; where disagreements are asked for, what is disputed on it."""
    with house.database.reading() as session:
        found = worklist.next_in_queue(session, wanted, after)
        if found is None or not wanted.disagrees:
            return found
        names = by_key(findings.vocabulary(session, include_retired=True))
        disputed = standing.disputed_of(session, found[0])
        return found[0], ", ".join(each.words(names[each.finding].name) for each in disputed)


def save_stroke(
    house: House,
    reader: str,
    image_id: int,
    finding: str,
    mask: Mask,
    parent: int | None = None,
    base: int | None = None,
    suggestion: int | None = None,
) -> SavedDraft:
    """Keep a finished stroke as the reader's draft: bytes on disk first, then the row.

    `mask` is (H, W) at the image's own size. Raises NotFound, MaskSizeDiffers, UnknownFinding, NotYourDraft, DiskFull.
    """
    with house.database.reading() as session:
        image = studies.get_image(session, image_id)
        findings.require_finding(session, finding)
    require_size(mask, image.facts.height, image.facts.width)
    sha = house.store.put(pixels.mask_png(mask))
    with house.database.writing() as session:
        reader_id = people.ensure_reader(session, reader)
        if suggestion is not None:
            _require_open(studies.get_study(session, image.study_id))
            offered = predictions.get_prediction(session, suggestion)
            if (offered.image_id, offered.finding) != (image_id, finding):
                raise NotFound("The suggestion this drawing came from belongs to another film. Reload the study.")
        saved = drafts.save_draft(
            session,
            reader_id,
            NewMask(image_id, finding, sha, stats(mask)),
            parent_id=parent,
            base_version_id=base,
            prediction_id=suggestion,
        )
        reviews.make_move(session, image.study_id, reader_id, ReviewMove.DRAW)
    return saved


def submit(house: House, reader: str, study_id: int) -> tuple[MaskVersion, ...]:
    """Make immutable versions of all the reader's open drafts, of masks and of labels, and mark the study as submitted.

    The Dice between each suggestion and what the reader made of it is kept. Raises NotFound.
    """
    with house.database.reading() as session:
        study = studies.get_study(session, study_id)
        known = set(people.reader_names(session))
    with house.database.writing() as session:
        reader_id = people.ensure_reader(session, reader)
    ids = [image.id for image in study.images]
    edits = _edits(house, reader_id, ids) if reader in known else {}
    with house.database.writing() as session:
        made = drafts.submit_drafts(session, reader_id, ids, {draft: edit for draft, (_, edit) in edits.items()})
        for suggestion, edit in edits.values():
            decision = Decision.ACCEPTED if edit == 1.0 else Decision.CORRECTED
            predictions.decide(session, suggestion, decision, reader_id, edit_dice=edit)
        label_drafts.submit_drafts(session, reader_id, study_id)
        reviews.make_move(session, study_id, reader_id, ReviewMove.SUBMIT)
    return made


def choose_version(house: House, reader: str, version_id: int) -> MaskVersion:
    """Make an older version, or one of two in conflict, the one that counts: as a new version with it as the parent.

    Raises NotFound.
    """
    with house.database.writing() as session:
        chosen = masks.get_version(session, version_id)
        image = studies.get_image(session, chosen.image_id)
        if image.sha != chosen.image_sha:
            raise NotFound("That version was drawn before the film was turned. Choose the one that was turned with it.")
        audit.record(session, reader, "choose version", f"image {image.id}", f"{chosen.finding}: version {version_id}")
        return masks.add_version(
            session,
            NewMask(chosen.image_id, chosen.finding, chosen.sha, chosen.stats),
            Origin.CHOSEN,
            people.ensure_reader(session, reader),
            parent_id=version_id,
            prediction_id=chosen.prediction_id,
            edit_dice=chosen.edit_dice,
        )


def return_study(house: House, reader: str, study_id: int, reason: str) -> ReviewState:
    """Send a submitted study back to its reader, with the reason. Raises NotFound, IllegalReviewMove."""
    with house.database.writing() as session:
        return reviews.make_move(session, study_id, people.ensure_reader(session, reader), ReviewMove.RETURN, reason)


def accept_suggestion(house: House, reader: str, prediction_id: int) -> SavedDraft:
    """Take a suggestion over as the reader's draft, as it is. Raises NotFound, BlindReading."""
    with house.database.reading() as session:
        suggestion = predictions.get_prediction(session, prediction_id)
        _require_open(studies.study_of_image(session, suggestion.image_id))
        base = masks.current(session, suggestion.image_id).get(suggestion.finding)
        if suggestion.sha is None or suggestion.stats is None:
            raise NothingMarked(f"{suggestion.model} marked nothing here, so there is nothing to accept.")
        new = NewMask(suggestion.image_id, suggestion.finding, suggestion.sha, suggestion.stats)
    with house.database.writing() as session:
        reader_id = people.ensure_reader(session, reader)
        mine = [d for d in drafts.open_drafts(session, reader_id, [new.image_id]) if d.finding == new.finding]
        saved = drafts.save_draft(
            session,
            reader_id,
            new,
            parent_id=mine[0].id if mine else None,
            base_version_id=base.id if base else None,
            prediction_id=prediction_id,
        )
        predictions.decide(session, prediction_id, Decision.ACCEPTED, reader_id, edit_dice=1.0)
        image = studies.get_image(session, suggestion.image_id)
        reviews.make_move(session, image.study_id, reader_id, ReviewMove.DRAW)
    return saved


def reject_suggestion(house: House, reader: str, prediction_id: int, reason: str) -> None:
    """Raises NotFound, ReasonNeeded, SuggestionAlreadyDecided."""
    if not reason.strip():
        raise ReasonNeeded
    with house.database.writing() as session:
        reader_id = people.ensure_reader(session, reader)
        predictions.decide(session, prediction_id, Decision.REJECTED, reader_id, reason.strip())


def ask_for_mask(house: House, reader: str, image_id: int, finding: str, prompt: str) -> int:
    """Ask the warm model for a mask of what a sentence says. Raises NotFound, UnknownFinding, BlindReading."""
    with house.database.writing() as session:
        _require_open(studies.study_of_image(session, image_id))
        findings.require_finding(session, finding)
        return asks.ask(session, image_id, finding, prompt, people.ensure_reader(session, reader))


def look_up(house: House, ask_id: int) -> tuple[Ask, Prediction | None]:
    """What became of a question."""
    with house.database.reading() as session:
        question = asks.get_ask(session, ask_id)
        if question.prediction_id is None:
            return question, None
        return question, predictions.get_prediction(session, question.prediction_id)


def discard_draft(house: House, reader: str, draft_id: int) -> None:
    """Put one line of drawing aside; it stays on record. Raises NotFound, NotYourDraft."""
    with house.database.writing() as session:
        drafts.discard_draft(session, people.ensure_reader(session, reader), draft_id)


def add_region(
    house: House, reader: str, image_id: int, finding: str, shape: str, points: list[tuple[float, float]]
) -> int:
    """Keep a box or a polygon as a region of a finding. Raises NotFound, UnknownFinding."""
    with house.database.writing() as session:
        studies.get_image(session, image_id)
        findings.require_finding(session, finding)
        return regions.add_region(session, image_id, finding, shape, points, people.ensure_reader(session, reader))


def remove_region(house: House, reader: str, region_id: int) -> None:
    """Raises NotFound."""
    with house.database.writing() as session:
        regions.remove_region(session, region_id)
        audit.record(session, reader, "remove region", f"region {region_id}")


def turn_film(house: House, reader: str, image_id: int, turn: Turn) -> Image:
    """Turn or mirror a film that lies wrong; its masks and drafts turn with it, as versions of their own.

    Raises NotFound.
    """
    with house.database.reading() as session:
        image = studies.get_image(session, image_id)
        to_turn = orientation.masks_to_turn(session, image_id)
    film = pixels.turned(pixels.read(house.store.get(image.sha), image.media_type), turn)
    kept = pixels.from_pixels(film, image.facts.bits, image.facts.window, image.facts.spacing_mm)
    sha = house.store.put(kept.payload)
    turned: dict[str, tuple[str, Mask]] = {}
    for old in to_turn:
        mask = pixels.turned(pixels.read_mask(house.store.get(old)), turn)
        turned[old] = (house.store.put(pixels.mask_png(mask)), mask)
    with house.database.writing() as session:
        moved = {old: (new, stats(mask)) for old, (new, mask) in turned.items()}
        return orientation.turn_image(session, image_id, sha, kept.media_type, film.shape, turn, moved, reader)


def _require_open(study: Study) -> None:
    if study.blind:
        raise BlindReading


def _edits(house: House, reader_id: int, image_ids: list[int]) -> dict[int, tuple[int, float]]:
    """For each open draft that came from a suggestion: the suggestion and the Dice between the two."""
    with house.database.reading() as session:
        suggested = [d for d in drafts.open_drafts(session, reader_id, image_ids) if d.prediction_id is not None]
        pairs = [(d, predictions.get_prediction(session, d.prediction_id or 0)) for d in suggested]
    edits: dict[int, tuple[int, float]] = {}
    for draft, suggestion in pairs:
        if suggestion.sha is None:
            continue
        if suggestion.sha == draft.sha:
            edits[draft.id] = (suggestion.id, 1.0)
        else:
            before = pixels.read_mask(house.store.get(suggestion.sha))
            edits[draft.id] = (suggestion.id, dice(before, pixels.read_mask(house.store.get(draft.sha))))
    return edits
