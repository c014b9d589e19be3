"""The states of reviews and jobs: every walk of legal moves ends in a legal state, and illegal ones are refused."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.jobs import IllegalJobMove, JobState, Progress, may_move, require_move
from core.reviews import IllegalReviewMove, ReviewMove, ReviewState, legal_moves, move


@given(st.lists(st.sampled_from(ReviewMove)))
def test_a_review_walks_along_legal_moves_only(steps: list[ReviewMove]) -> None:
    state = ReviewState.UNREAD
    for step in steps:
        if step in legal_moves(state):
            state = move(state, step)
        else:
            with pytest.raises(IllegalReviewMove, match=str(state)):
                move(state, step)


@pytest.mark.parametrize("state", ReviewState)
def test_a_reader_may_always_draw_label_and_submit(state: ReviewState) -> None:
    assert move(state, ReviewMove.DRAW) is ReviewState.DRAFT
    assert move(state, ReviewMove.LABEL) is ReviewState.DRAFT
    assert move(state, ReviewMove.SUBMIT) is ReviewState.SUBMITTED


def test_only_what_was_submitted_can_be_returned() -> None:
    assert [state for state in ReviewState if ReviewMove.RETURN in legal_moves(state)] == [ReviewState.SUBMITTED]


@pytest.mark.parametrize("state", [JobState.CANCELLED, JobState.SUCCEEDED])
def test_what_is_over_stays_over(state: JobState) -> None:
    assert not any(may_move(state, target) for target in JobState)


def test_a_failed_job_may_only_be_queued_again() -> None:
    assert [target for target in JobState if may_move(JobState.FAILED, target)] == [JobState.QUEUED]


def test_a_job_that_is_being_cancelled_can_no_longer_run() -> None:
    with pytest.raises(IllegalJobMove, match="cancelling"):
        require_move(JobState.CANCELLING, JobState.RUNNING)


@given(st.integers(0, 1000), st.integers(0, 1000))
def test_progress_is_a_share(done: int, total: int) -> None:
    assert 0 <= Progress(done, total).share <= 1
