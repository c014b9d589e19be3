import pytest
from streamlit.testing.v1 import AppTest
from streamlit.testing.v1.element_tree import NumberInput

from app.house import House
from app.screens.jobs import curves, standing, title
from app.services import holdings, training
from core.errors import NotFound
from core.jobs import CurvePoint, JobState, Progress
from core.recipes import changed, preset
from db import jobs, work, workers
from tests.app.conftest import put_model
from tests.app.screen import press, screen, words


def number(at: AppTest, label: str) -> NumberInput:
    return next(box for box in at.number_input if box.label == label)


def test_without_a_snapshot_it_says_that_one_is_needed(demo: House) -> None:
    assert "No snapshot is frozen yet." in words(screen("train"))


def test_a_training_starts_with_the_recipe_that_the_form_states(frozen: House) -> None:
    at = screen("train")
    next(group for group in at.button_group if group.label == "Preset").set_value("smoke")
    at.run()
    number(at, "Epochs").set_value(2)
    next(box for box in at.text_input if box.label == "Learning rate").input("5e-4")
    at.run()
    press(at, "Start training")
    (job,) = training.recent_jobs(frozen)
    recipe = job.parameters["recipe"]
    assert (recipe["preset"], recipe["epochs"], recipe["learning_rate"]) == ("smoke", 2, 5e-4)
    assert (job.family, job.snapshot, job.parameters["promote"]) == ("segmentation", "first", "never")


def test_a_recipe_that_contradicts_itself_is_told_and_cannot_start(frozen: House) -> None:
    at = screen("train")
    number(at, "Image size").set_value(100)
    at.run()
    assert "image_size is a multiple of 32; 100 is not." in words(at)
    assert next(button for button in at.button if button.label == "Start training").disabled


def test_a_pretraining_can_be_started_too(frozen: House) -> None:
    at = screen("train")
    at.selectbox(key="train-family").set_value("pretraining").run()
    press(at, "Start training")
    (job,) = training.recent_jobs(frozen)
    assert job.family == "pretraining"
    assert job.parameters["recipe"]["masked_share"] == 0.75


def test_a_model_to_start_from_is_looked_up_before_the_job_is_queued(frozen: House) -> None:
    recipe = changed(preset("segmentation", "smoke"), {"start_from": "pretraining-v1"})
    with pytest.raises(NotFound, match='no model "pretraining-v1"'):
        training.train(frozen, recipe, "first", "tester")
    assert training.recent_jobs(frozen) == ()
    put_model(frozen, [0.9])
    known = changed(recipe, {"start_from": "segmentation-v1"})
    assert training.train(frozen, known, "first", "tester").parameters["recipe"]["start_from"] == "segmentation-v1"


def test_words_for_a_number_are_told(frozen: House) -> None:
    at = screen("train")
    next(box for box in at.text_input if box.label == "Learning rate").input("fast")
    at.run()
    assert 'learning_rate is a number, not "fast".' in words(at)


def test_it_says_when_no_worker_lives_and_what_to_do(frozen: House) -> None:
    assert "No training worker is running" in words(screen("train"))
    with frozen.database.writing() as session:
        workers.present(session, "trainer@here:1", "trainer", "here", 1)
    assert "No training worker is running" not in words(screen("train"))


def test_a_waiting_job_can_be_cancelled(frozen: House) -> None:
    training.train(frozen, preset("segmentation", "smoke"), "first", "tester")
    press(screen("train"), "Cancel")
    assert training.recent_jobs(frozen)[0].state is JobState.CANCELLED


def test_a_failed_job_tells_its_reason_and_can_be_tried_again(frozen: House) -> None:
    job = training.train(frozen, preset("segmentation", "smoke"), "first", "tester")
    with frozen.database.writing() as session:
        held = jobs.claim(session, [job.kind], "worker", job.id)
        assert held is not None
        jobs.fail(session, job.id, held.claim or "", "There is no mask to learn from.", "Traceback: line 1")
    at = screen("train")
    assert "There is no mask to learn from." in words(at)
    assert [block.value for block in at.code] == ["Traceback: line 1"]
    press(at, "Try again")
    assert training.recent_jobs(frozen)[0].state is JobState.QUEUED


def test_progress_is_told_in_steps_and_time_left(frozen: House) -> None:
    job = training.train(frozen, preset("segmentation", "smoke"), "first", "tester")
    with frozen.database.writing() as session:
        held = jobs.claim(session, [job.kind], "worker", job.id)
        assert held is not None
        jobs.heartbeat(session, job.id, held.claim or "", Progress(40, 120, "Epoch 2 of 4", 190.0))
        jobs.add_points(session, job.id, [CurvePoint("train_loss", 10, 0.5), CurvePoint("validation_dice", 20, 0.7)])
    running = training.job(frozen, job.id)
    assert standing(running) == "Epoch 2 of 4 · 40 of 120 · 3 min left"
    assert title(running) == "Training: segmentation on first, smoke"
    assert "40 of 120" in words(screen("train"))


def test_the_loss_has_a_chart_of_its_own_above_the_rest() -> None:
    figure = curves([CurvePoint("train_loss", 1, 2.0), CurvePoint("validation_dice", 1, 0.4)])
    assert [(line.name, line.yaxis) for line in figure.data] == [("train loss", "y"), ("validation dice", "y2")]


def test_log_lines_are_shown_as_they_are(frozen: House) -> None:
    job = training.train(frozen, preset("segmentation", "smoke"), "first", "tester")
    frozen.workspace.job_log(job.id).write_text("<b>step</b> 1\n", encoding="utf-8")
    assert [block.value for block in screen("train").code] == ["<b>step</b> 1"]


def test_a_worker_that_makes_nothing_fails_its_job_on_the_screen_too(frozen: House) -> None:
    job = training.train(frozen, preset("segmentation", "smoke"), "first", "tester")

    def broken(_: work.Ticket) -> dict[str, object]:
        raise ValueError("no such layer")

    work.work_once(frozen.database, {job.kind: broken}, "worker")
    assert "Something unforeseen went wrong (ValueError: no such layer)" in words(screen("train"))


def test_a_snapshot_tells_what_is_present_by_label(frozen: House) -> None:
    counts = holdings.all_snapshots(frozen)[0].counts
    assert counts.by_label
    finding, many = next(iter(counts.by_label.items()))
    assert f"{finding.replace('_', ' ')} {many}" in words(screen("train"))
