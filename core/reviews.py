"""The states of a review and the moves between them."""

from enum import StrEnum

from core.errors import ReadingRoomError


class ReviewState(StrEnum):
    UNREAD = "unread"
    DRAFT = "draft"
    SUBMITTED = "submitted"
    RETURNED = "returned"


class ReviewMove(StrEnum):
    DRAW = "draw"
    LABEL = "label"
    SUBMIT = "submit"
    RETURN = "return"
    REOPEN = "reopen"
    DISCARD = "discard"


class IllegalReviewMove(ReadingRoomError):
    """A review cannot make this move from where it stands."""

    def __init__(self, state: ReviewState, move: ReviewMove) -> None:
        super().__init__(f'A study that is {state} cannot be moved by "{move}". Open it again and look at its state.')


_MOVES: dict[tuple[ReviewState, ReviewMove], ReviewState] = {
    (ReviewState.UNREAD, ReviewMove.DRAW): ReviewState.DRAFT,
    (ReviewState.UNREAD, ReviewMove.LABEL): ReviewState.DRAFT,
    (ReviewState.UNREAD, ReviewMove.SUBMIT): ReviewState.SUBMITTED,
    (ReviewState.DRAFT, ReviewMove.DRAW): ReviewState.DRAFT,
    (ReviewState.DRAFT, ReviewMove.LABEL): ReviewState.DRAFT,
    (ReviewState.DRAFT, ReviewMove.SUBMIT): ReviewState.SUBMITTED,
    (ReviewState.DRAFT, ReviewMove.DISCARD): ReviewState.UNREAD,
    (ReviewState.SUBMITTED, ReviewMove.DRAW): ReviewState.DRAFT,
    (ReviewState.SUBMITTED, ReviewMove.LABEL): ReviewState.DRAFT,
    (ReviewState.SUBMITTED, ReviewMove.SUBMIT): ReviewState.SUBMITTED,
    (ReviewState.SUBMITTED, ReviewMove.RETURN): ReviewState.RETURNED,
    (ReviewState.SUBMITTED, ReviewMove.REOPEN): ReviewState.DRAFT,
    (ReviewState.RETURNED, ReviewMove.DRAW): ReviewState.DRAFT,
    (ReviewState.RETURNED, ReviewMove.LABEL): ReviewState.DRAFT,
    (ReviewState.RETURNED, ReviewMove.SUBMIT): ReviewState.SUBMITTED,
}


def move(state: ReviewState, step: ReviewMove) -> ReviewState:
    """The state after `step`. Raises IllegalReviewMove."""
    try:
        return _MOVES[state, step]
    except KeyError:
        raise IllegalReviewMove(state, step) from None


def legal_moves(state: ReviewState) -> frozenset[ReviewMove]:
    return frozenset(step for origin, step in _MOVES if origin is state)
