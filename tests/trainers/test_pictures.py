import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tests.trainers.conftest import drawn_film
from trainers.pictures import (
    PREDICTED_COLOUR,
    SIDE,
    STRIP,
    TRUTH_COLOUR,
    Look,
    heated,
    outlined,
    overlay,
    strip,
    tri_panel,
)


def a_look(height: int = 200, width: int = 100, side: int = SIDE) -> Look:
    truth, predicted = np.zeros((2, height, width), np.bool_)
    truth[40:120, 20:60] = predicted[50:130, 30:80] = True
    return Look.of(np.full((height, width), 90, np.uint8), truth, predicted, side)


def colours(picture: object) -> set[tuple[int, ...]]:
    return {tuple(pixel) for pixel in np.asarray(picture).reshape(-1, 3).tolist()}


@given(st.integers(1, 400), st.integers(1, 400), st.integers(1, 320))
def test_a_film_keeps_its_shape_and_its_masks_their_size(height: int, width: int, side: int) -> None:
    nothing = np.zeros((height, width), np.bool_)
    look = Look.of(np.zeros((height, width), np.uint8), nothing, ~nothing, side)
    assert max(look.pixels.shape) == side
    assert look.truth.shape == look.predicted.shape == look.pixels.shape
    assert look.predicted.all() and not look.truth.any()


def test_an_overlay_shows_both_outlines_in_colours_of_their_own_and_nothing_inside() -> None:
    look = a_look()
    film = np.asarray(outlined(look))
    assert {TRUTH_COLOUR, PREDICTED_COLOUR} <= colours(film)
    inside = np.argwhere(look.truth & look.predicted).mean(axis=0).astype(int)
    assert tuple(film[tuple(inside)]) == (90, 90, 90)
    sheet = overlay(look, "a film")
    assert sheet.size == (SIDE // 2, SIDE + 2 * STRIP)
    legend = np.asarray(sheet)[-STRIP:]
    assert {TRUTH_COLOUR, PREDICTED_COLOUR} <= colours(legend)


def test_the_three_panels_are_film_truth_and_prediction() -> None:
    look = a_look()
    sheet = np.asarray(tri_panel(look, "a film"))
    assert sheet.shape == (SIDE + STRIP, 3 * SIDE // 2, 3)
    film, truth, predicted = np.split(sheet[STRIP:], 3, axis=1)
    assert (film == 90).all()
    np.testing.assert_array_equal((truth != 90).any(axis=2), look.truth)
    np.testing.assert_array_equal((predicted != 90).any(axis=2), look.predicted)


def test_heat_lies_where_it_is_hot_and_leaves_the_rest_of_the_film_alone() -> None:
    pixels, masks = drawn_film(1)
    look = Look.of(pixels, masks["heart"], np.zeros_like(masks["heart"]))
    heat = look.truth.astype(np.float32)
    film = np.asarray(heated(look, heat, "a film"))[STRIP:].astype(int)
    changed = np.abs(film - look.pixels[:, :, None]).max(axis=2) > 1
    assert not changed[~look.truth].any()
    assert changed[look.truth].mean() > 0.9


def test_words_too_long_or_in_another_script_are_written_all_the_same() -> None:
    for caption in ("", "x" * 500, "胸部X線 Größe €"):
        assert tri_panel(a_look(), caption).width == 3 * SIDE // 2
        assert strip([outlined(a_look())], caption).size == (SIDE // 2, SIDE + STRIP)
