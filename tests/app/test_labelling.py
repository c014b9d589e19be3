"""Labelling as a person does it: set, submit, look back, choose, settle; and what being in sight of a model does."""

import pytest

from app.house import House
from app.services import labelling, reviewing
from app.services.labelling import FindingLine
from core.annotations import NewPrediction
from core.errors import NotFound
from core.findings import Side, State, UnknownFinding
from core.labels import Effective, SavedLabel, Source, Statement, Zone
from core.reviews import ReviewState
from core.snapshots import Fold, SnapshotStudy
from core.studies import IncomingLabel, Split
from db import audit, labels, models, predictions, promotion, snapshots
from db.models import NewModel
from tests.making import block, image, put, read_study, study

PRESENT, ABSENT, UNCERTAIN, UNASSESSED = State.PRESENT, State.ABSENT, State.UNCERTAIN, State.UNASSESSED
FINDING = "pleural_effusion"


@pytest.fixture(autouse=True)
def studies(house: House) -> None:
    put(
        house,
        "d",
        study("learns", split=Split.TRAIN, labels=[IncomingLabel(FINDING, PRESENT)]),
        study("judges", split=Split.TEST, labels=[IncomingLabel(FINDING, PRESENT)]),
    )


def line(house: House, number: int = 1, reader: str = "Ann", finding: str = FINDING) -> FindingLine:
    return labelling.open_labels(house, reader, number).line(finding)


def press(house: House, state: State, number: int = 1, reader: str = "Ann", side: Side | None = None) -> SavedLabel:
    """What a key on the panel does: it hands on what the panel knew."""
    known = line(house, number, reader)
    return labelling.set_state(house, reader, number, FINDING, state, side, parent=known.parent, base=known.base)


def judge(house: House, number: int = 1, finding: str = FINDING) -> None:
    """A classification model in use looks at the study's film."""
    film = read_study(house, number).images[0]
    with house.database.writing() as session:
        if not models.models(session, "classification"):
            name = models.register(session, NewModel("classification", "f", {}, (FINDING,), "auroc", {}), "Ann").name
            promotion.put_in_use(session, name, "the first", "Ann")
        model = models.get_model(session, "classification")
        new = NewPrediction(film.id, film.sha, finding, None, None, 0.9, payload={"says": "present"})
        predictions.add_predictions(session, model.id, [new])


def frozen(house: House, key: str, fold: Fold | None = None) -> SnapshotStudy:
    with house.database.reading() as session:
        manifest = snapshots.collect(session, ["d"], fold=fold)
    return next(each for each in manifest.studies if each.key == key)


def test_a_finding_set_by_key_is_a_draft_until_the_study_is_submitted(house: House) -> None:
    saved = press(house, ABSENT)
    assert saved.conflict is None
    assert read_study(house).state is ReviewState.DRAFT
    assert line(house).state is ABSENT
    assert line(house).effective == Effective(PRESENT, Source.IMPORTED)
    reviewing.submit(house, "Ann", 1)
    assert read_study(house).state is ReviewState.SUBMITTED
    assert line(house).draft is None
    assert line(house).state is ABSENT
    assert line(house).effective == Effective(ABSENT, Source.READER, reader="Ann")


def test_masks_and_labels_are_submitted_together(house: House) -> None:
    put(house, "d", study("both", [image(seed=9)]))
    film = read_study(house, 3).images[0].id
    reviewing.save_stroke(house, "Ann", film, "heart", block())
    labelling.set_state(house, "Ann", 3, "heart", PRESENT)
    (mask,) = reviewing.submit(house, "Ann", 3)
    (label,) = labelling.history(house, 3)
    assert (mask.finding, label.finding, label.reader) == ("heart", "heart", "Ann")


def test_labels_drafts_of_another_reader_are_left_as_they_are(house: House) -> None:
    press(house, ABSENT, reader="Bob")
    press(house, UNCERTAIN)
    reviewing.submit(house, "Ann", 1)
    assert line(house, reader="Bob").draft is not None


