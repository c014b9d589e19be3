import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.masks import stats
from core.shapes import MalformedShape, Shape, ShapeKind, rasterise
from core.studies import Turn
from core.turning import turned
from data.images import turned as turned_pixels

SIZE = 24
edges = st.integers(0, SIZE)
places = st.floats(-4, SIZE + 4, allow_nan=False)


@given(edges, edges, edges, edges)
def test_a_box_on_pixel_edges_marks_exactly_the_pixels_between_them(x1: int, y1: int, x2: int, y2: int) -> None:
    expected = np.zeros((SIZE, SIZE), bool)
    expected[min(y1, y2) : max(y1, y2), min(x1, x2) : max(x1, x2)] = True
    np.testing.assert_array_equal(rasterise(Shape(ShapeKind.BOX, ((x1, y1), (x2, y2))), SIZE, SIZE), expected)


@given(st.lists(st.tuples(places, places), min_size=3, max_size=8))
def test_a_polygon_marks_the_pixels_whose_centre_it_goes_round(points: list[tuple[float, float]]) -> None:
    mask = rasterise(Shape(ShapeKind.POLYGON, tuple(points)), SIZE, SIZE)
    for y in range(0, SIZE, 5):
        for x in range(0, SIZE, 5):
            assert mask[y, x] == _is_inside(x + 0.5, y + 0.5, points)


@given(st.lists(st.tuples(places, places), min_size=3, max_size=8), st.integers(0, 7))
def test_it_does_not_matter_at_which_corner_a_polygon_begins(points: list[tuple[float, float]], turn: int) -> None:
    turned = [*points[turn % len(points) :], *points[: turn % len(points)]]
    first, again = (rasterise(Shape(ShapeKind.POLYGON, tuple(each)), SIZE, SIZE) for each in (points, turned))
    np.testing.assert_array_equal(first, again)


def test_two_polygons_that_share_an_edge_share_no_pixel_and_leave_none_out() -> None:
    corner = (3.3, 4.7), (19.1, 2.2), (21.4, 20.9), (5.5, 17.3)
    left = rasterise(Shape(ShapeKind.POLYGON, (corner[0], corner[1], corner[2])), SIZE, SIZE)
    right = rasterise(Shape(ShapeKind.POLYGON, (corner[0], corner[2], corner[3])), SIZE, SIZE)
    both = rasterise(Shape(ShapeKind.POLYGON, corner), SIZE, SIZE)
    assert not (left & right).any()
    np.testing.assert_array_equal(left | right, both)


def test_what_lies_beyond_the_film_is_left_out() -> None:
    mask = rasterise(Shape(ShapeKind.BOX, ((-50, -50), (5, 5))), SIZE, SIZE)
    assert stats(mask).area == 25


@pytest.mark.parametrize(("kind", "points"), [(ShapeKind.BOX, ((1, 1),)), (ShapeKind.POLYGON, ((1, 1), (2, 2)))])
def test_a_shape_without_an_inside_is_refused(kind: ShapeKind, points: tuple[tuple[float, float], ...]) -> None:
    with pytest.raises(MalformedShape, match="too few corners"):
        Shape(kind, points)


def _is_inside(x: float, y: float, points: list[tuple[float, float]]) -> bool:
    """Even-odd by casting a ray, corner by corner: slow, and written another way than what it checks."""
    inside = False
    for (x1, y1), (x2, y2) in zip(points, [*points[1:], points[0]], strict=True):
        # The centre lies on the inner side of an edge from the edge on.
        if (y1 <= y) != (y2 <= y) and x >= x1 + (y - y1) / (y2 - y1) * (x2 - x1):
            inside = not inside
    return inside


@given(st.lists(st.tuples(edges, st.integers(0, 18)), min_size=3, max_size=6), st.sampled_from(Turn))
def test_a_region_turns_with_its_film(points: list[tuple[int, int]], turn: Turn) -> None:
    # Moved by roots, so that no edge goes through a pixel's centre and no rule has to break a tie.
    polygon = Shape(ShapeKind.POLYGON, tuple((x + 2**0.5 / 10, y + 3**0.5 / 10) for x, y in points))
    box = Shape(ShapeKind.BOX, ((points[0][0], points[0][1]), (points[1][0], points[1][1])))
    for shape in (polygon, box):
        before = turned_pixels(rasterise(shape, 18, SIZE), turn)
        np.testing.assert_array_equal(rasterise(turned(shape, turn, 18, SIZE), *before.shape), before)
