import re
from datetime import date
from pathlib import Path
from typing import Any

import pydicom
import pytest
from dicom_making import SECRET, dataset, ramp, saved

from core.studies import IncomingStudy
from data import deidentify
from data.importers import IMPORTERS
from data.importers.plan import ImportOptions

OPTIONS = ImportOptions(secret=SECRET)

IDENTIFYING = {
    "PatientID": "MRN-0042",
    "PatientName": "DOE^JANE",
    "PatientBirthDate": "19500102",
    "StudyDate": "20210304",
    "AccessionNumber": "ACC-77",
    "InstitutionName": "St Elsewhere",
    "ReferringPhysicianName": "HOUSE^GREGORY",
    "StudyDescription": "Chest of Jane Doe",
    "ImageComments": "Jane Doe, room 4",
    "PatientAddress": "1 Main Street",
    "OtherPatientIDs": "SSN-9",
}


def test_nothing_that_names_the_patient_reaches_what_is_kept(tmp_path: Path) -> None:
    made = dataset(ramp(12), 12, **IDENTIFYING)
    made.private_block(0x0009, "MAKER", create=True).add_new(1, "LO", "Jane Doe")
    saved(tmp_path, made)
    (study,) = IMPORTERS["dicom"](tmp_path, OPTIONS).studies
    assert isinstance(study, IncomingStudy)
    everything = repr(study).encode() + study.images[0].payload
    uids = (made.StudyInstanceUID, made.SOPInstanceUID)
    for secret in (*IDENTIFYING.values(), "Jane", "DOE", *uids):
        assert secret.encode() not in everything


def test_the_profile_cleans_the_header_and_leaves_age_and_sex() -> None:
    item = pydicom.Dataset()
    item.ReferencedSOPInstanceUID = "1.2.3.4"
    made = dataset(ramp(12), 12, **IDENTIFYING, SourceImageSequence=pydicom.Sequence([item]))
    made.private_block(0x0009, "MAKER", create=True).add_new(1, "LO", "Jane Doe")
    before = made.StudyInstanceUID
    deidentify.deidentify(made, SECRET)
    text = str(made)
    for value in IDENTIFYING.values():
        assert value not in text
    assert "Jane" not in text
    assert (made.PatientSex, made.PatientAge) == ("F", "071Y")
    assert made.StudyInstanceUID != before
    assert re.fullmatch(r"2\.25\.\d+", made.StudyInstanceUID)
    assert not any(element.tag.is_private for element in made)


@pytest.mark.parametrize(("age", "kept"), [("095Y", "090Y"), ("008M", "000Y"), ("62", "062Y"), ("", ""), ("old", "")])
def test_ages_are_whole_years_and_the_oldest_are_not_told_apart(age: str, kept: str) -> None:
    made = dataset(ramp(8), 8, PatientAge=age)
    deidentify.deidentify(made, SECRET)
    assert made.PatientAge == kept


def keys(secret: bytes = SECRET, **elements: Any) -> deidentify.Pseudonyms:
    return deidentify.pseudonyms(dataset(ramp(8), 8, **elements), secret)


def test_a_patient_keeps_one_key_that_another_workspace_cannot_make() -> None:
    assert keys().patient == keys().patient
    assert keys().patient != keys(PatientID="MRN-0043").patient
    assert keys().patient != keys(IssuerOfPatientID="elsewhere").patient
    assert keys(b"another secret").patient != keys().patient
    assert re.fullmatch(r"P[0-9a-f]{12}", keys().patient)


def test_a_film_without_patient_id_is_told_apart_by_name_and_birth_and_failing_those_by_study() -> None:
    named = keys(PatientID="")
    assert named.patient == keys(PatientID="").patient
    assert named.patient != keys(PatientID="", PatientBirthDate="19510102").patient
    nameless = {"PatientID": "", "PatientName": "", "PatientBirthDate": ""}
    assert keys(**nameless, StudyInstanceUID="1.2.3").patient == keys(**nameless, StudyInstanceUID="1.2.3").patient
    assert keys(**nameless).patient != keys(**nameless).patient


def test_a_patients_studies_keep_their_order_and_distance_and_lose_their_dates() -> None:
    first, later = keys(StudyDate="20210304"), keys(StudyDate="20210311")
    assert later.order - first.order == 7 * 1440
    assert first.order // 1440 != date(2021, 3, 4).toordinal()
    assert keys(StudyDate="").order == 0
    assert keys(StudyDate="garbled!").order == 0


def test_burned_in_text_is_warned_of(tmp_path: Path) -> None:
    saved(tmp_path, dataset(ramp(8), 8, BurnedInAnnotation="YES"))
    plan = IMPORTERS["dicom"](tmp_path, OPTIONS)
    list(plan.studies)
    assert "film.dcm" in plan.warnings[0]
    assert "burned" in plan.warnings[0]
    assert deidentify.burned_in_warning(dataset(ramp(8), 8, BurnedInAnnotation="NO")) is None
