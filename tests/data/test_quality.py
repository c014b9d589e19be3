from core.masks import MaskStats
from core.reports import Report
from core.studies import IncomingImage, IncomingMask, IncomingStudy, PixelFacts, Skipped, View
from data.importers.plan import MaskOfAnotherSize
from data.quality import QualityReport, Tally


def study(report: Report | None = None, notes: str | None = None) -> IncomingStudy:
    mask = IncomingMask("heart", b"", MaskStats(4, 4, 0, None))
    image = IncomingImage("film", View.PA, PixelFacts(4, 4), b"", "image/png", (mask,))
    return IncomingStudy("p", "s", (image,), report, notes=notes)


def test_the_report_counts_what_a_lead_should_look_at() -> None:
    tally = Tally("site")
    tally.saw(study())
    tally.saw(study(Report(findings="Clear.")))
    tally.saw(study(Report(findings="The heart is normal in size and the lungs are clear.")))
    tally.saw(Skipped("x.png", "it is cut off"))
    tally.saw(MaskOfAnotherSize("masks/heart/x.png", "the mask is 1 x 1 pixels"))
    tally.added(studies=3, images=3, masks=2, reports=2, duplicates=1, skipped=[Skipped("s/film", "known already")])
    report = tally.report(["one table was not UTF-8"])
    assert report.to_json() == {
        "dataset": "site",
        "studies": 3,
        "images": 3,
        "masks": 2,
        "reports": 2,
        "duplicates": 1,
        "skipped": [
            {"item": "x.png", "reason": "it is cut off"},
            {"item": "masks/heart/x.png", "reason": "the mask is 1 x 1 pixels"},
            {"item": "s/film", "reason": "known already"},
        ],
        "without_report": 1,
        "short_reports": 1,
        "size_mismatches": 1,
        "identifying_texts": 0,
        "warnings": ["one table was not UTF-8"],
    }
    assert QualityReport.from_json(report.to_json()) == report


def test_texts_that_seem_to_identify_someone_are_counted_and_not_changed() -> None:
    tally = Tally("site")
    for notes in ("born 03.11.1950", "seen 2019-03-04", "MRN 1234", "call tel. 040 123 4567", "a.b@clinic.org"):
        tally.saw(study(notes=notes))
    for notes in ("54 F, SpO2 88 %, T6-T7, 3.5 x 2.1 cm, day 10", "temperature 37.5; WBC 7250"):
        tally.saw(study(notes=notes))
    report = tally.report()
    assert report.identifying_texts == 5
    assert "5 notes or reports" in report.warnings[0]
