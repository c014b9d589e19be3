"""The warm inference process: what it answers, and what it says when it cannot."""

import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from core.annotations import Ask, AskState
from core.errors import ReadingRoomError
from core.jobs import JobKind, JobState
from core.studies import Split, View
from core.tries import KEPT_FOR, NewTry, Try, new_place
from data.images import read
from data.passing import Passing
from data.store import name_of
from db import asks, models, people, predictions, studies, tries, workers
from db.work import work_once
from tests.trainers.conftest import BY, House
from tests.trainers.stub_family import StubFamily, bright_film, put_version
from trainers import awake
from trainers.handlers import handlers
from trainers.inference import Answerer, answer_forever

NOW = datetime(2026, 11, 25, 12, 0, tzinfo=UTC)


@pytest.fixture
def stub(monkeypatch: pytest.MonkeyPatch) -> StubFamily:
    """Stands in for the classification family."""
    family = StubFamily()
    monkeypatch.setattr(awake, "FAMILIES", {**awake.FAMILIES, "classification": family})
    return family


@pytest.fixture
def answerer(house: House) -> Iterator[Answerer]:
    yield Answerer(house.workspace, house.database)


def tried(house: House, model: str = "classification-v1", context: str = "", film: bytes | None = None) -> Try:
    """A film in a place of its own, and a question about it."""
    place = new_place(datetime.now(UTC))
    sha = Passing.of(house.workspace).store(place).put(film or bright_film())
    new = NewTry(place, sha, "image/png", View.UNKNOWN, context, model)
    with house.database.writing() as session:
        number = tries.ask(session, new, people.ensure_reader(session, BY))
    return looked_up(house, number)


def looked_up(house: House, number: int) -> Try:
    with house.database.reading() as session:
        return tries.get_try(session, number)


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


def test_a_film_that_is_tried_is_answered_with_and_without_its_context(
    house: House, stub: StubFamily, answerer: Answerer
) -> None:
    put_version(house.database)
    one = tried(house, context="Cough and fever.")
    assert answerer.answer_waiting() == 1
    found = looked_up(house, one.id)
    assert found.state is AskState.ANSWERED
    first = found.opinions[0]
    assert first.finding == "cardiomegaly"
    assert first.has_context
    assert first.probability > first.without_context
    assert [word for word, _ in first.words] == ["Cough", "and", "fever."]
    (case,) = stub.asked
    assert case.study.report is not None and case.study.report.indication == "Cough and fever."
    assert case.study.dataset == "try"


def test_where_the_model_looked_lies_beside_the_film_and_nowhere_else(
    house: House, stub: StubFamily, answerer: Answerer
) -> None:
    put_version(house.database)
    one = tried(house)
    answerer.answer_waiting()
    opinion = looked_up(house, one.id).opinions[0]
    assert opinion.map is not None
    place = Passing.of(house.workspace).store(one.place)
    assert read(place.get(opinion.map)).shape == (48, 40)
    assert list(house.store.iterate()) == []
    assert not opinion.has_context


@pytest.mark.parametrize(
    ("reason", "told"),
    [
        (ReadingRoomError("The film shows nothing."), "The film shows nothing."),
        (ValueError("no such layer"), "The model could not answer (ValueError: no such layer)."),
        (MemoryError(), "The model could not answer (MemoryError: )."),
    ],
)
def test_a_film_that_cannot_be_answered_for_is_told_why(
    house: House, stub: StubFamily, answerer: Answerer, reason: Exception, told: str
) -> None:
    put_version(house.database)
    stub.refuses = reason
    one = tried(house)
    answerer.answer_waiting()
    found = looked_up(house, one.id)
    assert (found.state, found.answer) == (AskState.REFUSED, told)


def test_a_model_that_says_nothing_of_a_film_is_told_of(
    house: House, stub: StubFamily, answerer: Answerer, monkeypatch: pytest.MonkeyPatch
) -> None:
    put_version(house.database)
    monkeypatch.setattr(stub, "predict", lambda *_: [])
    one = tried(house)
    answerer.answer_waiting()
    assert "says nothing of this film. It reads frontal films" in (looked_up(house, one.id).answer or "")


def test_an_opinion_that_is_none_is_refused_before_it_is_kept(
    house: House, stub: StubFamily, answerer: Answerer, monkeypatch: pytest.MonkeyPatch
) -> None:
    put_version(house.database)
    ordinary = stub.predict

    def without_a_number(*asked: object) -> object:
        return [replace(each, payload={**each.payload, "probability": np.nan}) for each in ordinary(*asked)]

    monkeypatch.setattr(stub, "predict", without_a_number)
    one = tried(house)
    answerer.answer_waiting()
    assert "train the model again" in (looked_up(house, one.id).answer or "")


def test_a_film_that_was_forgotten_meanwhile_leaves_nothing_behind(
    house: House, stub: StubFamily, answerer: Answerer, monkeypatch: pytest.MonkeyPatch
) -> None:
    put_version(house.database)
    one = tried(house)
    ordinary = stub.predict

    def forgotten_meanwhile(*asked: object) -> object:
        Passing.of(house.workspace).forget(one.place)
        with house.database.writing() as session:
            tries.forget(session, one.place)
        Passing.of(house.workspace).store(one.place).put(bright_film())
        return ordinary(*asked)

    monkeypatch.setattr(stub, "predict", forgotten_meanwhile)
    answerer.answer_waiting()
    assert list(Passing.of(house.workspace).places()) == []


