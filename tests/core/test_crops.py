import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from core.crops import Crop
from core.masks import Mask

masks = arrays(np.bool_, st.tuples(st.integers(1, 20), st.integers(1, 20)))
margins = st.floats(0, 1)


@given(masks, margins)
def test_all_that_is_marked_lies_in_the_window_and_the_window_on_the_film(mask: Mask, margin: float) -> None:
    crop = Crop.around(mask, margin)
    if crop is None:
        assert not mask.any()
        return
    assert crop.cut(mask).sum() == mask.sum() > 0
    assert crop.top >= 0 and crop.top + crop.height <= mask.shape[0]
    assert crop.left >= 0 and crop.left + crop.width <= mask.shape[1]
    assert 0 < crop.share_of(*mask.shape) <= 1


@given(masks.filter(lambda mask: bool(mask.any())), margins)
def test_what_was_cut_is_put_back_where_it_was(mask: Mask, margin: float) -> None:
    crop = Crop.around(mask, margin)
    assert crop is not None
    film = np.arange(1, mask.size + 1).reshape(mask.shape)
    back = crop.put_back(crop.cut(film), *mask.shape)
    np.testing.assert_array_equal(crop.cut(back), crop.cut(film))
    assert (back != 0).sum() == crop.height * crop.width
    np.testing.assert_array_equal(crop.put_back(crop.cut(mask), *mask.shape), mask)


@pytest.mark.parametrize(
    ("margin", "window"),
    [(0, Crop(4, 6, 2, 4)), (0.25, Crop(3, 5, 4, 6)), (1, Crop(0, 2, 10, 10))],
    ids=["none", "a quarter of four pixels", "as far as the film reaches"],
)
def test_the_margin_goes_by_the_longer_side_of_the_box(margin: float, window: Crop) -> None:
    mask = np.zeros((10, 12), np.bool_)
    mask[4:6, 6:10] = True
    assert Crop.around(mask, margin) == window
