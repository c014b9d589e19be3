"""Whether a question that was put to the models still waits for its answer."""

from collections.abc import Callable, Mapping
from enum import StrEnum

from app.house import House
from core.annotations import Ask, AskState
from core.errors import NotFound
from core.search import Search
from core.tries import Try
from core.writing import WritingAsk
from db import asks, searches, tries, writings


class Question(StrEnum):
    """What was asked for: the mask of a sentence, what a dropped film shows, the studies that
    are like something, or a written report."""

    MASK = "mask"
    TRY = "try"
    SEARCH = "search"
    WRITING = "writing"


_LOOK_UP: Mapping[Question, Callable[..., Ask | Try | Search | WritingAsk]] = {
    Question.MASK: asks.get_ask,
    Question.TRY: tries.get_try,
    Question.SEARCH: searches.get_search,
    Question.WRITING: writings.get_ask,
}


def waits(house: House, question: Question, number: int) -> bool:
    """Whether neither answer nor refusal came yet. One that was forgotten waits no longer."""
    with house.database.reading() as session:
        try:
            return _LOOK_UP[question](session, number).state is AskState.WAITING
        except NotFound:
            return False
