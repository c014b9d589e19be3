"""The registry: candidates, the rule, promotion with a reason, and the way back."""

from dataclasses import replace

import pytest

from core.jobs import JobKind, JobState
from core.manifests import content_hash
from core.metrics import Evaluation, ItemScore
from core.registry import ModelState, ModelVersion, NothingToRollBackTo, NotPromotable, ReasonNeeded
from core.studies import Split
from db import audit, jobs, models, promotion, snapshots
from db.engine import Database
from db.models import NewModel
from db.promotion import NotBetter, NotMeasuredAlike
from tests.db.conftest import bring

NEW = NewModel("segmentation", "folder", {"preset": "smoke"}, ("heart",), "dice", {}, snapshot="a")


@pytest.fixture(autouse=True)
def snapshot(database: Database) -> None:
    bring(database, "s1")
    with database.writing() as session:
        manifest = snapshots.collect(session, ["chest"])
        snapshots.record_snapshot(session, "a", content_hash(manifest), manifest, "Ann")


def register(database: Database, new: NewModel = NEW) -> ModelVersion:
    with database.writing() as session:
        return models.register(session, new, "Ann")


def measure(database: Database, model: ModelVersion, dice: float, split: Split = Split.VALIDATION) -> None:
    scores = tuple(ItemScore(f"film {n}", f"p{n}", "heart", {"dice": dice + 0.001 * (n % 7)}) for n in range(40))
    with database.writing() as session:
        models.record_evaluation(session, Evaluation(model.name, "a", split, 40, 1.0, {}, scores), "Ann")


def put_in_use(database: Database, model: ModelVersion, reason: str = "first") -> None:
    with database.writing() as session:
        promotion.put_in_use(session, model.name, reason, "Ann")


def champion(database: Database) -> str | None:
    with database.reading() as session:
        found = models.champion(session, "segmentation")
    return found.name if found else None


def test_versions_are_counted_by_family_and_start_as_candidates(database: Database) -> None:
    assert [register(database).name for _ in range(2)] == ["segmentation-v1", "segmentation-v2"]
    assert register(database, replace(NEW, family="retrieval")).name == "retrieval-v1"
    assert champion(database) is None


def test_promotion_wants_a_reason_and_archives_the_one_before(database: Database) -> None:
    first, second = register(database), register(database)
    with pytest.raises(ReasonNeeded):
        put_in_use(database, first, "  ")
    put_in_use(database, first)
    put_in_use(database, second, "looks better to us")
    with database.reading() as session:
        states = {model.name: model.state for model in models.models(session)}
        assert models.get_model(session, "segmentation").name == second.name
    assert states == {first.name: ModelState.ARCHIVED, second.name: ModelState.CHAMPION}


def test_promotion_queues_suggestions_for_what_is_not_yet_read(database: Database) -> None:
    put_in_use(database, register(database))
    with database.reading() as session:
        (job,) = jobs.jobs(session)
    assert (job.kind, job.state) == (JobKind.PREDICT, JobState.QUEUED)
    assert job.parameters["unreviewed"] is True


def test_the_rule_promotes_what_is_better_beyond_chance(database: Database) -> None:
    first, second = register(database), register(database)
    put_in_use(database, first)
    measure(database, first, 0.80)
    measure(database, second, 0.85)
    with database.writing() as session:
        promotion.promote_by_rule(session, second.name, "Ann")
    assert champion(database) == second.name


@pytest.mark.parametrize("dice", [0.80, 0.70])
def test_the_rule_leaves_the_champion_when_the_candidate_is_no_better(database: Database, dice: float) -> None:
    first, second = register(database), register(database)
    put_in_use(database, first)
    measure(database, first, 0.80)
    measure(database, second, dice)
    with pytest.raises(NotBetter, match="Not better"), database.writing() as session:
        promotion.promote_by_rule(session, second.name, "Ann")
    assert champion(database) == first.name


def test_the_rule_never_looks_at_test(database: Database) -> None:
    first, second = register(database), register(database)
    put_in_use(database, first)
    measure(database, first, 0.80, Split.TEST)
    measure(database, second, 0.99, Split.TEST)
    with pytest.raises(NotMeasuredAlike, match="--split validation"), database.reading() as session:
        promotion.verdict(session, second.name)


def test_a_model_of_an_evaluation_fold_is_never_promoted(database: Database) -> None:
    fold = register(database, replace(NEW, promotable=False))
    with pytest.raises(NotPromotable):
        put_in_use(database, fold, "but it is so good")


def test_rolling_back_goes_back_through_every_promotion(database: Database) -> None:
    made = [register(database) for _ in range(3)]
    for model in made:
        put_in_use(database, model)
    for expected in (made[1].name, made[0].name):
        with database.writing() as session:
            promotion.take_back(session, "segmentation", "it misses effusions", "Ann")
        assert champion(database) == expected
    with pytest.raises(NothingToRollBackTo), database.writing() as session:
        promotion.take_back(session, "segmentation", "further", "Ann")


def test_each_look_at_test_is_on_the_audit_trail(database: Database) -> None:
    model = register(database)
    measure(database, model, 0.8, Split.VALIDATION)
    measure(database, model, 0.8, Split.TEST)
    with database.reading() as session:
        looks = [event for event in audit.events(session) if event.action == "look at test split"]
    assert [(look.subject, look.detail) for look in looks] == [(model.name, "a")]


def test_one_job_registers_one_model_however_often_it_is_resumed(database: Database) -> None:
    with database.writing() as session:
        job = jobs.enqueue(session, jobs.JobRequest(JobKind.TRAIN, {}), "Ann")
    new = replace(NEW, job=job.id)
    assert register(database, new).name == register(database, new).name
