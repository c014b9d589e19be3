"""Small DICOM films for the tests."""

from pathlib import Path
from typing import Any

import numpy as np
import pydicom
from pydicom.dataset import FileMetaDataset
from pydicom.encaps import encapsulate
from pydicom.uid import ComputedRadiographyImageStorage, ExplicitVRLittleEndian, generate_uid

SECRET = b"the workspace's secret"


def ramp(bits: int, size: tuple[int, int] = (24, 32)) -> np.ndarray:
    values = np.linspace(0, (1 << bits) - 1, size[0] * size[1]).reshape(size)
    return values.astype(np.uint8 if bits <= 8 else np.uint16)


def dataset(pixels: np.ndarray, bits: int, syntax: str = ExplicitVRLittleEndian, **elements: Any) -> pydicom.Dataset:
    made = pydicom.Dataset()
    made.file_meta = FileMetaDataset()
    made.file_meta.TransferSyntaxUID = syntax
    made.SOPClassUID = ComputedRadiographyImageStorage
    made.SOPInstanceUID = generate_uid()
    made.file_meta.MediaStorageSOPClassUID = made.SOPClassUID
    made.file_meta.MediaStorageSOPInstanceUID = made.SOPInstanceUID
    made.StudyInstanceUID = generate_uid()
    made.PatientID = "MRN-0042"
    made.PatientName = "DOE^JANE"
    made.PatientBirthDate = "19500102"
    made.PatientSex = "F"
    made.PatientAge = "071Y"
    made.StudyDate = "20210304"
    made.StudyTime = "101500"
    made.Modality = "CR"
    made.BodyPartExamined = "CHEST"
    made.ViewPosition = "PA"
    made.Rows, made.Columns = pixels.shape
    made.SamplesPerPixel = 1
    made.PhotometricInterpretation = "MONOCHROME2"
    made.BitsAllocated = 8 * pixels.itemsize
    made.BitsStored, made.HighBit = bits, bits - 1
    made.PixelRepresentation = int(np.issubdtype(pixels.dtype, np.signedinteger))
    made.PixelData = pixels.tobytes()
    made["PixelData"].VR = "OB" if pixels.itemsize == 1 else "OW"
    for keyword, value in elements.items():
        setattr(made, keyword, value)
    return made


def saved(folder: Path, made: pydicom.Dataset, name: str = "film.dcm") -> Path:
    made.save_as(folder / name, enforce_file_format=True)
    return folder / name


def compressed(pixels: np.ndarray, bits: int, syntax: str, body: bytes) -> pydicom.Dataset:
    made = dataset(pixels, bits, syntax, PixelData=encapsulate([body]))
    made["PixelData"].is_undefined_length = True
    made["PixelData"].VR = "OB"
    return made