def test_a_film_whose_bytes_are_gone_is_told_of(house: House, stub: StubFamily, answerer: Answerer) -> None:
    put_version(house.database)
    one = tried(house)
    Passing.of(house.workspace).forget(one.place)
    answerer.answer_waiting()
    assert "was forgotten" in (looked_up(house, one.id).answer or "")


def test_a_family_that_cannot_be_loaded_does_not_silence_the_other(house: House, stub: StubFamily) -> None:
    with_champion(house)
    put_version(house.database)
    stub.broken["classification-stub"] = MemoryError("out of memory")
    answerer = Answerer(house.workspace, house.database)
    answerer.refresh()
    film, number = tried(house), question(house, image_of(house, 0), "left_lung", "left lung")
    answerer.answer_waiting()
    assert answer(house, number).state is AskState.ANSWERED
    found = looked_up(house, film.id)
    assert found.state is AskState.REFUSED
    assert found.answer == "classification-v1 cannot be loaded (MemoryError: out of memory)."


def test_a_model_that_cannot_be_loaded_is_let_alone_for_a_while(
    house: House, stub: StubFamily, answerer: Answerer, monkeypatch: pytest.MonkeyPatch
) -> None:
    put_version(house.database)
    stub.broken["classification-stub"] = OSError("no such disk")
    answerer.refresh()
    del stub.broken["classification-stub"]
    answerer.refresh()
    assert stub.loaded == []
    monkeypatch.setattr(awake, "LET_ALONE_SECONDS", 0.0)
    answerer.refresh()
    assert stub.loaded == ["classification-stub"]


def test_a_model_that_does_not_fit_in_memory_is_not_begun_with(
    house: House, stub: StubFamily, answerer: Answerer, monkeypatch: pytest.MonkeyPatch
) -> None:
    version = put_version(house.database)
    folder = house.workspace.models / version.folder
    folder.mkdir(parents=True)
    (folder / "weights.safetensors").write_bytes(bytes(1000))
    monkeypatch.setattr(awake, "available_bytes", lambda: 2**20)
    one = tried(house)
    answerer.refresh()
    answerer.answer_waiting()
    assert stub.loaded == []
    assert "of memory to be loaded" in (looked_up(house, one.id).answer or "")


def test_the_models_in_use_are_warm_before_anybody_asks(house: House, stub: StubFamily, answerer: Answerer) -> None:
    put_version(house.database)
    answerer.refresh()
    answerer.refresh()
    assert stub.loaded == ["classification-stub"]


def test_a_version_that_is_not_in_use_is_a_guest_and_goes_again(
    house: House, stub: StubFamily, answerer: Answerer, monkeypatch: pytest.MonkeyPatch
) -> None:
    put_version(house.database, "in-use")
    put_version(house.database, "candidate", in_use=False)
    answerer.refresh()
    for _ in range(2):
        assert looked_up_after(house, answerer, "classification-v2").state is AskState.ANSWERED
    assert looked_up_after(house, answerer, "classification-v1").state is AskState.ANSWERED
    assert stub.loaded == ["in-use", "candidate"]
    monkeypatch.setattr(awake, "GUEST_SECONDS", -1.0)
    answerer.refresh()
    looked_up_after(house, answerer, "classification-v2")
    assert stub.loaded == ["in-use", "candidate", "candidate"]


def looked_up_after(house: House, answerer: Answerer, model: str) -> Try:
    one = tried(house, model)
    answerer.answer_waiting()
    return looked_up(house, one.id)


def test_readers_go_first_and_films_are_tried_one_at_a_time(house: House, stub: StubFamily, answerer: Answerer) -> None:
    put_version(house.database)
    house.add("drawn", 1, splits=(Split.TRAIN,))
    films = [tried(house) for _ in range(2)]
    number = question(house, image_of(house, 0), "left_lung", "left lung")
    assert answerer.answer_waiting() == 2
    assert answer(house, number).state is AskState.REFUSED
    assert [looked_up(house, film.id).state for film in films] == [AskState.ANSWERED, AskState.WAITING]


def test_what_nobody_asked_to_forget_is_forgotten_in_time(house: House, answerer: Answerer) -> None:
    passing = Passing.of(house.workspace)
    old, young = new_place(NOW - 400 * KEPT_FOR), new_place(datetime.now(UTC) - KEPT_FOR + timedelta(minutes=5))
    for place in (old, young):
        passing.store(place).put(bright_film())
        new = NewTry(place, name_of(bright_film()), "image/png", View.UNKNOWN, "cough", "classification-v1")
        with house.database.writing() as session:
            tries.ask(session, new, people.ensure_reader(session, BY))
    answerer.sweep()
    assert list(passing.places()) == [young]
    with house.database.reading() as session:
        assert [one.place for one in tries.waiting(session, 5)] == [young]
