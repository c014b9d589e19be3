"""DICOM files to films: computed and digital chest radiographs, de-identified, upright, as unsigned MONOCHROME2 values.

What is kept is the stored values, none scaled: signed ones are moved up by half their range, MONOCHROME1 (and a
falling rescale) is turned over once here so that browser and models need no special case, a modality LUT is applied
because nothing later could. A linear rescale only renames values, so it is applied to the window instead. The display
window is the file's first; a VOI LUT, which is a curve, is kept as the window between whose ends it rises
(DICOM PS3.3 C.7.6.3, C.11.1, C.11.2). A film that PatientOrientation says is mirrored or turned is set upright.
"""

import io
import re
import struct
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import numpy as np
import pydicom
from numpy.typing import NDArray
from pydicom.errors import InvalidDicomError

from core.studies import IncomingImage, Turn, View, Window
from data import deidentify, images
from data.deidentify import Pseudonyms
from data.orientation import upright
from data.pixels import ImageTruncated, NotAnImage, Pixels, UnreadableImage, UnsupportedPixels, require_openable

_MODALITIES: Final = ("CR", "DX")
_CHEST: Final = re.compile(r"CHEST|THORAX|TORAX|LUNG|PULM")
_PIXEL_DATA: Final = 0x7FE00010
_WIDEST_SPACING_MM: Final = 5.0
_FINEST_SPACING_MM: Final = 0.01
_KEYS: Final = (
    "PatientID",
    "IssuerOfPatientID",
    "PatientName",
    "PatientBirthDate",
    "StudyInstanceUID",
    "SOPInstanceUID",
    "SOPClassUID",
    "DirectoryRecordSequence",
    "StudyDate",
    "AcquisitionDate",
    "StudyTime",
    "Modality",
    "BodyPartExamined",
    "ViewPosition",
    "InstanceNumber",
    "SeriesNumber",
)
_DIRECTORY: Final = "1.2.840.10008.1.3.10"


class NotAChestFilm(UnreadableImage):
    """A DICOM file that is sound but no chest radiograph."""


@dataclass(frozen=True)
class Head:
    """What must be known of a file to sort it into its study, no pixel read."""

    path: Path
    keys: Pseudonyms
    is_frontal: bool
    place: tuple[int, int]


@dataclass(frozen=True)
class DicomFilm:
    """A film and what its cleaned header says of the patient."""

    image: IncomingImage
    age: str
    sex: str
    warnings: tuple[str, ...]


@dataclass(frozen=True)
class _Values:
    """Pixel values on their way: unsigned (H, W), the bits they use, and the windows that show them."""

    pixels: Pixels
    bits: int
    window: Window | None


def head(path: Path, secret: bytes) -> Head:
    """Sort a file. Raises NotAnImage when it is no DICOM, NotAChestFilm, ImageTruncated."""
    dataset = _open(path, stop_before_pixels=True, specific_tags=list(_KEYS))
    _require_chest(dataset)
    view = View.parse(str(dataset.get("ViewPosition") or ""))
    place = (_whole(dataset.get("SeriesNumber")), _whole(dataset.get("InstanceNumber")))
    return Head(path, deidentify.pseudonyms(dataset, secret), view is not View.LATERAL, place)


def film(source: Path | bytes, secret: bytes) -> DicomFilm:
    """Read a file, or what was in one, de-identify, decode and set upright.

    Raises UnreadableImage and CannotDeidentify.
    """
    dataset = _open(source)
    name = deidentify.pseudonyms(dataset, secret).image
    deidentify.deidentify(dataset, secret)
    _require_chest(dataset)
    values = _values(dataset)
    view = _view(dataset)
    turn, reason = upright(_texts(dataset, "PatientOrientation"), view)
    pixels = images.turned(values.pixels, turn)
    kept = images.from_pixels(pixels, values.bits, values.window, _spacing(dataset))
    image = IncomingImage(
        name=name,
        view=view,
        facts=kept.facts,
        payload=kept.payload,
        media_type=kept.media_type,
        turn=turn,
        turn_reason=reason if turn is not Turn.NONE else None,
    )
    burned = deidentify.burned_in_warning(dataset)
    age, sex = str(dataset.get("PatientAge") or ""), str(dataset.get("PatientSex") or "")
    return DicomFilm(image, age, sex, (burned,) if burned else ())


