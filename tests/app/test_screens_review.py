import pytest

from app.house import House
from app.screens import asking, film, versions
from app.services import models, reviewing
from core.annotations import NewPrediction
from core.findings import State
from core.masks import stats
from core.reports import Report
from core.reviews import ReviewState
from core.studies import IncomingLabel, Split, Study, View
from data.images import mask_png
from db import predictions, studies
from tests.app.conftest import put_model
from tests.app.screen import part, press, screen, words
from tests.making import block, image, put, study


def suggest(house: House, image_id: int, finding: str = "heart") -> int:
    """A suggestion of a model in use; gives its number."""
    model = put_model(house, [0.9, 0.8])
    models.promote(house, model.name, "the first", "tester")
    mask = block()
    with house.database.writing() as session:
        film_sha = studies.get_image(session, image_id).sha
        new = NewPrediction(image_id, film_sha, finding, house.store.put(mask_png(mask)), stats(mask), 0.91)
        return predictions.add_predictions(session, model.id, [new])[0]


@pytest.fixture
def read(frozen: House) -> House:
    """The demo, and a study of ours (the last) with a report, a mask and two films, in training."""
    put(
        frozen,
        "ours",
        study(
            "ours",
            [image("pa", 1, {"heart": block()}), image("lateral", 2, view=View.LATERAL)],
            report="The heart is enlarged. <b>Small</b> left pleural effusion.",
            split=Split.TRAIN,
            labels=[IncomingLabel("nodule", State.PRESENT), IncomingLabel("fracture", State.ABSENT)],
        ),
    )
    return frozen


OURS = "9"


def test_the_address_opens_its_study_with_films_findings_and_report(read: House) -> None:
    at = screen("review", study=OURS)
    shown = part(at, "mask_editor")
    assert [each["view"] for each in shown["images"]] == ["PA", "Lateral"]
    assert part(at, "bar")["patient"] == "patient-ours"
    rows = {row["key"]: row for row in part(at, "findings")["rows"]}
    assert list(rows)[:2] == ["heart", "nodule"], "marked first, then reported"
    assert rows["nodule"]["report"] == "present"
    sentences = [each for section in part(at, "report")["sections"] for each in section["sentences"]]
    assert [each["finding"] for each in sentences] == ["Heart", "Pleural effusion"]


def test_text_from_outside_stays_text(read: House) -> None:
    at = screen("review", study=OURS)
    passages = [each["text"] for section in part(at, "report")["sections"] for each in section["sentences"]]
    assert any("<b>Small</b>" in passage for passage in passages), "as data for textContent, not as markup"
    assert "<b>Small</b>" not in words(at)


def test_every_layer_says_what_it_stands_on(read: House) -> None:
    version = reviewing.open_study(read, "tester", int(OURS)).current(_first_image(read))["heart"]
    layers = {
        each["finding"]: each for each in part(screen("review", study=OURS), "mask_editor")["images"][0]["layers"]
    }
    assert (layers["heart"]["mask_sha"], layers["heart"]["base_version_id"]) == (version.sha, version.id)
    assert (layers["nodule"]["mask_sha"], layers["nodule"]["draft_id"]) == (None, None)


def test_a_draft_is_taken_up_where_it_was_left(read: House) -> None:
    at = screen("review", study=OURS)
    reader = part(at, "mask_editor")["reader"]
    saved = reviewing.save_stroke(read, reader, _first_image(read), "heart", block(side=3))
    at = screen("review", study=OURS)
    layers = {each["finding"]: each for each in part(at, "mask_editor")["images"][0]["layers"]}
    assert (layers["heart"]["draft_id"], layers["heart"]["mask_sha"]) == (saved.draft.id, saved.draft.sha)
    assert {row["key"]: row["me"] for row in part(at, "findings")["rows"]}["heart"] == "draft"


