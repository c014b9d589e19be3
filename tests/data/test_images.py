import io
import struct
import zlib
from collections.abc import Callable

import imagecodecs
import numpy as np
import PIL.Image
import PIL.PngImagePlugin
import pytest
import tifffile
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from core.masks import MalformedMask
from core.studies import Photometric, Turn, Window
from data import images
from data.pixels import (
    MAX_PIXELS,
    ImageTooLarge,
    ImageTruncated,
    NotAnImage,
    UnreadableImage,
    UnsupportedPixels,
)

Encode = Callable[..., bytes]


def bomb(width: int, height: int) -> bytes:
    """A tiny PNG whose header promises a huge image."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    head = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(b"\0")) + chunk(b"IEND", b"")


def tiff(values: np.ndarray, **options: object) -> bytes:
    out = io.BytesIO()
    tifffile.imwrite(out, values, **options)
    return out.getvalue()


@pytest.mark.parametrize("kind", ["PNG", "JPEG"])
def test_an_8_bit_file_is_kept_as_it_came(film: np.ndarray, encoded: Encode, kind: str) -> None:
    payload = encoded(film, kind)
    kept = images.to_keep(payload)
    assert kept.payload == payload
    assert (kept.facts.width, kept.facts.height, kept.facts.bits, kept.facts.window) == (64, 48, 8, None)


def test_a_16_bit_png_is_kept_as_it_came_with_all_its_bits(encoded: Encode) -> None:
    deep = (np.arange(40 * 50, dtype=np.uint16) * 31).reshape(40, 50)
    payload = encoded(deep)
    kept = images.to_keep(payload)
    assert kept.payload == payload
    assert kept.facts.bits == 16
    assert kept.facts.window is not None
    assert np.array_equal(images.read(kept.payload), deep)


def test_a_16_bit_tiff_becomes_a_16_bit_png_of_the_same_values() -> None:
    deep = (np.arange(40 * 50, dtype=np.uint16) * 31).reshape(40, 50)
    kept = images.to_keep(tiff(deep, compression="zlib"))
    assert kept.media_type == "image/png"
    assert np.array_equal(images.read(kept.payload), deep)
    with PIL.Image.open(io.BytesIO(kept.payload)) as image:
        assert np.array_equal(np.asarray(image), deep)


def test_a_tiff_that_draws_white_as_zero_is_turned_over(film: np.ndarray) -> None:
    kept = images.to_keep(tiff(film, photometric="miniswhite"))
    assert np.array_equal(images.read(kept.payload), 255 - film)


def test_a_tiff_of_decimals_or_of_many_pictures_is_refused(film: np.ndarray) -> None:
    with pytest.raises(UnsupportedPixels, match="float32"):
        images.to_keep(tiff(film.astype(np.float32)))
    with pytest.raises(UnsupportedPixels, match="3 pictures"):
        images.to_keep(tiff(np.stack([film] * 3), photometric="minisblack"))


def test_signed_tiff_values_are_kept_where_none_is_negative(film: np.ndarray) -> None:
    assert np.array_equal(images.read(tiff(film.astype(np.int16) * 20)), film.astype(np.uint16) * 20)
    with pytest.raises(UnsupportedPixels):
        images.read(tiff(film.astype(np.int16) - 300))


@settings(max_examples=40, deadline=None)
@given(
    pixels=hnp.arrays(np.uint16, hnp.array_shapes(min_dims=2, max_dims=2, max_side=24)),
    bits=st.integers(9, 16),
)
def test_stored_values_come_back_unchanged_with_what_is_known_of_them(pixels: np.ndarray, bits: int) -> None:
    pixels = pixels >> (16 - bits)
    kept = images.from_pixels(pixels, bits, Window(100.5, 300.25), 0.143)
    assert np.array_equal(images.read(kept.payload), pixels)
    assert images.header(kept.payload) == kept.facts
    assert images.to_keep(kept.payload).payload == kept.payload
    assert images.raw(kept.payload)[1:] == (bits, pixels.max())


def test_colour_becomes_luminance_and_transparency_black(encoded: Encode) -> None:
    red = np.zeros((4, 4, 3), dtype=np.uint8)
    red[..., 0] = 200
    assert np.all(images.read(encoded(red)) == 60)
    clear = np.full((4, 4, 4), 255, dtype=np.uint8)
    clear[:2, :, 3] = 0
    assert images.read(encoded(clear))[:, 0].tolist() == [0, 0, 255, 255]
    palette = PIL.Image.fromarray(red).quantize(4)
    assert np.all(images.read(encoded(palette)) == 60)
    assert images.read(encoded(PIL.Image.fromarray(np.eye(8, dtype=bool)))).tolist() == (np.eye(8) * 255).tolist()


def test_colour_of_16_bits_keeps_its_16_bits() -> None:
    deep = np.full((4, 6, 3), 40_001, dtype=np.uint16)
    read = images.read(imagecodecs.png_encode(deep))
    assert read.dtype == np.uint16
    assert np.all(read == 40_001)


@pytest.mark.parametrize("kind", ["PNG", "JPEG"])
def test_a_file_cut_off_anywhere_is_noticed_without_decoding(film: np.ndarray, encoded: Encode, kind: str) -> None:
    payload = encoded(film, kind)
    for length in [*range(1, len(payload) - 1, 17), len(payload) - 1]:
        with pytest.raises(UnreadableImage):
            images.to_keep(payload[:length])


def test_a_cut_off_jpeg_is_noticed_although_its_exif_holds_a_whole_one(film: np.ndarray, encoded: Encode) -> None:
    inner = encoded(film[:8, :8], "JPEG")
    payload = encoded(film, "JPEG", exif=b"Exif\0\0" + inner)
    assert images.header(payload).width == 64
    with pytest.raises(ImageTruncated, match="cut off"):
        images.header(payload[: len(payload) - 40])


def test_a_jpeg_followed_by_other_bytes_and_a_progressive_one_are_whole(film: np.ndarray, encoded: Encode) -> None:
    assert images.header(encoded(film, "JPEG") + b"padding\0\0").height == 48
    assert images.header(encoded(film, "JPEG", progressive=True)).height == 48


def test_a_png_with_a_flipped_bit_is_noticed(film: np.ndarray, encoded: Encode) -> None:
    payload = bytearray(encoded(film))
    payload[len(payload) // 2] ^= 1
    with pytest.raises(ImageTruncated, match="checksum"):
        images.header(bytes(payload))


def test_a_decompression_bomb_is_refused_by_its_header() -> None:
    with pytest.raises(ImageTooLarge, match="30,000 x 30,000"):
        images.to_keep(bomb(30_000, 30_000))
    with pytest.raises(ImageTooLarge):
        images.read(bomb(30_000, 30_000))
    assert MAX_PIXELS < 30_000 * 30_000


def test_a_tiff_bomb_is_refused_by_its_header(film: np.ndarray) -> None:
    payload = bytearray(tiff(film))
    with tifffile.TiffFile(io.BytesIO(payload)) as file:
        for name in ("ImageWidth", "ImageLength"):
            tag = file.pages[0].tags[name]
            payload[tag.valueoffset : tag.valueoffset + 2] = struct.pack("<H", 40_000)
    with pytest.raises(ImageTooLarge):
        images.to_keep(bytes(payload))


def test_bytes_that_are_no_image_are_named_so() -> None:
    with pytest.raises(NotAnImage, match="no PNG, JPEG, TIFF or DICOM"):
        images.to_keep(b"GIF89a and more bytes")
    with pytest.raises(ImageTruncated, match="empty"):
        images.to_keep(b"")
    with pytest.raises(NotAnImage, match="dicom"):
        images.to_keep(b"\0" * 128 + b"DICM" + b"\0" * 10)


def test_notes_that_may_name_a_patient_are_cut_away_and_the_picture_is_not(film: np.ndarray, encoded: Encode) -> None:
    notes = PIL.PngImagePlugin.PngInfo()
    notes.add_text("Comment", "DOE^JANE 1950-01-01")
    notes.add_itxt("Patient", "DOE^JANE")
    exif = PIL.Image.Exif()
    exif[0x010E] = "DOE^JANE"
    files = [
        encoded(film, "PNG", pnginfo=notes, exif=exif),
        encoded(film, "JPEG", exif=exif, comment="DOE^JANE", quality=90),
    ]
    for payload in files:
        assert b"DOE^JANE" in payload
        kept = images.to_keep(payload)
        assert b"DOE^JANE" not in kept.payload
        assert np.array_equal(images.read(kept.payload), images.read(payload))
    assert images.to_keep(files[0]).payload == images.to_keep(encoded(film)).payload


def test_a_photograph_on_its_side_is_stood_up_and_told(film: np.ndarray, encoded: Encode) -> None:
    exif = PIL.Image.Exif()
    exif[0x0112] = 6
    payload = encoded(film, "JPEG", exif=exif, quality=95)
    kept = images.to_keep(payload)
    assert kept.turn is Turn.ROTATE_90
    assert kept.turn_reason
    assert np.array_equal(images.read(kept.payload), np.rot90(images.read(payload), -1))


@pytest.mark.parametrize(
    ("turn", "rows"),
    [
        (Turn.NONE, [[1, 2], [3, 4], [5, 6]]),
        (Turn.MIRROR, [[2, 1], [4, 3], [6, 5]]),
        (Turn.FLIP, [[5, 6], [3, 4], [1, 2]]),
        (Turn.ROTATE_90, [[5, 3, 1], [6, 4, 2]]),
        (Turn.ROTATE_180, [[6, 5], [4, 3], [2, 1]]),
        (Turn.ROTATE_270, [[2, 4, 6], [1, 3, 5]]),
        (Turn.TRANSPOSE, [[1, 3, 5], [2, 4, 6]]),
        (Turn.TRANSVERSE, [[6, 4, 2], [5, 3, 1]]),
    ],
)
def test_turns_are_what_their_names_say(turn: Turn, rows: list[list[int]]) -> None:
    pixels = np.array([[1, 2], [3, 4], [5, 6]], dtype=np.uint8)
    result = images.turned(pixels, turn)
    assert result.tolist() == rows
    assert result.flags.c_contiguous


def test_every_turn_is_known() -> None:
    pixels = np.arange(6, dtype=np.uint16).reshape(2, 3)
    assert len({images.turned(pixels, turn).tobytes() + bytes(images.turned(pixels, turn).shape) for turn in Turn}) == 8


def test_a_window_spreads_its_values_over_the_whole_range() -> None:
    ramp = np.arange(4096, dtype=np.uint16).reshape(64, 64)
    shown = images.to_8_bits(ramp, Window(2048, 1024), bits=12).reshape(-1)
    assert shown[1500] == 0
    assert shown[2600] == 255
    assert abs(int(shown[2048]) - 128) <= 1
    assert np.all(np.diff(shown.astype(int)) >= 0)
    inverted = images.to_8_bits(ramp, Window(2048, 1024), 12, Photometric.MONOCHROME1).reshape(-1)
    assert np.array_equal(inverted, 255 - shown)


def test_8_bit_films_are_shown_as_they_are(film: np.ndarray) -> None:
    assert np.array_equal(images.to_8_bits(film), film)


def test_previews_and_thumbnails_are_jpegs_of_the_asked_size(film: np.ndarray, encoded: Encode) -> None:
    deep = images.from_pixels(film.astype(np.uint16) * 16, 12)
    for small in (
        images.preview(images.read(deep.payload), deep.facts.window, max_side=32),
        images.thumbnail(deep.payload, 32),
        images.thumbnail(encoded(film, "JPEG"), 32),
        images.thumbnail(encoded(film), 32),
    ):
        with PIL.Image.open(io.BytesIO(small)) as image:
            assert (image.format, image.mode, image.size) == ("JPEG", "L", (32, 24))
    with PIL.Image.open(io.BytesIO(images.preview(film))) as image:
        assert image.size == (64, 48)


masks = hnp.arrays(np.bool_, hnp.array_shapes(min_dims=2, max_dims=2, max_side=40))


@settings(max_examples=60, deadline=None)
@given(mask=masks)
def test_a_mask_comes_back_from_its_png_and_equal_masks_have_equal_bytes(mask: np.ndarray) -> None:
    payload = images.mask_png(mask)
    assert np.array_equal(images.read_mask(payload), mask)
    assert images.mask_png(np.asfortranarray(mask)) == payload
    with PIL.Image.open(io.BytesIO(payload)) as image:
        assert image.mode == "1"


@settings(max_examples=30, deadline=None)
@given(mask=masks, level=st.sampled_from([1, 76, 255]))
def test_a_mask_of_two_levels_marks_all_that_is_not_black(mask: np.ndarray, level: int) -> None:
    out = io.BytesIO()
    PIL.Image.fromarray(mask.astype(np.uint8) * np.uint8(level)).save(out, "PNG")
    assert np.array_equal(images.mask_from_file(out.getvalue()), mask)


def test_a_mask_with_soft_edges_is_cut_at_half(encoded: Encode) -> None:
    ramp = np.array([[0, 100, 127, 128, 200, 255]], dtype=np.uint8)
    assert images.mask_from_file(encoded(ramp)).tolist() == [[False, False, False, True, True, True]]


def test_a_coloured_palette_mask_marks_its_colour(encoded: Encode) -> None:
    palette = PIL.Image.new("P", (4, 2))
    palette.putpalette([0, 0, 0, 128, 0, 0])
    palette.putpixel((1, 1), 1)
    assert np.argwhere(images.mask_from_file(encoded(palette))).tolist() == [[1, 1]]


def test_bytes_that_hold_no_mask_are_refused(film: np.ndarray, encoded: Encode) -> None:
    for payload in (b"no png", encoded(film), images.mask_png(film > 90)[:40]):
        with pytest.raises(MalformedMask):
            images.read_mask(payload)
