"""Trying a film: what can be dropped, what is shown of the answer, and what is left once it is forgotten."""

import io
from datetime import UTC, datetime

import numpy as np
import PIL.Image
import pytest
from streamlit.testing.v1 import AppTest

from app.house import House
from app.services import trying
from app.services.try_pictures import heated, most_telling
from core.annotations import AskState
from core.findings import State
from core.tries import KEPT_FOR, MOST_WORDS, Opinion, new_place
from data.passing import Passing
from db import audit, tries
from tests.app.answering import answer_all, put_classifier, say_that_it_lives
from tests.app.screen import part, press, screen, words
from tests.making import film


def png(height: int = 256, width: int = 224) -> bytes:
    out = io.BytesIO()
    PIL.Image.fromarray(film(3, height, width)).save(out, "PNG")
    return out.getvalue()


def drop(at: AppTest, payload: bytes, name: str = "film.png") -> AppTest:
    at.file_uploader[0].set_value((name, payload, "application/octet-stream"))
    at.run()
    assert not at.exception, at.exception
    return at


def typed(at: AppTest, context: str) -> AppTest:
    at.text_area[0].input(context)
    at.run()
    assert not at.exception, at.exception
    return at


def labels(at: AppTest) -> list[str]:
    return [button.label for button in at.button]


def answered(house: House, context: str = "", **more: object) -> AppTest:
    """The screen after a film was dropped and answered for."""
    at = drop(typed(screen("trying"), context), png())
    assert answer_all(house, more=more) == 1
    at.run()
    assert not at.exception, at.exception
    return at.run()


def test_without_a_model_it_leads_to_training(demo: House) -> None:
    at = screen("trying")
    assert "No classification model is here yet." in words(at)
    assert not at.file_uploader
    press(at, "Train a model")


def test_without_a_model_in_use_a_version_is_to_be_chosen(demo: House) -> None:
    put_classifier(demo, in_use=False)
    at = screen("trying")
    assert "No version is in use yet. Choose one to try, or promote one" in words(at)
    assert at.file_uploader[0].disabled
    at.selectbox(key="try-model").select_index(0).run()
    assert not at.file_uploader[0].disabled


def test_a_film_that_is_dropped_is_asked_about_at_once(demo: House) -> None:
    put_classifier(demo)
    say_that_it_lives(demo)
    at = drop(typed(screen("trying"), "Cough."), png())
    waits = part(at, "waiting")
    assert (waits["words"]["first"], waits["awake"]) == ("The model is looking.", True)
    with demo.database.reading() as session:
        (one,) = tries.waiting(session, 5)
    assert (one.model, one.context) == ("classification-v1", "Cough.")
    shown = part(at, "looked")
    assert (shown["width"], shown["height"], shown["map"]) == (224, 256, None)
    assert shown["film"] == f"/rr/tries/{one.place}/film/{one.sha}"


def test_when_nobody_is_awake_it_says_what_to_do(demo: House) -> None:
    put_classifier(demo)
    waits = part(drop(screen("trying"), png()), "waiting")
    assert not waits["awake"]
    assert "Start the workstation with make app" in waits["words"]["asleep"]


def test_probabilities_stand_side_by_side_with_where_the_model_looked(demo: House) -> None:
    put_classifier(demo)
    at = answered(demo, "Cough for weeks")
    table = part(at, "opinions")
    assert table["hasContext"]
    assert table["chosen"] == "cardiomegaly"
    first = table["rows"][0]
    assert (first["name"], first["probability"], first["without"], first["threshold"]) == (
        "Cardiomegaly",
        0.91,
        0.86,
        0.5,
    )
    assert [row["present"] for row in table["rows"]] == [True, False, False]
    shown = part(at, "looked")
    assert shown["words"] == "Where the model looked for Cardiomegaly"
    assert "/map/" in shown["map"]
    told = words(at)
    assert "Words heeded for Cardiomegaly" in told
    assert "Cough<small>0.30</small>" in told
    assert "Cardiomegaly 0.91: the lower right of the picture." in told


def test_without_a_context_there_is_one_column(demo: House) -> None:
    put_classifier(demo)
    at = answered(demo)
    assert not part(at, "opinions")["hasContext"]
    assert "Words heeded" not in words(at)


def test_the_context_can_be_changed_and_the_same_film_read_again(demo: House) -> None:
    put_classifier(demo)
    at = answered(demo, "Cough.")
    press(typed(at, "Fever since Monday."), "Read again")
    with demo.database.reading() as session:
        (again,) = tries.waiting(session, 5)
    assert again.context == "Fever since Monday."
    # Until the new answer is here the one before stays.
    assert part(at, "opinions")["rows"][0]["probability"] == 0.91
    answer_all(demo)
    at.run()
    at.run()
    assert "Fever<small>" in words(at)
    assert len(list(Passing.of(demo.workspace).places())) == 1


def test_a_refusal_is_told_and_the_film_can_be_asked_about_again(demo: House) -> None:
    put_classifier(demo)
    at = drop(screen("trying"), png())
    answer_all(demo, refusal="classification-v1 cannot be loaded.")
    at.run()
    assert "classification-v1 cannot be loaded." in words(at.run())
    press(at, "Read again")


