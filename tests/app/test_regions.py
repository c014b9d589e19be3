import numpy as np
import pytest

from app.house import House
from app.screens.regions import shapes_from
from app.services import regions, reviewing
from app.services.regions import Use
from core.masks import Mask
from core.shapes import Shape, ShapeKind
from data.images import read_mask
from tests.making import HEIGHT, WIDTH, block, image, put, study

BOX = Shape(ShapeKind.BOX, ((2.0, 3.0), (10.0, 9.0)))


@pytest.fixture
def house_with_heart(house: House) -> House:
    put(house, "d", study("a", [image(masks={"heart": block()})]))
    return house


def drawn(house: House) -> Mask:
    draft = reviewing.open_study(house, "ana", 1).draft(1, "heart")
    assert draft is not None
    return read_mask(house.store.get(draft.sha))


def test_a_box_is_added_to_the_mask_that_counts(house_with_heart: House) -> None:
    regions.apply(house_with_heart, "ana", 1, "heart", [BOX], Use.ADD)
    expected = block()
    expected[3:9, 2:10] = True
    np.testing.assert_array_equal(drawn(house_with_heart), expected)


def test_a_box_is_cut_from_what_the_reader_drew_last(house_with_heart: House) -> None:
    regions.apply(house_with_heart, "ana", 1, "heart", [BOX], Use.ADD)
    regions.apply(house_with_heart, "ana", 1, "heart", [BOX], Use.CUT)
    expected = block()
    expected[3:9, 2:10] = False
    np.testing.assert_array_equal(drawn(house_with_heart), expected)
    assert len(reviewing.open_study(house_with_heart, "ana", 1).drafts) == 1


def test_a_shape_on_a_film_without_a_mask_begins_one(house: House) -> None:
    put(house, "d", study("a", [image()]))
    regions.apply(house, "ana", 1, "nodule", [BOX], Use.ADD)
    draft = reviewing.open_study(house, "ana", 1).draft(1, "nodule")
    assert draft is not None
    assert (draft.stats.area, draft.stats.height, draft.stats.width) == (48, HEIGHT, WIDTH)


def test_a_kept_region_stands_beside_the_mask_and_can_be_removed(house_with_heart: House) -> None:
    assert regions.apply(house_with_heart, "ana", 1, "heart", [BOX], Use.KEEP) is None
    opened = reviewing.open_study(house_with_heart, "ana", 1)
    assert [(each.shape, each.points) for each in opened.regions] == [("box", BOX.points)]
    assert opened.drafts == ()
    reviewing.remove_region(house_with_heart, "ana", opened.regions[0].id)
    assert reviewing.open_study(house_with_heart, "ana", 1).regions == ()


def test_a_box_that_was_moved_and_pulled_larger_on_the_canvas_lies_where_it_is_seen() -> None:
    rect = {"type": "Rect", "left": 10, "top": 20, "width": 8, "height": 4, "scaleX": 2, "scaleY": 3, "angle": 0}
    assert shapes_from([rect], 4.0, 4.0) == [Shape(ShapeKind.BOX, ((40.0, 80.0), (104.0, 128.0)))]


def test_a_box_placed_by_its_middle_is_the_same_box() -> None:
    rect = {"type": "rect", "left": 14, "top": 22, "width": 8, "height": 4, "originX": "center", "originY": "center"}
    assert shapes_from([rect], 1.0, 1.0) == [Shape(ShapeKind.BOX, ((10.0, 20.0), (18.0, 24.0)))]


def test_a_box_that_was_turned_is_a_polygon() -> None:
    rect = {"type": "Rect", "left": 10, "top": 10, "width": 6, "height": 2, "angle": 90}
    (shape,) = shapes_from([rect], 1.0, 1.0)
    assert shape.kind is ShapeKind.POLYGON
    np.testing.assert_allclose(shape.points, [(10, 10), (10, 16), (8, 16), (8, 10)])


def test_a_closed_path_is_a_polygon_at_its_place() -> None:
    path = [["M", 100, 100], ["L", 200, 100], ["L", 150, 200], ["z"]]
    drawing = {"type": "Path", "left": 100, "top": 100, "width": 100, "height": 100, "path": path}
    (shape,) = shapes_from([drawing], 2.0, 0.5)
    assert shape.points == ((200.0, 50.0), (400.0, 50.0), (300.0, 100.0))


def test_a_line_that_encloses_nothing_is_passed_over() -> None:
    assert shapes_from([{"type": "Path", "path": [["M", 1, 1], ["L", 2, 2]]}], 1.0, 1.0) == []
