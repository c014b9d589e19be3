"""A film handed over on its own: every kind comes in clean, and what is no film is refused with its reason."""

import io
from collections.abc import Callable
from pathlib import Path

import numpy as np
import PIL.Image
import pytest
from dicom_making import SECRET, dataset, ramp, saved

from core.studies import View
from data import door, images
from data.door import NoFilm, admit
from data.pixels import ImageTooLarge, ImageTruncated, NotAnImage, UnreadableImage

Encoded = Callable[..., bytes]


def film(height: int = 256, width: int = 224) -> np.ndarray:
    return np.random.default_rng(3).integers(0, 255, (height, width)).astype(np.uint8)


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "TIFF"])
def test_pictures_come_in_without_a_caution(encoded: Encoded, kind: str) -> None:
    admitted = admit(encoded(film(), kind), SECRET)
    assert (admitted.image.facts.width, admitted.image.facts.height) == (224, 256)
    assert admitted.image.view is View.UNKNOWN
    assert admitted.cautions == ()
    assert images.read(admitted.image.payload).shape == (256, 224)


def test_a_dicom_film_names_nobody_once_it_is_in(tmp_path: Path) -> None:
    payload = saved(tmp_path, dataset(ramp(12, (256, 224)), 12)).read_bytes()
    assert b"DOE^JANE" in payload
    admitted = admit(payload, SECRET)
    assert admitted.image.view is View.PA
    assert (admitted.image.facts.bits, admitted.image.media_type) == (12, images.PNG)
    assert b"DOE" not in admitted.image.payload
    assert b"MRN-0042" not in admitted.image.payload
    assert "0042" not in admitted.image.name


def test_an_old_dicom_file_without_preamble_is_read(tmp_path: Path) -> None:
    payload = saved(tmp_path, dataset(ramp(12, (256, 224)), 12)).read_bytes()
    assert admit(payload[132:], SECRET).image.view is View.PA


def test_text_burned_into_a_film_is_warned_of(tmp_path: Path) -> None:
    made = dataset(ramp(12, (256, 224)), 12, BurnedInAnnotation="YES")
    assert "burned into its pixels" in admit(saved(tmp_path, made).read_bytes(), SECRET).cautions[0]


def test_a_film_that_was_stored_lying_is_set_upright_and_that_is_told(tmp_path: Path) -> None:
    made = dataset(ramp(12, (256, 224)), 12, PatientOrientation=["R", "F"])
    (told,) = admit(saved(tmp_path, made).read_bytes(), SECRET).cautions
    assert told == "It was set upright: PatientOrientation R\\F says that the film was stored mirrored."


def test_notes_in_a_photograph_are_cut_away(encoded: Encoded) -> None:
    exif = PIL.Image.Exif()
    exif[0x010E] = "Jane Doe"
    payload = encoded(film(), "JPEG", exif=exif)
    assert b"Jane Doe" in payload
    assert b"Jane Doe" not in admit(payload, SECRET).image.payload


def test_a_lateral_film_is_refused(tmp_path: Path) -> None:
    made = dataset(ramp(12, (256, 224)), 12, ViewPosition="LL")
    with pytest.raises(NoFilm, match="read frontal ones only"):
        admit(saved(tmp_path, made).read_bytes(), SECRET)


def test_an_empty_file_is_told(encoded: Encoded) -> None:
    with pytest.raises(ImageTruncated, match=r"The file is empty\."):
        admit(b"", SECRET)


@pytest.mark.parametrize("payload", [b"%PDF-1.7 a letter", b"hello", b"\0" * 400, b"PK\x03\x04 a zip"])
def test_what_is_no_image_is_told(payload: bytes) -> None:
    with pytest.raises(NotAnImage, match="no PNG, JPEG, TIFF or DICOM image"):
        admit(payload, SECRET)


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "TIFF"])
def test_a_file_that_is_cut_off_is_told(encoded: Encoded, kind: str) -> None:
    whole = encoded(film(), kind)
    with pytest.raises(UnreadableImage):
        admit(whole[: len(whole) // 2], SECRET)


def test_a_dicom_file_that_is_cut_off_is_told(tmp_path: Path) -> None:
    payload = saved(tmp_path, dataset(ramp(12, (256, 224)), 12)).read_bytes()
    with pytest.raises(ImageTruncated, match="cut off or damaged"):
        admit(payload[: len(payload) // 2], SECRET)


def test_an_image_without_end_is_refused_by_its_header() -> None:
    bomb = io.BytesIO()
    PIL.Image.new("1", (40_000, 40_000)).save(bomb, "PNG")
    with pytest.raises(ImageTooLarge, match="40,000 x 40,000 pixels"):
        admit(bomb.getvalue(), SECRET)


def test_a_file_without_end_is_not_opened(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(door, "MOST_BYTES", 1 << 20)
    with pytest.raises(NoFilm, match="More than 1 MiB are not opened"):
        admit(bytes((1 << 20) + 1), SECRET)


def test_sixty_four_pixels_are_too_few_for_a_film(encoded: Encoded) -> None:
    with pytest.raises(NoFilm, match="has only 8 x 8 pixels, which is too small"):
        admit(encoded(film(8, 8)), SECRET)


def test_a_film_of_sixty_four_pixels_a_side_is_read_with_a_caution(encoded: Encoded) -> None:
    (caution,) = admit(encoded(film(64, 64)), SECRET).cautions
    assert caution.startswith("The film has only 64 x 64 pixels")


@pytest.mark.parametrize("grey", [0, 128, 255])
def test_an_empty_image_is_told(encoded: Encoded, grey: int) -> None:
    with pytest.raises(NoFilm, match="all of its pixels are equally bright"):
        admit(encoded(np.full((256, 224), grey, np.uint8)), SECRET)


def test_a_strip_is_no_usual_shape(encoded: Encoded) -> None:
    (caution,) = admit(encoded(film(210, 900)), SECRET).cautions
    assert "no usual shape" in caution
