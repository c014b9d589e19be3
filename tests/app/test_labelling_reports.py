"""Reports are labelled as they come in and again when the rules change, and only what differs is kept."""

import json
from pathlib import Path

import pytest

from app.cli import main
from app.house import House
from app.services import importing, vocabulary
from app.services.labelling_reports import AT_ONCE, UnreadableRules, label_new, label_reports, rules_of
from core.errors import NotFound
from core.findings import Kind, Side, State
from core.labeler import BadRules
from core.labels import Source, Statement, Zone
from core.reports import Report
from core.studies import IncomingLabel
from data.importers.plan import ImportPlan
from db import audit, labels
from tests.making import BY, put, read_study, study

REPORT = "The heart is enlarged. Small left pleural effusion. No pneumothorax. Possible pneumonia at the right base."


def quiet(done: int, total: int, doing: str) -> None:
    pass


def heard(house: House, number: int = 1) -> dict[str, Statement]:
    """What stands of the labeler's word on a study."""
    with house.database.reading() as session:
        versions = labels.versions(session, number)
    spoken = [each for each in versions if each.source is Source.LABELER and each.is_current]
    return {each.finding: each.statement for each in spoken}


def say(house: House, rules: str) -> None:
    house.workspace.labeler_rules.write_text(rules)


def bring(house: House, *studies: object, dataset: str = "d") -> None:
    importing.take_in(house, "test", ImportPlan(len(studies), iter(studies), []), dataset, BY, quiet)  # type: ignore[arg-type]


def test_an_import_reads_its_reports(house: House) -> None:
    bring(house, study("a", report=REPORT), study("b"))
    told = heard(house)
    assert {finding: told[finding].state for finding in ("cardiomegaly", "pneumothorax", "pneumonia")} == {
        "cardiomegaly": State.PRESENT,
        "pneumothorax": State.ABSENT,
        "pneumonia": State.UNCERTAIN,
    }
    assert told["pleural_effusion"].side is Side.LEFT
    assert (told["pneumonia"].side, told["pneumonia"].zone) == (Side.RIGHT, Zone.LOWER)
    assert told["pleural_effusion"].evidence == "Small left pleural effusion."
    assert heard(house, 2) == {}


def test_that_an_anatomy_is_there_is_not_kept_but_that_it_is_missing_is(house: House) -> None:
    bring(house, study("a", report="The right lung is clear. Status post left pneumonectomy. Heart normal."))
    told = heard(house)
    assert told["left_lung"].state is State.ABSENT
    assert not {"right_lung", "heart", "lungs"} & told.keys()


def test_an_import_that_is_repeated_adds_nothing(house: House) -> None:
    bring(house, study("a", report=REPORT))
    before = read_study(house).labels
    bring(house, study("a", report=REPORT))
    assert read_study(house).labels == before


def test_what_an_import_brings_of_a_labelers_word_stays(house: House) -> None:
    told = IncomingLabel("edema", State.PRESENT, Source.LABELER)
    bring(house, study("a", report=REPORT, labels=[told]))
    assert heard(house).keys() == {"edema"}


def test_the_report_that_is_on_record_counts_not_another_that_is_offered_later(house: House) -> None:
    bring(house, study("a", report="Small effusion."))
    bring(house, study("a", report=REPORT))
    assert "cardiomegaly" not in heard(house)


def test_only_findings_that_can_be_named_are_kept(house: House) -> None:
    bring(house, study("a", report="Emphysema. Hiatal hernia."))
    assert heard(house)["no_finding"].state is State.ABSENT
    assert not {"emphysema", "hernia"} & heard(house).keys()
    vocabulary.add(house, "Emphysema", Kind.FINDING, "#112233", (), BY)
    assert label_reports(house, "d", BY, quiet).changed == 1
    assert heard(house)["emphysema"].state is State.PRESENT


def test_a_finding_of_the_project_is_heard_by_its_other_names(house: House) -> None:
    vocabulary.add(house, "Tree-in-bud", Kind.FINDING, "#112233", ("budding tree",), BY)
    bring(house, study("a", report="No budding tree."))
    assert heard(house)["tree_in_bud"].state is State.ABSENT


def test_labelling_again_changes_nothing_until_the_rules_do(house: House) -> None:
    bring(house, study("a", report="White-out of the left lung."), study("b", report="No effusion."))
    first = label_reports(house, "d", BY, quiet)
    assert (first.reports, first.changed) == (2, 0)
    say(house, '[findings.lung_opacity]\nmentions = ["white out"]')
    told = label_reports(house, "d", BY, quiet)
    assert told.changed > 0
    assert told.by_finding["lung_opacity"] == {State.PRESENT: 1, State.ABSENT: 0, State.UNCERTAIN: 0}
    assert heard(house)["lung_opacity"].evidence == "White-out of the left lung."


