"""Films that are tried: asked about, answered or refused, and off the record once they are forgotten."""

from datetime import UTC, datetime

import pytest

from core.annotations import AskState
from core.errors import NotFound
from core.studies import View
from core.tries import NewTry, Try, new_place
from db import people, tries
from db.engine import Database

PLACE = new_place(datetime(2026, 11, 25, tzinfo=UTC))


def ask(database: Database, place: str = PLACE, context: str = "cough") -> int:
    new = NewTry(place, "ab" * 32, "image/png", View.PA, context, "classification-v1")
    with database.writing() as session:
        return tries.ask(session, new, people.ensure_reader(session, "Ann"))


def found(database: Database, number: int) -> Try:
    with database.reading() as session:
        return tries.get_try(session, number)


def said(probability: float) -> dict[str, object]:
    return {"probability": probability, "without_context": 0.1, "context": "real", "threshold": 0.5}


def test_a_question_waits_with_all_that_was_asked(database: Database) -> None:
    one = found(database, ask(database))
    assert (one.place, one.context, one.model, one.view) == (PLACE, "cough", "classification-v1", View.PA)
    assert (one.state, one.opinions, one.answer) == (AskState.WAITING, (), None)


def test_questions_are_given_out_oldest_first_until_they_are_answered(database: Database) -> None:
    first, second = ask(database), ask(database)
    with database.writing() as session:
        assert [one.id for one in tries.waiting(session)] == [first]
        assert tries.answer(session, first, {"edema": said(0.2)})
        assert [one.id for one in tries.waiting(session, 5)] == [second]


def test_an_answer_brings_the_most_probable_finding_first(database: Database) -> None:
    number = ask(database)
    with database.writing() as session:
        tries.answer(session, number, {"edema": said(0.2), "nodule": said(0.7), "fracture": said(0.4)})
    one = found(database, number)
    assert one.state is AskState.ANSWERED
    assert [each.finding for each in one.opinions] == ["nodule", "fracture", "edema"]
    opinion = one.opinion("nodule")
    assert opinion is not None and opinion.has_context
    assert one.opinion("pneumonia") is None


def test_a_refusal_is_a_sentence(database: Database) -> None:
    number = ask(database)
    with database.writing() as session:
        assert tries.refuse(session, number, "The model reads frontal films only.")
    one = found(database, number)
    assert (one.state, one.answer) == (AskState.REFUSED, "The model reads frontal films only.")


def test_what_is_forgotten_is_off_the_record_with_every_question_about_the_film(database: Database) -> None:
    first, again, other = (
        ask(database),
        ask(database, context="fever"),
        ask(database, place=new_place(datetime.now(UTC))),
    )
    with database.writing() as session:
        assert tries.forget(session, PLACE) == 2
        assert tries.forget(session, PLACE) == 0
    for number in (first, again):
        with pytest.raises(NotFound, match="may have been forgotten"):
            found(database, number)
    assert found(database, other).state is AskState.WAITING


def test_an_answer_to_what_was_forgotten_meanwhile_goes_nowhere(database: Database) -> None:
    number = ask(database)
    with database.writing() as session:
        tries.forget(session, PLACE)
        assert not tries.answer(session, number, {"edema": said(0.2)})
        assert not tries.refuse(session, number, "too late")
