"""What labels and probabilities come to: the worklist's findings, who contradicts whom, and what is read first."""

import pytest

from core.annotations import NewPrediction
from core.findings import State
from core.labels import NewLabel, Source, Statement
from core.masks import MaskStats
from core.reviews import ReviewMove
from core.splits import SplitPolicy, split_of
from core.studies import Split, Turn, WorklistFilter
from db import (
    datasets,
    labels,
    models,
    orientation,
    predictions,
    promotion,
    regions,
    reviews,
    snapshots,
    standing,
    upkeep,
    worklist,
)
from db.engine import Database
from db.models import NewModel
from db.people import ensure_reader
from tests.db.conftest import SMALL, bring

PRESENT, ABSENT, UNASSESSED = State.PRESENT, State.ABSENT, State.UNASSESSED
FINDING = "pleural_effusion"
TELLS_WHY = "model and report disagree on pleural effusion"


def reported(state: State, finding: str = FINDING) -> Statement:
    return Statement(finding, state, Source.LABELER, evidence="It says so.")


def classifier(database: Database, folder: str = "one") -> str:
    with database.writing() as session:
        new = NewModel("classification", folder, {}, (FINDING, "nodule"), "auroc", {})
        name = models.register(session, new, "Ann").name
        promotion.put_in_use(session, name, "the first", "Ann")
    return name


def judge(
    database: Database, probability: float, *, image: int = 1, key: str = "s1", model: str = "classification-v1",
    finding: str = FINDING,
) -> None:  # fmt: skip
    says = "present" if probability >= 0.5 else "absent"
    payload = {"probability": probability, "threshold": 0.5, "says": says, "map": "m" * 64}
    new = NewPrediction(image, f"pixels-chest-{key}", finding, None, None, probability, payload=payload)
    with database.writing() as session:
        predictions.add_predictions(session, models.get_model(session, model).id, [new])


def say(
    database: Database, state: State, *, study: int = 1, reader: str = "Ann", source: Source = Source.READER
) -> None:
    with database.writing() as session:
        reader_id = ensure_reader(session, reader)
        labels.add_version(session, NewLabel(study, FINDING, state), source, reader_id=reader_id)


def listed(database: Database, wanted: WorklistFilter) -> list[str]:
    with database.reading() as session:
        return [row.key for row in worklist.page(session, wanted).rows]


def following(database: Database) -> tuple[int, str] | None:
    with database.reading() as session:
        return worklist.next_in_queue(session, WorklistFilter())


def words(database: Database) -> list[str]:
    with database.reading() as session:
        found = standing.disputed(session)
    return [f"{each.study}: {each.disagreement.words('Pleural effusion')}" for each in found]


def test_the_worklist_finds_a_study_by_what_counts_and_no_longer_when_it_does_not(database: Database) -> None:
    bring(database, "s1", labels=(reported(PRESENT),))
    effusion = WorklistFilter(finding=FINDING)
    assert listed(database, effusion) == ["s1"]
    say(database, ABSENT)
    assert listed(database, effusion) == []
    say(database, UNASSESSED)
    assert listed(database, effusion) == ["s1"]
    with database.writing() as session:
        labels.keep_labeler_statements(session, 1, ())
    assert listed(database, effusion) == []


def test_a_study_with_a_mask_of_a_finding_is_found_by_it_whatever_its_labels_say(database: Database) -> None:
    bring(database, "s1", masks=(FINDING,), labels=(reported(ABSENT),))
    say(database, ABSENT)
    assert listed(database, WorklistFilter(finding=FINDING)) == ["s1"]


def test_a_study_with_a_region_of_a_finding_is_found_by_it_until_the_region_is_gone(database: Database) -> None:
    bring(database, "s1", labels=(reported(ABSENT),))
    with database.writing() as session:
        corners = [(1.0, 1.0), (4.0, 4.0)]
        box = regions.add_region(session, 1, FINDING, "box", corners, ensure_reader(session, "Ann"))
    say(database, ABSENT)
    assert listed(database, WorklistFilter(finding=FINDING)) == ["s1"]
    with database.writing() as session:
        regions.remove_region(session, box)
    say(database, ABSENT)
    assert listed(database, WorklistFilter(finding=FINDING)) == []


def test_a_study_on_which_model_and_report_disagree_comes_first_and_says_why(database: Database) -> None:
    for key in ("s1", "s2", "s3"):
        bring(database, key, split=Split.TRAIN, labels=(reported(ABSENT),))
    classifier(database)
    judge(database, 0.1)
    judge(database, 0.7, image=2, key="s2")
    judge(database, 0.95, image=3, key="s3")
    assert following(database) == (3, TELLS_WHY)
    assert listed(database, WorklistFilter()) == ["s3", "s2", "s1"]
    assert listed(database, WorklistFilter(disagrees=True)) == ["s3", "s2"]
    assert listed(database, WorklistFilter(disagrees=False)) == ["s1"]
    assert words(database) == [f"s3: {TELLS_WHY}", f"s2: {TELLS_WHY}"]


