"""Reviews: where each reader stands with a study, and where the study stands for the worklist."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.errors import NotFound
from core.reviews import ReviewMove, ReviewState, move
from db import audit
from db.tables import ReaderRow, ReviewRow, StudyRow, now

RETURNED = -1.0
"""The queue's rank of studies that were sent back: they are read first."""


def make_move(session: Session, study_id: int, reader_id: int, step: ReviewMove, reason: str = "") -> ReviewState:
    """Move a study and the reader's own review of it. Raises NotFound, IllegalReviewMove."""
    study = session.get(StudyRow, study_id)
    if study is None:
        raise NotFound(f"There is no study number {study_id}.")
    before = ReviewState(study.state)
    after = move(before, step)
    review = _review(session, study_id, reader_id)
    review.state, review.updated_at = after, now()
    study.state, study.state_reader_id, study.changed_at = after, reader_id, now()
    if step is ReviewMove.RETURN:
        study.queue_rank, study.queue_reason = RETURNED, f"returned: {reason}" if reason else "returned"
    if after is not before or step is ReviewMove.SUBMIT:
        reader = session.get_one(ReaderRow, reader_id).name
        audit.record(session, reader, step, f"study {study_id}", reason)
    return after


def add_seconds(session: Session, study_id: int, reader_id: int, seconds: float) -> None:
    """Add to the time that a reader has spent on a study."""
    _review(session, study_id, reader_id).seconds += seconds


def see_similar(session: Session, study_id: int, reader_id: int) -> None:
    """Put on record that a reader has looked at similar cases of a study, and at what is known of them."""
    review = _review(session, study_id, reader_id)
    review.saw_similar_at = review.saw_similar_at or now()


def saw_similar(session: Session, study_id: int, reader_id: int) -> bool:
    query = select(ReviewRow.saw_similar_at).where(ReviewRow.study_id == study_id, ReviewRow.reader_id == reader_id)
    return session.scalar(query) is not None


def _review(session: Session, study_id: int, reader_id: int) -> ReviewRow:
    query = select(ReviewRow).where(ReviewRow.study_id == study_id, ReviewRow.reader_id == reader_id)
    review = session.scalar(query)
    if review is None:
        review = ReviewRow(study_id=study_id, reader_id=reader_id, state=ReviewState.UNREAD, seconds=0.0)
        session.add(review)
        session.flush()
    return review
