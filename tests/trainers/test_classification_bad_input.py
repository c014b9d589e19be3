"""Labels, films, contexts and weights that nobody should hand in, and somebody will."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from core.findings import State
from core.labels import Source
from core.manifests import MalformedManifest, from_bytes, to_bytes
from core.notes import synthesize
from core.recipes import ClassificationRecipe, preset
from core.snapshots import Manifest
from core.studies import IncomingImage, IncomingLabel, Split
from data import images
from db import studies
from tests.trainers.conftest import House
from tests.trainers.labelled import (
    OTHER,
    SEEN,
    SIDE,
    States,
    add_labelled,
    alternating,
    film_of,
    film_with,
    labelled_study,
    labels_of,
    put,
)
from trainers.backbones import OtherTextEncoder, WeightsNotFound
from trainers.classification.data import exams_of
from trainers.classification.family import Classification
from trainers.classification.model import ClassificationModel
from trainers.contract import Case, NothingToLearn, Shelf, Silent

FAMILY = Classification()
FIFTY_THOUSAND = "cough and fever " * 16_667


def smoke(**changes: Any) -> ClassificationRecipe:
    recipe = preset("classification", "smoke")
    assert isinstance(recipe, ClassificationRecipe)
    return replace(recipe, **changes)


def untrained(house: House, manifest: Manifest, **changes: Any) -> ClassificationModel:
    """A model that has learned nothing: what it answers does not matter here."""
    recipe = smoke(neighbours=5, **changes)
    return FAMILY.module(recipe, FAMILY.prepare(recipe, manifest, house.shelf, Silent())).publishable()


@pytest.fixture
def manifest(house: House) -> Manifest:
    add_labelled(house, "drawn", 48)
    return house.freeze("drawn-1", "drawn")


def film(number: int = 0, even: bool = False) -> tuple[IncomingImage, ...]:
    return (film_of(np.full((SIDE, SIDE), 90, np.uint8) if even else film_with(number, {})),)


def odd(house: House, told: str = "", even: bool = False, notes: str | None = None) -> Case:
    """One more study, asked about."""
    with house.database.reading() as session:
        number = 900 + len(studies.study_numbers(session))
    study = labelled_study(number, film(number, even), told, labels_of(alternating(0)), Split.TEST, notes)
    put(house, "odd", [study])
    return newest(house)


def newest(house: House) -> Case:
    with house.database.reading() as session:
        study = studies.get_study(session, studies.study_numbers(session, "odd")[-1])
    return Case(study, study.images)


def answers(house: House, model: ClassificationModel, case: Case) -> dict[str, Any]:
    return {each.finding: dict(each.payload) for each in FAMILY.predict(model, [case], None, house.shelf)}


def test_a_state_that_is_none_is_refused_with_the_manifest(manifest: Manifest) -> None:
    told = json.loads(to_bytes(manifest))
    told["studies"][0]["labels"][0]["state"] = "2"
    with pytest.raises(MalformedManifest, match="'2' is not a valid State"):
        from_bytes(json.dumps(told).encode())


def test_findings_never_present_never_absent_or_only_uncertain_are_left_out_and_told(house: House) -> None:
    more = {"hernia": State.ABSENT, "lungs": State.PRESENT, "edema": State.UNCERTAIN}

    def said(number: int) -> States:
        mass = State.PRESENT if number in (0, 1) else State.ABSENT
        return {**alternating(number), **more, "mass": mass}

    add_labelled(house, "drawn", 48, states=said, splits=(Split.TRAIN,))
    manifest = house.freeze("drawn-1", "drawn")
    data = FAMILY.prepare(smoke(), manifest, house.shelf, Silent())
    assert [finding.key for finding in data.findings] == ["no_finding", SEEN, OTHER]
    assert data.left_out == {
        "mass": "present on only 2 of the training studies; name it in the recipe to learn it still",
        "hernia": "never present on a training study",
        "lungs": "never absent on a training study",
        "edema": "only ever uncertain on the training studies",
    }
    assert [f.key for f in FAMILY.prepare(smoke(findings=("mass",)), manifest, house.shelf, Silent()).findings] == [
        "mass"
    ]
    measured = FAMILY.evaluate(untrained(house, manifest), manifest, None, house.shelf, None, Silent())
    for key in data.left_out:
        assert measured.metrics["auroc"].per_finding[key].value is None
        assert key in measured.details["not_evaluable"]
    for key, state in (("hernia", "never present"), ("edema", "only ever uncertain")):
        with pytest.raises(NothingToLearn, match=state):
            FAMILY.prepare(smoke(findings=(key,)), manifest, house.shelf, Silent())


def test_where_every_label_is_uncertain_there_is_nothing_to_learn(house: House) -> None:
    add_labelled(house, "drawn", 8, states=lambda _: {SEEN: State.UNCERTAIN})
    manifest = house.freeze("drawn-1", "drawn")
    for policy in ("ignore", "zeros", "ones", "soft"):
        with pytest.raises(NothingToLearn, match="present on one training study"):
            FAMILY.prepare(smoke(uncertain=policy), manifest, house.shelf, Silent())


@pytest.mark.parametrize(("policy", "target"), [("ignore", None), ("zeros", 0.0), ("ones", 1.0), ("soft", 0.5)])
def test_an_uncertain_label_teaches_what_the_recipe_says(house: House, policy: str, target: float | None) -> None:
    states = {0: State.PRESENT, 1: State.ABSENT}
    add_labelled(house, "drawn", 4, states=lambda n: {SEEN: states.get(n, State.UNCERTAIN)}, splits=(Split.TRAIN,))
    recipe = smoke(uncertain=policy, batch_size=4, minimum_steps=0, flip_probability=0.0)
    data = FAMILY.prepare(recipe, house.freeze("drawn-1", "drawn"), house.shelf, Silent())
    (batch,) = list(FAMILY.module(recipe, data).train_dataloader())
    taught = sorted(batch.targets[:, 0][batch.asked[:, 0]].tolist())
    assert taught == sorted([0.0, 1.0] + ([target] * 2 if target is not None else []))


def test_two_labels_of_one_study_that_contradict_each_other_count_as_the_labels_rule_says(house: House) -> None:
    def said(*states: State, source: Source) -> tuple[IncomingLabel, ...]:
        return tuple(IncomingLabel(SEEN, state, source) for state in states)

    twice = {
        1: said(State.PRESENT, State.ABSENT, source=Source.IMPORTED),
        2: (*said(State.ABSENT, source=Source.IMPORTED), *said(State.PRESENT, source=Source.LABELER)),
        3: said(State.PRESENT, source=Source.LABELER),
        4: said(State.ABSENT, source=Source.IMPORTED),
    }
    put(house, "odd", [labelled_study(n, film(n), "", labels, Split.TRAIN) for n, labels in twice.items()])
    manifest = house.freeze("odd-1", "odd")
    exams = {exam.key: exam for exam in exams_of(manifest, None, smoke())}
    assert exams["study-1"].states[SEEN] is State.UNCERTAIN and exams["study-1"].torn == {SEEN}
    assert exams["study-2"].states[SEEN] is State.ABSENT and not exams["study-2"].torn
    only_labeler = exams_of(manifest, None, smoke(label_sources=("labeler",)))
    assert {exam.key: exam.states[SEEN] for exam in only_labeler} == {
        "study-2": State.PRESENT,
        "study-3": State.PRESENT,
    }
    measured = FAMILY.evaluate(untrained(house, manifest), manifest, None, house.shelf, None, Silent())
    assert measured.n == 3
    model = untrained(house, manifest)
    told = FAMILY.evaluate(model, manifest, None, house.shelf, None, Silent()).details["counts"][SEEN]
    assert told["n"] == 3 and told["positives"] == 1


def test_a_context_of_fifty_thousand_words_is_read_from_its_beginning_and_said_to_be(
    house: House, manifest: Manifest
) -> None:
    model = untrained(house, manifest)
    told = answers(house, model, odd(house, FIFTY_THOUSAND))[SEEN]
    assert told["read_words"] == 128
    assert told["remarks"] == ["The context is long: its first 128 words were read."]
    assert len(told["words"]) == 3


@pytest.mark.parametrize(
    ("context", "flagged"),
    [
        ("Husten und Fieber seit drei Tagen, Verdacht auf Pneumonie", "German"),
        ("боль в груди и кашель", "another script"),
        ("cough and fever for three days", None),
    ],
)
def test_a_context_in_another_language_is_answered_and_flagged(
    house: House, manifest: Manifest, context: str, flagged: str | None
) -> None:
    told = answers(house, untrained(house, manifest), odd(house, context))[SEEN]
    assert 0 <= told["probability"] <= 1 and told["words"]
    assert [flagged in remark for remark in told["remarks"]] == ([True] if flagged else [])


def test_a_study_without_a_context_is_answered_from_the_film(house: House, manifest: Manifest) -> None:
    model = untrained(house, manifest)
    for context in ("", "...", "XXXX"):
        told = answers(house, model, odd(house, context))[SEEN]
        assert told["context"] == "none"
        assert told["probability"] == told["without_context"]
        assert told["words"] == [] and told["remarks"] == []


def test_a_film_of_one_even_grey_is_neither_learned_from_nor_answered_for(house: House, manifest: Manifest) -> None:
    model = untrained(house, manifest)
    assert FAMILY.predict(model, [odd(house, "cough", even=True)], None, house.shelf) == []
    even = [labelled_study(n, film(even=True), "", labels_of(alternating(0)), Split.TRAIN) for n in range(2)]
    put(house, "odd", even)
    data = FAMILY.prepare(smoke(), house.freeze("both", "drawn", "odd"), house.shelf, Silent())
    assert {exam.dataset for exam in data.training} == {"drawn"}


@pytest.mark.parametrize("mode", ["labels", "symptoms"])
def test_notes_that_were_made_up_are_no_real_context(house: House, manifest: Manifest, mode: Any) -> None:
    note = synthesize({SEEN: State.PRESENT}, mode, "seed").text
    case = odd(house, notes=note)
    assert answers(house, untrained(house, manifest), case)[SEEN]["context"] == "none"
    exams = exams_of(house.freeze("odd-1", "odd"), None, smoke())
    assert [exam.context for exam in exams] == [""]


def test_made_up_contexts_name_findings_only_where_the_recipe_says_leak(house: House, manifest: Manifest) -> None:
    for context, leak in (("symptoms", False), ("labels", True)):
        exams = exams_of(manifest, None, smoke(context=context, leak=leak))
        named = [exam for exam in exams if "cardiomegaly" in exam.context]
        assert all(exam.context and not exam.context.startswith("[") for exam in exams)
        assert len(named) == (sum(exam.known(SEEN) is True for exam in exams) if leak else 0)
    leaking = untrained(house, manifest, context="labels", leak=True)
    facts = FAMILY.facts(leaking)
    assert not facts.for_readers and "never" in facts.notes[0]
    assert answers(house, leaking, odd(house, "cough"))[SEEN]["context"] == "real"


def test_without_validation_there_are_no_thresholds_and_nothing_is_called_present(
    house: House, manifest: Manifest
) -> None:
    judges = tuple(study for study in manifest.studies if study.split is not Split.VALIDATION)
    model = untrained(house, replace(manifest, studies=judges))
    told = answers(house, model, odd(house, "cough"))[SEEN]
    assert told["threshold"] is None and told["says"] is None
    measured = FAMILY.evaluate(model, manifest, Split.TEST, house.shelf, None, Silent())
    assert measured.metrics["f1"].per_finding[SEEN].value is None
    assert measured.metrics["auroc"].per_finding[SEEN].value is not None


def test_weights_that_are_nowhere_are_told_with_the_places_looked_in(
    house: House, manifest: Manifest, tmp_path: Path
) -> None:
    shelf = Shelf(house.store, house.workspace.cache, (house.workspace.weights,))
    for changes in ({"text_encoder": "bioclinical"}, {"encoder": "vit_b16", "weights": "local"}):
        recipe = smoke(weights_folder=str(tmp_path / "mine"), **changes)
        data = FAMILY.prepare(recipe, manifest, shelf, Silent())
        with pytest.raises(WeightsNotFound) as refused:
            FAMILY.module(recipe, data)
        assert str(tmp_path / "mine") in str(refused.value) and str(house.workspace.weights) in str(refused.value)


def test_a_model_whose_text_encoder_is_another_answers_for_films_alone(
    house: House, manifest: Manifest, tmp_path: Path
) -> None:
    FAMILY.save(untrained(house, manifest), tmp_path)
    description = json.loads((tmp_path / "model.json").read_text())
    description["recipe"]["text_encoder"] = "minilm"
    (tmp_path / "model.json").write_text(json.dumps(description))
    model = FAMILY.load(tmp_path)
    assert answers(house, model, odd(house))[SEEN]["context"] == "none"
    with pytest.raises(OtherTextEncoder, match="model card"):
        FAMILY.warm(model)
    with pytest.raises(OtherTextEncoder):
        answers(house, model, odd(house, "cough"))


@pytest.mark.parametrize("side", [33, 3000])
@pytest.mark.parametrize("fit", ["resize", "pad"])
def test_a_film_of_any_size_is_answered_with_a_map_of_its_shape(
    house: House, manifest: Manifest, side: int, fit: str
) -> None:
    model = untrained(house, manifest, fit=fit)
    wide = film_of(film_with(3, alternating(0), side)[: side // 2])
    put(house, "odd", [labelled_study(7, (wide,), "cough", labels_of(alternating(0)), Split.TEST)])
    told = answers(house, model, newest(house))
    maps = [images.header(house.store.get(each["map"])) for each in told.values() if each["map"]]
    assert maps and all((each.width, each.height) == (192, 96 if side > 33 else 93) for each in maps)