def test_a_report_that_comes_to_be_read_after_the_model_looked_counts_as_well(database: Database) -> None:
    bring(database, "s1", split=Split.TRAIN)
    classifier(database)
    judge(database, 0.9)
    assert following(database) == (1, "next in the order of import")
    with database.writing() as session:
        labels.keep_labeler_statements(session, 1, [reported(ABSENT)])
    assert following(database) == (1, TELLS_WHY)


def test_the_strongest_of_several_disagreements_is_told(database: Database) -> None:
    bring(database, "s1", split=Split.TRAIN, labels=(reported(ABSENT), reported(ABSENT, "nodule")))
    classifier(database)
    judge(database, 0.6)
    judge(database, 0.9, finding="nodule")
    assert following(database) == (1, "model and report disagree on nodule")


def test_a_returned_study_is_read_before_a_disputed_one(database: Database) -> None:
    bring(database, "s1", split=Split.TRAIN, labels=(reported(ABSENT),))
    bring(database, "s2")
    classifier(database)
    judge(database, 0.99)
    with database.writing() as session:
        reader = ensure_reader(session, "Ann")
        reviews.make_move(session, 2, reader, ReviewMove.SUBMIT)
        reviews.make_move(session, 2, reader, ReviewMove.RETURN, "look again")
    assert following(database) == (2, "returned: look again")


def test_a_reader_who_is_at_a_study_does_not_move_it_in_the_queue(database: Database) -> None:
    bring(database, "s1", split=Split.TRAIN, labels=(reported(ABSENT),))
    bring(database, "s2", split=Split.TRAIN, labels=(reported(ABSENT),))
    classifier(database)
    judge(database, 0.95)
    judge(database, 0.9, image=2, key="s2")
    with database.writing() as session:
        reviews.make_move(session, 1, ensure_reader(session, "Ann"), ReviewMove.SUBMIT)
    say(database, PRESENT, source=Source.ADJUDICATED, reader="Lead")
    with database.reading() as session:
        assert worklist.next_in_queue(session, WorklistFilter(), after=1) == (2, TELLS_WHY)
    assert listed(database, WorklistFilter(disagrees=True)) == ["s2"]


@pytest.mark.parametrize(("masks", "rank"), [((), "next in the order of import"), (("heart",), standing.MARKED_REASON)])
def test_a_dispute_that_is_over_puts_the_study_back_where_it_was(
    database: Database, masks: tuple[str, ...], rank: str
) -> None:
    bring(database, "s1", split=Split.TRAIN, masks=masks, labels=(reported(ABSENT),))
    before = following(database)
    classifier(database)
    judge(database, 0.9)
    judge(database, 0.2)
    assert following(database) == before == (1, rank)
    assert words(database) == []


def test_what_readers_say_is_shown_beside_report_and_model(database: Database) -> None:
    bring(database, "s1", split=Split.TRAIN, labels=(reported(ABSENT),))
    classifier(database)
    judge(database, 0.9)
    say(database, PRESENT)
    say(database, ABSENT, reader="Bob")
    with database.reading() as session:
        (each,) = standing.disputed_of(session, 1)
    assert each.said == {Source.READER: ABSENT, Source.LABELER: ABSENT, Source.MODEL: PRESENT}
    assert (each.probability, each.readers_differ) == (0.9, True)


def test_disputes_are_listed_by_dataset_and_finding(database: Database) -> None:
    bring(database, "s1", labels=(reported(ABSENT),))
    bring(database, "s2", dataset="other", labels=(reported(ABSENT),))
    for study in (1, 2):
        say(database, PRESENT, study=study)
    with database.reading() as session:
        assert [each.study for each in standing.disputed(session, "other")] == ["s2"]
        assert standing.disputed(session, finding="nodule") == ()
        assert len(standing.disputed(session, limit=1)) == 1


@pytest.mark.parametrize("split", [Split.VALIDATION, Split.TEST])
def test_what_the_model_says_of_a_study_that_judges_it_moves_nothing(database: Database, split: Split) -> None:
    bring(database, "s1", split=split, labels=(reported(ABSENT),))
    classifier(database)
    judge(database, 0.9)
    assert following(database) == (1, "next in the order of import")
    assert words(database) == []
    say(database, PRESENT)
    assert words(database) == ["s1: reader and report disagree on pleural effusion"]


