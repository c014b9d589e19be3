"""Judgements on record: each save a row, nothing overwritten, and a correction a version with its parent."""

import pytest

from core.errors import NotFound
from core.judgements import AlreadyPreferred, NotRated, NotYourJudgement, Said, SavedJudgement
from core.manifests import content_hash, from_bytes, to_bytes
from core.ratings import Author, ErrorKind, Preference, Quality, ReportError, Severity
from core.reports import Report, ReportOrigin
from core.snapshots import SnapshotStudy
from core.studies import Split
from core.writing import NewWriting, WrittenSentence
from db import judgements, models, people, studies, writings
from db.engine import Database
from db.models import NewModel
from tests.db.conftest import bring
from tests.db.test_snapshots import collect

WORTH = Quality(4, 5)
OWN = Report(indication="Cough.", findings="Normal heart.", impression="Normal.")
ORDER = (Author.ORIGINAL, Author.MODEL)


def written(
    database: Database, key: str = "s1", report: Report | None = None, split: Split | None = Split.TRAIN
) -> int:
    """The number of a report that was written about a study."""
    bring(database, key, report=report, split=split)
    with database.writing() as session:
        study = studies.number_of(session, "chest", key)
        model = models.register(session, NewModel("generation", "f", {}, (), "report_f1", {}), "Ann").name
        said = (WrittenSentence("findings", "The heart is enlarged."), WrittenSentence("impression", "Cardiomegaly."))
        (number,) = writings.add(session, model, [NewWriting(study, said)])
        return number


def save(
    database: Database, writing: int, said: Said, parent: int | None = None, reader: str = "Ann"
) -> SavedJudgement:
    with database.writing() as session:
        return judgements.save(session, people.ensure_reader(session, reader), writing, said, parent)


def submit(database: Database, judgement: int, reader: str = "Ann") -> None:
    with database.writing() as session:
        judgements.submit(session, people.ensure_reader(session, reader), judgement)


def test_what_was_said_last_is_found_again_and_what_was_said_before_is_its_parent(database: Database) -> None:
    writing = written(database)
    first = save(database, writing, Said(quality=Quality(1, 1)))
    second = save(database, writing, Said(quality=WORTH), first.judgement.id)
    assert second.conflict is None and second.judgement.parent == first.judgement.id
    with database.writing() as session:
        assert judgements.newest(session, people.ensure_reader(session, "Ann"), writing) == second.judgement
        assert judgements.newest(session, people.ensure_reader(session, "Ben"), writing) is None


def test_two_tabs_that_go_on_from_the_same_judgement_are_both_kept_and_the_second_is_told(database: Database) -> None:
    writing = written(database)
    first = save(database, writing, Said())
    one = save(database, writing, Said(quality=WORTH), first.judgement.id)
    other = save(database, writing, Said(quality=Quality(1, 1)), first.judgement.id)
    assert one.conflict is None and other.conflict is not None and "another tab" in other.conflict
    assert len({first.judgement.id, one.judgement.id, other.judgement.id}) == 3


def test_what_is_said_twice_is_kept_once(database: Database) -> None:
    writing = written(database)
    first = save(database, writing, Said(quality=WORTH))
    assert save(database, writing, Said(quality=WORTH)).judgement == first.judgement


def test_a_judgement_without_a_rating_cannot_be_submitted(database: Database) -> None:
    saved = save(database, written(database), Said())
    with pytest.raises(NotRated):
        submit(database, saved.judgement.id)


def test_the_judgement_of_another_reader_can_neither_be_submitted_nor_gone_on_from(database: Database) -> None:
    writing = written(database)
    saved = save(database, writing, Said(quality=WORTH))
    with pytest.raises(NotYourJudgement):
        submit(database, saved.judgement.id, "Ben")
    with pytest.raises(NotYourJudgement):
        save(database, writing, Said(), saved.judgement.id, "Ben")


def test_a_judgement_of_another_report_is_nothing_to_go_on_from(database: Database) -> None:
    saved = save(database, written(database), Said(quality=WORTH))
    with pytest.raises(NotFound):
        save(database, written(database, "s2"), Said(), saved.judgement.id)


def test_each_correction_is_a_whole_report_with_the_one_before_as_its_parent(database: Database) -> None:
    writing = written(database)
    one = save(database, writing, Said((), WORTH, (("findings", "The heart is normal."),)))
    submit(database, one.judgement.id)
    submit(database, one.judgement.id)
    two = save(database, writing, Said((), WORTH, (("findings", "Normal heart."),)), one.judgement.id)
    submit(database, two.judgement.id)
    with database.reading() as session:
        later, first = judgements.revisions(session, 1)
    assert first.sections == (("findings", "The heart is normal."), ("impression", "Cardiomegaly."))
    assert (first.parent, later.parent) == (None, first.id)
    assert later.sections[0] == ("findings", "Normal heart.")


