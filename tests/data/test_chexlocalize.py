"""CheXlocalize's release comes in as it lies on disk: a JSON of run lengths, and CheXpert's tree of films."""

import json
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pycocotools import mask as reference

from core.findings import VOCABULARY, by_key
from core.studies import IncomingStudy, Skipped, Split, View
from data import records
from data.images import read_mask
from data.importers import IMPORTERS
from data.importers.plan import ImportOptions, ImportPlan, MaskOfAnotherSize, NothingToImport

OPTIONS = ImportOptions(secret=b"")
SIZE = (48, 64)
NAMES = (
    "Enlarged Cardiomediastinum",
    "Cardiomegaly",
    "Lung Lesion",
    "Airspace Opacity",
    "Edema",
    "Consolidation",
    "Atelectasis",
    "Pneumothorax",
    "Pleural Effusion",
    "Support Devices",
)
KEYS = {name.lower().replace(" ", "_") for name in NAMES} - {"airspace_opacity"} | {"lung_opacity"}
MARKED = {
    "patient64541_study1_view1_frontal": {"Cardiomegaly": 5, "Airspace Opacity": 9},
    "patient64542_study1_view2_lateral": {},
    "patient64542_study1_view1_frontal": {"Support Devices": 3},
    "patient64542_study2_view1_frontal": {},
}
"""Which findings are marked on which film of the made-up release, and where."""

Encode = Callable[..., bytes]
Json = dict[str, Any]


def region(seed: int) -> np.ndarray:
    """Two regions of `SIZE`, one with a hole."""
    mask = np.zeros(SIZE, dtype=bool)
    mask[seed : seed + 12, 4:30] = True
    mask[seed + 3 : seed + 6, 8:12] = False
    mask[seed + 20 : seed + 24, 40:60] = True
    return mask


def run_lengths(mask: np.ndarray) -> Json:
    """The mask as the release's own tools write it."""
    encoded = reference.encode(np.asfortranarray(mask.astype(np.uint8)))
    return {"size": [int(side) for side in encoded["size"]], "counts": encoded["counts"].decode()}


def segmentations(marked: Mapping[str, Mapping[str, int]] = MARKED) -> Json:
    """An entry for each film, with all ten findings."""
    empty = np.zeros(SIZE, dtype=bool)
    return {
        film: {name: run_lengths(region(places[name]) if name in places else empty) for name in NAMES}
        for film, places in marked.items()
    }


@pytest.fixture
def put(film: np.ndarray, encoded: Encode) -> Callable[[Path, str, int], None]:
    """A film into a tree, at the place that its name means."""

    def put(tree: Path, name: str, shade: int = 0) -> None:
        patient, study, *view = name.split("_")
        place = tree / patient / study / f"{'_'.join(view)}.jpg"
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(encoded(film + np.uint8(shade), "JPEG"))

    return put


@pytest.fixture
def release(tmp_path: Path, put: Callable[[Path, str, int], None]) -> Path:
    """The two folders as they are downloaded: CheXlocalize with the JSON, CheXpert with the films."""
    top = tmp_path / "download"
    for shade, name in enumerate(MARKED):
        put(top / "CheXpert" / "val", name, shade)
    write(top, segmentations())
    # What also lies there and is no truth: a model's segmentations and maps, and outlines not yet filled.
    write(top, {"patient1_study1_view1_frontal": {}}, "gradcam_segmentations_val.json")
    write(top, {"patient1_study1_view1_frontal": {}}, "gt_annotations_val.json")
    (top / "CheXlocalize" / "gradcam_maps_val").mkdir()
    (top / "CheXlocalize" / "gradcam_maps_val" / "patient64541_study1_view1_frontal_Edema_map.pkl").write_bytes(b"x")
    (top / "CheXpert" / "val_labels.csv").write_text("Path,Edema\n")
    return top


