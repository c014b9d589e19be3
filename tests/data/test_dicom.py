from pathlib import Path
from typing import Any

import imagecodecs
import numpy as np
import pydicom
import pytest
from dicom_making import SECRET, compressed, dataset, ramp, saved
from pydicom.uid import (
    JPEG2000,
    CTImageStorage,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGBaseline8Bit,
    JPEGLosslessSV1,
    JPEGLSLossless,
    JPEGLSNearLossless,
    RLELossless,
)

from core.studies import Photometric, Turn, View, Window
from data import images
from data.dicom import NotAChestFilm, film, head
from data.orientation import upright
from data.pixels import ImageTooLarge, ImageTruncated, NotAnImage, UnreadableImage, UnsupportedPixels


def stored(folder: Path, made: pydicom.Dataset) -> np.ndarray:
    return images.read(film(saved(folder, made), SECRET).image.payload)


@pytest.mark.parametrize("bits", [8, 10, 12, 14, 15, 16])
@pytest.mark.parametrize("syntax", [ExplicitVRLittleEndian, ImplicitVRLittleEndian])
def test_stored_values_of_every_depth_are_kept_unscaled(tmp_path: Path, bits: int, syntax: str) -> None:
    pixels = ramp(bits)
    made = dataset(pixels, bits, syntax, ImagerPixelSpacing=[0.143, 0.143], WindowCenter="100", WindowWidth="50")
    image = film(saved(tmp_path, made), SECRET).image
    assert np.array_equal(images.read(image.payload), pixels)
    assert image.facts.bits == bits
    assert image.facts.photometric is Photometric.MONOCHROME2
    assert image.facts.spacing_mm == 0.143
    assert image.facts.window == Window(100, 50)
    assert image.media_type == "image/png"
    assert images.header(image.payload) == image.facts


def test_big_endian_films_are_read(tmp_path: Path) -> None:
    pixels = ramp(12)
    made = dataset(pixels, 12, ExplicitVRBigEndian, PixelData=pixels.astype(">u2").tobytes())
    assert np.array_equal(stored(tmp_path, made), pixels)


@pytest.mark.parametrize("bits", [8, 12, 16])
@pytest.mark.parametrize("syntax", [RLELossless, JPEG2000Lossless, JPEGLSLossless, JPEGLosslessSV1])
def test_lossless_compression_is_undone_exactly(tmp_path: Path, bits: int, syntax: str) -> None:
    pixels = ramp(bits)
    if syntax == RLELossless:
        made = dataset(pixels, bits)
        made.compress(RLELossless)
    else:
        body = {
            JPEG2000Lossless: lambda: imagecodecs.jpeg2k_encode(
                pixels, reversible=True, level=0, codecformat="j2k", bitspersample=bits
            ),
            JPEGLSLossless: lambda: imagecodecs.jpegls_encode(pixels),
            JPEGLosslessSV1: lambda: imagecodecs.ljpeg_encode(pixels, bitspersample=bits),
        }[syntax]()
        made = compressed(pixels, bits, syntax, body)
    assert np.array_equal(stored(tmp_path, made), pixels)


def test_lossy_compression_is_undone_nearly(tmp_path: Path) -> None:
    eight, twelve = ramp(8, (64, 64)), ramp(12, (64, 64))
    films = [
        (eight, 8, JPEGBaseline8Bit, imagecodecs.jpeg8_encode(eight, level=95)),
        (eight, 8, JPEGLSNearLossless, imagecodecs.jpegls_encode(eight, level=2)),
        (twelve, 12, JPEG2000, imagecodecs.jpeg2k_encode(twelve, level=60, codecformat="j2k", bitspersample=12)),
    ]
    for pixels, bits, syntax, body in films:
        got = stored(tmp_path, compressed(pixels, bits, syntax, body)).astype(int)
        assert np.abs(got - pixels).max() <= (1 << bits) // 40


def test_monochrome1_is_turned_over_once_and_shows_the_same(tmp_path: Path) -> None:
    pixels = ramp(12)
    made = dataset(pixels, 12, WindowCenter="1000", WindowWidth="600", PhotometricInterpretation="MONOCHROME1")
    image = film(saved(tmp_path, made), SECRET).image
    assert np.array_equal(images.read(image.payload), 4095 - pixels)
    assert image.facts.photometric is Photometric.MONOCHROME2
    shown = images.to_8_bits(images.read(image.payload), image.facts.window, 12)
    as_stored = images.to_8_bits(pixels, Window(1000, 600), 12, Photometric.MONOCHROME1)
    assert np.abs(shown.astype(int) - as_stored).max() <= 1


def test_signed_values_move_up_and_their_window_with_them(tmp_path: Path) -> None:
    pixels = np.linspace(-2048, 2047, 24 * 32).reshape(24, 32).astype(np.int16)
    made = dataset(pixels, 12, WindowCenter="-48", WindowWidth="400")
    image = film(saved(tmp_path, made), SECRET).image
    assert np.array_equal(images.read(image.payload), (pixels.astype(int) + 2048).astype(np.uint16))
    assert image.facts.window == Window(2000, 400)