def view_of(position: str, *meanings: str) -> View:
    """The view that a ViewPosition names, or failing that the meaning of a view's code ("postero-anterior")."""
    view = View.parse(position)
    for meaning in meanings if view is View.UNKNOWN else ():
        letters = re.sub(r"[^a-z]", "", meaning.lower())
        if "posteroanterior" in letters:
            return View.PA
        if "anteroposterior" in letters:
            return View.AP
        if "lateral" in letters and "decubitus" not in letters:
            return View.LATERAL
    return view


def _open(source: Path | bytes, **options: Any) -> pydicom.Dataset:
    try:
        dataset = pydicom.dcmread(_readable(source), **options)
    except InvalidDicomError:
        return _open_bare(source, **options)
    except (EOFError, ValueError, KeyError, struct.error, OSError) as error:
        raise ImageTruncated(f"The DICOM file is cut off or damaged ({error}). Copy it again.") from error
    if "SOPClassUID" not in dataset and "DirectoryRecordSequence" not in dataset:
        # Of a file that ends within compressed pixels, the library logs the fact and returns an empty dataset.
        raise ImageTruncated("The DICOM file is cut off: its end is missing. Copy it again.")
    return dataset


def _open_bare(source: Path | bytes, **options: Any) -> pydicom.Dataset:
    """Old archives write datasets without preamble; anything else that opens this way shows no SOP class."""
    try:
        dataset = pydicom.dcmread(_readable(source), force=True, **options)
        if dataset.get("SOPClassUID"):
            if "TransferSyntaxUID" not in dataset.file_meta:
                dataset.file_meta.TransferSyntaxUID = pydicom.uid.ImplicitVRLittleEndian
            return dataset
    except (EOFError, ValueError, KeyError, AttributeError, NotImplementedError, struct.error, OSError):
        pass
    raise NotAnImage("The file is no DICOM file.")


def _readable(source: Path | bytes) -> Path | io.BytesIO:
    return io.BytesIO(source) if isinstance(source, bytes) else source


def _require_chest(dataset: pydicom.Dataset) -> None:
    if str(dataset.get("SOPClassUID") or "") == _DIRECTORY or "DirectoryRecordSequence" in dataset:
        raise NotAChestFilm("It is a directory of films, not a film.")
    modality = str(dataset.get("Modality") or "").upper()
    if not modality:
        raise NotAChestFilm("It does not say how it was made; only CR and DX are read.")
    if modality not in _MODALITIES:
        raise NotAChestFilm(f"It is a {modality}; only chest radiographs (CR and DX) are read.")
    part = str(dataset.get("BodyPartExamined") or "").upper()
    if part and not _CHEST.search(part):
        raise NotAChestFilm(f"It is no chest ({part}).")


def _values(dataset: pydicom.Dataset) -> _Values:
    photometric = str(dataset.get("PhotometricInterpretation") or "")
    if photometric not in ("MONOCHROME1", "MONOCHROME2"):
        raise UnsupportedPixels(f"Its pixels are {photometric or 'of no stated kind'}; only grey films are read.")
    if _whole(dataset.get("NumberOfFrames"), 1) > 1:
        raise UnsupportedPixels(f"It holds {dataset.NumberOfFrames} pictures; only single films are read.")
    require_openable(_whole(dataset.get("Columns")), _whole(dataset.get("Rows")))
    bits, is_signed = _whole(dataset.get("BitsStored")), bool(dataset.get("PixelRepresentation"))
    if not 8 <= bits <= 16:
        raise UnsupportedPixels(f"It has {bits} bits a pixel; films of 8 to 16 bits are read.")
    stored = _fit(_decoded(dataset), bits, is_signed)
    offset = 1 << (bits - 1) if is_signed else 0
    window = _voi_window(dataset)
    if "ModalityLUTSequence" in dataset:
        values = _through_lut(stored, dataset.ModalityLUTSequence[0], window)
        is_falling = False
    else:
        slope, intercept = _decimal(dataset.get("RescaleSlope"), 1.0), _decimal(dataset.get("RescaleIntercept"), 0.0)
        is_falling = slope < 0
        values = _Values(_narrow(stored + offset, bits), bits, _unscaled(window, slope or 1.0, intercept, offset))
    return _turned_over(values) if (photometric == "MONOCHROME1") != is_falling else values


def _decoded(dataset: pydicom.Dataset) -> NDArray[Any]:
    if _PIXEL_DATA not in dataset:
        raise ImageTruncated("The DICOM file ends before its pixels. Copy it again.")
    try:
        return np.asarray(dataset.pixel_array)
    except MemoryError:
        raise
    except Exception as error:
        # Each decoder behind pydicom raises types of its own; all of them mean that these bytes give no picture.
        raise ImageTruncated(f"Its pixels cannot be decoded, they are cut off or damaged ({error}).") from error