def write(top: Path, body: Any, name: str = "gt_segmentations_val.json") -> Path:
    place = top / "CheXlocalize" / name
    place.parent.mkdir(exist_ok=True)
    place.write_text(body if isinstance(body, str) else json.dumps(body))
    return place


def planned(path: Path, options: ImportOptions = OPTIONS) -> ImportPlan:
    return IMPORTERS["chexlocalize"](path, options)


def brought(path: Path, options: ImportOptions = OPTIONS) -> tuple[dict[str, IncomingStudy], list[Skipped], list[str]]:
    plan = planned(path, options)
    items = list(plan.studies)
    studies = {item.key: item for item in items if isinstance(item, IncomingStudy)}
    return studies, [item for item in items if isinstance(item, Skipped)], plan.warnings


def test_views_are_grouped_by_study_and_studies_by_patient(release: Path) -> None:
    studies, skipped, warnings = brought(release)
    assert planned(release).total == 3
    assert (skipped, warnings) == ([], [])
    assert {key: study.patient for key, study in studies.items()} == {
        "patient64541_study1": "patient64541",
        "patient64542_study1": "patient64542",
        "patient64542_study2": "patient64542",
    }
    assert [(image.name, image.view) for image in studies["patient64542_study1"].images] == [
        ("view1_frontal", View.FRONTAL),
        ("view2_lateral", View.LATERAL),
    ]
    assert studies["patient64542_study2"].order > studies["patient64542_study1"].order


def test_masks_are_the_ones_that_were_drawn(release: Path) -> None:
    (image,) = brought(release)[0]["patient64541_study1"].images
    assert {mask.finding for mask in image.masks} == {"cardiomegaly", "lung_opacity"}
    assert {mask.finding for mask in image.masks} <= by_key(VOCABULARY).keys()
    drawn = {mask.finding: read_mask(mask.png) for mask in image.masks}
    assert np.array_equal(drawn["cardiomegaly"], region(5))
    assert np.array_equal(drawn["lung_opacity"], region(9))
    assert all(mask.stats.area == int(drawn[mask.finding].sum()) for mask in image.masks)


def test_an_empty_segmentation_states_absence_and_a_missing_one_states_nothing(release: Path) -> None:
    body = segmentations()
    del body["patient64541_study1_view1_frontal"]["Edema"]
    write(release, body)
    studies, skipped, _ = brought(release)
    assert skipped == []
    (image,) = studies["patient64541_study1"].images
    assert set(image.absent) == KEYS - {"cardiomegaly", "lung_opacity", "edema"}
    lateral = studies["patient64542_study1"].images[1]
    assert (set(lateral.absent), lateral.masks) == (KEYS, ())


def test_the_releases_own_run_lengths_of_an_empty_mask_are_read() -> None:
    mask = records.drawn({"size": [2320, 2828], "counts": "PVWX6"}, 2320, 2828)
    assert mask.shape == (2320, 2828)
    assert not mask.any()


@pytest.mark.parametrize(
    ("folder", "split"),
    [("val", Split.VALIDATION), ("valid", Split.VALIDATION), ("test", Split.TEST), ("films", Split.VALIDATION)],
)
def test_the_makers_split_is_the_folders_or_else_the_segmentations(release: Path, folder: str, split: Split) -> None:
    (release / "CheXpert" / "val").rename(release / "CheXpert" / folder)
    studies, _, _ = brought(release)
    assert {study.split for study in studies.values()} == {split}


def test_validation_and_test_come_in_together(release: Path, put: Callable[[Path, str, int], None]) -> None:
    name = "patient64741_study1_view1_frontal"
    put(release / "CheXpert" / "test", name, 9)
    write(release, segmentations({name: {"Edema": 2}}), "gt_segmentations_test.json")
    studies, skipped, _ = brought(release)
    assert skipped == []
    assert {key: study.split for key, study in studies.items()} == {
        "patient64541_study1": Split.VALIDATION,
        "patient64542_study1": Split.VALIDATION,
        "patient64542_study2": Split.VALIDATION,
        "patient64741_study1": Split.TEST,
    }


