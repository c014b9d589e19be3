"""Reports that models wrote: kept as they were written, asked for, answered or refused."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.annotations import AskState
from core.errors import NotFound
from core.findings import State
from core.writing import (
    SECTIONS,
    BadDecoding,
    Decoding,
    Gaze,
    MalformedWriting,
    NewWriting,
    WrittenSentence,
    plain,
    sentences_of,
)
from db import models, people, studies, writings
from db.engine import Database
from db.models import NewModel
from tests.db.conftest import bring

SENTENCES = (
    WrittenSentence("findings", "The heart is enlarged.", (("cardiomegaly", State.PRESENT),), (Gaze(1, ((0, 255),)),)),
    WrittenSentence("impression", "Cardiomegaly."),
)


def brought(database: Database) -> int:
    """The number of a study."""
    bring(database, "s1")
    with database.reading() as session:
        return studies.number_of(session, "chest", "s1")


def writer(database: Database) -> str:
    with database.writing() as session:
        return models.register(session, NewModel("generation", "f", {}, (), "label_micro_f1", {}), "Ann").name


def asked(database: Database, study: int, decoding: Decoding | None = None) -> int:
    with database.writing() as session:
        return writings.ask(session, study, people.ensure_reader(session, "Ann"), decoding or Decoding())


def test_what_a_model_wrote_is_read_back_as_it_was_written(database: Database) -> None:
    study, model = brought(database), writer(database)
    new = NewWriting(study, SENTENCES, Decoding(0.7, 40, prompt="The heart"), ("There is no lateral film.",))
    with database.writing() as session:
        (number,) = writings.add(session, model, [new])
    with database.reading() as session:
        found = writings.get_writing(session, number)
    assert (found.study, found.model, found.sentences, found.decoding) == (study, model, SENTENCES, new.decoding)
    assert found.remarks == new.remarks
    assert found.section("findings") == "The heart is enlarged."
    assert found.text == "The heart is enlarged. Cardiomegaly."


def test_the_newest_writing_of_a_study_comes_first_and_none_is_lost(database: Database) -> None:
    study, one, other = brought(database), writer(database), writer(database)
    with database.writing() as session:
        first, second = writings.add(session, one, [NewWriting(study, SENTENCES), NewWriting(study, SENTENCES[:1])])
        (third,) = writings.add(session, other, [NewWriting(study, SENTENCES)])
        assert [each.id for each in writings.of_study(session, study)] == [third, second, first]
        assert [each.id for each in writings.of_study(session, study, one)] == [second, first]


def test_a_report_is_asked_for_and_answered(database: Database) -> None:
    study, model = brought(database), writer(database)
    number = asked(database, study, Decoding(temperature=0.5))
    with database.writing() as session:
        (one,) = writings.waiting_asks(session)
        assert (one.id, one.study, one.decoding.temperature, one.state) == (number, study, 0.5, AskState.WAITING)
        writing = writings.answer(session, number, model, NewWriting(study, SENTENCES))
        assert writings.waiting_asks(session) == ()
        told = writings.get_ask(session, number)
    assert (told.state, told.writing, told.model) == (AskState.ANSWERED, writing, model)


def test_a_refusal_is_a_sentence(database: Database) -> None:
    number = asked(database, brought(database))
    with database.writing() as session:
        writings.refuse(session, number, "No model writes reports yet.")
        told = writings.get_ask(session, number)
    assert (told.state, told.answer, told.writing) == (AskState.REFUSED, "No model writes reports yet.", None)


def test_nothing_is_written_by_nobody_or_about_nothing(database: Database) -> None:
    study = brought(database)
    with database.writing() as session:
        reader = people.ensure_reader(session, "Ann")
        with pytest.raises(NotFound, match='no model "nobody"'):
            writings.add(session, "nobody", [NewWriting(study, SENTENCES)])
        with pytest.raises(NotFound, match="no study number 99"):
            writings.ask(session, 99, reader, Decoding())
        for look in (writings.get_writing, writings.get_ask):
            with pytest.raises(NotFound):
                look(session, 99)


@pytest.mark.parametrize("settings", [{"temperature": -1}, {"top_k": -1}, {"beams": 0}, {"most_tokens": 100_000}])
def test_settings_that_nothing_can_be_written_by_are_refused(settings: dict[str, float]) -> None:
    with pytest.raises(BadDecoding):
        Decoding(**settings)  # type: ignore[arg-type]


maps = st.lists(st.lists(st.integers(0, 255), min_size=2, max_size=2).map(tuple), min_size=1, max_size=3).map(tuple)
written = st.builds(
    WrittenSentence,
    st.sampled_from(SECTIONS),
    st.text(),
    st.lists(st.tuples(st.sampled_from(["edema", "nodule"]), st.sampled_from(State)), max_size=3).map(tuple),
    st.lists(st.builds(Gaze, st.integers(1, 9), maps), max_size=2).map(tuple),
)


@given(st.lists(written, max_size=4).map(tuple))
def test_sentences_survive_being_kept_as_plain_values(sentences: tuple[WrittenSentence, ...]) -> None:
    assert sentences_of(plain(sentences)) == sentences


def test_what_is_no_sentence_is_said_to_be_none() -> None:
    with pytest.raises(MalformedWriting):
        sentences_of([{"section": "findings"}])