@pytest.mark.parametrize(
    ("payload", "told"),
    [
        (b"", "The file is empty."),
        (b"hello", "The file is no PNG, JPEG, TIFF or DICOM image."),
        (png()[:2000], "The PNG is cut off"),
        (png(8, 8), "The picture has only 8 x 8 pixels"),
    ],
)
def test_what_is_no_film_is_told_in_a_sentence_and_leaves_nothing(demo: House, payload: bytes, told: str) -> None:
    put_classifier(demo)
    at = drop(screen("trying"), payload)
    assert told in words(at)
    assert list(Passing.of(demo.workspace).places()) == []
    assert at.file_uploader


def test_a_small_film_is_read_with_a_caution(demo: House) -> None:
    put_classifier(demo)
    assert "The film has only 64 x 64 pixels" in words(drop(screen("trying"), png(64, 64)))


def test_of_fifty_thousand_words_the_beginning_is_read_and_that_is_told(demo: House) -> None:
    put_classifier(demo)
    at = answered(demo, " ".join(["cough"] * 50_000))
    assert f"Of the 50,000 words of the context the first {MOST_WORDS:,} are kept." in words(at)


def test_a_context_in_another_language_works_and_is_flagged(demo: House, monkeypatch: pytest.MonkeyPatch) -> None:
    note = "The context seems to be in another language than English."
    monkeypatch.setattr(trying, "language_note", lambda text: note if "Husten" in text else None)
    put_classifier(demo)
    at = answered(demo, "Der Patient klagt seit zwei Wochen über Husten und Fieber.", remarks=[note])
    assert part(at, "opinions")["hasContext"]
    # The screen and the model both know, and it is said once.
    assert words(at).count(note) == 1


def test_the_context_stands_for_itself_whatever_is_in_it(demo: House) -> None:
    put_classifier(demo)
    at = answered(demo, "<b>bold</b> $x$ **stars**")
    assert "&lt;b&gt;bold&lt;/b&gt;<small>" in words(at)


def test_forgetting_leaves_nothing_but_a_line_on_the_audit_trail(demo: House) -> None:
    put_classifier(demo)
    at = answered(demo, "Cough.")
    press(at, "Forget this film")
    assert at.file_uploader
    assert at.text_area[0].value == ""
    assert list(Passing.of(demo.workspace).places()) == []
    with demo.database.reading() as session:
        told = [(event.action, event.detail) for event in audit.events(session)][:2]
        assert tries.waiting(session, 5) == ()
    assert told[0][0] == "forget a tried film"
    assert told[1] == ("try a film", "224 x 256 pixels, 1 word of context")


def test_what_was_forgotten_behind_the_screen_leads_back_to_the_door(demo: House) -> None:
    put_classifier(demo)
    at = answered(demo)
    (place,) = Passing.of(demo.workspace).places()
    trying.forget(demo, place, "somebody else")
    at.run()
    assert "may have been forgotten" in words(at)
    assert at.file_uploader


def test_another_version_can_be_tried(demo: House) -> None:
    put_classifier(demo)
    put_classifier(demo, in_use=False)
    at = screen("trying", model="classification-v2")
    drop(at, png())
    with demo.database.reading() as session:
        (one,) = tries.waiting(session, 5)
    assert one.model == "classification-v2"
    assert one.state is AskState.WAITING


def test_a_drop_sweeps_away_what_was_forgotten_to_be_forgotten(demo: House) -> None:
    old = new_place(datetime.now(UTC) - 2 * KEPT_FOR)
    Passing.of(demo.workspace).store(old).put(b"an old film")
    film_in = trying.drop(demo, png())
    assert list(Passing.of(demo.workspace).places()) == [film_in.place]


def test_a_film_that_is_gone_cannot_be_asked_about(demo: House) -> None:
    model = put_classifier(demo)
    film_in = trying.drop(demo, png())
    trying.forget(demo, film_in.place, "ana")
    with pytest.raises(trying.Forgotten):
        trying.ask(demo, film_in, trying.heed("").context, model, "ana")


def test_a_pasted_report_is_read_without_what_was_seen(demo: House) -> None:
    heeded = trying.heed("Indication: chest pain.\nFindings: There is a pleural effusion.")
    assert "chest pain" in heeded.read
    assert "effusion" not in heeded.read
    nothing = trying.heed("Findings: There is a pleural effusion.")
    assert nothing.read == ""
    assert "read without context" in nothing.cautions[0]


def test_heat_is_the_findings_colour_where_the_model_looked() -> None:
    grey = np.full((40, 40), 100, np.uint8)
    heat = np.zeros((10, 10), np.uint8)
    heat[:, 5:] = 255
    mixed = heated(grey, heat, "#FF0000")
    assert tuple(mixed[20, 2]) == (100, 100, 100)
    assert tuple(mixed[20, 38]) == (216, 25, 25)


def test_the_picture_is_of_the_finding_that_goes_farthest_beyond_its_threshold() -> None:
    likely = Opinion("edema", 0.9, 0.9, threshold=0.8, says=State.PRESENT)
    rare = Opinion("nodule", 0.5, 0.5, threshold=0.1, says=State.PRESENT)
    absent = Opinion("fracture", 0.95, 0.95, threshold=0.99, says=State.ABSENT)
    unknown = Opinion("lung_lesion", 0.97, 0.97)
    assert most_telling([unknown, absent, likely, rare]) is rare
    assert most_telling([absent, unknown]) is unknown