def test_the_json_may_lie_in_the_tree_or_beside_it_or_be_named(release: Path, tmp_path: Path) -> None:
    whole = brought(release)
    assert brought(release / "CheXpert") == whole
    assert brought(release / "CheXlocalize") == whole
    assert brought(release / "CheXlocalize" / "gt_segmentations_val.json") == whole
    place = release / "CheXlocalize" / "gt_segmentations_val.json"
    assert brought(place.rename(release / "CheXpert" / place.name).parent) == whole
    elsewhere = (release / "CheXpert" / place.name).rename(tmp_path / "anything.json")
    for path in (release, release / "CheXpert", release / "CheXpert" / "val"):
        studies, skipped, _ = brought(path, ImportOptions(secret=b"", table=elsewhere))
        assert (studies, skipped) == whole[:2]


def test_a_zip_of_the_release_is_the_release(release: Path, tmp_path: Path) -> None:
    place = tmp_path / "download.zip"
    with zipfile.ZipFile(place, "w") as archive:
        for path in sorted(path for path in release.rglob("*") if path.is_file()):
            archive.write(path, path.relative_to(release))
    assert brought(place) == brought(release)


def test_beside_reduced_films_the_films_come_in_and_their_masks_are_left_out(release: Path, encoded: Encode) -> None:
    small = release / "CheXpert-v1.0-small" / "valid"
    small.parent.mkdir()
    (release / "CheXpert" / "val").rename(small)
    (small / "patient64541" / "study1" / "view1_frontal.jpg").write_bytes(encoded(np.zeros((24, 32), np.uint8), "JPEG"))
    studies, skipped, warnings = brought(release)
    (image,) = studies["patient64541_study1"].images
    assert (image.masks, image.absent) == ((), ())
    assert len(skipped) == 10
    assert all(isinstance(item, MaskOfAnotherSize) for item in skipped)
    assert skipped[0].item == "Enlarged Cardiomediastinum on patient64541_study1_view1_frontal"
    assert "64 x 48 pixels but its image is 32 x 24" in skipped[0].reason
    assert warnings[0].startswith("10 segmentations are of another size")
    assert len(studies["patient64542_study1"].images[0].masks) == 1


@pytest.mark.parametrize(
    "broken",
    [
        None,
        "PVWX6",
        [],
        {},
        {"size": list(SIZE)},
        {"size": [48], "counts": "PVWX6"},
        {"size": "large", "counts": "PVWX6"},
        {"size": [float("inf"), 64], "counts": "PVWX6"},
        {"size": list(SIZE), "counts": None},
        {"size": list(SIZE), "counts": ""},
        {"size": list(SIZE), "counts": "~~~"},
        {"size": list(SIZE), "counts": "PVWX6"},
        {"size": list(SIZE), "counts": "PVWX6"[:-1] + "o"},
        {"size": list(SIZE), "counts": "o" * 500_000},
        {"size": list(SIZE), "counts": [48, {}]},
        {"size": [10**9, 10**9], "counts": [10**18]},
    ],
    ids=lambda value: str(value)[:50],
)
def test_run_lengths_that_cannot_be_read_cost_that_finding_alone(release: Path, broken: Any) -> None:
    body = segmentations()
    body["patient64541_study1_view1_frontal"]["Cardiomegaly"] = broken
    write(release, body)
    studies, (skipped,), _ = brought(release)
    assert skipped.item == "Cardiomegaly on patient64541_study1_view1_frontal"
    (image,) = studies["patient64541_study1"].images
    assert [mask.finding for mask in image.masks] == ["lung_opacity"]
    assert set(image.absent) == KEYS - {"cardiomegaly", "lung_opacity"}
    assert len(studies) == 3