def test_bits_above_the_stored_ones_are_no_pixels(tmp_path: Path) -> None:
    pixels = ramp(12)
    with_overlay = pixels | np.uint16(0x8000)
    assert np.array_equal(stored(tmp_path, dataset(with_overlay, 12)), pixels)


def test_a_rescale_moves_the_window_and_not_the_values(tmp_path: Path) -> None:
    pixels = ramp(12)
    made = dataset(pixels, 12, RescaleSlope="2", RescaleIntercept="-1000", WindowCenter="1000", WindowWidth="2000")
    image = film(saved(tmp_path, made), SECRET).image
    assert np.array_equal(images.read(image.payload), pixels)
    assert image.facts.window == Window(1000, 1000)


def test_a_falling_rescale_is_turned_over(tmp_path: Path) -> None:
    pixels = ramp(12)
    made = dataset(pixels, 12, RescaleSlope="-1", RescaleIntercept="4095")
    assert np.array_equal(stored(tmp_path, made), 4095 - pixels)


def lut(entries: np.ndarray, first: int, bits: int) -> pydicom.Dataset:
    item = pydicom.Dataset()
    item.add_new("LUTDescriptor", "US", [entries.size % 65536, first, bits])
    item.add_new("LUTData", "OW", entries.astype("<u2").tobytes())
    return item


