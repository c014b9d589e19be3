from pathlib import Path

import pytest
from dicom_making import SECRET, dataset, ramp, saved
from pydicom.uid import generate_uid

from core.studies import IncomingStudy, Skipped, View
from data import images
from data.importers import IMPORTERS
from data.importers.plan import ImportOptions

OPTIONS = ImportOptions(secret=SECRET)


def test_films_are_sorted_into_studies_frontal_first_whatever_their_files_are_called(tmp_path: Path) -> None:
    study = generate_uid()
    (tmp_path / "deep" / "er").mkdir(parents=True)
    saved(tmp_path, dataset(ramp(8), 8, StudyInstanceUID=study, ViewPosition="LL", InstanceNumber=1), "a")
    saved(tmp_path / "deep" / "er", dataset(ramp(8), 8, StudyInstanceUID=study, InstanceNumber=2), "b")
    saved(tmp_path, dataset(ramp(8), 8, StudyDate="20200101"), "z.dcm")
    saved(tmp_path, dataset(ramp(8), 8, Modality="CT"), "ct.dcm")
    (tmp_path / "readme.txt").write_text("hello")
    plan = IMPORTERS["dicom"](tmp_path, OPTIONS)
    items = list(plan.studies)
    assert plan.total == 2
    assert {item.item for item in items if isinstance(item, Skipped)} == {"ct.dcm", "readme.txt"}
    older, newer = (item for item in items if isinstance(item, IncomingStudy))
    assert older.order < newer.order
    assert older.patient == newer.patient
    assert [image.view for image in newer.images] == [View.PA, View.LATERAL]
    assert (newer.age, newer.sex) == (71, "F")


def test_the_same_film_twice_is_one_image(tmp_path: Path) -> None:
    made = dataset(ramp(8), 8)
    saved(tmp_path, made, "one.dcm")
    saved(tmp_path, made, "two.dcm")
    skipped, study = IMPORTERS["dicom"](tmp_path, OPTIONS).studies
    assert isinstance(skipped, Skipped)
    assert isinstance(study, IncomingStudy)
    assert len(study.images) == 1


def test_importing_again_gives_the_same_keys_and_bytes(tmp_path: Path) -> None:
    saved(tmp_path, dataset(ramp(12), 12))
    assert list(IMPORTERS["dicom"](tmp_path, OPTIONS).studies) == list(IMPORTERS["dicom"](tmp_path, OPTIONS).studies)


@pytest.mark.realdata
def test_the_real_films_come_in_and_the_leg_does_not(cxr: Path) -> None:
    items = list(IMPORTERS["dicom"](cxr / "dicom", OPTIONS).studies)
    (skipped,) = (item for item in items if isinstance(item, Skipped))
    assert skipped.item == "cr-extremity-jpeg2000.dcm"
    assert "EXTREMITY" in skipped.reason
    films = {study.images[0].facts.bits: study for study in items if isinstance(study, IncomingStudy)}
    assert set(films) == {8, 15}
    deep = films[15].images[0]
    assert (deep.view, deep.facts.width, deep.facts.height) == (View.PA, 1841, 1955)
    pixels = images.read(deep.payload)
    corners, middle = pixels[:40, :40].mean(), pixels[900:1000, 880:960].mean()
    assert corners < middle