def test_what_the_rules_no_longer_say_is_taken_back(house: House) -> None:
    bring(house, study("a", report="Small effusion."))
    say(house, '[findings.pleural_effusion]\nanew = ["mentions"]\nmentions = []')
    label_reports(house, "d", BY, quiet)
    assert "pleural_effusion" not in heard(house)


def test_a_readers_word_is_not_touched(house: House) -> None:
    bring(house, study("a", report=REPORT, labels=[IncomingLabel("edema", State.ABSENT, Source.READER, reader="ana")]))
    say(house, '[findings.edema]\nmentions = ["pneumonia"]')
    label_reports(house, "d", BY, quiet)
    assert {each.source: each.state for each in read_study(house).labels if each.finding == "edema"} == {
        Source.READER: State.ABSENT,
        Source.LABELER: State.UNCERTAIN,
    }


def test_a_rehearsal_counts_and_keeps_nothing(house: House) -> None:
    put(house, "d", study("a", report=REPORT))
    told = label_reports(house, "d", BY, quiet, is_rehearsal=True)
    assert told.by_finding["pneumothorax"] == {State.PRESENT: 0, State.ABSENT: 1, State.UNCERTAIN: 0}
    assert (told.labelled, told.changed, heard(house)) == (1, 0, {})


def test_labelling_tells_how_far_it_is_and_leaves_a_trace(house: House) -> None:
    put(house, "d", *(study(f"s{number}", report="No effusion.") for number in range(3)))
    seen: list[tuple[int, int]] = []
    label_reports(house, "d", BY, lambda done, total, _: seen.append((done, total)))
    assert seen == [(0, 3), (3, 3)]
    with house.database.reading() as session:
        event = audit.events(session, "d")[0]
    assert (event.actor, event.action) == (BY, "label reports")
    assert "3 reports" in event.detail


def test_a_stop_between_two_batches_keeps_what_was_done(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.services.labelling_reports.AT_ONCE", 1)
    assert AT_ONCE > 1
    put(house, "d", study("a", report=REPORT), study("b", report=REPORT))

    def stop(done: int, total: int, doing: str) -> None:
        if done:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        label_reports(house, "d", BY, stop)
    assert heard(house, 1) and not heard(house, 2)


def test_a_dataset_without_reports_and_one_that_is_nowhere(house: House) -> None:
    put(house, "d", study("a"))
    assert label_reports(house, "d", BY, quiet).reports == 0
    assert label_new(house, "d", ["a", "nobody"]) == 0
    with pytest.raises(NotFound, match="nowhere"):
        label_reports(house, "nowhere", BY, quiet)


def test_rules_that_cannot_be_followed_stop_an_import_before_anything_is_kept(house: House) -> None:
    say(house, "[findings")
    with pytest.raises(BadRules, match=r"labeler\.toml"):
        bring(house, study("a", report=REPORT))
    with pytest.raises(NotFound):
        read_study(house)


def test_rules_that_are_no_text_are_refused(house: House) -> None:
    house.workspace.labeler_rules.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(UnreadableRules, match="UTF-8"):
        rules_of(house)


def test_a_report_of_50_000_words_is_labelled(house: House) -> None:
    put(house, "d", study("a", report="no effusion " * 25_000))
    assert label_reports(house, "d", BY, quiet).labelled == 1


def test_the_command_counts_states_and_says_so_to_machines_and_people(
    house: House, capfd: pytest.CaptureFixture[str]
) -> None:
    put(house, "d", study("a", report=REPORT), study("b", report="No effusion."), study("c"))
    assert main(["label", "--dataset", "d", "--dry-run", "--json"]) == 0
    told = json.loads(capfd.readouterr().out)
    assert (told["reports"], told["labelled"], told["changed"]) == (2, 2, 0)
    assert told["by_finding"]["pleural_effusion"] == {"present": 1, "absent": 1, "uncertain": 0}
    assert main(["label", "--dataset", "d"]) == 0
    shown = capfd.readouterr().out
    assert "2 of 2 reports of d say something" in shown and "pleural_effusion" in shown
    assert main(["label", "--dataset", "nowhere", "--json"]) == 1
    assert "nowhere" in json.loads(capfd.readouterr().out)["error"]


def test_a_report_in_sections_is_read_where_it_reads_the_film(house: House) -> None:
    told = study("a")
    report = Report(indication="Pneumothorax?", findings="Clear lungs.", impression="Normal chest.")
    bring(house, type(told)(**{**vars(told), "report": report}))
    assert "pneumothorax" not in heard(house)
    assert heard(house)["no_finding"].state is State.PRESENT


def test_the_rules_are_made_once_while_neither_file_nor_vocabulary_changes(house: House, tmp_path: Path) -> None:
    assert rules_of(house) is rules_of(house)
    before = rules_of(house)
    say(house, '[findings.hernia]\nmentions = ["rupture"]')
    assert rules_of(house) is not before