def test_a_modality_look_up_table_is_applied(tmp_path: Path) -> None:
    pixels = ramp(8)
    squares = (np.arange(256) ** 2 // 16).astype(np.uint16)
    made = dataset(pixels, 8, ModalityLUTSequence=pydicom.Sequence([lut(squares, 0, 12)]))
    image = film(saved(tmp_path, made), SECRET).image
    assert np.array_equal(images.read(image.payload), squares[pixels])
    assert image.facts.bits == 12


def test_a_voi_look_up_table_becomes_the_window_in_which_it_rises(tmp_path: Path) -> None:
    curve = np.clip((np.arange(4096) - 1000) * 4, 0, 4095)
    made = dataset(ramp(12), 12, VOILUTSequence=pydicom.Sequence([lut(curve, 0, 12)]))
    window = film(saved(tmp_path, made), SECRET).image.facts.window
    assert window is not None
    assert abs(window.center - 1512) < 15
    assert abs(window.width - 1024) < 40


def test_a_film_without_a_window_gets_one_from_its_values(tmp_path: Path) -> None:
    window = film(saved(tmp_path, dataset(ramp(12), 12)), SECRET).image.facts.window
    assert window is not None
    assert 3500 < window.width <= 4096


@pytest.mark.parametrize(
    ("orientation", "turn"),
    [
        (["L", "F"], Turn.NONE),
        (["R", "F"], Turn.MIRROR),
        (["RH", "FR"], Turn.MIRROR),
        (["R", "H"], Turn.ROTATE_180),
        (["L", "H"], Turn.FLIP),
        (["F", "R"], Turn.ROTATE_90),
        (["H", "L"], Turn.ROTATE_270),
        (["F", "L"], Turn.TRANSPOSE),
        (["H", "R"], Turn.TRANSVERSE),
    ],
)
def test_a_film_is_set_upright_with_the_patients_left_on_the_right(
    tmp_path: Path, orientation: list[str], turn: Turn
) -> None:
    straight = ramp(12)
    undoing = {Turn.ROTATE_90: Turn.ROTATE_270, Turn.ROTATE_270: Turn.ROTATE_90}.get(turn, turn)
    as_stored = images.turned(straight, undoing)
    image = film(saved(tmp_path, dataset(as_stored, 12, PatientOrientation=orientation)), SECRET).image
    assert image.turn is turn
    assert np.array_equal(images.read(image.payload), straight)
    assert (image.facts.height, image.facts.width) == straight.shape
    assert (image.turn_reason is None) == (turn is Turn.NONE)


def test_where_the_letters_point_is_where_the_turn_puts_them() -> None:
    """Each turn brings rows that run to the left of the patient to the right of the image, feet to the bottom."""
    for rows, columns in [(r, c) for r in "LRFH" for c in "LRFH" if (r in "LR") != (c in "LR")]:
        marked = np.zeros((3, 3), dtype=np.uint8)
        places = {rows: (1, 2), columns: (2, 1)}
        marked[places.get("L") or tuple(2 - x for x in places["R"])] = 1
        marked[places.get("F") or tuple(2 - x for x in places["H"])] = 2
        turned = images.turned(marked, upright((rows, columns), View.PA)[0])
        assert turned[1, 2] == 1
        assert turned[2, 1] == 2


def test_a_lateral_film_is_stood_on_its_feet_and_never_mirrored(tmp_path: Path) -> None:
    for orientation, turn in ((["P", "F"], Turn.NONE), (["A", "H"], Turn.ROTATE_180), (["F", "A"], Turn.ROTATE_90)):
        made = dataset(ramp(12), 12, ViewPosition="LL", PatientOrientation=orientation)
        image = film(saved(tmp_path, made), SECRET).image
        assert (image.view, image.turn) == (View.LATERAL, turn)


def test_the_view_comes_from_its_code_when_the_position_is_blank(tmp_path: Path) -> None:
    code = pydicom.Dataset()
    code.CodeMeaning = "antero-posterior"
    made = dataset(ramp(8), 8, ViewPosition="", ViewCodeSequence=pydicom.Sequence([code]))
    assert film(saved(tmp_path, made), SECRET).image.view is View.AP


def test_spacing_that_cannot_be_one_is_left_out(tmp_path: Path) -> None:
    made = dataset(ramp(8), 8, PixelSpacing=[0.0, 0.0])
    assert film(saved(tmp_path, made), SECRET).image.facts.spacing_mm is None


@pytest.mark.parametrize(
    ("elements", "said"),
    [
        ({"Modality": "CT", "SOPClassUID": CTImageStorage}, "It is a CT"),
        ({"Modality": "MG"}, "It is a MG"),
        ({"Modality": ""}, "does not say how it was made"),
        ({"BodyPartExamined": "EXTREMITY"}, r"no chest \(EXTREMITY\)"),
        ({"BodyPartExamined": "SKULL"}, r"no chest \(SKULL\)"),
    ],
)
def test_what_is_no_chest_film_is_named(tmp_path: Path, elements: dict[str, Any], said: str) -> None:
    place = saved(tmp_path, dataset(ramp(8), 8, **elements))
    with pytest.raises(NotAChestFilm, match=said):
        head(place, SECRET)
    with pytest.raises(NotAChestFilm, match=said):
        film(place, SECRET)


@pytest.mark.parametrize("part", ["CHEST", "Thorax", "CHEST_PA", "LUNG", ""])
def test_a_chest_by_any_name_is_taken(tmp_path: Path, part: str) -> None:
    film(saved(tmp_path, dataset(ramp(8), 8, BodyPartExamined=part)), SECRET)


def test_colour_many_frames_and_odd_depths_are_refused(tmp_path: Path) -> None:
    for elements, said in (
        ({"PhotometricInterpretation": "RGB"}, "RGB"),
        ({"NumberOfFrames": 12}, "12 pictures"),
        ({"BitsStored": 4, "HighBit": 3}, "4 bits"),
    ):
        with pytest.raises(UnsupportedPixels, match=said):
            film(saved(tmp_path, dataset(ramp(8), 8, **elements)), SECRET)


def test_a_header_that_asks_for_too_many_pixels_is_refused_before_decoding(tmp_path: Path) -> None:
    with pytest.raises(ImageTooLarge):
        film(saved(tmp_path, dataset(ramp(8), 8, Rows=30_000, Columns=30_000)), SECRET)


def films_in_each_syntax() -> list[pydicom.Dataset]:
    noisy = np.random.default_rng(3).integers(0, 4096, (48, 48)).astype(np.uint16)
    packed = dataset(noisy, 12)
    packed.compress(RLELossless)
    bodies = {
        JPEG2000Lossless: imagecodecs.jpeg2k_encode(
            noisy, reversible=True, level=0, codecformat="j2k", bitspersample=12
        ),
        JPEGLSLossless: imagecodecs.jpegls_encode(noisy),
        JPEGLosslessSV1: imagecodecs.ljpeg_encode(noisy, bitspersample=12),
    }
    return [dataset(noisy, 12), packed, *(compressed(noisy, 12, syntax, body) for syntax, body in bodies.items())]


@pytest.mark.parametrize("made", films_in_each_syntax(), ids=lambda made: made.file_meta.TransferSyntaxUID.name)
def test_a_truncated_film_is_told_wherever_it_was_cut(tmp_path: Path, made: pydicom.Dataset) -> None:
    whole = saved(tmp_path, made).read_bytes()
    place = tmp_path / "cut.dcm"
    for share in (0.02, 0.1, 0.3, 0.6, 0.9):
        place.write_bytes(whole[: int(len(whole) * share)])
        with pytest.raises(UnreadableImage):
            film(place, SECRET)
    place.write_bytes(whole[:-40])
    with pytest.raises(ImageTruncated, match=r"cut off|damaged"):
        film(place, SECRET)


def test_what_is_no_dicom_is_told(tmp_path: Path) -> None:
    for body in (b"", b"hello", b"\x89PNG\r\n\x1a\n" + bytes(500)):
        (tmp_path / "x").write_bytes(body)
        with pytest.raises(NotAnImage, match="no DICOM"):
            head(tmp_path / "x", SECRET)


def test_a_dataset_without_preamble_is_read(tmp_path: Path) -> None:
    made = dataset(ramp(8), 8, ImplicitVRLittleEndian)
    del made.file_meta
    pydicom.dcmwrite(tmp_path / "bare", made, implicit_vr=True, little_endian=True, enforce_file_format=False)
    assert not (tmp_path / "bare").read_bytes().startswith(bytes(128))
    assert np.array_equal(images.read(film(tmp_path / "bare", SECRET).image.payload), ramp(8))