def test_what_was_not_corrected_makes_no_version(database: Database) -> None:
    saved = save(database, written(database), Said(quality=WORTH))
    submit(database, saved.judgement.id)
    with database.reading() as session:
        assert judgements.revisions(session, 1) == ()


def test_the_newest_submitted_judgement_of_each_reader_counts(database: Database) -> None:
    writing = written(database)
    first = save(database, writing, Said(quality=Quality(1, 1)))
    submit(database, first.judgement.id)
    second = save(database, writing, Said(quality=WORTH), first.judgement.id)
    submit(database, second.judgement.id)
    save(database, writing, Said(quality=Quality(2, 2)), second.judgement.id)
    other = save(database, writing, Said(quality=Quality(3, 3)), reader="Ben")
    submit(database, other.judgement.id, "Ben")
    with database.reading() as session:
        assert [each.id for each in judgements.submitted(session)] == [second.judgement.id, other.judgement.id]


def test_the_next_to_judge_is_one_that_this_reader_has_not_judged(database: Database) -> None:
    first, second = written(database), written(database, "s2")
    assert [first, second] == [1, 2]
    with database.writing() as session:
        ann, ben = people.ensure_reader(session, "Ann"), people.ensure_reader(session, "Ben")
        assert judgements.next_to_judge(session, ann) == 1
        assert judgements.next_to_judge(session, ann, 1) == 2
        assert judgements.next_to_judge(session, ann, 2) == 1
    submit(database, save(database, first, Said(quality=WORTH)).judgement.id)
    with database.reading() as session:
        assert judgements.next_to_judge(session, ann, 2) is None
        assert judgements.next_to_judge(session, ben, 2) == 1


def test_a_blind_pair_is_judged_once(database: Database) -> None:
    writing = written(database)
    with database.writing() as session:
        ann = people.ensure_reader(session, "Ann")
        judged = judgements.prefer(session, ann, writing, ORDER, Preference.B)
        assert judgements.pair(session, ann, writing) == judged
        assert (judged.order, judged.preference) == (ORDER, Preference.B)
        with pytest.raises(AlreadyPreferred):
            judgements.prefer(session, ann, writing, ORDER, Preference.A)


def judged(database: Database, writing: int, said: Said, reader: str = "Ann") -> None:
    submit(database, save(database, writing, said, reader=reader).judgement.id, reader)


def frozen(database: Database) -> SnapshotStudy:
    """The one study of a snapshot that is frozen now."""
    (study,) = collect(database).studies
    return study


def test_a_corrected_report_teaches_in_place_of_the_studys_own(database: Database) -> None:
    judged(database, written(database, report=OWN), Said((), WORTH, (("findings", "The heart is large."),)))
    study = frozen(database)
    assert study.report == Report(indication="Cough.", findings="The heart is large.", impression="Cardiomegaly.")
    assert study.report_origin is ReportOrigin.CORRECTED
    assert collect(database).counts().curated == {"corrected": 1}


@pytest.mark.parametrize("split", [Split.VALIDATION, Split.TEST])
def test_where_models_are_judged_the_studys_own_report_stands(database: Database, split: Split) -> None:
    writing = written(database, report=OWN, split=split)
    judged(database, writing, Said((), WORTH, (("findings", "The heart is large."),)))
    assert (frozen(database).report, frozen(database).report_origin) == (OWN, ReportOrigin.ORIGINAL)


def test_a_signable_draft_stands_in_where_the_study_has_no_report(database: Database) -> None:
    judged(database, written(database), Said(quality=WORTH))
    study = frozen(database)
    assert study.report == Report(findings="The heart is enlarged.", impression="Cardiomegaly.")
    assert study.report_origin is ReportOrigin.SIGNED


def test_a_model_does_not_learn_from_itself_what_a_radiologist_has_written(database: Database) -> None:
    judged(database, written(database, report=OWN), Said(quality=WORTH))
    assert frozen(database).report == OWN


def test_neither_a_bad_draft_nor_one_with_a_significant_error_stands_in(database: Database) -> None:
    writing = written(database)
    judged(database, writing, Said(quality=Quality(5, 3)))
    grave = ReportError(ErrorKind.OMISSION, True, Severity.SERIOUS, replacement="Nodule.")
    judged(database, writing, Said((grave,), WORTH), "Ben")
    assert frozen(database).report is None


def test_a_draft_that_was_not_submitted_teaches_nobody(database: Database) -> None:
    save(database, written(database, report=OWN), Said((), WORTH, (("findings", "The heart is large."),)))
    assert frozen(database).report == OWN


def test_whose_a_report_is_survives_freezing_and_says_nothing_where_it_is_the_studys_own(database: Database) -> None:
    writing = written(database, report=OWN)
    before = collect(database)
    assert b"report_origin" not in to_bytes(before), "manifests from before there were corrections keep their hash"
    judged(database, writing, Said((), WORTH, (("findings", "The heart is large."),)))
    after = collect(database)
    assert from_bytes(to_bytes(after)) == after
    assert content_hash(after) != content_hash(before)