def test_a_study_that_becomes_blind_forgets_what_the_model_said_and_one_that_ceases_to_be_is_told(
    database: Database,
) -> None:
    bring(database, "s1", split=Split.TRAIN, labels=(reported(ABSENT),))
    classifier(database)
    judge(database, 0.9)
    for blind, expected in ((True, []), (False, [f"s1: {TELLS_WHY}"])):
        with database.writing() as session:
            datasets.set_blind(session, "chest", blind)
        assert words(database) == expected


def test_a_patient_whom_a_freeze_moves_among_the_judges_is_read_without_the_models_word(database: Database) -> None:
    for number in range(12):
        bring(database, f"s{number}", labels=(reported(ABSENT),))
    classifier(database)
    for number in range(12):
        judge(database, 0.9, image=number + 1, key=f"s{number}")
    with database.writing() as session:
        snapshots.freeze_splits(session, ["chest"], SplitPolicy(0.5, 0.25, 0.25))
    with database.reading() as session:
        learners = {study.key for study in snapshots.collect(session, ["chest"]).of(Split.TRAIN)}
    assert 0 < len(learners) < 12
    assert {line.split(":")[0] for line in words(database)} == learners


def test_a_patient_who_comes_to_share_a_film_with_a_judge_is_read_without_the_models_word(database: Database) -> None:
    bring(database, "judge", dataset="other", sha="shared", split=Split.TEST)
    learner = next(f"p{n}" for n in range(50) if split_of("chest", f"p{n}", SplitPolicy()) is Split.TRAIN)
    bring(database, learner, labels=(reported(ABSENT),))
    classifier(database)
    judge(database, 0.9, image=2, key=learner)
    assert words(database) == [f"{learner}: {TELLS_WHY}"]
    bring(database, "later", patient=learner, sha="shared")
    assert words(database) == []


def test_only_the_model_in_use_has_a_word_and_going_back_brings_back_the_earlier_ones(database: Database) -> None:
    bring(database, "s1", split=Split.TRAIN, labels=(reported(ABSENT),))
    classifier(database)
    judge(database, 0.9)
    second = classifier(database, "two")
    assert words(database) == []
    judge(database, 0.1, model=second)
    assert words(database) == []
    judge(database, 0.6, model=second)
    assert words(database) == [f"s1: {TELLS_WHY}"]
    with database.writing() as session:
        promotion.take_back(session, "classification", "worse after all", "Ann")
    assert words(database) == [f"s1: {TELLS_WHY}"]
    with database.reading() as session:
        assert [each.confidence for each in predictions.probabilities(session, [1])] == [0.9]
        assert [each.probability for each in standing.disputed_of(session, 1)] == [0.9]


def test_a_film_that_was_turned_is_not_judged_any_more(database: Database) -> None:
    bring(database, "s1", split=Split.TRAIN, labels=(reported(ABSENT),))
    classifier(database)
    judge(database, 0.9)
    with database.writing() as session:
        orientation.turn_image(session, 1, "turned", "image/png", (10, 10), Turn.ROTATE_90, {}, "Ann")
    assert words(database) == []
    with database.reading() as session:
        assert predictions.probabilities(session, [1]) == ()


def test_a_probability_is_neither_a_suggestion_nor_hides_one(database: Database) -> None:
    bring(database, "s1", split=Split.TRAIN)
    with database.writing() as session:
        drawer = models.register(session, NewModel("segmentation", "f", {}, (FINDING,), "dice", {}), "Ann")
        models.promote(session, drawer.name, "the first", "Ann")
        new = NewPrediction(1, "pixels-chest-s1", FINDING, "a mask", SMALL, 0.8)
        predictions.add_predictions(session, drawer.id, [new])
    classifier(database)
    judge(database, 0.4)
    judge(database, 0.9)
    with database.reading() as session:
        assert [each.sha for each in predictions.open_suggestions(session, [1])] == ["a mask"]
        assert [each.confidence for each in predictions.probabilities(session, [1])] == [0.9]


def test_a_probability_alone_does_not_say_that_a_study_has_a_suggestion(database: Database) -> None:
    bring(database, "s1", split=Split.TRAIN)
    model = classifier(database)
    seen = NewPrediction(1, "pixels-chest-s1", FINDING, "a map", MaskStats(10, 10, 1, None), 0.9, payload={"says": "x"})
    with database.writing() as session:
        predictions.add_predictions(session, models.get_model(session, model).id, [seen])
    assert listed(database, WorklistFilter(has_suggestion=True)) == []
    assert words(database) == []


def test_where_the_model_looked_is_among_the_blobs_that_a_backup_takes(database: Database) -> None:
    bring(database, "s1")
    classifier(database)
    judge(database, 0.9)
    with database.reading() as session:
        assert upkeep.referenced_blobs(session)["m" * 64] == "map"
