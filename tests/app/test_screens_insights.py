"""The lead's screen over what readers say of reports."""

from app.house import House
from app.services import reporting
from core.judgements import Said
from core.ratings import ErrorKind, Preference, Quality, ReportError, Severity
from core.studies import Split
from core.writing import NewWriting, WrittenSentence
from db import models, writings
from db.models import NewModel
from tests.app.screen import screen, words
from tests.judging import in_use
from tests.making import put, study

HOSTILE = "<script>there is cardiomegaly</script>"


def written(house: House, model: str, text: str) -> int:
    with house.database.writing() as session:
        (number,) = writings.add(session, model, [NewWriting(1, (WrittenSentence("findings", text),))])
        return number


def test_before_anything_was_judged_the_screen_says_where_that_is_done(house: House) -> None:
    at = screen("insights")
    assert "No report was judged yet." in words(at)
    assert [button.label for button in at.button if button.label == "To the reports"]


def test_the_lead_sees_errors_preferences_and_what_is_still_got_wrong(house: House) -> None:
    put(house, "d", study("a", report="The heart is normal.", split=Split.TRAIN))
    with house.database.writing() as session:
        first = models.register(session, NewModel("generation", "f", {}, (), "report_f1", {}), "tester").name
    number = written(house, first, "There is cardiomegaly.")
    error = ReportError(ErrorKind.OMISSION, True, Severity.SERIOUS, replacement=HOSTILE)
    said = Said((error,), Quality(2, 1), (("findings", "The lungs are clear."),))
    for reader in ("Ann", "Ben"):
        saved, _ = reporting.save(house, reader, number, said, None)
        reporting.submit(house, reader, saved.judgement.id)
    reporting.compare(house, "Ann", 1, number, Preference.EQUIVALENT)
    in_use(house, "generation", "heart")
    written(house, "generation-v2", HOSTILE)

    at = screen("insights")
    told = words(at)
    assert "generation-v1" in told and "2 of 1 reports" in told
    assert "0% (0% to 66%), N 2" in told, "neither would sign it"
    assert "1 of 1 corrected errors are still made by generation-v2" in told
    assert "still said" in told
    assert "Ann and Ben" in told
    assert "<script>" not in told