def test_a_suggestion_is_offered_with_its_model_and_how_sure_it_is(read: House) -> None:
    number = suggest(read, _first_image(read))
    at = screen("review", study=OURS)
    row = next(row for row in part(at, "findings")["rows"] if row["key"] == "heart")
    assert row["suggestion"] == {"id": number, "says": "Suggested by segmentation-v1, 0.91"}
    assert [each["prediction_id"] for each in part(at, "mask_editor")["images"][0]["suggestions"]] == [number]


def test_a_study_that_judges_the_models_shows_no_suggestion_and_says_so(read: House) -> None:
    with read.database.reading() as session:
        blind = next(n for n in range(1, 9) if studies.get_study(session, n).blind)
        image_id = studies.get_study(session, blind).images[0].id
    suggest(read, image_id)
    at = screen("review", study=str(blind))
    assert all(row["suggestion"] is None for row in part(at, "findings")["rows"])
    assert part(at, "mask_editor")["images"][0]["suggestions"] == []
    assert "Read without suggestions" in words(at)
    assert part(at, "report")["canAsk"] is False


def test_a_finding_added_by_hand_can_be_drawn_at_once_and_on_the_next_study(read: House) -> None:
    at = screen("review", study=OURS)
    box = next(box for box in at.selectbox if box.label == "Add a finding")
    box.select("fracture").run()
    assert part(at, "findings")["active"] == "fracture"
    assert part(at, "mask_editor")["active_finding"] == "fracture"
    at.query_params["study"] = "1"
    at.run()
    assert "fracture" in [row["key"] for row in part(at, "findings")["rows"]]


def test_the_films_of_the_next_study_are_fetched_ahead(read: House) -> None:
    first = part(screen("review", study="1"), "mask_editor")
    second = part(screen("review", study="2"), "mask_editor")
    assert first["prefetch"] == [each["sha"] for each in second["images"]]


def test_a_study_that_is_not_there_is_told_in_a_sentence(read: House) -> None:
    at = screen("review", study="4711")
    assert "There is no study number 4711" in words(at)


def test_versions_tell_who_drew_what(read: House) -> None:
    reviewing.save_stroke(read, "Ada", _first_image(read), "heart", block(side=5))
    reviewing.submit(read, "Ada", int(OURS))
    at = press(screen("review", study=OURS), "Versions 2")
    assert "Ada" in words(at)
    assert "imported" in words(at)
    compared = part(at, "comparison")
    assert compared["one"]["url"] != compared["other"]["url"]


def test_both_lines_of_a_drawing_in_two_tabs_are_listed(read: House) -> None:
    image_id = _first_image(read)
    reviewing.save_stroke(read, "Ada", image_id, "heart", block(side=5))
    reviewing.save_stroke(read, "Ada", image_id, "heart", block(side=6))
    opened = reviewing.open_study(read, "Ada", int(OURS))
    names = [entry.name for entry in versions.history(opened, image_id, "heart") if entry.draft]
    assert names == ["Draft, line 2", "Draft, line 1"]


def test_another_study_of_the_patient_opens_beside(read: House) -> None:
    put(read, "ours", study("later", [image("pa", 5)], patient="patient-ours", split=Split.TRAIN, order=2))
    at = screen("review", study=OURS)
    press(at, next(button.label for button in at.button if button.label.startswith("Beside: later")))
    assert any(button.label.startswith("Close: later") for button in at.button)


def test_the_sections_of_a_report_stand_in_reading_order() -> None:
    told = Report(indication="Cough.", findings="Heart is big. Clear lungs.", impression="Cardiomegaly.")
    opened = reviewing.OpenStudy(_study_with(told), (), (), {}, (), (), (), None, None)
    assert [section.name for section in asking.sections(opened)] == ["Findings", "Impression", "Indication"]


def test_a_patient_is_told_in_a_few_words() -> None:
    assert film.facts(_study_with(None)) == ["54 F", "key", "dataset"]


def _study_with(told: Report | None) -> Study:
    return Study(1, "dataset", "p", "key", Split.TRAIN, ReviewState.UNREAD, (), told, age=54, sex="female")


def _first_image(house: House) -> int:
    return reviewing.open_study(house, "tester", int(OURS)).study.images[0].id