def _fit(stored: NDArray[Any], bits: int, is_signed: bool) -> NDArray[np.int32]:
    """Only the stored bits: old films keep overlays in the bits above, and those are not pixels."""
    values = stored.astype(np.int32) & ((1 << bits) - 1)
    if is_signed:
        values -= (values >> (bits - 1)) << bits
    return values


def _narrow(values: NDArray[Any], bits: int) -> Pixels:
    return values.astype(np.uint8) if bits == 8 else values.astype(np.uint16)


def _through_lut(stored: NDArray[np.int32], lut: pydicom.Dataset, window: Window | None) -> _Values:
    """Values looked up in a modality LUT, which begins at its descriptor's second number (PS3.3 C.11.1.1)."""
    table, first = _lut(lut)
    pixels = table[np.clip(stored - first, 0, table.size - 1)]
    bits = min(max(_whole(lut.LUTDescriptor[2], 16), 8), 16)
    return _Values(_narrow(pixels, bits), bits, window)


def _lut(lut: pydicom.Dataset) -> tuple[NDArray[np.uint16], int]:
    first = _whole(lut.LUTDescriptor[1])
    data = lut.LUTData
    table = np.frombuffer(data, "<u2") if isinstance(data, bytes) else np.asarray(data, dtype=np.uint16)
    if not table.size:
        raise UnsupportedPixels("Its look-up table is empty.")
    return table, first


def _voi_window(dataset: pydicom.Dataset) -> Window | None:
    """The first window in the header, or the stretch in which the VOI LUT rises."""
    center, width = _first(dataset.get("WindowCenter")), _first(dataset.get("WindowWidth"))
    if center is not None and width is not None and width >= 1:
        return Window(center, width)
    if not dataset.get("VOILUTSequence"):
        return None
    table, first = _lut(dataset.VOILUTSequence[0])
    low, high = float(table.min()), float(table.max())
    rising = np.flatnonzero((table > low + 0.01 * (high - low)) & (table < low + 0.99 * (high - low)))
    if not rising.size:
        return None
    start, end = first + int(rising[0]), first + int(rising[-1])
    return Window((start + end + 1) / 2, float(end - start + 1))


def _unscaled(window: Window | None, slope: float, intercept: float, offset: int) -> Window | None:
    """The window over stored values that shows what `window` shows over rescaled ones."""
    if window is None:
        return None
    return Window((window.center - intercept) / slope + offset, max(abs(window.width / slope), 1.0))


def _turned_over(values: _Values) -> _Values:
    top = (1 << values.bits) - 1
    pixels = _narrow(top - values.pixels.astype(np.int32), values.bits)
    window = replace(values.window, center=top + 1 - values.window.center) if values.window else None
    return _Values(pixels, values.bits, window)


def _view(dataset: pydicom.Dataset) -> View:
    """ViewPosition, or failing that the meaning of the view's code."""
    codes = dataset.get("ViewCodeSequence") or []
    return view_of(str(dataset.get("ViewPosition") or ""), *(str(code.get("CodeMeaning") or "") for code in codes))


def _spacing(dataset: pydicom.Dataset) -> float | None:
    """Row spacing in mm, at the detector where that is told; None when the number cannot be one."""
    for keyword in ("ImagerPixelSpacing", "PixelSpacing", "NominalScannedPixelSpacing"):
        spacing = _first(dataset.get(keyword))
        if spacing is not None and _FINEST_SPACING_MM <= spacing <= _WIDEST_SPACING_MM:
            return spacing
    return None


def _texts(dataset: pydicom.Dataset, keyword: str) -> tuple[str, ...]:
    value = dataset.get(keyword)
    if value is None or isinstance(value, str):
        return (value,) if value else ()
    return tuple(str(each) for each in value)


def _first(value: Any) -> float | None:
    if value is None or value == "":
        return None
    try:
        return float(value[0] if not isinstance(value, str | int | float) else value)
    except (TypeError, ValueError, IndexError):
        return None


def _decimal(value: Any, otherwise: float) -> float:
    number = _first(value)
    return otherwise if number is None else number


def _whole(value: Any, otherwise: int = 0) -> int:
    number = _first(value)
    return otherwise if number is None else int(number)
