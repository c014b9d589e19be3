"""The warm inference process: what it answers, and what it says when it cannot."""

import threading

from core.annotations import Ask, AskState
from core.jobs import JobKind, JobState
from core.studies import Split, View
from db import asks, models, people, predictions, studies, workers
from db.work import work_once
from tests.trainers.conftest import BY, House
from trainers.handlers import handlers
from trainers.inference import Answerer, answer_forever


def question(house: House, image: int, finding: str, prompt: str) -> int:
    with house.database.writing() as session:
        return asks.ask(session, image, finding, prompt, people.ensure_reader(session, BY))


def answer(house: House, number: int) -> Ask:
    with house.database.reading() as session:
        return asks.get_ask(session, number)


def image_of(house: House, study: int) -> int:
    with house.database.reading() as session:
        numbers = studies.study_numbers(session)
        return studies.get_study(session, numbers[study]).images[0].id


def with_champion(house: House) -> None:
    house.add("drawn", 8)
    house.freeze("first", "drawn")
    job = house.ask(JobKind.TRAIN, "first", recipe={"preset": "smoke", "minimum_steps": 20}, promote="rule")
    done = work_once(house.database, handlers(house.workspace, threading.Event()), "tester", job.id)
    assert done is not None and done.state is JobState.SUCCEEDED, done


def test_without_a_model_in_use_the_answer_says_what_to_do(house: House) -> None:
    house.add("drawn", 1, splits=(Split.TRAIN,))
    number = question(house, image_of(house, 0), "left_lung", "left lung")
    Answerer(house.workspace, house.database).answer_waiting()
    found = answer(house, number)
    assert found.state is AskState.REFUSED
    assert found.answer == "No segmentation model is in use yet. Train one, and promote it on the Models screen."


def test_questions_are_answered_or_refused_with_a_reason(house: House) -> None:
    with_champion(house)
    house.add("side-views", 1, view=View.LATERAL, first_seed=50)
    answerer = Answerer(house.workspace, house.database)
    answerer.refresh()
    known = question(house, image_of(house, 0), "left_lung", "the patient's left lung")
    foreign = question(house, image_of(house, 0), "pneumothorax", "pneumothorax")
    empty = question(house, image_of(house, 0), "left_lung", " ")
    lateral = question(house, image_of(house, -1), "left_lung", "left lung")
    assert answerer.answer_waiting() == 4

    answered = answer(house, known)
    assert answered.state is AskState.ANSWERED
    with house.database.reading() as session:
        prediction = predictions.get_prediction(session, answered.prediction_id or 0)
    assert prediction.model == "segmentation-v1"
    assert prediction.prompt == "the patient's left lung"
    if prediction.sha is not None:
        assert house.store.has(prediction.sha)
    assert answer(house, foreign).answer == (
        "segmentation-v1 was not trained on pneumothorax; it answers for: left_lung, right_lung."
    )
    assert "prompt is empty" in (answer(house, empty).answer or "")
    assert "frontal films only" in (answer(house, lateral).answer or "")


def test_a_damaged_model_is_told_of_and_the_process_lives_on(house: House) -> None:
    with_champion(house)
    with house.database.reading() as session:
        version = models.get_model(session, "segmentation")
    weights = house.workspace.models / version.folder / "weights.safetensors"
    weights.write_bytes(weights.read_bytes()[:1000])
    answerer = Answerer(house.workspace, house.database)
    answerer.refresh()
    number = question(house, image_of(house, 0), "left_lung", "left lung")
    answerer.answer_waiting()
    found = answer(house, number)
    assert found.state is AskState.REFUSED
    assert "cannot be loaded" in (found.answer or "")


def test_a_new_champion_answers_from_the_next_look_on(house: House) -> None:
    with_champion(house)
    answerer = Answerer(house.workspace, house.database)
    answerer.refresh()
    second = house.ask(JobKind.TRAIN, "first", recipe={"preset": "smoke", "minimum_steps": 20, "seed": 1})
    work_once(house.database, handlers(house.workspace, threading.Event()), "tester", second.id)
    with house.database.writing() as session:
        models.promote(session, "segmentation-v2", "looks better", BY)
    answerer.refresh()
    number = question(house, image_of(house, 0), "right_lung", "right lung")
    answerer.answer_waiting()
    with house.database.reading() as session:
        prediction = predictions.get_prediction(session, answer(house, number).prediction_id or 0)
    assert prediction.model == "segmentation-v2"


def test_the_process_is_on_record_while_it_lives(house: House) -> None:
    stopped = threading.Event()
    thread = threading.Thread(target=answer_forever, args=(Answerer(house.workspace, house.database), stopped))
    thread.start()
    try:
        for _ in range(100):
            with house.database.reading() as session:
                living = workers.living(session, "inference")
            if living:
                break
            stopped.wait(0.05)
        assert living
    finally:
        stopped.set()
        thread.join()
    with house.database.reading() as session:
        assert workers.living(session, "inference") == ()
