"""Reports that models draft: on every study of a dataset as a job, and on one study when somebody asks."""

import threading
from collections.abc import Iterator
from dataclasses import replace

import pytest

from core.annotations import AskState
from core.jobs import JobKind, JobState
from core.recipes import GenerationRecipe, preset
from core.writing import Decoding, WritingAsk
from db import models, people, promotion, studies, writings
from db.models import NewModel
from db.work import work_once
from tests.trainers.conftest import BY, House
from tests.trainers.reported import add_reported
from trainers.contract import Silent
from trainers.generation.family import Generation
from trainers.handlers import handlers
from trainers.inference import Answerer
from trainers.loop import train


@pytest.fixture
def answerer(house: House) -> Iterator[Answerer]:
    yield Answerer(house.workspace, house.database)


def put_writer_in_use(house: House) -> str:
    """A model that has hardly learned, in use; gives its name."""
    add_reported(house, "drawn", 24)
    recipe = preset("generation", "smoke")
    assert isinstance(recipe, GenerationRecipe)
    recipe = replace(recipe, minimum_steps=10, epochs=1)
    family = Generation()
    data = family.prepare(recipe, house.freeze("drawn-1", "drawn"), house.shelf, Silent())
    done = train(
        lambda wanted: family.module(wanted, data),
        recipe,
        family.headline,
        True,
        house.workspace.home / "run",
        Silent(),
    )
    (house.workspace.models / "writer").mkdir(parents=True)
    family.save(done.module.publishable(), house.workspace.models / "writer")
    with house.database.writing() as session:
        new = NewModel("generation", "writer", recipe.to_mapping(), (), family.headline, {})
        version = models.register(session, new, BY)
        return promotion.put_in_use(session, version.name, "for the test", BY).name


def ask(house: House, study: int = 1, model: str = "", decoding: Decoding | None = None) -> int:
    with house.database.writing() as session:
        return writings.ask(session, study, people.ensure_reader(session, BY), decoding or Decoding(), model)


def found(house: House, number: int) -> WritingAsk:
    with house.database.reading() as session:
        return writings.get_ask(session, number)


def do_the_job(house: House) -> JobState:
    job = work_once(house.database, handlers(house.workspace, threading.Event()), "tester")
    assert job is not None and job.kind is JobKind.PREDICT
    return job.state


def test_promotion_has_a_report_drafted_on_every_study_not_read_blind_and_never_twice(house: House) -> None:
    model = put_writer_in_use(house)
    assert do_the_job(house) is JobState.SUCCEEDED
    with house.database.writing() as session:
        open_studies = [n for n in studies.study_numbers(session) if not studies.get_study(session, n).blind]
        drafts = {number: writings.of_study(session, number) for number in studies.study_numbers(session)}
        assert {number for number, own in drafts.items() if own} == set(open_studies)
        assert all(len(own) == 1 and own[0].model == model for number, own in drafts.items() if own)
        promotion.suggest_for(session, "drawn", BY)
    assert do_the_job(house) is JobState.SUCCEEDED
    with house.database.reading() as session:
        assert all(len(writings.of_study(session, number)) == 1 for number in open_studies)


def test_a_report_that_is_asked_for_is_written_in_the_way_that_is_asked(house: House, answerer: Answerer) -> None:
    model = put_writer_in_use(house)
    answerer.refresh()
    number = ask(house, decoding=Decoding(temperature=1.0, top_k=5, prompt="The heart", seed=7))
    assert answerer.answer_waiting() == 1
    told = found(house, number)
    assert (told.state, told.model) == (AskState.ANSWERED, model)
    assert told.writing is not None
    with house.database.reading() as session:
        writing = writings.get_writing(session, told.writing)
    assert writing.sentences[0].text.startswith("The heart")
    assert writing.decoding == Decoding(temperature=1.0, top_k=5, prompt="The heart", seed=7)


def test_where_no_model_writes_yet_the_answer_says_what_to_do(house: House, answerer: Answerer) -> None:
    add_reported(house, "drawn", 4)
    answerer.refresh()
    number = ask(house)
    answerer.answer_waiting()
    told = found(house, number)
    assert told.state is AskState.REFUSED
    assert told.answer == "No generation model is in use yet. Train one, and promote it on the Models screen."
