"""Simulated studies: who comes, what films are taken, what they show, and what the report says."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

import cv2
import numpy as np
from numpy.typing import NDArray

from core.errors import ReadingRoomError
from core.findings import State
from core.reports import Report
from core.studies import View
from data.phantom.anatomy import Anatomy, draw_anatomy
from data.phantom.films import Setup
from data.phantom.frontal import FrontalFilm
from data.phantom.geometry import Frame
from data.phantom.lateral import LateralFilm
from data.phantom.pathology import Case, draw_case, draw_pacemaker, follow_up
from data.phantom.physics import expose
from data.phantom.report import states, write_report
from data.phantom.skeleton import Skeleton
from data.phantom.vessels import Generation, grow_vessels

SMALLEST = 32
_BLOCK = 5
"""Of every five studies in a row, the last is a follow-up of one of the four patients before it."""

_PERSON, _STUDY, _FILM = 1, 2, 3


class PhantomTooSmall(ReadingRoomError):
    """A film too small to show a chest was asked for."""

    def __init__(self, size: int) -> None:
        super().__init__(f"A simulated film needs at least {SMALLEST} pixels a side; {size} were asked for.")


@dataclass(frozen=True)
class PhantomImage:
    """One simulated film.

    `pixels` (H, W) are stored values of 12 bits (0 to 4095), MONOCHROME2; `spacing_mm` is the pixel pitch at the
    detector. `masks` are exact, (H, W) each. Every frontal film has left_lung (the patient's left, on the right of the
    image), right_lung and heart; a lung's mask is its field above the dome and beside the mediastinum, whatever fills
    it. Every lateral film has heart. Findings and devices have a mask where they are present and their edge is known:
    consolidation where more than half of the lung on the ray is airless; cardiomegaly is the heart; a device where a
    strand covers at least half of the pixel.
    """

    view: View
    pixels: NDArray[np.uint16]
    spacing_mm: float
    masks: Mapping[str, NDArray[np.bool_]]


@dataclass(frozen=True)
class PhantomStudy:
    """One simulated study: PA and lateral, or a single portable AP. `states` is what its report says, by finding."""

    key: str
    patient: str
    age: int
    sex: str
    images: tuple[PhantomImage, ...]
    report: Report
    states: Mapping[str, State]


@dataclass(frozen=True)
class _Plan:
    """Everything about a study but its pixels."""

    number: int
    anatomy: Anatomy
    case: Case
    before: Case | None
    views: tuple[View, ...]


def simulate(index: int, *, seed: int = 0, size: int = 512) -> PhantomStudy:
    """Study `index` (from 0) of the endless series that `seed` names, its films `size` pixels a side.

    It depends on nothing else: the same study whatever was made before it or however many are made. The same study
    at another size is the same patient with the same findings. Raises PhantomTooSmall below 32 pixels.
    """
    if size < SMALLEST:
        raise PhantomTooSmall(size)
    plan = _plan(index, seed)
    skeleton, vessels = Skeleton(plan.anatomy), grow_vessels(plan.anatomy)
    images = tuple(
        _film(plan.case, skeleton, vessels, view, _generator(seed, _FILM, index, number), size)
        for number, view in enumerate(plan.views)
    )
    words = _generator(seed, _STUDY, index, 9)
    anatomy = plan.anatomy
    return PhantomStudy(
        key=f"phantom-{seed}-{index:06d}",
        patient=f"phantom-{seed}-p{plan.number:06d}",
        age=anatomy.age,
        sex=anatomy.sex,
        images=images,
        report=write_report(plan.case, plan.views, anatomy.age, anatomy.sex, plan.before, words),
        states=MappingProxyType(states(plan.case)),
    )


def simulate_many(count: int, *, seed: int = 0, size: int = 512) -> Iterator[PhantomStudy]:
    """The first `count` studies of the series that `seed` names, one at a time."""
    for index in range(count):
        yield simulate(index, seed=seed, size=size)


def _generator(seed: int, *path: int) -> np.random.Generator:
    return np.random.default_rng(np.random.SeedSequence([seed, *path]))


def _plan(index: int, seed: int) -> _Plan:
    block, place = divmod(index, _BLOCK)
    first = place < _BLOCK - 1
    earlier = index if first else block * _BLOCK + int(_generator(seed, _STUDY, index, 0).integers(_BLOCK - 1))
    number = block * (_BLOCK - 1) + earlier % _BLOCK
    person = _generator(seed, _PERSON, number)
    anatomy = draw_anatomy(number, person)
    pacemaker = draw_pacemaker(person, anatomy.age)

    def fresh(study: int) -> _Plan:
        rng = _generator(seed, _STUDY, study, 1)
        portable = bool(rng.random() < 0.2)
        breath = anatomy.breathing(-float(rng.uniform(6, 22))) if portable else anatomy
        views = (View.AP,) if portable else (View.PA, View.LATERAL)
        return _Plan(number, breath, draw_case(breath, rng, portable=portable, pacemaker=pacemaker), None, views)

    plan = fresh(earlier)
    if first:
        return plan
    rng = _generator(seed, _STUDY, index, 2)
    later = follow_up(anatomy, plan.case, rng, lambda: draw_case(anatomy, rng, portable=False, pacemaker=pacemaker))
    return _Plan(number, anatomy, later, plan.case, (View.PA, View.LATERAL))


def _film(
    case: Case, skeleton: Skeleton, vessels: Sequence[Generation], view: View, rng: np.random.Generator, size: int
) -> PhantomImage:
    setup = _set_up(skeleton.anatomy, view, rng, size)
    film_type = LateralFilm if view is View.LATERAL else FrontalFilm
    materials, masks = film_type(skeleton, case, setup, vessels).project()
    pixels = expose(materials, setup, rng)
    _collimate(pixels, masks, setup)
    _mark(pixels, setup)
    return PhantomImage(view, pixels, setup.frame.spacing_mm, MappingProxyType(masks))


def _set_up(anatomy: Anatomy, view: View, rng: np.random.Generator, size: int) -> Setup:
    portable, lateral = view is View.AP, view is View.LATERAL
    field = 2 * anatomy.half_width / rng.uniform(0.70, 0.77) + (0.0 if lateral else 0.4 * max(anatomy.wall - 22, 0))
    across = rng.normal(0, 4) - (0.5 * field + (4 if lateral else 0))
    top = rng.uniform(-10, 12) + anatomy.apex - 50 - (6 if portable else 0)
    frame = Frame(size, float(field / size), float(across), float(top))
    borders = rng.uniform(-0.03, 0.035, 4).clip(0, None)
    return Setup(
        view=view,
        frame=frame,
        turn=0.0 if lateral else float(rng.normal(0, 0.06 if portable else 0.025)),
        kvp=float(rng.uniform(78, 95) if portable else rng.uniform(105, 125)),
        exposure=float(rng.uniform(6e-6, 1.6e-5) if portable else rng.uniform(2.5e-6, 8e-6)),
        scatter=float(rng.uniform(0.55, 0.85) if portable else rng.uniform(0.35, 0.55)),
        raised=float(rng.uniform(8, 22) if portable else rng.normal(0, 5)),
        spread=float(rng.uniform(-12, 0) if portable else rng.uniform(4, 20)),
        processing=float(rng.uniform(0.38, 0.56)),
        brightness=float(rng.normal(0.10, 0.07)),
        collimation=(float(borders[0]), float(borders[1]), float(borders[2]), float(borders[3])),
        tilt=float(rng.normal(0, 3)),
        marker="L" if lateral or rng.random() < 0.4 else "R",
    )


def _collimate(pixels: NDArray[np.uint16], masks: dict[str, NDArray[np.bool_]], setup: Setup) -> None:
    """Shutter the unexposed border black; nothing there is seen, so nothing there is marked."""
    size = setup.frame.size
    top, right, bottom, left = (round(share * size) for share in setup.collimation)
    for border in (
        (slice(0, top), slice(None)),
        (slice(size - bottom, size), slice(None)),
        (slice(None), slice(0, left)),
        (slice(None), slice(size - right, size)),
    ):
        pixels[border] = 0
        for mask in masks.values():
            mask[border] = False


def _mark(pixels: NDArray[np.uint16], setup: Setup) -> None:
    """The lead letter that says which side is which: R at the patient's right (image left), L at the left."""
    size = setup.frame.size
    scale = size / 512
    layer = np.zeros((size, size), np.uint8)
    top, right, _, left = (share * size for share in setup.collimation)
    x = left + 0.035 * size if setup.marker == "R" else size - right - 0.085 * size
    origin = (round(x), round(top + 0.10 * size + setup.tilt))
    thickness = max(1, round(2.6 * scale))
    cv2.putText(layer, setup.marker, origin, cv2.FONT_HERSHEY_SIMPLEX, 1.05 * scale, (255,), thickness, cv2.LINE_AA)
    if setup.view is View.AP:
        below = (origin[0], round(origin[1] + 0.035 * size))
        cv2.putText(
            layer, "AP", below, cv2.FONT_HERSHEY_SIMPLEX, 0.45 * scale, (200,), max(1, round(scale)), cv2.LINE_AA
        )
    lead = layer > 0
    pixels[lead] = np.maximum(pixels[lead], layer[lead].astype(np.uint16) * 16)