def test_films_that_are_missing_broken_or_misnamed_cost_nothing_else(release: Path) -> None:
    val = release / "CheXpert" / "val"
    (val / "patient64541" / "study1" / "view1_frontal.jpg").unlink()
    (val / "patient64542" / "study1" / "view2_lateral.jpg").write_bytes(b"not a picture")
    whole = segmentations()["patient64542_study2_view1_frontal"]
    misnamed = ("patient64542", "../../secret_study1_view1_frontal", "patient1_study1_view1_oblique", "")
    write(release, segmentations() | dict.fromkeys(misnamed, whole) | {"patient2_study1_view1_frontal": ["Edema"]})
    studies, skipped, _ = brought(release)
    assert {key: [image.name for image in study.images] for key, study in studies.items()} == {
        "patient64542_study1": ["view1_frontal"],
        "patient64542_study2": ["view1_frontal"],
    }
    reasons = {item.item: item.reason for item in skipped}
    assert reasons.keys() == {
        "patient64541_study1_view1_frontal",
        "patient64542_study1_view2_lateral",
        "patient2_study1_view1_frontal",
        *misnamed,
    }
    assert "patient64541/study1/view1_frontal.jpg" in reasons["patient64541_study1_view1_frontal"]


def test_a_file_that_is_no_json_costs_nothing_of_the_others(release: Path) -> None:
    write(release, "{ cut off", "gt_segmentations_test.json")
    write(release, ["a list"], "gt_segmentations_more.json")
    studies, skipped, _ = brought(release)
    assert len(studies) == 3
    assert [item.item for item in skipped] == ["gt_segmentations_more.json", "gt_segmentations_test.json"]


def test_of_a_film_in_two_files_and_a_finding_under_two_names_the_first_counts(release: Path) -> None:
    body = segmentations()
    film = body["patient64541_study1_view1_frontal"]
    film["Lung Opacity"] = run_lengths(region(1))
    write(release, body)
    write(release, segmentations({"patient64542_study2_view1_frontal": {"Edema": 3}}), "gt_segmentations_val_2.json")
    studies, skipped, _ = brought(release)
    assert [item.item for item in skipped] == [
        "patient64542_study2_view1_frontal",
        "Lung Opacity on patient64541_study1_view1_frontal",
    ]
    assert studies["patient64542_study2"].images[0].masks == ()
    drawn = {mask.finding: read_mask(mask.png) for mask in studies["patient64541_study1"].images[0].masks}
    assert np.array_equal(drawn["lung_opacity"], region(9))


def test_findings_new_to_the_vocabulary_keep_their_names_and_are_told(release: Path) -> None:
    body = segmentations()
    body["patient64541_study1_view1_frontal"] |= {"Hilar Mass (left)": run_lengths(region(1)), " ": None}
    write(release, body)
    studies, (skipped,), warnings = brought(release)
    assert "hilar_mass_left" in {mask.finding for mask in studies["patient64541_study1"].images[0].masks}
    assert skipped.reason == "the finding has no name"
    assert warnings == ["The segmentations name findings that are new to the vocabulary: hilar_mass_left."]


def test_without_json_or_films_the_import_is_refused_with_what_to_do(release: Path, tmp_path: Path) -> None:
    with pytest.raises(NothingToImport, match="Name the JSON"):
        brought(release, ImportOptions(secret=b"", table=Path("nowhere.json")))
    place = write(release, "{ cut off")
    with pytest.raises(NothingToImport, match=r"gt_segmentations_val\.json: it is no JSON"):
        brought(release)
    write(release, {})
    with pytest.raises(NothingToImport, match="No segmentations are in"):
        brought(release)
    place.unlink()
    with pytest.raises(NothingToImport, match="Put the segmentations of CheXlocalize there"):
        brought(release)
    lonely = tmp_path / "deep" / "lonely"
    lonely.mkdir(parents=True)
    (lonely / "gt_segmentations_test.json").write_text(json.dumps(segmentations()))
    with pytest.raises(NothingToImport, match="Put the folders of CheXpert there"):
        brought(lonely)