def test_pressing_key_after_key_keeps_one_line_and_the_last_one_counts(house: House) -> None:
    for state in (PRESENT, ABSENT, UNCERTAIN, ABSENT, PRESENT):
        assert press(house, state).conflict is None
    reviewing.submit(house, "Ann", 1)
    assert [(v.state, v.in_conflict) for v in labelling.history(house, 1) if v.source is Source.READER] == [
        (PRESENT, False)
    ]


def test_changing_ones_mind_after_submitting_is_no_conflict(house: House) -> None:
    for state in (PRESENT, ABSENT, PRESENT):
        assert press(house, state).conflict is None
        reviewing.submit(house, "Ann", 1)
    assert len(labelling.history(house, 1, FINDING)) == 4
    assert not line(house).in_conflict


def test_the_panel_shows_every_source_apart(house: House) -> None:
    judge(house)
    with house.database.writing() as session:
        labels.keep_labeler_statements(session, 1, [Statement(FINDING, ABSENT, Source.LABELER, evidence="No fluid.")])
    press(house, ABSENT, reader="Bob")
    reviewing.submit(house, "Bob", 1)
    press(house, PRESENT, side=Side.LEFT)
    shown = line(house)
    assert shown.model is not None and shown.report is not None and shown.draft is not None
    assert (shown.model.confidence, shown.report.evidence, shown.draft.side) == (0.9, "No fluid.", Side.LEFT)
    assert [each.state for each in shown.imported] == [PRESENT]
    assert [(each.reader, each.state) for each in shown.others] == [("Bob", ABSENT)]
    assert (shown.mine, shown.adjudicated) == (None, None)
    assert labelling.open_labels(house, "Ann", 1).findings == (FINDING,)


def test_a_finding_of_which_nobody_speaks_has_an_empty_line(house: House) -> None:
    shown = line(house, finding="nodule")
    assert (shown.state, shown.effective, shown.base, shown.parent) == (UNASSESSED, None, None, None)


def test_two_readers_who_differ_see_it_until_one_of_them_takes_over_the_others_word(house: House) -> None:
    press(house, PRESENT)
    reviewing.submit(house, "Ann", 1)
    press(house, ABSENT, reader="Bob")
    reviewing.submit(house, "Bob", 1)
    assert line(house).in_conflict
    anns = next(each for each in labelling.history(house, 1) if each.reader == "Ann")
    chosen = labelling.choose_version(house, "Bob", anns.id)
    assert (chosen.state, chosen.reader, chosen.source) == (PRESENT, "Bob", Source.READER)
    assert not line(house).in_conflict
    assert len(labelling.history(house, 1)) == 4


def test_choosing_what_one_had_changed_is_a_new_version_and_no_conflict(house: House) -> None:
    press(house, ABSENT)
    reviewing.submit(house, "Ann", 1)
    labelling.choose_version(house, "Ann", 1)
    assert [(v.state, v.source, v.in_conflict) for v in labelling.history(house, 1)] == [
        (PRESENT, Source.READER, False),
        (ABSENT, Source.READER, False),
        (PRESENT, Source.IMPORTED, False),
    ]
    with house.database.reading() as session:
        told = [(event.action, event.detail) for event in audit.events(session, "study 1")]
    assert ("choose label", "pleural_effusion: version 1") in told


def test_an_adjudication_settles_and_an_earlier_one_can_be_chosen_again(house: House) -> None:
    first = labelling.adjudicate(house, "Lead", 1, FINDING, ABSENT)
    labelling.adjudicate(house, "Lead", 1, FINDING, PRESENT, Side.RIGHT, Zone.LOWER)
    found = Effective(PRESENT, Source.ADJUDICATED, Side.RIGHT, Zone.LOWER, "Lead")
    assert line(house).effective == found
    again = labelling.choose_version(house, "Ann", first.id)
    assert again.source is Source.ADJUDICATED
    assert line(house).effective == Effective(ABSENT, Source.ADJUDICATED, reader="Ann")
    labelling.adjudicate(house, "Lead", 1, FINDING, UNASSESSED)
    assert line(house).effective == Effective(PRESENT, Source.IMPORTED)
    with house.database.reading() as session:
        assert "adjudicate" in {event.action for event in audit.events(session, "study 1")}


