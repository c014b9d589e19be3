"""What public collections say of labels, splits and boxes holds through the database and every export of it."""

from pathlib import Path

import pytest

from app.house import House
from app.services import exporting, importing, snapshots
from core.findings import State
from core.labels import Source, effective_of
from core.studies import Split
from data.images import from_pixels
from tests.making import BY, film

READ_BACK = {"coco": "coco", "png": "folder", "jsonl": "jsonl"}
CHEXPERT = "Path,Sex,Age,Frontal/Lateral,AP/PA,Edema,Fracture\n"


def quiet(done: int, total: int, doing: str) -> None:
    pass


@pytest.fixture
def chexpert(tmp_path: Path) -> Path:
    """One patient who trains, whose two films disagree on the edema, and one who validates."""
    folder = tmp_path / "CheXpert"
    places = (
        "train/patient1/study1/view1_frontal.png",
        "train/patient1/study1/view2_lateral.png",
        "valid/patient2/study1/view1_frontal.png",
        "valid/patient1/study2/view1_frontal.png",
    )
    for number, name in enumerate(places):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(from_pixels(film(number), 8).payload)
    (folder / "train.csv").write_text(
        f"{CHEXPERT}train/patient1/study1/view1_frontal.jpg,Male,50,Frontal,PA,1.0,0.0\n"
        "train/patient1/study1/view2_lateral.jpg,Male,50,Lateral,,-1.0,0.0\n"
    )
    (folder / "valid.csv").write_text(f"{CHEXPERT}valid/patient2/study1/view1_frontal.jpg,Male,50,Frontal,PA,0.0,\n")
    return folder


def test_labels_of_one_study_that_contradict_each_other_are_listed_and_count_as_uncertain(
    house: House, chexpert: Path
) -> None:
    looked = importing.rehearse(house, "chexpert", chexpert, "c", quiet)
    told = importing.bring_in(house, "chexpert", chexpert, "c", BY, quiet)
    for report in (looked, told):
        assert (report.studies, report.images) == (2, 3)
        (skipped,) = report.skipped
        assert skipped.item == "patient1_study1 edema"
        assert "present and as uncertain" in skipped.reason
    one, two = snapshots.present(house, "c").studies
    counted = effective_of(one)
    assert (counted["edema"].state, counted["edema"].in_conflict) == (State.UNCERTAIN, True)
    assert (counted["fracture"].state, counted["fracture"].in_conflict) == (State.ABSENT, False)
    assert counted["fracture"].source is Source.IMPORTED
    assert [one.split, two.split] == [Split.TRAIN, Split.VALIDATION]
    again = importing.bring_in(house, "chexpert", chexpert, "c", BY, quiet)
    assert (again.studies, again.images) == (0, 0)
    assert snapshots.present(house, "c").studies == (one, two)


def test_a_patient_in_another_split_of_a_later_import_is_refused_and_listed(house: House, chexpert: Path) -> None:
    importing.bring_in(house, "chexpert", chexpert / "train.csv", "c", BY, quiet)
    (chexpert / "train.csv").unlink()
    (chexpert / "valid.csv").write_text(f"{CHEXPERT}valid/patient1/study2/view1_frontal.jpg,Male,50,Frontal,PA,0.0,\n")
    told = importing.bring_in(house, "chexpert", chexpert, "c", BY, quiet)
    assert told.studies == 0
    assert [item.item for item in told.skipped] == ["patient1_study2"]
    assert "patient patient1 is in train" in told.skipped[0].reason


@pytest.mark.parametrize("form", READ_BACK)
def test_boxes_and_labels_of_chest_x_ray_14_survive_the_export_and_the_way_back(
    house: House, tmp_path: Path, form: str
) -> None:
    folder = tmp_path / "nih"
    (folder / "images").mkdir(parents=True)
    (folder / "images" / "00000001_000.png").write_bytes(from_pixels(film(1), 8).payload)
    (folder / "Data_Entry_2017.csv").write_text(
        "Image Index,Finding Labels,Follow-up #,Patient ID,Patient Age,Patient Gender,View Position\n"
        "00000001_000.png,Mass|Hernia,0,1,50,M,PA\n"
    )
    (folder / "BBox_List_2017.csv").write_text(
        "Image Index,Finding Label,Bbox [x,y,w,h],,,\n00000001_000.png,Mass,100.5,200,300,400,,,\n"
    )
    importing.bring_in(house, "nih", folder, "first", BY, quiet)
    (first,) = snapshots.present(house, "first").studies
    assert len(first.labels) == 15
    (box,) = first.images[0].regions
    assert (box.finding, box.author) == ("mass", "import")
    exporting.hand_out(house, form, tmp_path / "out", BY, quiet, snapshot=None, dataset="first")
    importing.bring_in(house, READ_BACK[form], tmp_path / "out", "again", BY, quiet)
    (again,) = snapshots.present(house, "again").studies
    assert again.labels == first.labels
    assert again.images[0].regions == first.images[0].regions


def test_two_rows_of_labels_for_one_uid_that_contradict_are_listed_and_count_as_uncertain(
    house: House, tmp_path: Path
) -> None:
    folder = tmp_path / "iu"
    (folder / "images").mkdir(parents=True)
    (folder / "images" / "1.png").write_bytes(from_pixels(film(1), 8).payload)
    (folder / "indiana_reports.csv").write_text("uid,findings,impression\n1,,\n")
    (folder / "indiana_projections.csv").write_text("uid,filename,projection\n1,1.png,Frontal\n")
    (folder / "finding_labels.csv").write_text("uid,Effusion,Edema\n1,1,0\n1,0,0\n")
    told = importing.bring_in(house, "iu-xray", folder, "iu", BY, quiet)
    assert [item.item for item in told.skipped] == ["1 pleural_effusion"]
    (study,) = snapshots.present(house, "iu").studies
    counted = effective_of(study)
    assert (counted["pleural_effusion"].state, counted["pleural_effusion"].in_conflict) == (State.UNCERTAIN, True)
    assert counted["edema"].state is State.ABSENT