def test_a_discarded_draft_is_not_submitted(house: House) -> None:
    saved = press(house, ABSENT)
    labelling.discard_draft(house, "Ann", saved.draft.id)
    reviewing.submit(house, "Ann", 1)
    assert [version.source for version in labelling.history(house, 1)] == [Source.IMPORTED]


def test_a_study_or_finding_that_is_not_on_record_is_refused_and_nothing_is_kept(house: House) -> None:
    with pytest.raises(NotFound):
        labelling.set_state(house, "Ann", 99, FINDING, PRESENT)
    with pytest.raises(UnknownFinding):
        labelling.set_state(house, "Ann", 1, "unheard_of", PRESENT)
    with pytest.raises(UnknownFinding):
        labelling.adjudicate(house, "Ann", 1, "unheard_of", PRESENT)
    with pytest.raises(NotFound):
        labelling.choose_version(house, "Ann", 99)
    assert read_study(house).state is ReviewState.UNREAD


def test_disagreements_name_study_finding_and_both_words(house: House) -> None:
    press(house, ABSENT)
    reviewing.submit(house, "Ann", 1)
    (found,) = labelling.disagreements(house, "d")
    assert (found.dataset, found.study, found.disagreement.between) == ("d", "learns", (Source.READER, Source.IMPORTED))


def test_what_is_said_in_sight_of_a_probability_teaches_but_never_judges(house: House) -> None:
    press(house, ABSENT)
    reviewing.submit(house, "Ann", 1)
    judge(house)
    press(house, UNCERTAIN)
    reviewing.submit(house, "Ann", 1)
    assert frozen(house, "learns").labels[-1].state is UNCERTAIN
    tested = next(study for index in range(5) if (study := frozen(house, "learns", Fold(index, 5))).split is Split.TEST)
    assert [(label.state, label.source) for label in tested.labels] == [
        (PRESENT, Source.IMPORTED),
        (ABSENT, Source.READER),
    ]


def test_what_goes_on_from_a_word_said_in_sight_of_a_probability_counts_as_that(house: House) -> None:
    judge(house)
    press(house, ABSENT)
    reviewing.submit(house, "Ann", 1)
    anns = next(each for each in labelling.history(house, 1) if each.reader == "Ann")
    assert anns.suggested
    assert labelling.choose_version(house, "Bob", anns.id).suggested


def test_a_probability_of_another_finding_is_not_in_the_way(house: House) -> None:
    judge(house, finding="nodule")
    press(house, ABSENT)
    reviewing.submit(house, "Ann", 1)
    assert not labelling.history(house, 1)[0].suggested


def test_a_study_that_judges_shows_no_probability_and_its_labels_count(house: House) -> None:
    judge(house, 2)
    assert labelling.open_labels(house, "Ann", 2).probabilities == ()
    press(house, ABSENT, 2)
    reviewing.submit(house, "Ann", 2)
    (_, said) = frozen(house, "judges").labels
    assert (said.state, said.suggested) == (ABSENT, False)


def test_what_is_said_after_looking_at_similar_cases_counts_as_suggested(house: House) -> None:
    labelling.set_state(house, "ana", 1, "edema", PRESENT)
    labelling.see_similar(house, "ana", 1)
    labelling.see_similar(house, "ana", 1)
    labelling.set_state(house, "ana", 1, "nodule", PRESENT)
    labelling.set_state(house, "ben", 1, "nodule", ABSENT)
    labelling.set_state(house, "ana", 2, "nodule", ABSENT)
    for reader in ("ana", "ben"):
        reviewing.submit(house, reader, 1)
    reviewing.submit(house, "ana", 2)
    told = {
        (number, version.reader, version.finding): version.suggested
        for number in (1, 2)
        for version in labelling.history(house, number)
        if version.reader is not None
    }
    assert told == {
        (1, "ana", "edema"): False,
        (1, "ana", "nodule"): True,
        (1, "ben", "nodule"): False,
        (2, "ana", "nodule"): False,
    }
    assert labelling.adjudicate(house, "ana", 1, "fracture", ABSENT).suggested
